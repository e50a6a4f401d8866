"""Conditions as numbers and numbers as conditions: kernels mean what eager execution means."""

# ruff: noqa: E712 (a condition is compared with True)

import pickle

import numpy as np
import pytest

import autodiff
from autodiff import Value, custom_op, div, where
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.ops import LEAF
from autodiff.compiler.arrays.program import verify
from autodiff.rows.arrays import CUSTOM
from autodiff.rows.primitive import TABLE, retract

w, v = Value(1.5), Value(-0.5)
GRID = np.array([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0])


def signs(x):
    return [(xi > 0) + (xi > w) - (xi < 0) for xi in x]


def any_of(conditions):
    found = 0
    for condition in conditions:
        found = found | condition
    return found


AS_NUMBERS = {
    "sum of two": lambda x, m, n: ((x[0] > 0) + (x[1] > 0)) * x[0] * w,
    "difference": lambda x, m, n: ((x[0] > 0) - (x[0] < 0)) * w,
    "negative": lambda x, m, n: -(x[0] > 0) * w + abs(x[1] > w) - (-m[0]) * x[0],
    "positive": lambda x, m, n: +(x[0] > 0) + +m[0] + w,
    "powers": lambda x, m, n: (x[0] > 0) ** 2 * w + w ** (x[1] > 0) + ((x[0] > v) + 1) ** w,
    "powers of numbers": lambda x, m, n: 2 ** m[0] * w + x[0],
    "quotients": lambda x, m, n: (x[0] > 0) / 2 + m[0] / w + div(w, (x[1] > 0) + 1),
    "product of two": lambda x, m, n: (x[0] > 0) * (x[1] > 0) * w + m[0] * m[1] * x[0],
    "loop of sums": lambda x, m, n: sum([x[0] > 0, x[1] > 0, m[0]]) * w,
    "sum": lambda x, m, n: autodiff.sum([x[0] > 0, x[1] > 0, w]) * x[0],
    "sum of one": lambda x, m, n: autodiff.exp(autodiff.sum([x[0] > 0])) * w,
    "mean": lambda x, m, n: autodiff.mean([x[0] > 0, m[0], w]),
    "prod": lambda x, m, n: autodiff.prod([x[0] > 0, x[1] > 0, w]),
    "maximum": lambda x, m, n: autodiff.maximum([x[0] > 0, x[1] > 0, m[0]]) * w,
    "maximum of two": lambda x, m, n: autodiff.maximum(x[0] > 0, m[1]) + autodiff.minimum(m[0], w),
    "logsumexp": lambda x, m, n: autodiff.logsumexp([x[0] > 0, m[0], w * x[1]]),
    "clip": lambda x, m, n: autodiff.clip(w * x[0], m[0], (x[1] > 0) + 1),
    "dot": lambda x, m, n: autodiff.dot([x[0] > 0, x[1] > 0], [w, v]) + autodiff.dot(m, [w, x[0]]),
    "dots": lambda x, m, n: autodiff.dot(signs(x), [w, v]) * autodiff.dot([v, w], signs(x)),
    "take": lambda x, m, n: autodiff.take([x[0] > 0, x[1] > w, m[0]], n[1]) * w + x[0],
    "branches": lambda x, m, n: where(x[0] > 0, x[1] > 0, m[0]) * w + where(m[1], m[0], x[0] > 1),
    "bias": lambda x, m, n: sum([w * xi + (xi > 0) for xi in x]) * (w * x[1] + m[1]),
    "beside infinity": lambda x, m, n: (x[0] > 0) * (w / x[0]),
    "atan2": lambda x, m, n: autodiff.atan2(x[0] > 0, w) + autodiff.atan2(w * x[1], m[0]),
    "compared": lambda x, m, n: ((x[0] > 0) < (x[1] > 0)) * w + ((x[0] > 0) >= 0.5) * x[1],
    "equal": lambda x, m, n: ((x[0] > 0) == (x[1] > 0)) * w + (m[0] != (x[0] > 0)) * x[1],
    "constants alone": lambda x, m, n: where(where(False, x[0], 1.0) > 0, w, x[0]) + x[1],
    "parameters alone": lambda x, m, n: (w > v) * w + where((w > 1) & (v < 0), v * w, x[0]),
    **{
        row.name: lambda x, m, n, row=row: row(x[0] > 0) * w + row(m[0]) * x[1]
        for row in TABLE.values()
        if len(row.partials) == 1 + len(row.defaults) and row.arity and row is not autodiff.take
        if vars(autodiff.ops).get(row.name) is row
    },
}  # fmt: skip
AS_CONDITIONS = {
    "count": lambda x, m, n: where(n[0], w * x[0], 0.0),
    "count, other branch": lambda x, m, n: where(n[0], 0.0, w * x[0]),
    "mask": lambda x, m, n: where(m[0], x[0] * w, w),
    "mask, other branch": lambda x, m, n: where(m[0], 0.0, w * x[0]),
    "sum of conditions": lambda x, m, n: where((x[0] > 0) + (x[1] > 0), w * x[0], v),
    "computed": lambda x, m, n: where(n[0] * m[0] - 1, w * x[0], v * x[1]),
    "class": lambda x, m, n: where(n[0] == 2, w * x[0], v) + where(n[0] != n[1], v, w) * x[1],
    "number": lambda x, m, n: where(x[0] != 0, div(autodiff.sin(w * x[0]), x[0]), 1.0),
    "parameter": lambda x, m, n: where(w != 1.5, v, w * x[0]) + where(v == -0.5, v, x[1]),
    "and, or": lambda x, m, n: where((x[0] > 0) & m[0] | (x[1] > w), w * x[0], v),
    "xor": lambda x, m, n: where((x[0] > 0) ^ m[0], w, v) * x[1] + (m[0] ^ True) * w,
    "with constants": lambda x, m, n: where(True & m[0] & (x[0] > 0) | False, w, v) + x[0],
    "with bits": lambda x, m, n: (any_of([x[0] > 0, x[1] > 0, m[0]]) ^ 1) * w + (1 & m[0]) * x[0],
    "nested": lambda x, m, n: where(where(m[0], w * x[0], x[1]) > 0, w, v) * x[0],
    "condition as index": lambda x, m, n: autodiff.take([w * x[0], v], x[1] > 0) * w,
    "mask as index": lambda x, m, n: autodiff.dot(autodiff.take([[w, x[0]], [v, w]], m[0]), [2, 3]),
    "ufuncs": lambda x, m, n: np.logical_and(x[0] > 0, m[0]) * w + np.less(x[1], w) * v
    + np.equal(x[0], 0.5) * w + np.not_equal(n[0], 2) * x[1] + np.logical_xor(m[0], m[1]) * v,
    "NumPy's numbers": lambda x, m, n: (np.float64(0.5) < x[0]) * w + (np.float64(1.5) == w) * v
    + (np.float64(0.5) < x[0]) + (np.float64(-1.5) < x[0]),
    "long doubles": lambda x, m, n: (np.longdouble(0.5) < x[0]) * w + (np.longdouble(1.5) == w) * v
    + (x[0] >= np.longdouble(0.5)) + (np.longdouble([0.5, -0.5]) < x[0]).sum(),
    "infinite": lambda x, m, n: where(m[0], div(w, x[0]), v) + where(n[0], w, div(v, x[1])),
}  # fmt: skip
PROGRAMS = AS_NUMBERS | AS_CONDITIONS


def arguments(batch):
    draw = np.random.default_rng(batch)
    x = draw.choice(GRID, (batch, 2))
    return x, draw.random((batch, 2)) < 0.5, draw.integers(0, 3, (batch, 2))


VECTOR = {w: 1.0, v: 2.0}


def eager(f, x, m, n):
    """Values, gradients by the parameters and by x, and the Hessian times `VECTOR`."""
    values, by_x, total, product = [], [], np.zeros(2), np.zeros(2)
    for b in range(len(x)):
        leaves = [Value(t) for t in x[b]]
        out = f(leaves, m[b].tolist(), n[b].tolist())
        values.append(out.data)
        slopes = autodiff.backward(out, as_graph=True)
        by_x.append(numbers(slopes, leaves))
        along = autodiff.sum([slopes[p] * t for p, t in VECTOR.items() if p in slopes] or [v * 0])
        with np.errstate(all="ignore"):
            total += numbers(slopes, VECTOR)
            product += numbers(autodiff.backward(along, as_graph=True), VECTOR)
    return values, total / len(x), by_x, product / len(x)


def numbers(slopes, leaves):
    found = [slopes.get(leaf, 0.0) for leaf in leaves]
    return [x.data if isinstance(x, Value) else x for x in found]


def of_each(kernel, flat):
    found = dict(zip(kernel.parameters, flat, strict=True))
    return [found.get(p, 0.0) for p in (w, v)]


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("batch", "dtype"), [(1, float), (3, float), (17, float), (17, "f4")])
def test_a_kernel_equals_eager_execution(name, batch, dtype):
    kernel = Kernel(PROGRAMS[name], dtype=dtype)
    x, m, n = arguments(batch)
    values, gradient, by_x, product = eager(PROGRAMS[name], x, m, n)
    near = {"rtol": 1e-12 if dtype is float else 1e-5, "atol": 1e-6 * (dtype == "f4")}
    near["equal_nan"] = True
    assert np.allclose(kernel(x, m, n), values, **near)
    assert np.allclose(of_each(kernel, kernel.value_and_grad(x, m, n)[1]), gradient, **near)
    assert np.allclose(kernel.value_and_grad(x, m, n, argnums=0)[1], by_x, **near)
    vector = [VECTOR[p] for p in kernel.parameters]
    assert np.allclose(of_each(kernel, kernel.hvp(x, m, n, vector=vector)), product, **near)
    for wanted in ("call", "grad", "hvp"):
        verify(kernel._latest.function(wanted).program)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_kernel_without_batch_equals_eager_execution(name):
    x, m, n = (column[0] for column in arguments(5))
    (value,), _, (by_x,), _ = eager(PROGRAMS[name], x[None], m[None], n[None])
    kernel = Kernel(PROGRAMS[name], batched=False)
    found, slope = kernel.value_and_grad(x, m, n, argnums=0)
    assert np.allclose([found, *slope], [value, *by_x], rtol=1e-12, equal_nan=True)


@pytest.mark.parametrize("as_mask", [bool, int, float, lambda m: 3 * m, lambda m: -0.5 * m])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_mask_is_what_is_not_zero(as_mask, batch):
    x, m, _ = arguments(batch)
    m[0] = True, False
    x[0, 0] = 0.0  # so that a branch is infinite, and the fall-back decides
    f = PROGRAMS["mask"], lambda x, m, n: where(m[0], w * x[1], div(w, x[0]) * x[0])
    for g in f:
        mask = np.array([list(map(as_mask, row)) for row in m.tolist()])
        kernel = Kernel(lambda x, m, g=g: g(x, m, None))
        values, gradient, by_x, _ = eager(g, x, m, m)
        found, slopes = kernel.value_and_grad(x, mask, argnums=0)
        assert np.allclose(found, values, rtol=1e-14, equal_nan=True)
        assert np.allclose(slopes, by_x, rtol=1e-14, equal_nan=True)
        slopes = of_each(kernel, kernel.value_and_grad(x, mask)[1])
        assert np.allclose(slopes, gradient, rtol=1e-14, equal_nan=True)
        assert np.isfinite(kernel.hvp(x, mask, vector=[1.0] * len(kernel.parameters))).all()


# NumPy's conditions: of two of them, + is the "or" and - an error; in a sum they are numbers

MASK = np.array([True, False])
OF_NUMPY = {
    "product": lambda x, m: np.logical_and(x > 0, m) * np.True_ * (x > 1) * w,
    "number": lambda x, m: (np.logical_or(x > 0, m) + 1) * w + np.logical_and(x > 0, m) * 2.0,
    "sum": lambda x, m: sum([np.logical_and(x > 0, m), np.True_, x > 1]) * w,
    "sum of NumPy": lambda x, m: np.sum([x > 0, m, x > 1]) * w + (MASK * (x > 0)).sum() * x,
    "or": lambda x, m: where(np.logical_and(x > 0, m) | np.False_ | (x > 1), w, v) * x,
    "xor": lambda x, m: (np.True_ ^ (x > 0)) * w + (MASK & m).sum() * x,
    "compared": lambda x, m: ((x > 0) == np.True_) * w + (np.logical_xor(x > 0, m) < m) * x,
    "absolute": lambda x, m: abs(np.logical_and(x > 0, m)) * w,
}
OF_NUMPY_REFUSED = {
    "+": lambda x, m: (np.logical_and(x > 0, m) + np.logical_or(x > 1, m)) * w,
    "+ of a product": lambda x, m: (np.logical_and(x > 0, m) * m + (x > 1)) * w,
    "+ of a constant": lambda x, m: (np.True_ + (x > 0)) * w,
    "+ of a constant array": lambda x, m: (MASK + (x > 0)).sum() * w,
    "np.add": lambda x, m: np.add(x > 0, m) * w,
    "+ of a result of np.equal": lambda x, m: (np.equal(m, 1) + (x > 0)) * w,
    "+ of &": lambda x, m: ((np.True_ & m) + (np.True_ == m)) * w,
    "-": lambda x, m: (np.logical_and(x > 0, m) - (x > 1)) * w,
    "negative": lambda x, m: -np.logical_and(x > 0, m) * w,
    "positive": lambda x, m: +np.logical_and(x > 0, m) * w,
    "- of a constant array": lambda x, m: (m - MASK).sum() * w,
}


@pytest.mark.parametrize("name", OF_NUMPY)
def test_conditions_of_numpy_equal_eager_execution(name):
    x, m = np.array([0.5, -1.0, 2.0, -2.0]), np.array([True, True, False, False])
    kernel = Kernel(OF_NUMPY[name])
    pairs = zip(x.tolist(), m.tolist(), strict=True)
    expected = [OF_NUMPY[name](Value(t), c).data for t, c in pairs]
    assert kernel(x, m).tolist() == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", OF_NUMPY_REFUSED)
def test_sums_of_conditions_of_numpy_are_refused(name):
    with pytest.raises(autodiff.TraceError, match="NumPy"):
        Kernel(OF_NUMPY_REFUSED[name])(np.ones(2), np.array([True, False]))


def test_a_condition_of_numpy_comes_back_as_one():
    kernel = Kernel(lambda x: [np.logical_and(x > 0, True), np.True_ & (x > 0)])
    for found in kernel(np.array([1.0, -1.0])):
        assert found.dtype == bool
        assert found.tolist() == [True, False]


# What comes back, and what is refused


@pytest.mark.parametrize(
    "f",
    [
        lambda x, m: [x > 0, x == 0.5, m, (x > 0) & m, (x > 0) ^ True, m == True, x != None],  # noqa: E711
        lambda x, m: [(x > 0) * 1.0, +m, -m, m + m, m & 1, m | 0, abs(m), where(m, m, m), m * 1],
        lambda x, m: [x, w > 0, True, w != 1.5, autodiff.sum([m]), x > 0, x, m * (x > 0)],
        lambda x, m: [where(m, div(1.0, x - 0.5), 0.0), x > 0, m * 1],
    ],
)
def test_a_condition_comes_back_as_one_and_a_number_as_one(f):
    x, m = np.array([0.5, -1.0, 2.0]), np.array([True, True, False])
    found = Kernel(f)(x, m)
    for b, row in enumerate(zip(x.tolist(), m.tolist(), strict=True)):
        for ours, expected in zip(found, f(*row), strict=True):
            assert (ours.dtype == bool) is isinstance(expected, bool)
            assert ours[b] == (expected.data if isinstance(expected, Value) else expected)


def test_a_condition_has_no_gradient():
    with pytest.raises(TypeError, match="single number"):
        Kernel(lambda x: x > 0).value_and_grad(np.ones(2))


REFUSED = {
    "and of a number": lambda x, m: (x > 0) & x,
    "or of numbers": lambda x, m: x | m,
    "xor of a float": lambda x, m: 1.0 ^ m,
    "and of a parameter": lambda x, m: w & (x > 0),
    "and of an integer": lambda x, m: m & 2,
    "and of a product": lambda x, m: (m * 1.0) & (x > 0),
    "and of a branch": lambda x, m: where(m, m, False) & m,
    "invert": lambda x, m: ~(x > 0),
    "equality of two": lambda x, m: x == 2 * x,
    "equality of two by NumPy": lambda x, m: np.equal(x, 2 * x),
    "inequality with a parameter": lambda x, m: w != x,
    "a parameter as condition": lambda x, m: where(w, x, 0.0),
    "a Value as condition": lambda x, m: where(w * x, x, 0.0),
    "logical and of a Value": lambda x, m: np.logical_and(w * x, m),
    "index of one": lambda x, m: autodiff.take([x, w], x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_expressions_with_another_meaning_in_eager_execution_are_refused(name):
    with pytest.raises(TypeError):
        Kernel(REFUSED[name])(np.ones(2), np.array([True, False]))


@pytest.mark.filterwarnings("ignore:Bitwise inversion:DeprecationWarning")
@pytest.mark.parametrize("name", [name for name in REFUSED if "equality" not in name])
def test_eager_execution_refuses_them_too_or_gives_no_condition(name):
    try:
        found = REFUSED[name](Value(1.0), True)
    except (TypeError, AttributeError):
        return
    assert not isinstance(found, bool)


def test_a_condition_out_of_the_range_of_values_is_an_index_error():
    with pytest.raises(IndexError):
        Kernel(lambda x: autodiff.take([x], x > 0))(np.ones(1))


@pytest.mark.parametrize("stranger", [None, "2", 2j, [1.0], object()])
def test_a_tracer_never_equals_an_object_that_is_not_a_number(stranger):
    found = Kernel(lambda x: [x == stranger, x != stranger, w == stranger, x * w])(np.ones(2))
    assert [column.tolist() for column in found[:3]] == [[False] * 2, [True] * 2, [False] * 2]
    assert Kernel(lambda x: [x == x, x != x, x * w])(np.ones(1))[:2] == [True, False]


def test_arrays_are_compared_for_equality_element_by_element():
    def f(x, m):
        both = np.array([m[0], True])
        return [*(x[0] == np.array([0.5, 2.0])), *(both & m[1]), *(m[1] ^ both)]

    found = Kernel(f)(np.array([[0.5], [2.0]]), np.array([[True, True], [False, True]]))
    assert np.array(found).T.tolist() == [
        [True, False, True, True, False, False], [False, True, False, True, True, False],
    ]  # fmt: skip


def test_a_condition_comes_back_as_one_where_the_fall_back_decides():
    weights = [[Value(k + 1.0) for k in range(4)] for _ in range(2)]
    pairs = [(row, n) for row, n in zip(weights, (3, 4), strict=True)]
    kernel = Kernel(lambda x: [*[autodiff.dot(row[:n], x[:n]) for row, n in pairs], x[0] > 0])
    short, long, positive = kernel(np.array([[2.0, 1.0, 1.0, np.inf]]))
    assert (short, long) == (7.0, np.inf)
    assert (positive.dtype, positive.tolist()) == (bool, [True])


# User's rows


@pytest.fixture
def rows():
    made = [
        custom_op(
            "user_steps",
            lambda x: max(x, 0.0) + max(x - 1.0, 0.0),
            lambda x, out: +(x > 0) + (x > 1) - (x == 0) * 0.0 - (x != x),
        ),
        custom_op(
            "user_scale",
            lambda n, x: n * x * x,
            [None, lambda n, x, out: 2.0 * n * x],
            array="{0} * {1} * {1}",
        ),
    ]
    yield made
    for row in made:
        retract(row)
        del CUSTOM[row.name]


@pytest.mark.parametrize(
    "f",
    [
        lambda rows, x, m, n: rows[0](w * x[0]) * (x[1] > 0),
        lambda rows, x, m, n: rows[1](n[0], w * x[0]) + rows[1](m[0], x[1]),
        lambda rows, x, m, n: rows[1](x[0] > 0, w * x[0]) + rows[0](x[1] > 0) * v,
    ],
)
def test_partials_and_operands_of_custom_ops_are_numbers_too(rows, f):
    x, m, n = arguments(17)
    n[0] = 2
    kernel = Kernel(lambda x, m, n: f(rows, x, m, n))
    values, gradient, by_x, _ = eager(lambda *args: f(rows, *args), x, m, n)
    assert np.allclose(kernel(x, m, n), values, rtol=1e-14)
    assert np.allclose(of_each(kernel, kernel.value_and_grad(x, m, n)[1]), gradient, rtol=1e-12)
    assert np.allclose(kernel.value_and_grad(x, m, n, argnums=0)[1], by_x, rtol=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_pickled_with_their_rows(name):
    kernel = Kernel(PROGRAMS[name])
    kernel.value_and_grad(*arguments(1))
    program = pickle.loads(pickle.dumps(kernel.program))
    assert str(program) == str(kernel.program)
    assert all(
        ours.op is theirs.op
        for ours, theirs in zip(program.instrs, kernel.program.instrs, strict=True)
    )


def test_a_condition_is_not_cut_off_again_inside_no_grad():
    def f(x):
        condition = w * x > 0
        with autodiff.no_grad():
            return where(condition, w, v) * x

    kernel = Kernel(f)
    assert kernel(np.array([1.0, -2.0])).tolist() == [1.5, 1.0]
    cut = [i for i in kernel.program.instrs if i.op is autodiff.ops.stop_gradient]
    assert {kernel.program.instrs[i.operands[0]].op for i in cut} == {LEAF}
