import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import Gather, View
from autodiff.compiler.arrays.ops import CAST, CONSTANT, GATHER, SCATTER, VIEW


def test_a_constant_of_equal_elements_is_one_number(builder):
    assert builder.shape(builder.constant([3.0] * 5)) == (1,)
    assert builder.shape(builder.constant([3.0, 4.0])) == (2,)
    # -0.0 == 0.0, but they are two numbers.
    assert builder.shape(builder.constant([0.0, -0.0])) == (2,)


def test_fetching_makes_as_little_as_it_can(builder):
    x = builder.leaf("x", 6, True)
    assert builder.fetch(x, np.arange(6)) == x
    for op, positions in (
        (VIEW, np.arange(6).reshape(2, 3)),
        (VIEW, np.arange(6).reshape(2, 3).T),
        (GATHER, np.array([0, 1, 3])),
    ):
        made = builder.instrs[builder.fetch(x, positions)]
        assert (made.op, made.shape) == (op, positions.shape)
    repeated = builder.fetch(x, np.array([[2, 2], [2, 2]]))
    assert builder.shape(repeated) == (2, 2)
    assert builder.shape(builder.narrowed(repeated)) == (1, 1)
    known = builder.instrs[builder.fetch(builder.constant([1.0, 2.0, 5.0]), np.array([2, 0]))]
    assert (known.op, known.fact.tolist()) == (CONSTANT, [5.0, 1.0])


def test_a_scatter_of_one_permuted_part_is_a_view(builder):
    x = builder.apply(ops.exp, [builder.leaf("x", 6, True)])
    turned = View(0, (3, 2), (1, 3))
    part = builder.fetch(x, np.arange(6).reshape(3, 2))
    back = builder.scatter([(part, turned)], (2, 3))
    assert builder.instrs[back].op is VIEW
    assert builder.fetch(back, turned.positions()) == part
    assert builder.instrs[builder.scatter([(x, Gather(np.arange(6)))], (6,))].op is SCATTER


def test_operands_arrive_as_the_kind_that_an_op_reads(builder):
    x, y = builder.leaf("x", 3, True), builder.leaf("y", 3, True)
    positive, small = (builder.apply(row, [x, y]) for row in (ops.greater, ops.less))
    cast = builder.instrs[builder.number(positive)]
    assert (cast.op, cast.operands, cast.kind) == (CAST, (positive,), "f")
    assert builder.condition(positive) == positive
    assert builder.number(x) == x
    assert builder.instrs[builder.condition(x)].op is ops.not_equal
    # NumPy reads booleans as numbers beside floats, and alone it does not.
    assert builder.instrs[builder.apply(ops.mul, [x, small])].operands == (x, small)
    both = builder.instrs[builder.apply(ops.add, [positive, small])].operands
    assert both == (builder.number(positive), builder.number(small))
    alone = builder.instrs[builder.apply(ops.exp, [positive])].operands
    assert alone == (builder.number(positive),)
    in_text = builder.instrs[builder.apply(ops.elu, [positive, x])].operands
    assert in_text == (builder.number(positive), x)
    views = [builder.number(builder.view(positive, View(k, (2,), (1,)))) for k in range(2)]
    assert {builder.instrs[i].operands for i in views} == {(builder.number(positive),)}


def test_known_arrays_are_computed_at_once(builder):
    three = builder.apply(ops.add, [builder.constant([1.0]), builder.constant([2.0])])
    assert builder.only(three) == 3.0
    larger = builder.apply(ops.maximum, [builder.constant([1.0, 5.0]), builder.constant([2.0])])
    assert builder.instrs[larger].fact.tolist() == [2.0, 5.0]
    turned = builder.reshape(larger, (2, 1))
    assert builder.instrs[turned].fact.tolist() == [[2.0], [5.0]]
    known = builder.constant([True, False])
    assert builder.instrs[builder.number(known)].fact.tolist() == [1.0, 0.0]
    assert builder.instrs[builder.condition(builder.constant([2.0, 0.0]))].fact.tolist() == [1, 0]
