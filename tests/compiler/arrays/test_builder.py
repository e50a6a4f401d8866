import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import ANY, Gather, View
from autodiff.compiler.arrays.ops import CAST, CONSTANT, COPY, GATHER, SCATTER, VIEW


def test_equal_instructions_are_made_once(builder):
    x = builder.leaf("x", 4, True)
    assert builder.leaf("x", 4, True) == x
    assert builder.apply(ops.exp, [x]) == builder.apply(ops.exp, [x])
    assert builder.constant([1.0, 2.0]) == builder.constant([1.0, 2.0])
    assert builder.constant([1.0, 2.0]) != builder.constant([2.0, 1.0])
    assert len(builder.instrs) == 4
    assert Builder(builder.instrs).apply(ops.exp, [x]) == 1


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


def test_transposing_twice_is_nothing(builder):
    x = builder.fetch(builder.leaf("x", 6, True), np.arange(6).reshape(2, 3))
    once = builder.transpose(x)
    assert builder.shape(once) == (3, 2)
    assert builder.transpose(once) == x


def test_shapes_and_batches_follow_from_operands(builder):
    x = builder.fetch(builder.leaf("x", 6, True), np.arange(6).reshape(2, 3))
    w = builder.fetch(builder.leaf("w", 12, False), np.arange(12).reshape(3, 4))
    product = builder.matmul(x, w)
    assert (builder.shape(product), builder.instrs[product].is_batched) == ((2, 4), True)
    total = builder.matmul_batch(x, product)
    assert (builder.shape(total), builder.instrs[total].is_batched) == ((3, 4), False)
    assert builder.shape(builder.sum(product, (0,))) == (4,)
    assert builder.sum(product, ()) == product
    assert not builder.instrs[builder.sum_batch(product)].is_batched
    assert builder.shape(builder.reduce(ops.logsumexp, x)) == (2,)


def test_places_are_those_in_the_array_behind_a_view(builder):
    x = builder.leaf("x", 12, True)
    rows = builder.fetch(x, np.arange(12).reshape(3, 4))
    inner = builder.fetch(rows, np.array([[1, 2], [5, 6]]))
    assert builder.instrs[inner].operands == (x,)
    assert builder.instrs[inner].fact == View(1, (2, 2), (4, 1))


def test_positions_without_a_view_in_their_shape_are_copied_from_a_view_of_another_shape(builder):
    heads = builder.apply(ops.exp, [builder.leaf("x", 12, True)])
    # (2, 3, 2) → (3, 2, 2) → (3, 4)
    positions = np.arange(12).reshape(2, 3, 2).transpose(1, 0, 2).reshape(3, 4)
    made = builder.instrs[builder.fetch(heads, positions)]
    (copy,) = made.operands
    assert (made.op, made.shape, builder.instrs[copy].op) == (VIEW, (3, 4), COPY)


def test_a_scatter_of_one_permuted_part_is_a_view(builder):
    x = builder.apply(ops.exp, [builder.leaf("x", 6, True)])
    turned = View(0, (3, 2), (1, 3))
    part = builder.fetch(x, np.arange(6).reshape(3, 2))
    back = builder.scatter([(part, turned)], (2, 3))
    assert builder.instrs[back].op is VIEW
    assert builder.fetch(back, turned.positions()) == part
    assert builder.instrs[builder.scatter([(x, Gather(np.arange(6)))], (6,))].op is SCATTER


def test_known_arrays_are_computed_at_once(builder):
    three = builder.apply(ops.add, [builder.constant([1.0]), builder.constant([2.0])])
    assert builder.only(three) == 3.0
    larger = builder.apply(ops.maximum, [builder.constant([1.0, 5.0]), builder.constant([2.0])])
    assert builder.instrs[larger].fact.tolist() == [2.0, 5.0]
    assert builder.only(builder.constant([1.0, 2.0])) is None


def test_unread_elements_may_be_any(builder):
    x = builder.leaf("x", 9, True)
    triangle = np.array([[0, ANY], [3, 4]])
    assert builder.instrs[builder.fetch(x, triangle)].fact == View(0, (2, 2), (3, 1))


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


def test_sums_products_and_joins_read_numbers(builder):
    x = builder.leaf("x", 4, True)
    positive = builder.apply(ops.greater, [x, builder.constant([0.0])])
    matrix = builder.reshape(positive, (2, 2))
    for made in (
        builder.sum(matrix, (0,)), builder.sum_batch(positive), builder.reduce(ops.prod, matrix),
        builder.matmul(matrix, builder.reshape(x, (2, 2))), builder.concatenate([positive, x]),
        builder.concatenate([positive, positive]),
        builder.scatter([(positive, View(0, (4,), (1,)))], (8,)),
    ):  # fmt: skip
        assert builder.instrs[made].kind == "f"
        assert {builder.instrs[i].kind for i in builder.instrs[made].operands} == {"f"}
    assert builder.instrs[builder.view(positive, View(1, (2,), (1,)))].kind == "b"


def test_known_conditions_are_numbers_at_once(builder):
    known = builder.constant([True, False])
    assert builder.instrs[builder.number(known)].fact.tolist() == [1.0, 0.0]
    assert builder.instrs[builder.condition(builder.constant([2.0, 0.0]))].fact.tolist() == [1, 0]
    assert builder.instrs[builder.apply(ops.exp, [known])].fact.tolist() == [np.e, 1.0]
