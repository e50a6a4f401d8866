import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather


@pytest.fixture
def builder():
    return Builder()


def simplified(builder, make):
    x, y = (builder.apply(ops.exp, [builder.leaf(name, 2, True)]) for name in "xy")
    return make(builder, x, y), (x, y)


def two(builder, value):
    return builder.constant([value])


RULES = {
    "-(-x)": lambda b, x, y: (b.apply(ops.neg, [b.apply(ops.neg, [x])]), x),
    "1 x": lambda b, x, y: (b.apply(ops.mul, [two(b, 1.0), x]), x),
    "-1 x": lambda b, x, y: (b.apply(ops.mul, [x, two(b, -1.0)]), b.apply(ops.neg, [x])),
    "2 (3 x)": lambda b, x, y: (
        b.apply(ops.mul, [two(b, 2.0), b.apply(ops.mul, [x, two(b, 3.0)])]),
        b.apply(ops.mul, [two(b, 6.0), x]),
    ),
    "-(2 x)": lambda b, x, y: (
        b.apply(ops.neg, [b.apply(ops.mul, [two(b, 2.0), x])]),
        b.apply(ops.mul, [two(b, -2.0), x]),
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
        b.apply(ops.div, [x, two(b, 8.0)]), b.apply(ops.mul, [x, two(b, 0.125)])
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


def unsigned(builder, x):
    """Arrays made of x, and whether none of their elements is negative or -0.0."""
    e = builder.apply(ops.exp, [x])
    s = builder.apply(ops.sin, [x])
    column = np.array([0, 2, 1])
    index = builder.leaf("index", 3, True, "i")
    condition = builder.apply(ops.less, [x, s])
    return [
        (x, False), (e, True), (s, False), (builder.apply(ops.mul, [s, s]), True),
        (builder.apply(ops.mul, [e, s]), False), (builder.apply(ops.div, [e, e]), True),
        (builder.fetch(e, column), True), (builder.fetch(s, column), False),
        (builder.sum(e, (0,)), True), (builder.take(e, Gather(np.arange(3)[None]), index), True),
        (builder.cast(index), False), (builder.logsumexp(e), False),
        (builder.reduce(ops.maximum, e), True), (builder.reduce(ops.maximum, s), False),
        (builder.constant([0.0, 2.0]), True), (builder.constant([-0.0, 2.0]), False),
        (builder.apply(ops.where, [condition, e, builder.constant([0.0])]), True),
        (builder.apply(ops.where, [condition, e, s]), False),
    ]  # fmt: skip


def test_what_is_never_negative_is_known(builder):
    for i, expected in unsigned(builder, builder.leaf("x", 3, True)):
        assert builder.is_unsigned(i) == expected, builder.instrs[i]


def test_what_is_never_negative_is_not_below_a_number_that_is_not_positive(builder):
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


def test_a_quotient_whose_reciprocal_is_not_exact_stays(builder):
    x = builder.leaf("x", 2, True)
    for value in (3.0, 0.0, np.inf, np.nan, 5e-324):
        made = builder.instrs[builder.apply(ops.div, [x, builder.constant([value])])]
        assert made.op is ops.div, value
