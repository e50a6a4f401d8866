"""Every row to the third order against a reference of 50 digits and more, also at its edges.

mpmath knows the functions alone; it differentiates them by differences in as many digits as it
takes. Infinity is a limit: what the reference gives at 1e60.
"""

from itertools import product
from math import inf, isfinite, isnan, log10, nan

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from autodiff.checking.expressions import arranged
from autodiff.checking.functions import EagerFunction
from tests.support.samples import EDGES, ROWS, count, domains, grid, has_partial


def complement(x):
    """erfc, which mpmath has no number for at 1e200; it is within e^-1000000 of its limit."""
    return mpmath.erfc(x) if abs(x) < 1000 else mpf(0 if x > 0 else 2)


FUNCTIONS = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "neg": lambda x: -x,
    "abs": abs,
    "sign": mpmath.sign,
    "sqrt": mpmath.sqrt,
    "exp": mpmath.exp,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log1p": lambda x: mpmath.log(1 + x),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "asin": mpmath.asin,
    "acos": mpmath.acos,
    "atan": mpmath.atan,
    "atan2": mpmath.atan2,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "erf": mpmath.erf,
    "erfc": complement,
    "relu": lambda x: x if x > 0 else mpf(0),
    "leaky_relu": lambda x, slope: x if x > 0 else slope * x,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log(1 + mpmath.exp(x)),
    "gelu": lambda x: x * complement(-x / mpmath.sqrt(2)) / 2,
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "elu": lambda x, alpha: x if x > 0 else alpha * mpmath.expm1(x),
    "where": lambda condition, x, y: x if condition else y,
    "clip": lambda x, low, high: min(max(x, low), high),
    "take": lambda *xs: xs[0],
    "sum": lambda *xs: mpmath.fsum(xs),
    "mean": lambda *xs: mpmath.fsum(xs) / len(xs),
    "prod": lambda *xs: mpmath.fprod(xs),
    "dot": lambda *wx: mpmath.fdot(wx[: len(wx) // 2], wx[len(wx) // 2 :]),
    "maximum": max,
    "minimum": min,
    "logsumexp": lambda *xs: mpmath.log(mpmath.fsum(map(mpmath.exp, xs))),
}


def rows_and_orders(rows, orders=(1, 2, 3)):
    pairs = list(product(rows, orders))
    return pytest.mark.parametrize(
        ("row", "order"), pairs, ids=[f"{row.name}-{order}" for row, order in pairs]
    )


def ours(row, operands, order):
    """The derivatives by every tuple of operands that have one."""
    free = [i for i in range(len(operands)) if has_partial(row, i)]

    def f(*xs):
        every = list(operands)
        for i, x in zip(free, xs, strict=True):
            every[i] = x
        return row(*arranged(row, every))

    return EagerFunction(f, tuple(operands[i] for i in free)).derivatives(order)


def reference(row, operands, order, digits=50):
    """The same in so many digits."""
    free = [i for i in range(len(operands)) if has_partial(row, i)]
    with mp.workdps(digits):
        point = [
            mpf(10) ** 60 * (1 if x > 0 else -1) if abs(x) == inf else mpf(x) for x in operands
        ]
        known = {}
        for by in product(free, repeat=order):
            orders = tuple(by.count(i) for i in range(len(operands)))
            if orders not in known:
                known[orders] = mpmath.diff(FUNCTIONS[row.name], point, orders)
            yield known[orders]


def rounded(x):
    """`x` as a float; inf if it is too large."""
    try:
        return float(x)
    except OverflowError:
        return inf if x > 0 else -inf


def limit(x):
    """What 1e60 has made as good as infinite, or as zero."""
    return 0.0 if abs(x) < 1e-20 else inf if x > 1e20 else -inf if x < -1e20 else x


@rows_and_orders(ROWS)
def test_derivatives_inside_the_domain_are_those_of_mpmath(row, order):
    table = grid(row)
    for operands in table[:: max(1, len(table) // 6)]:
        expected = list(map(float, reference(row, operands, order)))
        atol = 1e-12 * max(map(abs, expected)) + 1e-30
        np.testing.assert_allclose(ours(row, operands, order), expected, rtol=1e-10, atol=atol)


# At the edges

FINITE = tuple(x for x in EDGES if isfinite(x))
FEWER = (0.0, 1e200, 1e-200, 750.0, -1.0, 1.0)
# Where an intermediate result is not finite, and so the derivative is not, though it exists: the
# orders at the operands below, by row. Everywhere else it has to be right.
OVERFLOWS = {
    "div": [3],  # by y, at y = 1e-200
    "pow": [2, 3],  # at x = 1e-200
    "atan2": [2, 3],  # at the scale 1e-200
    "gelu": [1, 2, 3],  # x times exp(-x²), at infinity and 1e200
    "silu": [1, 2, 3],  # x times sigmoid(-x), at infinity
    "atan": [2, 3],  # at infinity
    "erf": [2, 3],
    "erfc": [2, 3],
}


def edges_of(row):
    """Operands at the edges between the ends and kinks of the domains."""
    many = count(row) > 1
    choices = [
        [
            x
            for x in (FEWER if many else (*FINITE, inf, -inf))
            if domain.low < x < domain.high or (abs(x) == inf and x in (domain.low, domain.high))
            if x not in domain.kinks
        ]
        for domain in domains(row)
    ]
    if row.name in ("sin", "cos"):  # which have no limit
        choices = [[x for x in choices[0] if isfinite(x)]]
    every = list(product(*choices))
    return [operands for operands in every if not many or isfinite(row.apply(operands))]


# More operands have polynomials and choices alone, for which the grid will do.
@rows_and_orders([row for row in ROWS if count(row) < 3 and not row.ties])
def test_at_the_edges_no_number_is_wrong(row, order):
    missing = 0
    for operands in edges_of(row):
        extremes = sum(abs(log10(abs(x) or 1)) > 50 and isfinite(x) for x in operands)
        expected = map(rounded, reference(row, operands, order, 200 + 200 * extremes))
        if inf in map(abs, operands):
            expected = map(limit, expected)
        atol = 1e-305 if order == 1 else 1e-190
        for mine, theirs in zip(ours(row, operands, order), expected, strict=True):
            if isnan(mine) or (isfinite(theirs) and not isfinite(mine)):
                missing += 1
            else:
                assert mine == pytest.approx(theirs, rel=1e-9, abs=atol), operands
    assert bool(missing) == (order in OVERFLOWS.get(row.name, []))


@rows_and_orders(ROWS, orders=(2, 3))  # test_ops and the agreement with PyTorch have the slopes
def test_nan_gives_nan_or_what_is_on_one_side(row, order):
    at = (1.0, nan, nan) if row.name == "where" else (nan,) * count(row)
    table = grid(row)
    elsewhere = zip(
        *[ours(row, operands, order) for operands in table[:: len(table) // 4]], strict=True
    )
    for slope, others in zip(ours(row, at, order), elsewhere, strict=True):
        assert isnan(slope) or slope in others


ENDS = [
    (row, end)
    for row in ROWS
    for end in (row.domain[0].low, row.domain[0].high)
    if isfinite(end) and row.arity == 1 and row.name != "tan"  # whose pole is no float
]


@pytest.mark.parametrize(("row", "end"), ENDS, ids=lambda x: getattr(x, "name", x))
@pytest.mark.parametrize("order", [1, 2, 3])
def test_at_an_end_of_the_domain_no_derivative_is_finite(row, end, order):
    (slope,) = ours(row, (end,), order)
    assert not isfinite(slope)
