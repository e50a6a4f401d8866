import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.builder import Builder


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


def test_a_quotient_whose_reciprocal_is_not_exact_stays(builder):
    x = builder.leaf("x", 2, True)
    for value in (3.0, 0.0, np.inf, np.nan, 5e-324):
        made = builder.instrs[builder.apply(ops.div, [x, builder.constant([value])])]
        assert made.op is ops.div, value
