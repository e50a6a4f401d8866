"""Identities: which forms they give, on scalars and on arrays, and that these keep every value."""

import math
from itertools import product

import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.algebra import ARRAYS, SCALARS, unchanged, waits
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.ops import CONSTANT, LEAF
from autodiff.compiler.scalars.program import CONSTANTS, Leaf, Scalars
from autodiff.rows.primitive import TABLE, Primitive

NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -4.0, 1e300, 5e-324, math.inf, -math.inf, math.nan]
ROWS = [row for row in (*TABLE.values(), ops.less) if row.units or row in SCALARS or row in ARRAYS]


def is_same(a, b):
    """Equal but for the last digits, with the same sign, of a zero too."""
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=1e-15) and math.copysign(1, a) == math.copysign(1, b)


def scalar_value(scalars, i, x):
    """The value of instruction i where every leaf is x."""
    op = scalars.ops[i]
    if op is CONSTANTS:
        return scalars.constants[scalars.operands[i][0]]
    if isinstance(op, Leaf):
        return x
    return float(op.value_at([scalar_value(scalars, k, x) for k in scalars.operands[i]]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_simpler_scalars_have_the_same_value(row):
    size = row.arity or 4
    for place, c in product(range(size), NUMBERS):
        scalars = Scalars()
        operands = [scalars.constant(c)] * size
        operands[place] = scalars.add(Leaf("x", True), (0,))
        found = scalars.apply(row, operands)
        for x in NUMBERS:
            expected = row.value_at([x if k == place else c for k in range(size)])
            assert is_same(scalar_value(scalars, found, x), float(expected)), (place, c, x)


def array_value(builder, i, x):
    """The element of instruction i where every leaf is full of x."""
    instr = builder.instrs[i]
    if instr.op is CONSTANT:
        return float(instr.values.flat[0])
    if instr.op is LEAF:
        return x
    operands = [array_value(builder, k, x) for k in instr.operands]
    return float(instr.op.value_at(operands)) if isinstance(instr.op, Primitive) else operands[0]


TERMS = {
    "x": lambda builder, x, c: x,
    "c": lambda builder, x, c: builder.constant([c]),
    "-x": lambda builder, x, c: builder.apply(ops.neg, [x]),
    "2 x": lambda builder, x, c: builder.apply(ops.mul, [builder.constant([2.0]), x]),
}


@pytest.mark.parametrize("row", [r for r in ROWS if r.arity], ids=lambda row: row.name)
def test_simpler_arrays_have_the_same_value(row):
    for names, c in product(product(TERMS, repeat=row.arity), NUMBERS):
        builder = Builder()
        x = builder.leaf("x", 1, True)
        operands = [TERMS[name](builder, x, c) for name in names]
        found = builder.apply(row, operands)
        for number in NUMBERS:
            values = [array_value(builder, i, number) for i in operands]
            expected = float(row.value_at(values))
            assert is_same(array_value(builder, found, number), expected), (names, c, number)


UNITS = [(row, k) for row in ROWS for k, unit in enumerate(row.units) if unit is not None]


@pytest.mark.parametrize(("row", "k"), UNITS, ids=lambda part: getattr(part, "name", part))
def test_an_op_with_its_unit_is_the_other_operand(row, k):
    scalars, builder = Scalars(), Builder()
    x, array = scalars.add(Leaf("x"), (0,)), builder.leaf("x", 3, True)
    one = scalars.constant(row.units[k]), builder.constant([row.units[k]])
    for program, i, unit in zip((scalars, builder), (x, array), one, strict=True):
        operands = [i, i]
        operands[k] = unit
        assert unchanged(program, row, operands) == i
        if program is builder or not waits(row):
            assert program.apply(row, operands) == i


def test_a_unit_of_more_axes_gives_the_result_its_axes(builder):
    x, one = builder.leaf("x", 3, False), builder.known(np.ones((1, 1)))
    assert builder.shape(builder.apply(ops.mul, [x, one])) == (1, 3)


def simplified(builder, make):
    x, y = (builder.apply(ops.exp, [builder.leaf(name, 2, True)]) for name in "xy")
    return make(builder, x, y), (x, y)


def number(builder, value):
    return builder.constant([value])


RULES = {
    "-(-x)": lambda b, x, y: (b.apply(ops.neg, [b.apply(ops.neg, [x])]), x),
    "1 x": lambda b, x, y: (b.apply(ops.mul, [number(b, 1.0), x]), x),
    "-1 x": lambda b, x, y: (b.apply(ops.mul, [x, number(b, -1.0)]), b.apply(ops.neg, [x])),
    "2 (3 x)": lambda b, x, y: (
        b.apply(ops.mul, [number(b, 2.0), b.apply(ops.mul, [x, number(b, 3.0)])]),
        b.apply(ops.mul, [number(b, 6.0), x]),
    ),
    "-(2 x)": lambda b, x, y: (
        b.apply(ops.neg, [b.apply(ops.mul, [number(b, 2.0), x])]),
        b.apply(ops.mul, [number(b, -2.0), x]),
    ),
    "x + -y": lambda b, x, y: (
        b.apply(ops.add, [x, b.apply(ops.neg, [y])]), b.apply(ops.sub, [x, y])
    ),
    "-x + y": lambda b, x, y: (
        b.apply(ops.add, [b.apply(ops.neg, [x]), y]), b.apply(ops.sub, [y, x])
    ),
    "x - -y": lambda b, x, y: (
        b.apply(ops.sub, [x, b.apply(ops.neg, [y])]), b.apply(ops.add, [x, y])
    ),
    "x / 8": lambda b, x, y: (
        b.apply(ops.div, [x, number(b, 8.0)]), b.apply(ops.mul, [x, number(b, 0.125)])
    ),
    "-x / y": lambda b, x, y: (
        b.apply(ops.div, [b.apply(ops.neg, [x]), y]),
        b.apply(ops.neg, [b.apply(ops.div, [x, y])]),
    ),
    "where(True, x, y)": lambda b, x, y: (b.apply(ops.where, [b.constant([True]), x, y]), x),
    "sum of -x": lambda b, x, y: (
        b.sum(b.apply(ops.neg, [x]), (0,)), b.apply(ops.neg, [b.sum(x, (0,))])
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_instructions_take_their_simplest_form(builder, rule):
    (found, expected), _ = simplified(builder, RULES[rule])
    assert found == expected


SIZES = [  # of constants c and d: whether c (d x) may be (c d) x
    (1e200, 1e200, False), (1e-200, 1e-200, False), (1e200, 1e-200, False), (2.0, 1e200, False),
    (np.inf, 2.0, False), (np.nan, 2.0, False), (0.5, 0.0, True), (1e10, 3e-10, True),
]  # fmt: skip


@pytest.mark.parametrize(("c", "d", "is_one"), SIZES)
def test_products_with_large_and_small_numbers_keep_their_order(builder, c, d, is_one):
    x = builder.apply(ops.exp, [builder.leaf("x", 2, True)])
    inner = builder.apply(ops.mul, [builder.constant([d]), x])
    made = builder.instrs[builder.apply(ops.mul, [builder.constant([c]), inner])]
    assert (x in made.operands) == is_one


def test_numbers_that_are_never_negative_are_not_below_zero(builder):
    x = builder.leaf("x", 3, True)
    e = builder.apply(ops.exp, [x])
    known = (e, 0.0, True), (e, -1.0, True), (e, 1.0, False), (x, 0.0, False)
    for operand, bound, is_known in known:
        less = builder.apply(ops.less, [operand, builder.constant([bound])])
        assert (builder.only(less) == 0.0) == is_known


@pytest.mark.parametrize("is_positive", [True, False])
def test_a_power_of_a_half_is_a_root(builder, is_positive):
    x = builder.leaf("x", 2, True)
    x = builder.apply(ops.exp, [x]) if is_positive else x
    made = builder.instrs[builder.apply(ops.pow, [x, builder.constant([0.5])])]
    assert made.op is (ops.sqrt if is_positive else ops.where)
    other = builder.instrs[builder.apply(ops.pow, [x, builder.constant([-0.5])])]
    assert other.op is ops.pow


def test_a_quotient_stays_where_the_reciprocal_is_not_exact(builder):
    x = builder.leaf("x", 2, True)
    for value in (3.0, 0.0, np.inf, np.nan, 5e-324):
        made = builder.instrs[builder.apply(ops.div, [x, builder.constant([value])])]
        assert made.op is ops.div, value
