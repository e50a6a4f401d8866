import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import View
from autodiff.compiler.numpy.memory import Memory, covers, is_disjoint, starts


def memory(builder, *results):
    program, number = builder.program(results)
    return Memory(program), number


def test_permuted_reads_are_computed_in_place(builder):
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


def test_scatters_know_whether_their_parts_overlap_and_cover_them(builder):
    x = builder.leaf("x", 2, True)
    parts = {start: (x, View(start, (2,), (1,))) for start in range(3)}
    for chosen, disjoint, whole in (
        ([0, 2], True, True),
        ([0, 1], False, True),
        ([1], True, False),
    ):
        instr = builder.instrs[builder.scatter([parts[k] for k in chosen], (4,))]
        assert (is_disjoint(instr), covers(instr)) == (disjoint, whole)


def test_each_operand_of_a_concatenation_starts_where_the_one_before_ends(builder):
    x, y = builder.leaf("x", 3, True), builder.leaf("y", 2, True)
    program, number = builder.program([builder.concatenate([x, y, x])])
    expected = [(0, number[x]), (3, number[y]), (5, number[x])]
    assert starts(program, program.instrs[program.results[0]]) == expected


# Writing over operands


def chain(builder, *rows):
    """The arrays of rows applied one after the other to exp(x)."""
    found = [builder.apply(ops.exp, [builder.leaf("x", 3, True)])]
    for row in rows:
        found.append(builder.apply(row, [found[-1]]))
    return found


def over(builder, *results):
    """Which arrays are written over which operands."""
    program, number = builder.program(results)
    old = {new: i for i, new in number.items()}
    return {old[i]: old[operand] for i, operand in Memory(program).over.items()}


def test_a_result_is_written_over_an_operand_that_nothing_reads_later(builder):
    x, y, z = chain(builder, ops.sin, ops.cos)
    assert over(builder, z) == {y: x, z: y}
    assert over(builder, z, x) == {z: y}  # a result
    assert over(builder, builder.apply(ops.add, [z, x])).keys() & {y, z} == {z}


def test_a_view_that_is_read_later_keeps_its_array(builder):
    x, y = chain(builder, ops.sin)
    part = builder.fetch(x, np.arange(2))
    assert over(builder, builder.apply(ops.cos, [part]), y) == {}
    z = builder.apply(ops.cos, [y])
    assert over(builder, z, builder.apply(ops.tan, [part]))[z] == y


def test_no_array_is_written_over_that_each_step_must_find_as_it_was(builder):
    seed, x = builder.leaf("seed", 3, True), builder.leaf("x", 3, True)
    doubled = builder.apply(ops.exp, [seed])  # once
    assert over(builder, builder.apply(ops.mul, [doubled, x])) == {}


def test_an_array_that_is_read_in_two_orders_at_once_is_not_written_over(builder):
    (x,) = chain(builder)
    same = builder.apply(ops.sub, [x, x])
    assert over(builder, same) == {same: x}
    leaf = builder.leaf("y", 9, True)
    square = builder.apply(ops.exp, [builder.fetch(leaf, np.arange(9).reshape(3, 3))])
    turned = builder.transpose(square)
    assert over(builder, builder.apply(ops.sub, [square, turned])) == {}
    total = builder.sum(square, (0, 1))
    assert over(builder, total, builder.apply(ops.sin, [turned])) == {}  # it would be turned


def test_a_smaller_array_is_not_written_over(builder):
    x = builder.apply(ops.exp, [builder.leaf("x", 1, True)])
    y = builder.leaf("y", 3, True)
    assert over(builder, builder.apply(ops.mul, [x, y])) == {}
    less = builder.apply(ops.less, [chain(builder)[0], y])  # of another type
    assert over(builder, less) == {}


def test_zeros_are_written_over_the_last_operand_alone(builder):
    x, y = chain(builder, ops.sin)
    mask = builder.apply(ops.less, [y, builder.constant([1.0])])
    zeroed = builder.apply(ops.where, [mask, builder.constant([0.0]), x])
    other = builder.apply(ops.where, [mask, builder.constant([-0.0]), x])
    program, number = builder.program([zeroed, other])
    found = Memory(program)
    assert found.zeroes(number[zeroed])
    assert not found.zeroes(number[other])  # its zeros are another number
    assert over(builder, zeroed)[zeroed] == x
