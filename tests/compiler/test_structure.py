import numpy as np
import pytest

from autodiff import Value
from autodiff.compiler.structure import describe, filled, flattened, is_branching, restored


def described(arg, is_batched=True):
    arrays = []
    return describe(arg, arrays, is_batched), arrays


def test_arrays_are_collected_in_order_and_described_without_the_batch():
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
        (None, 0), ([np.ones(3), 1], [np.ones(3), 2]),
    ],
)  # fmt: skip
def test_other_structures_have_other_descriptions(one, other):
    assert described(one)[0] != described(other)[0]


def test_without_a_batch_the_whole_shape_counts():
    assert described(np.ones((3, 2)), False)[0] != described(np.ones((4, 2)), False)[0]
    assert described(2.5, False)[1] == [2.5]


def test_a_list_of_numbers_is_an_array_and_one_of_arrays_branches():
    assert not is_branching([[1.0], [2.0]])
    assert is_branching([np.ones(2)])
    assert described([[1.0, 2.0], [3.0, 4.0]])[1][0].shape == (2, 2)


@pytest.mark.parametrize("arg", [["a"], np.array([1j]), [None], np.array([{}])])
def test_what_is_no_number_is_refused(arg):
    with pytest.raises(TypeError, match="no real numbers"):
        described(arg)


@pytest.mark.parametrize("arg", [1.5, np.float64(2.0), np.array(3.0)])
def test_a_number_has_no_batch_axis(arg):
    with pytest.raises(ValueError, match="no batch axis"):
        described(arg)


def test_filling_keeps_the_structure_and_what_is_static():
    f = len
    w = Value(1.0)
    arg = {"a": np.zeros(2), "b": (np.ones(2), [np.ones(2), "s", f]), "c": w}
    new = filled(arg, iter("xyz"))
    assert new == {"a": "x", "b": ("y", ["z", "s", f]), "c": w}


def test_results_are_flattened_and_restored():
    result = {"a": 1, "b": [2, (3, np.array([[4, 5], [6, 7]]))]}
    assert flattened(result) == [1, 2, 3, 4, 5, 6, 7]
    back = restored(result, iter("abcdefg"))
    assert back == {"a": "a", "b": ["b", ("c", [["d", "e"], ["f", "g"]])]}


def test_one_number_is_its_own_structure():
    assert flattened(5.0) == [5.0]
    assert restored(5.0, iter("a")) == "a"
    assert flattened([]) == []
