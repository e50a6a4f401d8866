import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import View
from autodiff.compiler.arrays.ops import CONCATENATE, MATMUL_BATCH, SCATTER
from autodiff.compiler.numpy.memory import Homes, covers, is_disjoint, starts
from tests.compiler.programs import compiled


@pytest.fixture
def builder():
    return Builder()


def homes(builder, *results):
    program, number = builder.program(results)
    return Homes(program), number


def test_a_matrix_of_gradients_is_computed_at_its_place():
    program = compiled("mlp_module")[1].program
    found = Homes(program)
    products = [i for i, instr in enumerate(program.instrs) if instr.op is MATMUL_BATCH]
    assert len(products) == 5
    (gradient,) = {found.places[i].whole for i in products}
    assert program.instrs[gradient].op is SCATTER
    assert gradient == program.results[1]


def test_inputs_of_a_layer_are_computed_in_front_of_their_one():
    program = compiled("mixed")[1].program
    found = Homes(program)
    joined = [i for i, instr in enumerate(program.instrs) if instr.op is CONCATENATE]
    at = {place.whole for place in found.places.values()}
    assert set(joined[1:]) <= at


def test_what_is_read_in_another_order_is_computed_in_it(builder):
    leaf = builder.leaf("x", 6, True)
    x = builder.apply(ops.exp, [builder.fetch(leaf, np.arange(6).reshape(2, 3))])
    turned = builder.transpose(x)
    found, number = homes(builder, builder.apply(ops.sin, [turned]))
    place = found.places[number[x]]
    assert (place.whole, place.part) == (number[turned], -1)
    again, number = homes(builder, builder.apply(ops.sin, [turned]), x)
    assert number[x] not in again.places


def test_arrays_of_the_seed_and_constants_are_static(builder):
    seed, x = builder.leaf("seed", 1, True), builder.leaf("x", 1, True)
    doubled = builder.apply(ops.mul, [seed, builder.constant([2.0])])
    found, number = homes(builder, builder.apply(ops.mul, [doubled, x]), doubled)
    assert {number[seed], number[doubled]} <= found.static
    assert number[x] not in found.static


def test_a_product_that_is_only_summed_is_fused_and_its_operands_live_until_then(builder):
    x, y = (builder.apply(ops.exp, [builder.leaf(name, 3, True)]) for name in "xy")
    product = builder.apply(ops.mul, [x, y])
    other = builder.apply(ops.sin, [x])
    total = builder.sum(product, (0,))
    found, number = homes(builder, builder.apply(ops.add, [builder.sum(other, (0,)), total]))
    assert found.fused == {number[product]}
    assert found.last[number[x]] == number[total] > number[other]
    again, _ = homes(builder, total, product)
    assert not again.fused


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
