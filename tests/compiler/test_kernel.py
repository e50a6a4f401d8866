from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from tests.support.eager import is_close
from tests.support.programs import compiled

X = np.array([1.0, 2.0, 3.0])
Y = np.array([4.0, 5.0, 7.0])


# Arguments


ARGUMENTS = {
    "dict": (lambda d: d["a"][1] * d["b"], {"a": np.ones((3, 2)) * X[:, None], "b": Y}),
    "tuple": (lambda t: t[0] * t[1][0], (X, (Y,))),
    "list of arrays": (lambda t: t[0] * t[1], [X, Y]),
    "list of numbers": (lambda x: x * x + 3 * x - 1, [1.0, 2.0, 3.0]),
    "nested list": (lambda r: r[0] * r[1], [[1.0, 4.0], [2.0, 5.0], [3.0, 7.0]]),
    "matrix": (lambda m: m[0, 0] * m[1, 1], np.arange(12.0).reshape(3, 2, 2)),
    "integers": (lambda x: x * 2.5, np.array([1, 2, 3])),
    "mixed": (lambda t: t[0]["k"] * t[1], ({"k": X, "n": 3}, Y, "s")),
}
RESULTS = {
    "dict": [4.0, 10.0, 21.0], "tuple": [4.0, 10.0, 21.0], "list of arrays": [4.0, 10.0, 21.0],
    "list of numbers": [3.0, 9.0, 17.0], "nested list": [4.0, 10.0, 21.0],
    "matrix": [0.0, 28.0, 88.0], "integers": [2.5, 5.0, 7.5], "mixed": [4.0, 10.0, 21.0],
}  # fmt: skip


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_are_trees_of_arrays(case):
    f, arg = ARGUMENTS[case]
    kernel = Kernel(f)
    assert kernel(arg).tolist() == RESULTS[case]
    kernel.check(arg)


Point = namedtuple("Point", "x y")
KINDS = {
    "a longer list": (lambda w, x: sum(a * b for a, b in zip(w, [*x, 1.0], strict=True)),
                      [[2.0], [3.0]]),
    "lists joined": (lambda w, x: sum(x + w), [[2.0, 1.0], [3.0, 4.0]]),
    "lists of lists": (lambda w, x: sum(sum(row + w) for row in x + x), [[[1.0], [2.0]]]),
    "arrays added": (lambda w, x: sum(x + w), np.array([[2.0, 1.0], [3.0, 4.0]])),
    "a named tuple": (lambda w, p: Point(p.x * w[0], p._replace(y=p.x).y + p.y),
                      Point(np.array([1.0, 2.0]), np.array([3.0, 5.0]))),
    "lists in a dict": (lambda w, d: sum(d["a"] + d["b"]) * w[1],
                        {"a": [[1.0, 2.0]], "b": [[3.0]]}),
    "integers in a list": (lambda w, x: w[0] ** x[0] + sum([*x, 1]), [[2, 3], [1, 4]]),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("batched", [True, False])
def test_arguments_keep_their_kind(kind, batched):
    f, arg = KINDS[kind]
    w = [Value(0.1), Value(0.2)]
    if not batched and isinstance(arg, dict):
        arg = {key: rows[0] for key, rows in arg.items()}
    elif not batched and isinstance(arg, list | np.ndarray):
        arg = arg[0]
    kernel = Kernel(lambda x: f(w, x), batched=batched)
    kernel.check(arg)
    if isinstance(arg, list) and not batched:  # on plain numbers, too
        assert kernel(arg) == pytest.approx(f([v.data for v in w], arg), rel=1e-14)


def test_results_come_in_the_structure_of_the_function(w):
    f = {"none": None, "array": lambda x: np.array([[x, w]], dtype=object), "empty": []}
    kernel = Kernel(lambda x: Point({**f, "array": f["array"](x)}, (w * x,)))
    result = kernel(X)
    assert isinstance(result, Point)
    assert (result.x["none"], result.x["empty"]) == (None, [])
    assert result.x["array"].tolist() == [[[x, 2.0]] for x in X.tolist()]
    assert result.y[0].tolist() == (2 * X).tolist()
    single = Kernel(f["array"], batched=False)(3.0)
    assert single.tolist() == [[3.0, 2.0]]


@pytest.mark.parametrize("dtype", [np.uint64, np.int64, np.uint8, bool])
def test_integers_are_the_numbers_that_they_are(dtype):
    largest = 1 if dtype is bool else np.iinfo(dtype).max
    numbers = np.array([0, largest], dtype=dtype)
    kernel = Kernel(lambda n, x: n * 1.0 + 0.0 * x)
    for _ in range(2):
        assert kernel(numbers, np.ones(2)).tolist() == [0.0, float(largest)]
        assert kernel.value_and_grad(numbers, np.ones(2))[0] == float(largest) / 2


def test_an_index_too_large_for_a_signed_integer_is_out_of_range():
    table = [Value(1.0), Value(2.0)]
    kernel = Kernel(lambda k: autodiff.take(table, k))
    with pytest.raises(IndexError):
        kernel(np.array([2**63 + 1], dtype=np.uint64))


def test_gradients_have_the_structure_of_their_argument():
    kernel = Kernel(lambda d, y: d["a"][1] * d["b"] * y)
    d = {"a": np.stack([X, X], 1), "b": Y}
    values, gradient = kernel.value_and_grad(d, X, argnums=0)
    assert values.tolist() == (X * Y * X).tolist()
    assert gradient["a"].tolist() == np.stack([0 * X, Y * X], 1).tolist()
    assert gradient["b"].tolist() == (X * X).tolist()


def test_ints_strings_and_bools_are_static():
    seen = []

    def f(x, n, mode, flag):
        seen.append((n, mode, flag))
        return x**n if mode == "power" and flag else x * n

    kernel = Kernel(f)
    assert kernel(X, 3, "power", True).tolist() == [1.0, 8.0, 27.0]
    assert kernel(X, 3, "power", False).tolist() == [3.0, 6.0, 9.0]
    assert kernel(X, 4, "times", True).tolist() == [4.0, 8.0, 12.0]
    assert kernel(X, 3, "power", True).tolist() == [1.0, 8.0, 27.0]
    assert seen == [(3, "power", True), (3, "power", False), (4, "times", True)]


def test_one_and_true_are_two_structures():
    kernel = Kernel(lambda x, s: 2 * x if s is True else x)
    assert kernel(X, 1).tolist() == X.tolist()
    assert kernel(X, True).tolist() == (2 * X).tolist()


def test_equal_keys_of_other_types_are_other_structures():
    for one, other in ((1, True), (1, 1.0), ((1, "a"), (True, "a")), (((0,),), ((0.0,),))):
        kernel = Kernel(lambda d: sum(x * len(repr(key)) for key, x in d.items()))
        for key in (one, other, one):
            assert kernel({key: X}).tolist() == (X * len(repr(key))).tolist()
        assert repr(*Kernel(lambda d: d)({other: X})) == repr(other)


OBJECTS = [[1, 0, 1], [0.5, 1.9, 0.0], [True, False, True], [Value(0.5), Value(1.9), Value(0.0)]]


@pytest.mark.parametrize("first", OBJECTS)
def test_arrays_of_objects_are_looked_at_in_each_call(first):
    f = {
        "number": lambda x: x * x,
        "index": lambda x: autodiff.take([2.0, 3.0], x) * 1.0,
        "condition": lambda x: autodiff.where(x & True, 2.0, 3.0),
    }
    for function in f.values():
        kernel = Kernel(function)
        for given in (first, *OBJECTS):
            array, ours = np.array(given, object), Kernel(function)
            for call in ("value_and_grad", "__call__"):
                try:
                    expected = getattr(ours, call)(array)
                except autodiff.TraceError:
                    with pytest.raises(autodiff.TraceError):
                        getattr(kernel, call)(array)
                else:
                    found = getattr(kernel, call)(array)
                    assert np.array_equal(found[0], expected[0])


def test_results_keep_their_structure(w):
    kernel = Kernel(lambda x: {"a": w * x, "b": [x, (1.0, w)]})
    result = kernel(X)
    assert result["a"].tolist() == [2.0, 4.0, 6.0]
    assert result["b"][0].tolist() == X.tolist()
    assert isinstance(result["b"][1], tuple)
    assert [x.tolist() for x in result["b"][1]] == [[1.0] * 3, [2.0] * 3]
    kernel.check(X)


def test_arguments_and_results_are_the_callers(line):
    x, y = X.copy(), Y.copy()
    first = line(x, y)
    kept = first.copy()
    line(y, x)
    assert (first == kept).all()
    first[:] = 0
    assert (line(x, y) == kept).all()
    assert (x == X).all()
    assert (y == Y).all()
    _, gradient = line.value_and_grad(x, y, argnums=0)
    kept = gradient.copy()
    line.value_and_grad(y, x, argnums=0)
    assert (gradient == kept).all()


def test_without_a_batch_the_arguments_are_those_of_the_function(w):
    kernel = Kernel(lambda x, y: autodiff.dot(x, y) * w, batched=False)
    assert kernel([1.0, 2.0], [3.0, 4.0]) == 22.0
    value, gradient = kernel.value_and_grad([1.0, 2.0], [3.0, 4.0])
    assert (value, gradient.tolist()) == (22.0, [11.0])
    value, (dx, dy) = kernel.value_and_grad([1.0, 2.0], [3.0, 4.0], argnums=(0, 1))
    assert (value, dx.tolist(), dy.tolist()) == (22.0, [6.0, 8.0], [2.0, 4.0])
    kernel.check([1.0, 2.0], [3.0, 4.0])
    assert Kernel(lambda x: x * w, batched=False)(3.0) == 6.0
    assert Kernel(lambda: w * w, batched=False)() == 4.0


def test_float32_is_computed_in_float32():
    program, _ = compiled("classifier")
    kernel = Kernel(program.f, dtype=np.float32)
    args = program.arguments(np.random.default_rng(1), 5)
    value, gradient = kernel.value_and_grad(*args)
    expected, exact = compiled("classifier")[1].value_and_grad(*args)
    assert gradient.dtype == np.float32
    assert kernel(*args).dtype == np.float32
    assert is_close(value, expected, 1e-5)
    assert is_close(gradient, exact, 1e-5)
    assert not is_close(gradient, exact, 1e-11)
    with pytest.raises(TypeError, match="dtype"):
        Kernel(program.f, dtype=int)


def test_a_matrix_of_one_number_is_of_float32():
    w = [Value(1.0), Value(2.0)]
    kernel = Kernel(lambda x: autodiff.sign(autodiff.dot(w, w[::-1])) * x, dtype=np.float32)
    value, gradient = kernel.value_and_grad(X)
    assert value == 2.0
    assert gradient.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", ["mlp_module", "classifier"])
@pytest.mark.parametrize("batch", [0, 1, 1000])
def test_every_batch_size_works(name, batch):
    program, kernel = compiled(name)
    args = program.arguments(np.random.default_rng(1), batch)
    values = kernel(*args)
    assert values.shape == (batch,)
    value, gradient = kernel.value_and_grad(*args)
    assert gradient.shape == (len(kernel.parameters),)
    if batch:
        halves = [kernel.value_and_grad(*[x[k::2] for x in args]) for k in range(min(batch, 2))]
        assert is_close(value, values.mean(), 1e-12)
        if batch > 1:
            assert is_close(gradient, (halves[0][1] + halves[1][1]) / 2)
    else:
        assert value == 0
        assert not gradient.any()


WRONG = {
    "sizes": (ValueError, "different batch sizes: 2, 3", (np.ones(2), np.ones(3))),
    "no batch": (ValueError, "no batch axis", (1.5, np.ones(3))),
    "strings": (TypeError, "no real numbers", (np.array(["a"]), np.ones(1))),
    "complex": (TypeError, "no real numbers", (np.array([1j]), np.ones(1))),
    "ragged": (ValueError, "inhomogeneous", ([[1.0], [1.0, 2.0]], np.ones(2))),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_refused(line, case):
    error, message, args = WRONG[case]
    with pytest.raises(error, match=message):
        line(*args)


# Any name of an argument

NAMES = ["x", "batch", "scale", "np", "seed", "vector", "parameters", "self", "z1", "tokens"]
# Names of ops, and of what lines are written with.
TAKEN = ["targets", "sum", "out", "step", "view", "array", "shape", "last"]


def named(name):
    space = {}
    exec(f"def f({name}, y): return ({name} * 3 + y) * {name}", space)
    return space["f"]


@pytest.mark.parametrize("name", [*NAMES, *TAKEN])
def test_arguments_may_have_any_name(name):
    kernel = Kernel(named(name))
    assert is_close(kernel(X, Y), (X * 3 + Y) * X)
    _, gradient = kernel.value_and_grad(X, Y, argnums=0)
    assert is_close(gradient, 6 * X + Y)


@pytest.mark.parametrize("names", [("x", "x_"), ("x_", "x"), ("a", "parameters_")])
def test_names_with_an_underscore_are_not_those_of_arrays(names, w):
    space = {"w": w}
    exec(f"def f({', '.join(names)}): return {names[0]} * {names[1]} * w", space)
    x, y = X.copy(), Y.copy()
    assert is_close(Kernel(space["f"])(x, y), 2 * X * Y)
    assert (y == Y).all()
    assert (x == X).all()


# Parameters and gradients


def test_parameters_may_be_given_as_one_array(line, w):
    value, gradient = line.value_and_grad(X, Y, parameters=[5.0])
    assert is_close(value, np.mean(5 * X + Y * Y))
    assert is_close(gradient, [2.0])
    assert is_close(line(X, Y, parameters=np.array([5.0])), 5 * X + Y * Y)
    assert w.data == 2.0
    assert is_close(line(X, Y), 2 * X + Y * Y)


@pytest.mark.parametrize("wrong", [[], [1.0, 2.0], [[1.0]], 1.0])
def test_parameters_of_another_shape_are_refused(line, wrong):
    for call in (line, line.value_and_grad):
        with pytest.raises(ValueError, match="the kernel has 1 parameters"):
            call(X, Y, parameters=wrong)
    with pytest.raises(ValueError, match="vector"):
        line.hvp(X, Y, vector=wrong)


def test_argnums_choose_arguments_in_order(line):
    values, by_y = line.value_and_grad(X, Y, argnums=1)
    assert is_close(values, 2 * X + Y * Y)
    assert is_close(by_y, 2 * Y)
    _, (by_y, by_x) = line.value_and_grad(X, Y, argnums=(1, 0))
    assert is_close(by_y, 2 * Y)
    assert is_close(by_x, [2.0] * 3)


def test_by_no_argument_the_values_come_alone(line):
    values, gradients = line.value_and_grad(X, Y, argnums=())
    assert is_close(values, 2 * X + Y * Y)
    assert gradients == ()


@pytest.mark.parametrize("argnums", [2, -1, (0, 5)])
def test_argnums_out_of_range_are_refused(line, argnums):
    with pytest.raises(ValueError, match="argnums"):
        line.value_and_grad(X, Y, argnums=argnums)


def test_a_static_argument_has_no_gradient():
    with pytest.raises(ValueError, match="argument 1"):
        Kernel(lambda x, n: x * n).value_and_grad(X, 3, argnums=1)


def test_a_structure_has_no_gradient():
    kernel = Kernel(lambda x: [x, x])
    for call in (kernel.value_and_grad, kernel.backward):
        with pytest.raises(TypeError, match="single number"):
            call(X)
    with pytest.raises(TypeError, match="single number"):
        kernel.hvp(X, vector=[])


@pytest.mark.parametrize("count", [1, 2])
def test_the_gradient_is_flat_also_where_it_is_zero(count):
    ws = [Value(2.0) for _ in range(count)]

    def f(x):
        return x + sum(w.sign() for w in ws)

    _, gradient = Kernel(f).value_and_grad(X)
    assert gradient.shape == (count,)
    assert not gradient.any()


def test_backward_with_a_zero_gradient_adds_zero(w):
    w.grad = 3.0
    assert Kernel(lambda x: x + w.sign()).backward(X) == 3.0
    assert w.grad == 3.0


def test_backward_adds_to_grad(line, w):
    w.grad = 10.0
    value = line.backward(X, Y)
    assert isinstance(value, float)
    assert is_close(value, np.mean(2 * X + Y * Y))
    line.backward(X, Y)
    assert is_close(w.grad, 10.0 + 2 * 2.0)


def test_backward_refuses_values_in_arrays():
    kernel = Kernel(lambda x: 2 * x)
    for x in (np.array([Value(1.0)]), [Value(1.0)]):
        for _ in range(2):
            with pytest.raises(TypeError, match="an argument is a Value"):
                kernel.backward(x)


@pytest.mark.parametrize("name", ["mixed", "mixture", "classifier", "recurrent"])
def test_hvp_is_the_slope_of_the_gradient(name):
    program, kernel = compiled(name)
    rng = np.random.default_rng(4)
    args = program.arguments(rng, 3)
    theta = np.array([p.data for p in kernel.parameters])
    v = rng.normal(size=theta.shape)
    h = 1e-6
    sides = [kernel.value_and_grad(*args, parameters=theta + s * v)[1] for s in (h, -h)]
    product = kernel.hvp(*args, vector=v)
    assert product.shape == theta.shape
    assert is_close(product, (sides[0] - sides[1]) / (2 * h), 1e-6)
    assert is_close(kernel.hvp(*args, vector=2 * v, parameters=theta), 2 * product)


def test_hvp_of_a_quadratic_is_exact():
    a, b = Value(3.0), Value(4.0)
    kernel = Kernel(lambda x: x * a * a * b)
    # Hessian, times x: [[2b, 2a], [2a, 0]] = [[8, 6], [6, 0]], whose mean x is 2.
    assert is_close(kernel.hvp(X, vector=[1.0, 10.0]), [2 * 68.0, 2 * 6.0])


def one_of_three(w, x):
    return autodiff.logsumexp([w[0], x, 0.0])


def two_less_one(w, x):
    return (w[0] * w[0] * x - w[2] * w[2] * x) * (w[1] * w[1] * x - w[2] * w[2] * x)


@pytest.mark.parametrize("program", [one_of_three, two_less_one])
def test_hvp_is_that_of_values(program):
    w = [Value(x) for x in (-0.7, 0.4, 1.3)]
    kernel = Kernel(lambda x: program(w, x))
    kernel.value_and_grad(X)
    theta = [p.data for p in w]
    order = [w.index(p) for p in kernel.parameters]
    vector = np.array([1.0, -2.0, 0.5])
    each = [autodiff.hvp(program, (theta, x), (vector.tolist(), 0.0))[0] for x in X.tolist()]
    expected = np.mean(np.array(each, dtype=float), axis=0)[order]
    assert is_close(kernel.hvp(X, vector=vector[order]), expected)


# What a kernel remembers


def test_source_needs_a_call():
    kernel = Kernel(lambda x: 2 * x)
    for read in ("source", "program", "parameters"):
        with pytest.raises(RuntimeError, match="never called"):
            getattr(kernel, read)
    with pytest.raises(RuntimeError, match="never called"):
        kernel.explain()
    kernel(X)
    assert "def step(parameters, x):" in kernel.source


def test_traces_are_kept_for_each_structure():
    count = []
    kernel = Kernel(lambda x: (count.append(1), autodiff.sum(list(x)))[1])
    assert kernel.cache_info() == (0, 0, 0)
    for width, batch in ((2, 3), (2, 5), (4, 3), (2, 3)):
        assert kernel(np.ones((batch, width))).tolist() == [width] * batch
    info = kernel.cache_info()
    assert (info.hits, info.misses, info.size) == (2, 2, 2)
    assert len(count) == 2


def test_a_trace_with_new_parameters_adds_them_behind():
    a, b = Value(2.0), Value(3.0)
    kernel = Kernel(lambda x, which: (a if which == "a" else b * a) * x)
    _, gradient = kernel.value_and_grad(X, "a")
    assert (kernel.parameters, gradient.tolist()) == ([a], [2.0])
    _, gradient = kernel.value_and_grad(X, "b")
    assert kernel.parameters == [a, b]
    assert is_close(gradient, [6.0, 4.0])
    _, gradient = kernel.value_and_grad(X, "a", parameters=[5.0, 7.0])
    assert is_close(gradient, [2.0, 0.0])
    assert is_close(kernel.hvp(X, "b", vector=[1.0, 0.0]), [0.0, 2.0])


def test_threads_may_call_one_kernel():
    program, kernel = compiled("classifier")
    rng = np.random.default_rng(0)
    calls = [program.arguments(rng, batch) for batch in range(1, 13)] * 6
    expected = [kernel.value_and_grad(*args) for args in calls]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda args: kernel.value_and_grad(*args), calls))
    for (value, gradient), (expected_value, exact) in zip(found, expected, strict=True):
        assert value == expected_value
        assert (gradient == exact).all()


@pytest.mark.usefixtures("threads_that_alternate")
def test_threads_may_add_to_the_same_gradients():
    ws = [Value(k) for k in range(50)]
    kernel = Kernel(lambda x: autodiff.sum([w * x for w in ws]))
    kernel.backward(X)
    for w in ws:
        w.grad = 0.0
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: kernel.backward(X), range(2000)))
    assert {w.grad for w in ws} == {2000 * X.mean()}


def test_threads_may_trace_one_kernel():
    w = Value(2.0)
    kernel = Kernel(lambda x: autodiff.sum([w * xi for xi in x]))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: kernel(np.ones((2, n)))[0], [*range(1, 9)] * 4))
    assert found == [2.0 * n for n in range(1, 9)] * 4
    assert kernel.cache_info().size == 8


def test_many_batch_sizes_stay_right(line):
    for batch in [*range(1, 25), 3, 1]:
        assert is_close(line(np.ones(batch), np.full(batch, 3.0)), [11.0] * batch)


def test_explain_says_what_was_made():
    text = compiled("mlp_module")[1].explain()
    assert "regular throughout: no gather" in text
    assert "9 matmul" in text
    kernel = Kernel(lambda x: autodiff.sum([x[k].exp() for k in (0, 1, 3)]))
    kernel(np.ones((1, 4)))
    assert kernel.explain().endswith("irregular: 1 gather\n  3 elements picked from the 4 of x")


@pytest.mark.parametrize("index", [[0, -1], [3, 0]])
def test_an_index_out_of_range_is_refused(index):
    table = [Value(1.0), Value(2.0), Value(3.0)]
    kernel = Kernel(lambda k: autodiff.take(table, k))
    assert kernel(np.array([2, 0])).tolist() == [3.0, 1.0]
    kernel.value_and_grad(np.array([2, 0]))
    for call in (kernel, kernel.value_and_grad):
        with pytest.raises(IndexError, match=r"index -1 is negative|out of bounds"):
            call(np.array(index))


def test_a_negative_integer_that_is_no_index_is_a_number():
    kernel = Kernel(lambda n: n * 2.0)
    assert kernel(np.array([-3, 4])).tolist() == [-6.0, 8.0]


def test_the_mean_of_no_examples_is_0_whatever_the_function_reads(w):
    for f in (lambda x: 2 * w, lambda x: w * x, lambda x: 3.0):
        value, gradient = Kernel(f).value_and_grad(np.ones(0))
        assert (value, gradient.any()) == (0.0, False)


def test_a_function_without_results_has_a_kernel():
    assert Kernel(lambda x: None)(X) is None
    assert Kernel(lambda x: [])(X) == []


def test_masked_arrays_are_refused(line):
    masked = np.ma.masked_array(X, [False, True, False])
    with pytest.raises(TypeError, match="masked"):
        line(masked, Y)


def test_argnums_may_be_a_list(line):
    _, (by_y, by_x) = line.value_and_grad(X, Y, argnums=[1, 0])
    assert is_close(by_y, 2 * Y)
    assert is_close(by_x, [2.0] * 3)


def test_argnums_may_be_an_integer_of_numpy(line):
    assert is_close(line.value_and_grad(X, Y, argnums=np.int64(1))[1], 2 * Y)


def test_a_product_of_the_hessian_has_an_element_for_each_parameter():
    w = [Value(0.5), Value(2.0)]
    kernel = Kernel(lambda x: (w[0] * w[1], 0.5)[1])
    kernel(X)
    found = kernel.hvp(X, vector=np.ones(len(kernel.parameters)))
    assert found.shape == (len(kernel.parameters),)
    kernel.check(X)


@pytest.mark.parametrize("f", ["x*x", 3.0, Value])
def test_only_functions_are_compiled(f):
    with pytest.raises(TypeError, match="compile: f must be a function, got"):
        autodiff.compile(f)
