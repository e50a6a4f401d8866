"""`Embedding`: rows by index, in kernels as well, and which indices it refuses."""

import numpy as np
import pytest

import autodiff
from autodiff import Value
from nn import Embedding
from tests.support.values import data


def rows(table):
    return table.state_dict()["weight"]


def test_an_index_gives_its_row_and_a_sequence_gives_rows():
    table = Embedding(5, 3, seed=0)
    assert data(table(2)) == rows(table)[2].tolist()
    assert data(table(np.int64(4))) == rows(table)[4].tolist()
    for tokens in ([1, 0, 1], (1, 0, 1), np.array([1, 0, 1]), range(3)):
        assert [data(row) for row in table(tokens)] == rows(table)[list(tokens)].tolist()
    assert [[data(r) for r in row] for row in table([[1], [2]])] == [
        [rows(table)[1].tolist()], [rows(table)[2].tolist()],
    ]  # fmt: skip


def test_the_gradient_goes_to_the_rows_that_were_taken():
    table = Embedding(3, 2, seed=0)
    a, b = table([1, 1])
    (a[0] * 2 + b[0] * 3 + b[1]).backward()
    assert [[v.grad for v in row] for row in table.weight] == [[0, 0], [5.0, 1.0], [0, 0]]


def test_an_integer_argument_of_a_kernel_is_an_index():
    table = Embedding(5, 3, seed=0)
    kernel = autodiff.compile(lambda t: [x for row in table(t) for x in row])
    tokens = np.array([[0, 4], [2, 2]])
    kernel.check(tokens)
    expected = rows(table)[tokens].reshape(2, 6)
    np.testing.assert_array_equal(np.transpose(kernel(tokens)), expected)


def test_rows_start_as_standard_normal_numbers():
    drawn = rows(Embedding(200, 50, seed=0))
    assert drawn.mean() == pytest.approx(0.0, abs=0.03)
    assert drawn.std() == pytest.approx(1.0, abs=0.03)
    assert rows(Embedding(3, 2, seed=1)).tolist() == rows(Embedding(3, 2, seed=1)).tolist()


@pytest.mark.parametrize("index", [5, -1, [0, 5], np.array([[-1]])])
def test_an_index_outside_of_the_table_is_named(index):
    with pytest.raises(IndexError, match=r"Embedding: index (5|-1) is not in 0 … 4"):
        Embedding(5, 2)(index)


@pytest.mark.parametrize("index", [1.0, True, Value(1), "1", None, [1.0], np.array([1.0])])
def test_a_non_integer_is_refused(index):
    with pytest.raises(TypeError, match="Embedding takes integers, got"):
        Embedding(5, 2)(index)


@pytest.mark.parametrize(("sizes", "name"), [((0, 2), "num_embeddings"), ((2, 0), "embedding_dim")])
def test_sizes_are_positive(sizes, name):
    with pytest.raises(ValueError, match=f"{name} must be a positive integer, got 0"):
        Embedding(*sizes)


def test_repr_shows_the_sizes():
    assert repr(Embedding(5, 2)) == "Embedding(5, 2)"
