import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import View
from autodiff.compiler.numpy.memory import Memory, covers, is_disjoint, starts
from tests.compiler.programs import compiled


@pytest.fixture
def builder():
    return Builder()


def memory(builder, *results):
    program, number = builder.program(results)
    return Memory(program), number


def test_a_matrix_of_gradients_is_computed_at_its_place():
    program = compiled("mlp_module")[1].program
    found = Memory(program)
    products = [i for i, instr in enumerate(program.instrs) if instr.op == "matmul_batch"]
    assert len(products) == 5
    (gradient,) = {found.slots[i].whole for i in products}
    assert program.instrs[gradient].op == "scatter"
    assert gradient == program.results[1]


def test_inputs_of_a_layer_are_computed_in_front_of_their_one():
    program = compiled("mixed")[1].program
    found = Memory(program)
    joined = [i for i, instr in enumerate(program.instrs) if instr.op == "concatenate"]
    at = {slot.whole for slot in found.slots.values()}
    assert set(joined[1:]) <= at


def test_what_is_read_in_another_order_is_computed_in_it(builder):
    leaf = builder.leaf("x", 6, True)
    x = builder.apply(ops.exp, [builder.fetch(leaf, np.arange(6).reshape(2, 3))])
    turned = builder.transpose(x)
    found, number = memory(builder, builder.apply(ops.sin, [turned]))
    slot = found.slots[number[x]]
    assert (slot.whole, slot.operand) == (number[turned], -1)
    again, number = memory(builder, builder.apply(ops.sin, [turned]), x)
    assert number[x] not in again.slots


def test_arrays_of_the_seed_and_constants_are_static(builder):
    seed, x = builder.leaf("seed", 1, True), builder.leaf("x", 1, True)
    doubled = builder.apply(ops.mul, [seed, builder.constant([2.0])])
    found, number = memory(builder, builder.apply(ops.mul, [doubled, x]), doubled)
    assert {number[seed], number[doubled]} <= found.live.static
    assert number[x] not in found.live.static


def test_a_product_that_is_only_summed_is_fused_and_its_operands_live_until_then(builder):
    x, y = (builder.apply(ops.exp, [builder.leaf(name, 3, True)]) for name in "xy")
    product = builder.apply(ops.mul, [x, y])
    other = builder.apply(ops.sin, [x])
    total = builder.sum(product, (0,))
    found, number = memory(builder, builder.apply(ops.add, [builder.sum(other, (0,)), total]))
    assert found.live.fused == {number[product]}
    assert found.live.last[number[x]] == number[total] > number[other]
    again, _ = memory(builder, total, product)
    assert not again.live.fused


def test_parts_that_overlap_or_leave_out_are_told(builder):
    x = builder.leaf("x", 2, True)
    parts = {start: (x, View(start, (2,), (1,))) for start in range(3)}
    for chosen, disjoint, whole in (
        ([0, 2], True, True),
        ([0, 1], False, True),
        ([1], True, False),
    ):
        instr = builder.instrs[builder.scatter([parts[k] for k in chosen], (4,))]
        assert (is_disjoint(instr), covers(instr)) == (disjoint, whole)


def test_operands_of_a_concatenation_begin_where_the_one_before_ends(builder):
    x, y = builder.leaf("x", 3, True), builder.leaf("y", 2, True)
    program, number = builder.program([builder.concatenate([x, y, x])])
    expected = [(0, number[x]), (3, number[y]), (5, number[x])]
    assert starts(program, program.instrs[program.results[0]]) == expected
