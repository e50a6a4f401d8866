import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.ops import COPY, VIEW


def test_a_constant_of_equal_elements_is_one_number(builder):
    assert builder.shape(builder.constant([3.0] * 5)) == (1,)
    assert builder.shape(builder.constant([3.0, 4.0])) == (2,)
    # -0.0 == 0.0, but they are two numbers.
    assert builder.shape(builder.constant([0.0, -0.0])) == (2,)


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


def test_a_turned_matrix_is_copied_before_it_is_flat(builder):
    matrix = builder.fetch(builder.leaf("x", 6, True), np.arange(6).reshape(2, 3))
    flat = builder.instrs[builder.reshape(builder.transpose(matrix), (6,))]
    (copy,) = flat.operands
    assert (flat.op, flat.shape, builder.instrs[copy].op) == (VIEW, (6,), COPY)
