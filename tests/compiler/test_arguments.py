"""Arguments as specs and arrays, and back; results as scalars, and back."""

from collections import namedtuple

import numpy as np
import pytest

from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.arguments import Block, describe, filled, flattened, restored


def described(arg, is_batched=True):
    arrays = []
    return describe(arg, arrays, is_batched), arrays


def test_arrays_are_collected_in_order_and_described_without_their_batch_axis():
    arg = {"a": np.zeros((3, 2)), "b": (np.ones(3), [np.full((3, 4), 2.0), 7])}
    spec, arrays = described(arg)
    assert [x.shape for x in arrays] == [(3, 2), (3,), (3, 4)]
    hash(spec)
    assert spec == described({"a": np.ones((9, 2)), "b": (np.ones(9), [np.ones((9, 4)), 7])})[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (np.ones((3, 2)), np.ones((3, 4))), (np.ones(3), np.ones(3, dtype=int)), (1, 2), (1, True),
        ("a", "b"), ((np.ones(3),), [np.ones(3)]), ({"a": np.ones(3)}, {"b": np.ones(3)}),
        (None, 0), ({1: np.ones(3)}, {True: np.ones(3)}), ([np.ones(3), 1], [np.ones(3), 2]),
    ],
)  # fmt: skip
def test_other_structures_have_other_specs(one, other):
    assert described(one)[0] != described(other)[0]


def test_without_a_batch_the_whole_shape_counts():
    assert described(np.ones((3, 2)), False)[0] != described(np.ones((4, 2)), False)[0]
    assert described(2.5, False)[1] == [2.5]


def test_a_list_of_numbers_is_one_block_and_a_list_of_arrays_several():
    spec, (array,) = described([[1.0, 2.0], [3.0, 4.0]])
    assert spec == Block((2,), "f", "lists")
    assert array.shape == (2, 2)
    for nested in ([np.ones(2)], [[np.ones(2)]], [{"a": [1.0]}], [[0.5], ([2.0],)]):
        spec, _ = described(nested)
        assert type(filled(spec, lambda block, _: block.shape)) is list


def test_without_a_batch_uneven_lists_are_containers():
    spec, arrays = described([[1.0, 2.0], [3.0], "s", None], False)
    assert [x.tolist() for x in arrays] == [[1.0, 2.0], [3.0]]
    assert filled(spec, lambda block, _: block.shape) == [(2,), (1,), "s", None]
    for uneven, shapes in (([[1.0, 2.0], [3.0]], [(2,), (1,)]), ([[1.0], 2.0], [(1,), ()])):
        spec, _ = described(uneven, False)
        assert filled(spec, lambda block, _: block.shape) == shapes
    assert described([[[1.0], [2.0]]], False)[0] == Block((1, 2, 1), "f", "lists")


def test_values_count_as_their_numbers():
    for given, numbers in ((Value(2.0), 2.0), ([Value(2.0), 1.5], [2.0, 1.5])):
        block, (array,) = described(given, False)
        assert (array.tolist(), block.has_values) == (numbers, True)
    assert described(Value(1.0))[0] == described(Value(2.0))[0]


@pytest.mark.parametrize("arg", [["a"], np.array([1j]), [None], np.array([{}])])
def test_non_numbers_are_refused(arg):
    with pytest.raises(TypeError, match="no real numbers"):
        described(arg)


@pytest.mark.parametrize("arg", [1.5, np.float64(2.0), np.array(3.0)])
def test_a_number_has_no_batch_axis(arg):
    with pytest.raises(ValueError, match="no batch axis"):
        described(arg)


Pair = namedtuple("Pair", "first second")


def test_filling_keeps_the_structure_and_static_parts():
    arg = {"a": np.zeros(2), "b": (np.ones(2), [np.ones(2), "s", len]), "c": Pair(np.ones(2), 3)}
    new = filled(described(arg)[0], lambda _, path: path, "x")
    assert new == {"a": "x_a", "b": ("x_b_0", ["x_b_1_0", "s", len]), "c": Pair("x_c_0", 3)}
    assert isinstance(new["c"], Pair)


def test_lists_come_as_lists_and_arrays_as_arrays():
    for given, kind in (([[1.0, 2.0]], list), (np.ones((1, 2)), np.ndarray)):
        spec, _ = described(given)
        found = filled(spec, lambda block, _: block.filled([5.0, 6.0]))
        assert type(found) is kind
        assert list(found) == [5.0, 6.0]
    spec, _ = described([[[1.0, 2.0], [3.0, 4.0]]])
    assert filled(spec, lambda block, _: block.filled([*range(4)])) == [[0, 1], [2, 3]]


def test_results_are_flattened_and_restored():
    result = {"a": 1, "b": [2, (3, np.array([[4, 5], [6, 7]])), None, []], "c": Pair(8, 9)}
    scalars, structure = flattened(result)
    assert scalars == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    back = restored(structure, scalars, ())
    array = back["b"][1][1]
    assert array.tolist() == [[4, 5], [6, 7]]
    assert {**back, "b": [2, back["b"][1][0], *back["b"][2:]]} == {
        "a": 1, "b": [2, 3, None, []], "c": Pair(8, 9)
    }  # fmt: skip
    assert isinstance(back["c"], Pair)


def test_an_array_in_a_result_follows_the_batch():
    _, structure = flattened(np.array([[1, 2, 3]]))
    back = restored(structure, [np.array([k, 10 * k]) for k in (1, 2, 3)], (2,))
    assert back.tolist() == [[[1, 2, 3]], [[10, 20, 30]]]
    _, structure = flattened(np.empty((0, 2)))
    assert restored(structure, [], (4,)).shape == (4, 0, 2)


def test_one_number_is_its_own_structure():
    scalars, structure = flattened(5.0)
    assert (scalars, restored(structure, ["a"], ())) == ([5.0], "a")
    assert flattened([]) == ([], [])
    assert flattened(None) == ([], None)


def test_keys_inside_frozen_sets_are_told_by_their_types():
    def f(d):
        return next(2.0 * x if True in key and type(next(iter(key))) is bool else 3.0 * x
                    for key, x in d.items())  # fmt: skip

    kernel = Kernel(f)
    x = np.array([1.0, 2.0])
    assert kernel({frozenset([True]): x}).tolist() == [2.0, 4.0]
    assert kernel({frozenset([1]): x}).tolist() == [3.0, 6.0]
