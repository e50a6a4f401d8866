"""Operands for every row, drawn from its domain, and the two ways to differentiate at them."""

import math
from functools import partial
from itertools import pairwise, product
from math import inf, isfinite, nan

import numpy as np
import pytest

from autodiff import Domain, Value, custom_op, ops, toposort
from autodiff.checking.expressions import MARGIN, ExpressionBuilder, domain_of, is_inside
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction, Selection
from autodiff.testing import OPS

ROWS = list(OPS)
# Rows of a user: of a ufunc, of one operand more with a default, of a choice.
USER_ROWS = [
    custom_op(
        "user_cbrt", math.cbrt, lambda x, out: ops.div(1.0, 3.0 * (out * out)),
        array=np.cbrt, domain=Domain(kinks=(0.0,)),
    ),
    custom_op(
        "user_bump", lambda x, w: ops.exp(-w * (x * x)),
        [lambda x, w, out: -2.0 * w * x * out, lambda x, w, out: -(x * x) * out],
        defaults=[1.0], label="bump",
    ),
    custom_op(
        "user_pick", lambda condition, x, y: x if condition else -y,
        [
            None,
            lambda condition, x, y, out: ops.where(condition, 1.0, 0.0),
            lambda condition, x, y, out: ops.where(condition, 0.0, -1.0),
        ],
        array="np.where({0}, {1}, -{2})", selects=True,
    ),
    custom_op(
        "user_log", lambda x: math.log(x) if x > 0 else nan if x < 0 or x != x else -inf,
        lambda x, out: ops.where(x < 0, nan, ops.div(1.0, x)),
        array=partial(np.log), domain=Domain(low=0.0),
    ),
]  # fmt: skip
every_row = pytest.mark.parametrize("row", ROWS + USER_ROWS, ids=lambda row: row.name)

EDGES = (0.0, -0.0, inf, -inf, nan, 1e200, -1e200, 1e-200, -1e-200, 750.0, -750.0, 1.0, -1.0)
EDGES_OF_MANY = (0.0, -0.0, inf, -inf, nan, 1e200, 1e-200, -750.0)  # no sum of them cancels


def unlisted_op(forward, partial):
    """An op outside the table, whose partial may be wrong."""
    return Primitive("op", forward, (partial,), array="", domain=(Domain(),), label="op")


def count(row):
    """How many operands the samples of `row` have."""
    return row.arity or (3 if row.sequences < 2 else 4)


def domains(row):
    """One an operand."""
    return row.domain if row.arity else row.domain * count(row)


def has_partial(row, i):
    return domain_of(row, i) is not None


def interval(domain):
    """A finite part of `domain`, away from its ends."""
    low = domain.low + MARGIN if isfinite(domain.low) else -2.0
    return low, domain.high - MARGIN if isfinite(domain.high) else 2.4


def points(row, i, size):
    """Up to `size` values for operand `i`; those of two operands differ."""
    if not has_partial(row, i):
        return [0.0, 1.0]  # a condition
    domain, phase = domains(row)[i], (i + 0.5) / count(row)
    low, high = interval(domain)
    every = [low + (high - low) * (k + phase) / size for k in range(size)]
    return [x for x in every if is_inside(domain, x)]


def grid(row):
    """Tuples of operands inside the domains of `row`."""
    n = count(row)
    return list(product(*[points(row, i, size=(9, 5, 3, 2)[n - 1]) for i in range(n)]))


def edges(row):
    """Tuples of zeros, infinities, nan, very large, very small, and the ends of the domains."""
    if count(row) > 2:
        return list(product(EDGES_OF_MANY, repeat=count(row)))
    ends = [{d.low, d.high, *d.kinks} for d in domains(row)]
    return list(product(*[[*EDGES, *sorted(end - set(EDGES))] for end in ends]))


def lift(row, operands):
    """`operands` as Values, except one without derivative."""
    return [Value(x) if has_partial(row, i) else x for i, x in enumerate(operands)]


def backward(row, operands):
    """The result on Values, then the gradient of every operand that has one."""
    values = lift(row, operands)
    root = row.apply(tuple(values))
    root.backward()
    return [root.data, *[v.grad for v in values if isinstance(v, Value)]]


def vjp(row, cotangent, operands):
    """`row.vjp`, with the operands and their cotangents in one flat list."""
    if isinstance(row, Selection):
        return row.vjp(cotangent, operands, 0)[0]
    if isinstance(row, Reduction) and row.sequences:
        half = len(operands) // row.sequences
        args = [operands[i : i + half] for i in range(0, len(operands), half)]
        result = row.vjp(cotangent, *args)
        return result if len(args) == 1 else [*result[0], *result[1]]
    result = row.vjp(cotangent, *operands)
    return list(result) if isinstance(result, tuple) else [result]


def forward_and_vjp(row, cotangent, operands):
    """The result on numbers or arrays, then the cotangents, as `backward` gives them."""
    cotangents = vjp(row, cotangent, list(operands))
    return [row.apply(tuple(operands)), *[ct for ct in cotangents if ct is not None]]


def replaced(operands, i, x):
    return (*operands[:i], x, *operands[i + 1 :])


def slope(f, operands, i, step=0.016):
    """df / d operand i by central differences, extrapolated to step 0 (Richardson)."""

    def quotient(h):
        x = operands[i]
        return (f(replaced(operands, i, x + h)) - f(replaced(operands, i, x - h))) / (2 * h)

    column = [quotient(step / 2**k) for k in range(4)]
    for order in 4, 16, 64:  # removes the errors in h², h⁴ and h⁶
        column = [(order * fine - coarse) / (order - 1) for coarse, fine in pairwise(column)]
    return column[0]


class Program:
    """A random expression of three leaves."""

    def __init__(self, expression):
        self.leaves = list(expression.point)
        self._expression = expression

    def results(self, leaves):
        """What it gives, last: of Values, behind every node on the way."""
        root = self._expression(*leaves)
        return toposort(root) if isinstance(root, Value) else [root]

    def gradient(self):
        """By the leaves, by a backward pass."""
        values = [Value(x) for x in self.leaves]
        self.results(values)[-1].backward()
        return [value.grad for value in values]


def draw_program(random, size=12):
    """A program for the same numbers of `random`: what Hypothesis draws, without Hypothesis."""
    while True:
        builder = ExpressionBuilder(max_inputs=3)
        for _ in range(size):
            row = random.choice(ROWS)
            builder.call(row, [random.randrange(10**6) for _ in range(count(row))])
        if builder.has_calls and len(builder.expression().point) == 3:
            return Program(builder.expression())


def micrograd(a, b):
    """The example of micrograd's README."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f
