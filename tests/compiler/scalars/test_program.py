import math

import pytest

from autodiff import Value, ops
from autodiff.compiler.scalars.program import CONSTANTS, Leaf, Scalars


@pytest.fixture
def scalars():
    return Scalars()


@pytest.fixture
def x(scalars):
    return scalars.add(Leaf("x", True), (0,))


def test_constants_are_equal_to_the_bit(scalars):
    assert scalars.constant(0.0) != scalars.constant(-0.0)
    assert scalars.constant(math.nan) == scalars.constant(-math.nan)
    assert scalars.constant(1.0) == scalars.constant(1.0)
    assert [math.copysign(1, x) for x in scalars.constants[:2]] == [1, -1]


def test_ops_of_constants_are_folded(scalars):
    two, three = scalars.constant(2.0), scalars.constant(3.0)
    assert scalars.apply(ops.pow, (two, three)) == scalars.constant(8.0)
    folded = scalars.apply(ops.div, (three, scalars.constant(0.0)))
    assert scalars.ops[folded] is CONSTANTS
    assert scalars.constants[scalars.operands[folded][0]] == math.inf


def test_folding_keeps_the_sign_of_zero(scalars):
    product = scalars.apply(ops.mul, (scalars.constant(-1.0), scalars.constant(0.0)))
    assert product == scalars.constant(-0.0)


# x + 0 is not x at -0.0, and x * 0 is not 0 at inf.
def operands(scalars, x, names):
    return [x if name == "x" else scalars.constant(name) for name in names]


FROM_ZERO = [(ops.add, (0.0, "x")), (ops.add, ("x", 0.0)), (ops.sub, ("x", -0.0))]


@pytest.mark.parametrize(("op", "names"), FROM_ZERO)
def test_a_sum_from_zero_is_a_reduction_of_one(scalars, x, op, names):
    found = scalars.apply(op, operands(scalars, x, names))
    assert (scalars.ops[found], scalars.operands[found]) == (ops.sum, (x,))
    assert scalars.apply(op, operands(scalars, found, names)) == found


def test_a_chain_of_many_values_is_imported_without_recursion(scalars):
    x = w = Value(1.0)
    for _ in range(20_000):
        x = x.sin()
    scalars.value(x)
    assert len(scalars.ops) == 20_001
    assert scalars.parameters == [w]
