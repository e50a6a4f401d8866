"""Every row at 0, -0, ±inf, nan, huge and tiny numbers: kernel and eager execution, to order 2.

A kernel is tried without its fall-back, so where it would fall back it may give inf or nan.
"""

from itertools import product
from math import inf, isfinite, nan

import numpy as np
import pytest

import autodiff
from autodiff import Value, clip, exp, maximum, ops, where
from autodiff.calculus import products
from autodiff.checking.expressions import arranged
from autodiff.compiler import Kernel
from tests.support.samples import ROWS, count, forward_and_vjp

POINTS = {
    1: (0.0, -0.0, inf, -inf, nan, 0.5, 1.0, -1.0, 3.0, -2.0, 40.0, -40.0, 750.0, -750.0, 1e200,
        -1e200, 1e-200, -1e-200, 1e308, -1e308, 1e-308, 5e-324, -5e-324),
    2: (0.0, -0.0, inf, -inf, nan, 0.5, 1.0, 2.0, -3.0, 1e200, -1e200, 1e-200, 1e308),
    3: (0.0, -0.0, inf, -inf, nan, -2.0, 1e200),
    4: (0.0, -0.0, nan, -2.0, 1e200),
}  # fmt: skip


def applied(row, xs):
    """`row` on numbers or Values, of which the condition of `where` is made."""
    if row is ops.where:
        return where(xs[0] > 0.5, xs[1], xs[2])
    return row(*arranged(row, list(xs)))


FORMS = {
    "alone": applied,
    "behind where": lambda row, xs: where(xs[-1] > 0.25, applied(row, xs), xs[-1] * 2.0),
    "of where": lambda row, xs: applied(row, [where(x > 0.25, x, 1.5 * x) for x in xs]),
    "behind clip": lambda row, xs: clip(applied(row, xs), -5.0, 5.0),
    "behind maximum": lambda row, xs: maximum(applied(row, xs), xs[-1]),
    "in an exponential": lambda row, xs: exp(-applied(row, xs)),
}
EXPONENTS = (0.5, -0.5, 1.5, -1.0, -2.0, 0.0, 1.0, 2.0, 3.0, 4.0)
POWERS = {f"x**{c}": lambda row, xs, c=c: xs[0] ** c for c in EXPONENTS}
CASES = {f"{row.name} {name}": (row, form) for row in ROWS for name, form in FORMS.items()}
CASES |= {name: (ops.sqrt, form) for name, form in POWERS.items()}

each = pytest.mark.parametrize(("row", "form"), CASES.values(), ids=CASES)


def table(row):
    return np.array(list(product(POINTS[count(row)], repeat=count(row))))


def alone(kernel):
    """The kernel without what it falls back to, and whether it would."""
    made = kernel._latest
    may_differ, made.may_differ, made.is_ragged = made.may_differ, False, False
    return may_differ


def differs(mine, theirs, atol=0.0):
    """Where numbers differ; all nan are equal."""
    return ~np.isclose(mine, theirs, rtol=1e-11, atol=atol, equal_nan=True)


def is_extreme(point):
    return any(isfinite(x) and x and not 1e-150 < abs(x) < 1e150 for x in point)


@each
def test_values_and_slopes_are_those_of_eager_execution(row, form):
    points = table(row)
    kernel = Kernel(lambda x: form(row, list(x)))
    kernel(points)
    falls_back = alone(kernel)
    values, slopes = kernel.value_and_grad(points, argnums=0)
    for point, value, slope in zip(points, values, slopes, strict=True):
        leaves = [Value(x) for x in point]
        root = form(row, leaves)
        root.backward()
        mine = np.array([value, *slope])
        wrong = differs(mine, [root.data, *[leaf.grad for leaf in leaves]])
        if row is ops.dot and 1e200 in point:  # a fused product and sum overflows later
            continue
        assert not wrong.any() or (falls_back and not np.isfinite(mine).all()), point


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_numpy_spelling_is_eager_execution(row):
    points = table(row) if row is not ops.where else np.abs(table(row)) > 0.5
    columns = list(points.T.astype(float))
    arrays = np.array(forward_and_vjp(row, np.ones(len(points)), columns))
    floats = [forward_and_vjp(row, 1.0, list(point)) for point in points.astype(float).tolist()]
    np.testing.assert_allclose(arrays.T, floats, rtol=1e-11, atol=5e-324)


# Where eager execution leaves the range on its way to a second derivative that kernels have.
FURTHER = {"div", "pow", "atan", "atan2", "erf", "erfc", "gelu", "dot"}
SHARE = {1: 1, 2: 3, 3: 5, 4: 25}
"""Of which of the points second derivatives are taken, by the number of operands."""


@each
def test_second_derivatives_are_those_of_eager_execution(row, form):
    points = table(row)[:: SHARE[count(row)]]
    size = points.shape[1]
    parameters = [[Value(x) for x in point] for point in points]
    kernel = Kernel(lambda x: autodiff.sum([x, *[form(row, list(xs)) for xs in parameters]]))
    kernel(np.zeros(1))
    place = {parameter: k for k, parameter in enumerate(kernel.parameters)}
    alone(kernel)
    for j in range(size):
        vector = np.zeros(len(place))
        vector[[place[xs[j]] for xs in parameters if xs[j] in place]] = 1.0
        product = np.append(kernel.hvp(np.zeros(1), vector=vector), 0.0)
        for point, xs in zip(points, parameters, strict=True):
            mine = product[[place.get(x, -1) for x in xs]]
            theirs = eager(row, form, point, j)
            wrong = np.isfinite(mine) & np.all([differs(mine, t, 1e-190) for t in theirs], axis=0)
            if is_extreme(point) and (row.name in FURTHER or form in POWERS.values()):
                wrong &= np.any(np.isfinite(theirs), axis=0)
            assert not wrong.any(), (point, mine, theirs)


def eager(row, form, point, j):
    """A row of the Hessian, by a sweep forward over one back, and by two sweeps back."""
    xs, unit = point.tolist(), [float(i == j) for i in range(len(point))]
    f = lambda xs: form(row, xs)  # noqa: E731
    forward = products.hvp(f, (xs,), (unit,))
    leaves = [Value(x) for x in xs]
    autodiff.grad(f)(leaves)[j].backward()
    return np.array([forward, [leaf.grad for leaf in leaves]])
