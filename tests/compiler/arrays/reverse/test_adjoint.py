"""Gradients of small programs by parameters and inputs; those of nets are in test_compile."""

import math

import numpy as np
import pytest

import autodiff
from autodiff import Domain, Value, ops
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.program import verify
from autodiff.compiler.arrays.reverse.adjoint import adjoint
from autodiff.rows.primitive import Primitive
from tests.support.eager import check_derivatives, is_close

w, v = Value(0.7), Value(-1.3)

CASES = {
    "used twice": lambda x: x[0] * x[0] * w + x[0] * w.exp(),
    "view": lambda x: autodiff.sum([xi * w for xi in x[1:3]]) * x[3],
    "gather": lambda x: x[2] * w + x[0] * v * x[2] + (x[3] * x[0]).tanh(),
    "matmul": lambda x: autodiff.dot(x, [w, v, w, 1]) * autodiff.dot(x, [1, v, 2, w]),
    "ragged": lambda x: autodiff.prod([autodiff.dot([w, v, w, v][:n], x[:n]) for n in (1, 2, 4)]),
    "of inputs": lambda x: autodiff.dot(x, x) * w + autodiff.dot(x, x[::-1]),
    "reductions": lambda x: autodiff.logsumexp(x) * autodiff.prod([*x, w]) + autodiff.mean(x),
    "maximum": lambda x: autodiff.maximum(*x, w) * autodiff.minimum(*x, v),
    "branches": lambda x: autodiff.where(x[0] > x[1], x[2] * w, x[3] * v),
    "kinks": lambda x: sum(xi.relu() * w + abs(xi) for xi in x),
    "powers": lambda x: (x[0] * x[0] + 1) ** w + x[1] ** 3 + 2 ** x[2] / (v * v + x[3] ** 2),
    "parameters only": lambda x: (w * v).exp() + w.sin() + 0 * x[0],
    "row of parameters": lambda x: sum((w * xi + v).tanh() for xi in x),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("batch", [1, 3])
def test_gradients_equal_those_of_eager_execution(case, batch):
    f = CASES[case]
    x = np.random.default_rng(1).normal(size=(batch, 4))
    kernel = Kernel(f)
    value, gradient = kernel.value_and_grad(x)
    verify(kernel.program)
    _, by_input = kernel.value_and_grad(x, argnums=0)
    total, expected = 0.0, []
    w.grad = v.grad = 0.0
    for row in x:
        leaves = np.array([Value(t) for t in row])
        result = f(leaves)
        result.backward(1 / batch)
        total += result.data / batch
        expected.append([leaf.grad * batch for leaf in leaves])
    assert is_close(value, total, 1e-12)
    assert is_close(gradient, [p.grad for p in kernel.parameters], 1e-12)
    assert is_close(by_input, expected, 1e-12)


POLES = {
    "log": autodiff.log,
    "sqrt": autodiff.sqrt,
    "div": lambda x: 1 / x,
    "pow": lambda x: x**-0.5,
    "log1p": lambda x: autodiff.log1p(-1.0 + x),
    "acos": lambda x: autodiff.acos(1.0 - x),
    "atan2": lambda x: autodiff.atan2(x, 0.0 * x),
    "product": lambda x: x * autodiff.log(x),
    "overflow": lambda x: autodiff.exp(1000.0 - 1000.0 * x),
}
"""Ops with an infinite or no derivative at 0."""


@pytest.mark.parametrize("case", POLES)
@pytest.mark.usefixtures("no_fallback")
def test_a_branch_not_taken_has_slope_zero(case):
    f = POLES[case]
    kernel = Kernel(lambda x: autodiff.where(x > 0, f(x), 0.0))
    value, slope = kernel.value_and_grad(np.array([0.0, 0.75]), argnums=0)
    leaf = Value(0.75)
    out = autodiff.where(True, f(leaf), 0.0)
    out.backward()
    assert (value[0], slope[0]) == (0.0, 0.0)
    assert is_close([value[1], slope[1]], [out.data, leaf.grad])


def huber(e):
    return autodiff.where(abs(e) < 1, 0.5 * e * e, abs(e) - 0.5)


def guarded_by_each(f):
    """Functions of two parameters and an input, behind one guard or two."""
    return {
        "huber": lambda w, x: huber(f(*w) - x[0]),
        "clip": lambda w, x: (autodiff.clip(f(*w), 0.0, 5.0) - x[0]) ** 2,
        "clip of parameters": lambda w, x: (autodiff.clip(f(*w), -w[0], 3 * w[1]) - x[0]) ** 2,
        "where of data": lambda w, x: autodiff.where(x[0] > 0, (f(*w) - x[0]) ** 2, 0.0),
        "where of parameters": lambda w, x: autodiff.where(w[0] > 0, (f(*w) - x[0]) ** 2, w[1]),
        "where of both": lambda w, x: autodiff.where(f(*w) * x[0] > 0, (f(*w) - x[0]) ** 2, w[1]),
        "maximum": lambda w, x: (autodiff.maximum(f(*w), 0.0) - x[0]) ** 2,
        "relu": lambda w, x: (autodiff.relu(f(*w)) - x[0]) ** 2,
        "nested": lambda w, x: autodiff.where(
            x[0] > 0, (autodiff.minimum(autodiff.clip(f(*w), 0.0, 9.0), 8.0) - x[0]) ** 2, 0.0
        ),
    }  # fmt: skip


QUOTIENT = guarded_by_each(lambda a, b: a / b)
ROOT = guarded_by_each(lambda a, b: (a * b) ** 0.5 / 2)
LOGARITHM = guarded_by_each(lambda a, b: autodiff.log(a * b) / autodiff.log(b + b))


@pytest.mark.parametrize("name", QUOTIENT)
@pytest.mark.parametrize("of", [QUOTIENT, ROOT, LOGARITHM], ids=["div", "pow", "log"])
def test_a_cotangent_that_is_0_has_a_slope_behind_a_guard(of, name):
    rows = [[1.0], [1.25], [-1.0]]  # the residual of the first is 0
    check_derivatives(of[name], [2.0, 2.0], rows, [-0.25, 0.75])


def test_the_slope_of_huber_is_not_lost_where_it_vanishes():
    a, b = Value(2.0), Value(2.0)
    kernel = Kernel(lambda x: QUOTIENT["huber"]([a, b], [x]))
    kernel(np.ones(1))
    assert is_close(kernel.hvp(np.ones(1), vector=[0.0, 1.0]), [-0.25, 0.25])


@pytest.mark.parametrize("name", QUOTIENT)
def test_a_chosen_branch_without_a_slope_has_none(name):
    # 0 · inf is nan in eager execution too: the root is 0, and so is its residual.
    f = guarded_by_each(lambda a, b: (a * b) ** 0.5)[name]
    check_derivatives(f, [0.0, 2.0], [[0.0], [1.0], [-1.0]], [1.0, 0.5])


steep = Primitive(
    "steep",
    lambda x: -1e200 * ops.exp(-x),
    (lambda x, out: 1e200 * ops.exp(-x),),
    "-1e200 * np.exp(-{0})",
    (Domain(),),
    "steep",
)
ORDERS = {  # intermediate results that would not be those of eager execution leave the range
    "constants": lambda x: 1e200 * (1e200 * x),
    "small constants": lambda x: 1e-200 * (1e-200 * x),
    "a large constant and a slope": lambda x: 1e200 * (1e200 * autodiff.tanh(x)),
    "a factor of a partial": lambda x: 1e200 * steep(x + 460.0),
    "a reciprocal": lambda x: 1e200 * (1 / x),
    "a small reciprocal": lambda x: 1e-200 * (1 / x),
    "a quotient": lambda x: 1e200 * (x / (x * x + 1.0)),
    "a small quotient": lambda x: 1e-200 * (1e100 * x / x),
    "a root": lambda x: 1e-200 * autodiff.sqrt(x),
    "a power": lambda x: 1e200 * x**2.5,
    "a square": lambda x: x**2 * 1e200 * 1e200,
    "an angle": lambda x: 1e200 * autodiff.atan2(x, 1e-200),
}


@pytest.mark.parametrize("case", ORDERS)
def test_products_leave_the_range_where_those_of_eager_execution_do(case):
    f = ORDERS[case]
    x = np.array([1e-300, 1e-200, -1e-200, 1e-150, 0.5, 1e150, -1e160, 1e200, 1e300])
    values, slopes = Kernel(f).value_and_grad(x, argnums=0)
    leaves = [Value(t) for t in x]
    roots = [f(leaf) for leaf in leaves]
    for root in roots:
        root.backward()
    np.testing.assert_allclose(values, [root.data for root in roots], rtol=1e-12)
    np.testing.assert_allclose(slopes, [leaf.grad for leaf in leaves], rtol=1e-12)


OUTSIDE = {
    "log": (autodiff.log, -1.0), "log1p": (autodiff.log1p, -2.0), "sqrt": (autodiff.sqrt, -1.0),
    "asin": (autodiff.asin, 2.0), "acos": (autodiff.acos, -2.0), "pow": (lambda x: x**0.3, -1.0),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_a_domain_every_slope_is_nan(case):
    f, x = OUTSIDE[case]
    p = Value(x)
    kernel = Kernel(lambda y: f(p) * y)
    (slope,) = kernel.value_and_grad(np.ones(1))[1]
    (curvature,) = kernel.hvp(np.ones(1), vector=[1.0])
    assert np.isnan(slope)
    assert np.isnan(curvature)
    assert np.isnan(Kernel(f).value_and_grad(np.array([x]), argnums=0)[1]).all()


def test_a_logarithm_of_numbers_that_are_never_negative_is_not_guarded():
    kernel = Kernel(lambda x, y: autodiff.log(autodiff.exp(x) / (autodiff.exp(x) + 1.0)) * y)
    kernel.value_and_grad(np.ones(2), np.ones(2), argnums=(0, 1))
    names = {instr.name for instr in kernel._latest.function("grad", (0, 1)).program.instrs}
    assert not names & {"where", "less"}


def test_a_softmax_is_right_to_two_units_and_reuses_the_exponentials():
    w = [Value(0.5 * k) for k in range(3)]
    kernel = Kernel(lambda x: autodiff.logsumexp([wi + x for wi in w]))
    x = np.array([-1000.0])
    gradient = kernel.value_and_grad(x)[1]
    e = [math.exp(0.5 * k - 1.0) for k in range(3)]
    np.testing.assert_allclose(gradient, np.array(e) / math.fsum(e), rtol=4.5e-16)
    assert kernel.source.count("np.exp(") == 1
    kernel.check(x)


@pytest.mark.parametrize("other", [1.0, -np.inf, np.inf, np.nan, 1e308, -1e308])
def test_a_softmax_of_infinite_operands_is_that_of_eager_execution(other):
    f = autodiff.logsumexp
    x = np.array([[np.inf, other], [other, -np.inf], [other, 1e308]])
    values, slopes = Kernel(f).value_and_grad(x, argnums=0)
    for row, value, slope in zip(x, values, slopes, strict=True):
        leaves = [Value(t) for t in row]
        root = f(leaves)
        root.backward()
        np.testing.assert_allclose(value, root.data)
        np.testing.assert_allclose(slope, [leaf.grad for leaf in leaves])


@pytest.mark.usefixtures("no_fallback")
def test_roots_of_a_triangle_have_finite_slopes_whatever_is_beside_it():
    w = [(Value(1.0), Value(0.5 - j)) for j in range(5)]

    def loss(x):
        # Those of j > i are negative.
        dots = [autodiff.dot(w[j], x[i]) for i in range(5) for j in range(i + 1)]
        return autodiff.sum([d.sqrt() for d in dots])

    kernel = Kernel(loss)
    x = np.array([[[0.1 * i, 0.1] for i in range(5)]])
    kernel.check(x)


def test_ties_and_kinks_are_those_of_eager_execution():
    f = lambda x, y: autodiff.maximum(x, y) + x.relu() + abs(y) + autodiff.minimum(x, y, 0.0)  # noqa: E731
    _, slopes = Kernel(f).value_and_grad(np.zeros(1), np.zeros(1), argnums=(0, 1))
    x, y = Value(0.0), Value(0.0)
    f(x, y).backward()
    assert [s[0] for s in slopes] == [x.grad, y.grad]


def test_a_source_that_no_result_reads_has_cotangent_zero():
    builder = Builder()
    x, y = builder.leaf("x", 3, False), builder.leaf("y", 3, False)
    (ct,), _ = adjoint(builder, [(x, builder.constant([1.0, 2.0, 3.0]))], [y])
    assert builder.shape(ct) == (3,)
    (itself,), _ = adjoint(builder, [(x, builder.constant([1.0, 2.0, 3.0]))], [x])
    assert builder.instrs[itself].fact.tolist() == [1.0, 2.0, 3.0]


def test_no_cotangent_is_computed_for_operands_of_conditions_alone():
    kernel = Kernel(lambda x: autodiff.where((w * x[0]).exp() > v, x[1], 2.0) * ((v * x[0]) > 0))
    kernel.value_and_grad(np.ones((3, 2)))
    calls = [kernel._latest.function(wanted).program.calls for wanted in ("call", "grad")]
    assert calls[1] == calls[0] + 2  # the mean over the batch
    assert (kernel.value_and_grad(np.ones((3, 2)))[1] == 0.0).all()


REPEATED = {  # what is the same along an axis is summed over it
    "square": lambda w, b, x: ((b * w + b - w) - (w - w * w)) ** 2 + x,
    "sine": lambda w, b, x: autodiff.sin(b * w - w - w * x - w),
    "product": lambda w, b, x: (w + w + w * w + b * b) * (w + w - b * w),
    "parameters alone": lambda w, b, x: (w * b + b) ** 2 + w * x * 0.0,
}


@pytest.mark.parametrize("name", REPEATED)
def test_a_value_that_a_sum_takes_twice_has_its_second_derivative(name):
    w, b = Value(0.5), Value(0.2)
    kernel = Kernel(lambda x: REPEATED[name](w, b, x))
    kernel.check(np.array([1.05, -0.4]))


SATURATED = [0.0, 1e-9, 0.5, -3.0, 6.0, -9.0, 12.0, 15.0, 18.7, 25.0, -300.0, 700.0, 1e6]


@pytest.mark.parametrize("row", [ops.tanh, ops.sigmoid], ids=lambda row: row.name)
def test_the_slope_of_a_textbook_is_refined_where_it_has_lost_digits(row):
    kernel = Kernel(row)
    _, slopes = kernel.value_and_grad(np.array(SATURATED), argnums=0)
    exact = [autodiff.grad(row)(x) for x in SATURATED]
    np.testing.assert_allclose(slopes, exact, rtol=1e-10, atol=1e-300)
    assert "np.cosh" in kernel._latest.function("grad", (0,)).source


@pytest.mark.parametrize("row", [ops.tanh, ops.sigmoid], ids=lambda row: row.name)
def test_second_derivatives_of_refined_slopes_keep_their_digits(row):
    w = Value(1.0)
    kernel = Kernel(lambda x: row(w * x))
    for x in SATURATED[2:9]:
        product = kernel.hvp(np.array([x]), vector=[1.0])
        expected = autodiff.hvp(lambda v, x=x: row(v * x), (1.0,), (1.0,))
        np.testing.assert_allclose(product, [expected], rtol=1e-9)


def test_slopes_in_single_precision_are_refined():
    kernel = Kernel(ops.tanh, dtype=np.float32)
    _, slopes = kernel.value_and_grad(np.array(SATURATED[:9]), argnums=0)
    exact = [autodiff.grad(ops.tanh)(x) for x in SATURATED[:9]]
    np.testing.assert_allclose(slopes, exact, rtol=1e-4)
