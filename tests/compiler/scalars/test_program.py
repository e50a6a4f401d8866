import math

import pytest

from autodiff import Value, ops
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, Leaf, Scalars


@pytest.fixture
def scalars():
    return Scalars()


@pytest.fixture
def x(scalars):
    return scalars.add(Leaf("x", True), (0,))


def test_equal_instructions_are_made_once(scalars, x):
    first = scalars.apply(ops.exp, (x,))
    size = len(scalars.ops)
    assert scalars.apply(ops.exp, (x,)) == first
    assert len(scalars.ops) == size
    assert scalars.apply(ops.sin, (x,)) != first


def test_operands_are_in_order(scalars, x):
    y = scalars.add(Leaf("y", True), (0,))
    assert scalars.apply(ops.sub, (x, y)) != scalars.apply(ops.sub, (y, x))


def test_leaves_of_one_name_are_two(scalars):
    assert scalars.add(Leaf("x"), (0,)) != scalars.add(Leaf("x"), (0,))


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
TO_X = [
    (ops.add, ("x", -0.0)), (ops.add, (-0.0, "x")), (ops.sub, ("x", 0.0)),
    (ops.mul, (1.0, "x")), (ops.mul, ("x", 1.0)),
    (ops.pow, ("x", 1.0)), (ops.prod, ("x",)),
    (ops.where, (1.0, "x", 2.0)), (ops.where, (0.0, 2.0, "x")),
]  # fmt: skip


def operands(scalars, x, names):
    return [x if name == "x" else scalars.constant(name) for name in names]


@pytest.mark.parametrize(("op", "names"), TO_X)
def test_identities_give_the_operand(scalars, x, op, names):
    assert scalars.apply(op, operands(scalars, x, names)) == x


@pytest.mark.parametrize(
    ("op", "names"),
    [(ops.mul, ("x", 0.0)), (ops.mul, (0.0, "x")), (ops.sub, (0.0, "x")), (ops.div, (1.0, "x")),
     (ops.div, ("x", 1.0)), (ops.pow, ("x", 0.5)), (ops.pow, (1.0, "x")),
     (ops.where, ("x", 1.0, 2.0))],
)  # fmt: skip
def test_ops_without_an_identity_stay(scalars, x, op, names):
    found = scalars.apply(op, operands(scalars, x, names))
    assert scalars.ops[found] is op


FROM_ZERO = [(ops.add, (0.0, "x")), (ops.add, ("x", 0.0)), (ops.sub, ("x", -0.0))]


@pytest.mark.parametrize(("op", "names"), FROM_ZERO)
def test_a_sum_from_zero_is_a_reduction_of_one(scalars, x, op, names):
    found = scalars.apply(op, operands(scalars, x, names))
    assert (scalars.ops[found], scalars.operands[found]) == (ops.sum, (x,))
    assert scalars.apply(op, operands(scalars, found, names)) == found


def test_a_square_is_a_product(scalars, x):
    found = scalars.apply(ops.pow, operands(scalars, x, ("x", 2.0)))
    assert (scalars.ops[found], scalars.operands[found]) == (ops.mul, (x, x))


def test_dots_are_sums_of_products_and_means_quotients(scalars, x):
    y = scalars.add(Leaf("y", True), (0,))
    found = scalars.apply(ops.dot, (x, y, y, y))
    assert scalars.ops[found] is ops.sum
    assert [scalars.operands[i] for i in scalars.operands[found]] == [(x, y), (y, y)]
    mean = scalars.apply(ops.mean, (x, y))
    assert scalars.ops[mean] is ops.div
    assert scalars.operands[mean][1] == scalars.constant(2.0)


def test_values_are_imported_once_and_leaves_are_parameters(scalars):
    w, b = Value(2.0), Value(3.0)
    root = (w * b).exp() + w
    found = scalars.value(root)
    assert scalars.ops[found] is ops.add
    assert set(scalars.parameters) == {w, b}
    size = len(scalars.ops)
    assert scalars.value(root) == found
    assert scalars.ops[scalars.value(w)] is PARAMETERS
    assert len(scalars.ops) == size


def test_equal_parameters_are_two(scalars):
    assert scalars.value(Value(1.0)) != scalars.value(Value(1.0))


def test_a_chain_of_many_values_is_imported_without_recursion(scalars):
    x = w = Value(1.0)
    for _ in range(20_000):
        x = x.sin()
    scalars.value(x)
    assert len(scalars.ops) == 20_001
    assert scalars.parameters == [w]
