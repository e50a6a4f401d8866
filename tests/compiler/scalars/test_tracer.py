"""Never silently wrong: what depends on the data raises, with the user's file and line."""

# ruff: noqa: PLW0108 (the line in the message is that of the lambda)

import copy
import gc
import itertools
import math
import pickle

import numpy as np
import pytest

import autodiff
from autodiff import TraceError, Value, no_grad
from autodiff.compiler import Kernel
from autodiff.engine.collector import collector_paused

X = np.array([0.5, 1.0, 2.0])
w, v = Value(2.0), Value(3.0)

REFUSED = {
    "if": lambda x: x if x > 0 else -x,
    "bool": lambda x: bool(x),
    "not": lambda x: 1.0 if not x else 2.0,
    "max": lambda x: max(x, 0.0),
    "sorted": lambda x: sorted([x, w])[0],
    "while": lambda x: [x for _ in range(x)],
    "float": lambda x: float(x),
    "math.exp": lambda x: math.exp(x),
    "math.floor": lambda x: math.floor(x),
    "np.float64": lambda x: np.float64(x),
    "float array": lambda x: np.array([x], dtype=float),
    "complex": lambda x: complex(x),
    "data": lambda x: x.data * 2,
    "grad": lambda x: x.grad,
    "int": lambda x: int(x),
    "round": lambda x: round(x),
    "format": lambda x: f"{x:.2f}",
    "np.floor": lambda x: np.floor(x),
    "np.log2": lambda x: np.log2(x),
    "np.isnan": lambda x: np.isnan(x),
    "list index": lambda x: [1.0, 2.0][x],
    "take": lambda x: autodiff.take([1.0, 2.0], x),
    "backward": lambda x: x.backward(),
    "data of a parameter": lambda x: x * w.data,
    "branch on a parameter": lambda x: x if w > 0 else -x,
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_use_of_the_data_raises_at_the_line_that_makes_it(name):
    f = REFUSED[name]
    with pytest.raises(TraceError) as caught:
        autodiff.compile(f)(X)
    assert f"{__file__}:{f.__code__.co_firstlineno}: " in str(caught.value)


def test_the_line_is_that_of_the_user_also_in_a_function_that_is_called():
    def inner(z):
        return z if z > 0 else -z

    with pytest.raises(TraceError, match="branch on a traced scalar") as caught:
        autodiff.compile(lambda x: inner(2 * x))(X)
    assert f"{__file__}:{inner.__code__.co_firstlineno + 1}: " in str(caught.value)


@pytest.mark.parametrize("f", [lambda x: np.sort(x), lambda x: np.any(x), lambda x: np.max(x)])
def test_the_line_is_that_of_the_user_also_where_numpy_asks(f):
    with pytest.raises(TraceError) as caught:
        autodiff.compile(f)(np.ones((2, 3)))
    assert f"{__file__}:{f.__code__.co_firstlineno}: " in str(caught.value)


@pytest.mark.parametrize(
    "f",
    [lambda x: x % 2, lambda x: x // 2, lambda x: ~x, lambda x: math.trunc(x),
     lambda x: np.round(x), lambda x: str(x), lambda x: "text"],
)  # fmt: skip
def test_functions_outside_the_op_table_raise_type_errors(f):
    with pytest.raises(TypeError):
        autodiff.compile(f)(X)


def test_an_error_of_the_function_passes_and_the_next_call_works():
    fails = [True]

    def f(x):
        if fails:
            raise ZeroDivisionError
        return 2 * x

    kernel = autodiff.compile(f)
    with pytest.raises(ZeroDivisionError):
        kernel(X)
    fails.clear()
    assert (kernel(X) == 2 * X).all()
    assert gc.isenabled()


EQUALITY = {
    "two": lambda x: autodiff.where(x == 2 * x - 1.0, 10.0, x),
    "==": lambda x: 10.0 if x == 1.0 else x,
    "!=": lambda x: x if x != 1.0 else 10.0,
    "in": lambda x: 10.0 if x in (1.0, 3.0) else x,
    "where ==": lambda x: autodiff.where(x == 1.0, 10.0, x),
}


@pytest.mark.parametrize("name", EQUALITY)
def test_comparing_for_equality_is_refused_or_right(name):
    try:
        result = autodiff.compile(EQUALITY[name])(X)
    except TraceError:
        return
    assert result.tolist() == [0.5, 10.0, 2.0]


# Tracers outlive their trace


@pytest.fixture
def escaped():
    kept = []
    autodiff.compile(lambda x: (kept.append(x), x * w)[1])(X)
    return kept[0]


@pytest.mark.parametrize(
    "use",
    [lambda t: t * 2, lambda t: t.exp(), lambda t: t > 0, lambda t: -t, lambda t: 2 ** t,
     lambda t: autodiff.compile(lambda x: x + t)(X),
     lambda t: autodiff.compile(lambda x: autodiff.sum([x, t]))(X)],
)  # fmt: skip
def test_an_escaped_tracer_is_refused(escaped, use):
    with pytest.raises(TraceError, match="another trace") as caught:
        use(escaped)
    assert __file__ in str(caught.value)


def test_an_escaped_tracer_as_a_result_is_refused(escaped):
    with pytest.raises(TraceError):
        autodiff.compile(lambda x: [x * 3, escaped])(X)


# What traces


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.exp(x) + np.tanh(x), lambda x: np.maximum(x, 1.0), lambda x: x.exp().log(),
        lambda x: autodiff.where((x > 0.6) & (x <= 1.0), x, 3 * x),
        lambda x: autodiff.where((x < 0.6) | (x >= 1.5), x, 3 * x),
        lambda x: abs(-x) + (+x), lambda x: 2**x - 3 / x, lambda x: np.array([x, 2 * x]) @ [1, 2],
        lambda x: (np.array([1.0, 2.0]) * x).sum(), lambda x: sum([x, x, 1]),
        lambda x: autodiff.clip(x, 0.6, 1.5), lambda x: x.relu() + w.exp(),
        lambda x: autodiff.prod([x, x, w]), lambda x: autodiff.atan2(x, w),
        Value.tanh, lambda x: sum(map(Value.relu, [x, w, x * w])), lambda x: np.polyval([w, v], x),
        lambda x: np.array(x) * w + np.array(w) * x + np.array(2.0) * x,
    ],
)  # fmt: skip
def test_ops_operators_methods_and_numpy_trace(f):
    values, slopes = autodiff.compile(f).value_and_grad(X, argnums=0)
    for x, value, slope in zip(X.tolist(), values, slopes, strict=True):
        leaf = Value(x)
        result = f(leaf)
        result.backward()
        assert is_near([value, slope], [result.data, leaf.grad])
    w.grad = 0.0


def test_where_at_the_edge_of_a_logarithm_has_slope_zero():
    kernel = autodiff.compile(lambda x: autodiff.where(x > 0, autodiff.log(x), 0.0))
    value, slope = kernel.value_and_grad(np.array([0.0, 1.0, -1.0, 4.0]), argnums=0)
    assert value.tolist() == [0.0, 0.0, 0.0, math.log(4.0)]
    assert slope.tolist() == [0.0, 1.0, 0.0, 0.25]


def test_a_table_of_rows_gives_a_row():
    table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    kernel = autodiff.compile(lambda i: autodiff.dot(autodiff.take(table, i), [10.0, 1.0]))
    assert kernel(np.array([1, 0, 1])).tolist() == [34.0, 12.0, 34.0]
    _, gradient = kernel.value_and_grad(np.array([1, 0, 1]))
    at = {id(p): g for p, g in zip(kernel.parameters, gradient, strict=True)}
    assert is_near([at[id(v)] for row in table for v in row], [10 / 3, 1 / 3, 20 / 3, 2 / 3])


def is_near(x, y):
    return np.allclose(x, y, rtol=1e-14, atol=0)


def test_an_index_out_of_range_raises():
    kernel = autodiff.compile(lambda i: autodiff.take([w, v], i) * 1.0)
    assert kernel(np.array([1, 0])).tolist() == [3.0, 2.0]
    for wrong in ([0, 2], [0, -1]):
        with pytest.raises(IndexError):
            kernel(np.array(wrong))


@pytest.mark.parametrize(
    "choices",
    [
        lambda x: [w, 3.0], lambda x: [x, w], lambda x: [x.exp(), x.sin()],
        lambda x: [x + w, w * v + x * v], lambda x: [[x, w], [w, x]],
        lambda x: np.array([[x, w], [w, x]]), lambda x: np.array([[w, v], [v, v]]),
    ],
)  # fmt: skip
def test_choices_may_come_from_several_packs(choices):
    def f(x, i):
        found = autodiff.take(choices(x), i)
        return found * w if np.ndim(found) == 0 else autodiff.dot(found, [1.0, 10.0])

    index = np.array([0, 1, 1])
    expected = [f(Value(x), i) for x, i in zip(X.tolist(), index.tolist(), strict=True)]
    assert is_near(autodiff.compile(f)(X, index), [result.data for result in expected])


def test_the_collector_is_paused_and_comes_back():
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_tracer_shows_itself_without_data():
    shown = []
    autodiff.compile(lambda x: (shown.append(repr(x)), x)[1])(X)
    assert shown == ["Tracer(0)"]


# Numbers that would leave a Value

DOORS = {
    "data": lambda w, x: w.data * x,
    "item": lambda w, x: w.item() * x,
    "grad": lambda w, x: w.grad * x,
    "has_grad": lambda w, x: w.has_grad * x,
    "round": lambda w, x: round(w) * x,
    "format": lambda w, x: float(f"{w:.3f}") * x,
    "plain format": lambda w, x: len(f"{w}") * x,
    "repr": lambda w, x: len(repr(w)) * x,
    "copy": lambda w, x: copy.copy(w) * x,
    "deepcopy": lambda w, x: copy.deepcopy([w])[0] * x,
    "pickle": lambda w, x: pickle.loads(pickle.dumps(w)) * x,
    "backward": lambda w, x: (w.backward(), w * x)[1],
    "backward of an op": lambda w, x: ((w * w).backward(), w * x)[1],
    "set data": lambda w, x: (setattr(w, "data", 2.0), w * x)[1],
    "set grad": lambda w, x: (setattr(w, "grad", 2.0), w * x)[1],
    "str of a tracer": lambda w, x: len(str(x)) * w,
    "copy of a tracer": lambda w, x: copy.copy(w * x),
    "deepcopy of a tracer": lambda w, x: copy.deepcopy(w * x),
    "pickle of a tracer": lambda w, x: pickle.loads(pickle.dumps(w * x)),
}


@pytest.mark.parametrize("name", DOORS)
def test_no_number_of_a_value_leaves_it(name):
    w = Value(1.25)
    with pytest.raises(TraceError, match="while the function is traced"):
        Kernel(lambda x: DOORS[name](w, x))(np.ones(2))
    assert (w.data, w.grad, w.has_grad) == (1.25, 0.0, False)


OWN = {
    "sum from a Value": lambda w, x: sum([w * x, w], Value(0.0)),
    "product": lambda w, x: Value(2.0) * w * x,
    "its number": lambda w, x: (Value(0.5).data + round(Value(2.4))) * w * x,
    "a branch": lambda w, x: w * x if Value(1.0) > 0 else x,
    "a copy": lambda w, x: copy.copy(Value(3.0)) * w * x,
    "a graph": lambda w, x: (Value(2.0) * Value(3.0) + 1.0) * w * x,
    "detached": lambda w, x: Value(2.0).detach() * w * x,
    "changed": lambda w, x: (
        [c := Value(2.0), c * w * x, setattr(c, "data", 5.0), c * w * x][3] + c * x
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_values_made_inside_are_constants(name):
    w = Value(1.25)
    kernel = Kernel(lambda x: OWN[name](w, x))
    for x in (np.array([2.0, -1.0]), np.array([2.0])):
        kernel.check(x)
    assert kernel.parameters == [w]
    w.data = -0.5
    kernel.check(np.array([2.0]))


def test_values_as_arguments_are_numbers_and_no_parameters():
    w = Value(3.0)
    kernel = Kernel(lambda x, v: x * v * w)
    for number in (1.0, 2.0, 4.0):
        values, slopes = kernel.value_and_grad(np.array([1.0, 5.0]), Value(number), argnums=1)
        assert values.tolist() == [3 * number, 15 * number]
        assert slopes.tolist() == [3.0, 15.0]
    assert kernel.parameters == [w]
    assert kernel.cache_info().misses == 1
    with pytest.raises(TypeError, match="an argument is a Value"):
        kernel.backward(np.ones(2), Value(1.0))


# Modes


def frozen_body(w, x):
    with no_grad():
        body = (w[0] * x).tanh() * w[1] + w[1] * w[0]
    return (body * w[1] + w[0] - x) ** 2


def straight_through(w, x):
    hard = autodiff.where(w[0] * x > 0, 1.0, 0.0)
    soft = (w[0] * x + w[1]).sigmoid()
    with no_grad():
        gap = hard - soft
    return (soft + gap) * x + soft * soft


def detached(w, x):
    return (w[0] * x).detach() * w[1] * w[0] + w[0].detach() * x * w[1]


def stopped_trees(w, x):
    tree = autodiff.stop_gradient({"a": [w[0] * x, 2.0, "s", None], "b": (w[1], 3)})
    return (tree["a"][0] * w[0] + tree["a"][1] * w[1]) * tree["b"][0] * w[1] * tree["b"][1]


def stopped_array(w, x):
    row = autodiff.stop_gradient(np.array([w[0] * x, w[1]], dtype=object))
    return (row * row).sum() * w[0]


def of_parameters_alone(w, x):
    with no_grad():
        scale = w[0] * w[1]
    return scale * w[0] * w[0] * x


def taken(w, x):
    with no_grad():
        rows = [autodiff.take([w[0], w[1] * w[0]], 1), autodiff.maximum(w[0], w[1], x)]
    return rows[0] * w[0] * w[1] + rows[1] * w[1] * w[1]


def slopes_inside(w, x):
    with no_grad():
        slope = autodiff.grad(lambda v: v**3 * w[1])(w[0])
        value, _ = autodiff.vjp(lambda v: v * w[1], w[0])
        (row,) = autodiff.jacobian(lambda v: [v[0] * w[0]])([w[1]])
    return (slope * w[0] + value * w[1] + row[0] * w[0] * w[0]) * x


MODES = [frozen_body, straight_through, detached, stopped_trees, stopped_array,
         of_parameters_alone, taken, slopes_inside]  # fmt: skip


@pytest.mark.parametrize("f", MODES)
def test_modes_are_part_of_the_program(f):
    w = [Value(0.8), Value(-0.3)]
    kernel = Kernel(lambda x: f(w, x))
    x = np.array([2.0, -1.0, 0.5])
    kernel.check(x)  # values, gradient, and a product of the Hessian
    w[0].data, w[1].data = -1.1, 0.6
    kernel.check(x)
    by = kernel.value_and_grad(x, argnums=0)[1]
    for slope, number in zip(by, x, strict=True):
        v = Value(number)
        f(w, v).backward()
        assert slope == pytest.approx(v.grad, rel=1e-12)


def test_a_mode_around_a_call_is_none_of_the_function():
    w = Value(2.0)
    kernel = Kernel(lambda x: w * w * x)
    with no_grad():
        assert kernel.value_and_grad(np.ones(1))[1].tolist() == [4.0]


def test_a_function_inside_no_grad_has_no_gradient():
    w = Value(2.0)
    kernel = Kernel(no_grad()(lambda x: w * w * x + w))
    assert kernel.value_and_grad(np.ones(1))[1].tolist() == [0.0]
    w.data = 3.0
    assert kernel(np.ones(1)).tolist() == [12.0]


def test_a_derivative_of_values_inside_is_recorded_in_the_order_of_the_program():
    w = [Value(0.5), Value(2.0)]
    kernel = Kernel(lambda x: autodiff.grad(lambda v: v**3 * w[1])(w[0]) * x)
    kernel.check(np.array([1.0, 2.0]))
    w[0].data = -1.5
    kernel.check(np.array([1.0, 2.0]))


def test_functions_of_values_alone_are_traced_in_the_order_of_the_program():
    xs = [Value(0.1 * k) for k in range(50)]

    def rosenbrock():
        pairs = itertools.pairwise(xs)
        return sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairs)

    made = rosenbrock()
    for f in (rosenbrock, lambda: made):
        kernel = Kernel(f, batched=False)
        kernel.value_and_grad()
        assert kernel.parameters == xs
        assert "gather" not in [instr.name for instr in kernel.program.instrs]


def test_the_method_clip_takes_none_for_no_bound_as_on_values():
    f = lambda x: x.clip(None, 1.0) + x.clip(0.75, None) * 2  # noqa: E731
    kernel = autodiff.compile(f)
    assert kernel(X).tolist() == [f(Value(x)).data for x in X]
