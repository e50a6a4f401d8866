"""Ops on sequences: how they bind, what they give on none, on rows, and what `take` picks."""

from collections import deque
from math import inf

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from autodiff import Value, ops
from autodiff.rows.reduction import Reduction
from tests.support.samples import ROWS

TWO, THREE = [2.0, 5.0], [1.0, 2.0, 4.0]
REDUCTIONS = [row for row in ROWS if isinstance(row, Reduction)]
OF_ONE_SEQUENCE = [row for row in REDUCTIONS if row.sequences < 2]
OF_OPERANDS = [row for row in REDUCTIONS if row.sequences == 0]


def named(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


@named(OF_ONE_SEQUENCE)
@pytest.mark.parametrize("kind", [list, tuple, deque, iter, np.array, dict.fromkeys], ids=str)
def test_one_sequence_of_any_kind_binds(row, kind):
    assert row.bind(kind(THREE)) == tuple(THREE)
    assert row(kind(THREE)) == row(THREE)


@named(OF_OPERANDS)
def test_operands_one_by_one_bind_as_a_sequence_does(row):
    assert row.bind(*THREE) == row.bind(THREE) == tuple(THREE)
    assert row.bind(3.0) == row.bind([3.0]) == (3.0,)
    assert row.vjp(1.0, *THREE) == tuple(row.vjp(1.0, THREE))


def test_dot_binds_its_sequences_one_after_the_other():
    for kind in list, tuple, iter, np.array:
        assert ops.dot.bind(kind(TWO), kind([3.0, 7.0])) == (2.0, 5.0, 3.0, 7.0)
        assert ops.dot(kind(TWO), kind([3.0, 7.0])) == 41.0
    assert ops.dot.vjp(2.0, TWO, [3.0, 7.0]) == ([6.0, 14.0], [4.0, 10.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.sum(1.0), "sum takes one sequence, got float 1.0"),
        (lambda: ops.sum(1.0, 2.0), "sum takes one sequence, got float 1.0, float 2.0"),
        (ops.sum, "sum takes one sequence, got "),
        (lambda: ops.sum(np.array(1.0)), r"sum takes one sequence, got ndarray array\(1.\)"),
        (lambda: ops.sum(Value(1.0)), "sum takes one sequence, got Value .*"),
        (lambda: ops.dot(TWO), r"dot takes two sequences, got list \[2.0, 5.0\]"),
        (lambda: ops.dot(TWO, 1.0), r"dot takes two sequences, got list .*, float 1.0"),
        (lambda: ops.dot(1.0, 2.0), "dot takes two sequences, got float 1.0, float 2.0"),
        (lambda: ops.maximum(TWO, 1.0), "maximum: expected a real number, got list .*"),
        (lambda: ops.sum(["1"]), "sum: expected a real number, got str '1'"),
        (lambda: ops.sum([Value(1.0), None]), "sum: expected a real number, got NoneType None"),
        (lambda: ops.take(1.0, 0), "take takes a sequence and an index, got float 1.0, int 0"),
        (lambda: ops.take(TWO), r"take takes a sequence and an index, got list .*"),
        (lambda: ops.take(TWO, 1.0), "take: the index must be an integer, got float 1.0"),
        (lambda: ops.take(TWO, "0"), "take: the index must be an integer, got str '0'"),
    ],
)
def test_wrong_call_is_a_type_error_that_names_the_op(call, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        call()


@pytest.mark.parametrize("values", [iter(TWO), set(TWO)], ids=["iterator", "set"])
def test_take_from_a_non_sequence_does_not_blame_the_index(values):
    with pytest.raises(TypeError, match="take takes a sequence and an index"):
        ops.take(values, 0)


def test_sequences_of_different_length_are_refused():
    with pytest.raises(ValueError, match="length: 2 and 3"):
        ops.dot(TWO, THREE)
    with pytest.raises(ValueError, match="length: 2 and 0"):
        ops.dot(iter(TWO), ())


IDENTITIES = [(ops.sum, 0.0), (ops.prod, 1.0), (ops.dot, 0.0), (ops.logsumexp, -inf)]


@pytest.mark.parametrize(("row", "identity"), IDENTITIES)
def test_no_operands_reduce_to_the_neutral_element(row, identity):
    for empty in [], (), np.zeros(0):
        assert row(*[empty] * row.sequences) == identity
    assert row.apply(row.bind(*[[x] for x in (3.0, 1.0)[: row.sequences]])) == 3.0


@named([row for row, _ in IDENTITIES])
def test_without_operands_there_are_no_cotangents(row):
    assert row.vjp(1.0, *[[]] * row.sequences) == ([] if row.sequences == 1 else ([], []))


@pytest.mark.parametrize("row", [ops.mean, ops.maximum, ops.minimum], ids=lambda row: row.name)
def test_no_operands_are_refused_by_other_reductions(row):
    for args in [([],), ((),), (np.zeros(0),), (np.zeros((0, 3)),)]:
        with pytest.raises(ValueError, match=f"^{row.name} of no operands$"):
            row(*args)


@named(REDUCTIONS)
def test_one_node_has_all_operands(row):
    values = [Value(x) for x in [1.0, 2.0, 4.0, 8.0]]
    out = row(values[:2], values[2:]) if row.sequences == 2 else row(values)
    assert (out.op, out.operands, row.arity) == (row, tuple(values), None)
    assert out.data == row.forward([1.0, 2.0, 4.0, 8.0])


@named(REDUCTIONS)
def test_numbers_among_the_operands_are_constants(row):
    x = Value(2.0)
    out = row([1.0, x], [4.0, 8.0]) if row.sequences == 2 else row([1.0, x, 4.0, 8.0])
    assert (out.operands, out.arguments) == ((x,), (1.0, x, 4.0, 8.0))
    out.backward()
    assert x.grad == row.partials_at((1.0, 2.0, 4.0, 8.0), out.data)[1]
    assert row.partials_at((1.0, 2.0, 4.0, 8.0), out.data, (1.0, None, 4.0, 8.0)) == [x.grad]


@named(OF_ONE_SEQUENCE)
def test_rows_of_an_array_reduce_over_the_leading_axis(row):
    x = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, -3.0]])
    assert_allclose(row(x), [row(list(column)) for column in x.T], rtol=1e-14)
    assert_array_equal(row(list(x)), row(x))
    ct = np.array([1.0, 10.0])
    expected = np.transpose(
        [row.vjp(c, list(map(float, column))) for c, column in zip(ct, x.T, strict=True)]
    )
    assert_allclose(row.vjp(ct, x), expected, rtol=1e-14)
    assert_array_equal(row.vjp(ct, list(x)), row.vjp(ct, x))
    assert row.vjp(1.0, np.float32(THREE)).dtype == np.float32


def test_dot_of_arrays_is_over_the_leading_axis():
    w, x, ct = np.arange(6.0).reshape(3, 2), np.array(THREE), np.array([1.0, 10.0])
    for args in (w, x), (x, w):
        assert_array_equal(ops.dot(*args), x @ w)
        cotangents = ops.dot.vjp(ct, *args)
        for arg, cotangent in zip(args, cotangents, strict=True):
            assert_array_equal(cotangent, w @ ct if arg is x else np.outer(x, ct))


def test_operands_broadcast_against_each_other():
    x, y = np.array([[1.0], [4.0]]), np.array([2.0, 3.0, 4.0])
    assert_array_equal(ops.maximum(x, y, 2.5), [[2.5, 3.0, 4.0], [4.0, 4.0, 4.0]])
    ct_x, ct_y, ct_c = ops.maximum.vjp(np.ones((2, 3)), x, y, 2.5)
    assert_array_equal(ct_x, [[0.0], [2.5]])
    assert_array_equal(ct_y, [0.0, 1.0, 1.5])
    assert ct_c == 1.0


@pytest.mark.parametrize("n", [63, 64, 1000])
def test_any_number_of_rows_reduces(n):
    assert_array_equal(ops.sum(np.ones((n, 2))), [n, n])
    assert_array_equal(ops.sum([np.ones(2)] * n), [n, n])
    assert ops.sum([Value(1.0)] * n).data == n


def test_any_number_of_rows_of_values_reduces():
    table = np.array([[Value(1.0)] * 2] * 100)
    assert [out.data for out in ops.sum(table)] == [100.0, 100.0]


def test_an_array_without_rows_is_refused():
    with pytest.raises(ValueError, match="sum of an array without rows"):
        ops.sum(np.zeros((0, 3)))


TABLE = [[1.0, 2.0], [3.0, 4.0], [inf, 6.0]]


@pytest.mark.parametrize("index", [1, -2, True, np.int64(1), np.uint8(1), np.array(1)], ids=repr)
def test_take_picks_by_any_integer(index):
    x = Value(5.0)
    assert ops.take(THREE, index) == 2.0
    assert ops.take([1.0, x, 2.0], index).operands == (x,)
    assert ops.take(TABLE, index) == [3.0, 4.0]
    assert_array_equal(ops.take(np.array(TABLE), index), [3.0, 4.0])
    assert ops.take.vjp(2.0, THREE, index) == ([0.0, 2.0, 0.0], None)


@pytest.mark.parametrize("index", [3, -4])
def test_take_outside_the_sequence_is_an_index_error(index):
    for values in THREE, TABLE, np.array(TABLE):
        with pytest.raises(IndexError, match=f"^take: index {index} of 3 values$"):
            ops.take(values, index)


def test_take_of_a_row_takes_value_by_value():
    table = [[Value(x) for x in row] for row in TABLE]
    row = ops.take(table, 1)
    ops.dot(row, [10.0, 100.0]).backward()
    assert [[x.grad for x in row] for row in table] == [[0.0, 0.0], [10.0, 100.0], [0.0, 0.0]]
    assert {out.op for out in row} == {ops.take}


def test_cotangent_of_a_table_is_zero_outside_the_row_taken():
    ct, index = ops.take.vjp(np.array([5.0, 7.0]), np.array(TABLE[:2], np.float32), 0)
    assert_array_equal(ct, [[5.0, 7.0], [0.0, 0.0]])
    assert (ct.dtype, index) == (np.float32, None)


def test_cotangent_of_a_table_with_inf_is_zero_outside_the_row_taken():
    ct, _ = ops.take.vjp(np.ones(2), np.array(TABLE), 0)
    assert_array_equal(ct, [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
