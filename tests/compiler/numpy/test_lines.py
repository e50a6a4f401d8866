"""What each op of the array program computes, against plain NumPy."""

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather
from autodiff.compiler.arrays.program import verify
from autodiff.compiler.numpy.loading import load
from autodiff.compiler.numpy.source import write

RNG = np.random.default_rng(0)
BATCH = 3


def emitted(builder, results, leaves):
    program, _ = builder.program(results)
    verify(program)
    return write(program, list(leaves))


def run(builder, result, leaves):
    source = emitted(builder, [result], leaves)
    step = load(source.text, "test")(BATCH, 1.0, float, source.arrays)
    with np.errstate(all="ignore"):
        first = step(*leaves.values())[0].copy()
        assert np.array_equal(first, step(*leaves.values())[0], equal_nan=True)
    return first


def matrix(builder, name, shape, is_batched, leaves, part=False):
    """A leaf, or the middle of one, as a matrix."""
    size = int(np.prod(shape))
    whole = size + 4 if part else size
    leaves[name] = RNG.normal(size=(BATCH, whole) if is_batched else whole)
    leaf = builder.leaf(name, whole, is_batched)
    positions = np.arange(size).reshape(shape) + (2 if part else 0)
    values = leaves[name][..., 2 : 2 + size] if part else leaves[name]
    lead = (BATCH,) if is_batched else ()
    return builder.fetch(leaf, positions), values.reshape(*lead, *shape)


PRODUCTS = [
    ((4,), True, (4, 5), False), ((1,), True, (1, 5), False), ((4,), True, (4, 1), False),
    ((2, 4), True, (4, 5), False), ((2, 4), False, (4, 5), True), ((2, 4), False, (4, 5), False),
    ((2, 4), True, (4, 5), True), ((3, 2, 4), True, (3, 4, 5), True),
    ((3, 2, 4), False, (3, 4, 5), True), ((3, 2, 4), True, (3, 4, 5), False),
]  # fmt: skip


@pytest.mark.parametrize(("a", "a_batched", "b", "b_batched"), PRODUCTS)
@pytest.mark.parametrize("part", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_matrix_products_are_those_of_numpy(a, a_batched, b, b_batched, part, turned):
    builder, leaves = Builder(), {}
    x, left = matrix(builder, "x", a, a_batched, leaves, part)
    if turned:
        y, right = matrix(builder, "y", (*b[:-2], b[-1], b[-2]), b_batched, leaves, part)
        y, right = builder.transpose(y), right.swapaxes(-1, -2)
    else:
        y, right = matrix(builder, "y", b, b_batched, leaves, part)
    found = run(builder, builder.matmul(x, y), leaves)
    assert np.allclose(found, left @ right, rtol=1e-12)


@pytest.mark.parametrize(
    ("a", "b"),
    [((4,), (5,)), ((2, 4), (2, 5)), ((2, 4), (2, 4)), ((3, 2, 4), (3, 2, 5))],
)
@pytest.mark.parametrize("part", [False, True])
def test_products_summed_over_the_batch_are_those_of_numpy(a, b, part):
    builder, leaves = Builder(), {}
    x, left = matrix(builder, "x", a, True, leaves, part)
    y, right = matrix(builder, "y", b, True, leaves, part)
    found = run(builder, builder.matmul_batch(x, y), leaves)
    if len(a) == 1:
        expected = left.T @ right
    else:
        expected = (left.swapaxes(-1, -2) @ right).sum(0)
    assert np.allclose(found, expected, rtol=1e-12)


def test_parts_of_a_row_repeated_along_the_batch_are_read():
    builder, leaves = Builder(), {}
    x, values = matrix(builder, "x", (3,), False, leaves)
    row = builder.fetch(builder.apply(ops.exp, [x]), np.array([[0, 1, 2]] * 2))
    part = builder.fetch(builder.broadcast(row, (2, 3), is_batched=True), np.arange(1, 5))
    found = run(builder, builder.apply(ops.neg, [part]), leaves)
    assert np.array_equal(found, [-np.exp(values)[[1, 2, 0, 1]]] * BATCH)


def test_a_product_summed_along_the_last_axis_is_one_call():
    builder, leaves = Builder(), {}
    x, left = matrix(builder, "x", (2, 3), True, leaves)
    y, right = matrix(builder, "y", (2, 3), True, leaves)
    total = builder.sum(builder.apply(ops.mul, [x, y]), (1,))
    assert "np.vecdot(" in emitted(builder, [total], leaves).text
    assert np.allclose(run(builder, total, leaves), (left * right).sum(-1), rtol=1e-12)


@pytest.mark.parametrize(
    "row",
    [[-np.inf] * 3, [np.inf, 0.0, 1.0], [np.inf, -np.inf, 0.0], [np.nan, 0.0, 1.0], [1e300] * 3,
     [-1e300] * 3, [1000.0, 1000.0, -1000.0], [np.inf] * 3],
)  # fmt: skip
def test_logsumexp_at_the_edges_is_that_of_the_row(row):
    builder = Builder()
    x = builder.fetch(builder.leaf("x", 3, True), np.arange(3).reshape(1, 3))
    found = run(builder, builder.reduce(ops.logsumexp, x), {"x": np.array([row] * BATCH)})
    expected = ops.logsumexp(row)
    assert np.allclose(found, expected, rtol=1e-14, equal_nan=True)


INDICES = np.array([[0, 2, 1], [1, 1, 0], [2, 0, 0]])


@pytest.mark.parametrize("count", [3, 600])
def test_rows_are_read_and_their_gradients_are_added(count):
    builder, leaves = Builder(), {}
    table, values = matrix(builder, "table", (count, 2), False, leaves)
    leaves["index"] = INDICES
    index = builder.leaf("index", 3, True, "i")
    rows = builder.rows(table, index)
    assert np.array_equal(run(builder, rows, leaves), values[INDICES])
    ct = builder.apply(ops.mul, [rows, builder.constant([[2.0]])])
    expected = np.zeros((count, 2))
    np.add.at(expected, INDICES, 2 * values[INDICES])
    added = builder.add_rows(ct, index, (count, 2))
    assert np.allclose(run(builder, added, leaves), expected, rtol=1e-14)


@pytest.mark.parametrize("is_batched", [True, False])
@pytest.mark.parametrize("is_shared", [True, False])
def test_lanes_are_taken_by_an_index_and_put_back(is_batched, is_shared):
    builder, leaves = Builder(), {}
    x, values = matrix(builder, "x", (9,), is_batched, leaves)
    leaves["index"] = INDICES
    index = builder.leaf("index", 3, True, "i")
    table = (
        np.arange(9).reshape(3, 3) if not is_shared else np.array([[0, 1, 2], [2, 3, 4], [5] * 3])
    )
    taken = builder.take(x, Gather(table), index)
    at = table[np.arange(3), INDICES]
    each = np.broadcast_to(values, (BATCH, 9))
    expected = np.take_along_axis(each, at, 1)
    assert np.array_equal(run(builder, taken, leaves), expected)
    back = builder.untake(taken, Gather(table), index, (9,), is_batched)
    zeros = np.zeros((BATCH, 9))
    np.add.at(zeros, (np.arange(BATCH)[:, None], at), expected)
    assert np.allclose(run(builder, back, leaves), zeros if is_batched else zeros.sum(0))


def test_an_index_takes_from_arrays_of_different_sizes():
    builder, leaves = Builder(), {}
    x, values = matrix(builder, "x", (3,), True, leaves)
    y, others = matrix(builder, "y", (9,), True, leaves)
    leaves["index"] = INDICES
    index = builder.leaf("index", 3, True, "i")
    table = Gather(np.array([[0, 1, 2]] * 3))
    both = builder.apply(ops.sub, [builder.take(x, table, index), builder.take(y, table, index)])
    expected = np.take_along_axis(values - others[:, :3], INDICES, 1)
    assert np.allclose(run(builder, both, leaves), expected, rtol=1e-14)


@pytest.mark.parametrize("wrong", [3, -4])
def test_an_index_out_of_range_is_refused(wrong):
    builder, leaves = Builder(), {}
    x, _ = matrix(builder, "x", (9,), True, leaves)
    table, _ = matrix(builder, "table", (3, 2), False, leaves)
    index = builder.leaf("index", 3, True, "i")
    leaves["index"] = INDICES.copy()
    leaves["index"][1, 1] = wrong
    for made in (builder.take(x, Gather(np.arange(9).reshape(3, 3)), index),
                 builder.rows(table, index)):  # fmt: skip
        given = {name: leaves[name] for name in ("x", "table", "index")}
        with pytest.raises(IndexError, match="out of bounds"):
            run(builder, made, given)


def test_zeros_are_written_over_an_operand_that_nothing_else_reads():
    builder, leaves = Builder(), {}
    x, values = matrix(builder, "x", (3,), True, leaves)
    mask = builder.constant(np.array([True, False, True]))
    kept = builder.apply(ops.exp, [x])
    zeroed = builder.apply(ops.where, [mask, builder.constant([0.0]), kept])
    assert np.allclose(run(builder, zeroed, leaves), np.exp(values) * [0, 1, 0])
    both = builder.apply(ops.add, [zeroed, kept])
    assert np.allclose(run(builder, both, leaves), np.exp(values) * [1, 2, 1])


def test_long_lines_are_broken():
    space = {}
    names = [f"a_rather_long_name_of_an_argument_number_{k}" for k in range(2)]
    exec(f"def f({', '.join(names)}): return ({names[0]} * {names[1]}).sigmoid()", space)
    kernel = Kernel(space["f"])
    _, slope = kernel.value_and_grad(np.ones(2), np.zeros(2), argnums=1)
    assert slope.tolist() == [0.25, 0.25]
    assert max(map(len, kernel.source.splitlines())) <= 100
    builder = Builder()
    x = builder.leaf("an_argument_of_24_letters", 2, True)
    text = emitted(builder, [builder.apply(ops.gelu, [x])], ["an_argument_of_24_letters"]).text
    assert "gelu1[...] = (  # (2, batch)\n" in text
    for row in (ops.gelu, ops.elu, ops.leaky_relu):
        name = "another_name_of_24_signs"
        kernel = Kernel(eval(f"lambda {name}: row({name}) * 2", {"row": row}))
        assert kernel(np.array([1.0, -1.0])).tolist() == [2 * row(1.0), 2 * row(-1.0)]
        assert max(map(len, kernel.source.splitlines())) <= 100
    windows = sum(np.ix_(*[range(2)] * 6))
    x = builder.leaf("another_of_24_characters", 7, True)
    made = builder.apply(ops.exp, [builder.fetch(x, windows)])
    text = emitted(builder, [made], ["another_of_24_characters"]).text
    assert "another_of_24_characters_v = (\n" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("constants", range(10))
def test_a_column_is_negated_into_a_column(constants, dtype):
    # np.negative of NumPy 2.4 is wrong where rows have 64 bytes (16 in float32).
    def f(x):
        return ops.logsumexp([x[0] * x[0], x[0] - x[1], *map(float, range(constants))])

    x = RNG.normal(size=(17, 3))
    _, found = Kernel(f, dtype=dtype).value_and_grad(x, argnums=0)
    for row, slopes in zip(x, found, strict=True):
        leaves = list(map(Value, row))
        f(leaves).backward()
        assert np.allclose(slopes, [leaf.grad for leaf in leaves], rtol=1e-5)
