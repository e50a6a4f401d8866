"""Trees: their leaves and scalars, their structure, and trees built from these again."""

from collections import namedtuple

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from autodiff import Value, pytree

Point = namedtuple("Point", "x y")
V = Value(7.0)
NESTED = {"w": [1.0, (2, np.array([[3.0, 4.0], [5.0, 6.0]]))], "none": None, "p": Point(V, [])}


def test_leaves_come_with_their_paths():
    found = pytree.leaves(NESTED)
    assert [path for path, _ in found] == [("w", 0), ("w", 1, 0), ("w", 1, 1), ("p", 0)]
    assert found[2][1] is NESTED["w"][1][1]
    assert [pytree.place("x", path) for path, _ in found[1:]] == [
        "x['w'][1][0]",
        "x['w'][1][1]",
        "x['p'][0]",
    ]
    assert pytree.leaves(None) == pytree.leaves([{}, ()]) == []
    assert pytree.leaves(1.0) == [((), 1.0)]


def test_keys_of_other_types_have_other_structures():
    trees = [{1: 0.0}, {True: 0.0}, {1.0: 0.0}, {(1,): 0.0}, {(True,): 0.0}, {((1,),): 0.0}]
    assert len({pytree.structure(type, tree) for tree in trees}) == len(trees)


def test_items_of_a_dict_keep_their_order():
    assert list(pytree.mapped(abs, {"b": 1, "a": -2}).items()) == [("b", 1), ("a", 2)]
    assert pytree.structure(abs, {"b": 1, "a": 2}) != pytree.structure(abs, {"a": 2, "b": 1})


def test_a_structure_is_hashable_and_mapped_back():
    structure = pytree.structure(type, NESTED)
    assert structure == pytree.structure(type, NESTED)
    assert hash(structure) == hash(pytree.structure(type, NESTED))
    assert pytree.mapped(lambda _: 0, structure) == {
        "w": [0, (0, 0)],
        "none": None,
        "p": Point(0, []),
    }


@pytest.mark.parametrize("other", [[1.0], {0: 1.0}, Point(1.0, None), (1.0, None), (1.0,), 1.0])
def test_containers_of_other_kinds_have_other_structures(other):
    trees = [[1.0], {0: 1.0}, Point(1.0, None), (1.0, None), (1.0,), 1.0]
    same = [t for t in trees if pytree.structure(bool, t) == pytree.structure(bool, other)]
    assert same == [other]


def test_nested_opens_arrays_too():
    tree = {"x": np.array([[V, 1.0]], object), "y": np.array(2.0)}
    assert [path for path, _ in pytree.leaves(tree, pytree.nested)] == [
        ("x", 0, 0),
        ("x", 0, 1),
        ("y",),
    ]


def test_folded_joins_from_the_leaves_up():
    def depth(kind, keys, parts):
        return 1 + max(parts, default=0)

    assert pytree.folded(lambda path, leaf: 0, depth, [1.0, [2.0, {"a": []}], 3.0]) == 4
    assert pytree.folded(lambda path, leaf: len(path), depth, 1.0) == 0


def test_mapped_keeps_the_structure():
    other = pytree.mapped(lambda leaf: leaf, NESTED)
    assert other.keys() == NESTED.keys()
    assert other["w"][1][1] is NESTED["w"][1][1]
    assert type(other["w"][1]) is tuple
    assert type(other["p"]) is Point
    assert other["p"] == Point(V, [])
    assert other["none"] is None
    assert other is not NESTED


def test_filled_takes_one_element_for_every_scalar():
    elements = iter(map(float, range(99)))
    other = pytree.filled(NESTED, elements)
    assert next(elements) == 7.0
    assert_array_equal(other["w"][1][1], [[2.0, 3.0], [4.0, 5.0]])
    assert other["w"][1][1].dtype == float
    assert (other["w"][0], other["w"][1][0], other["p"].x) == (0.0, 1.0, 6.0)


@pytest.mark.parametrize(
    ("block", "elements"),
    [
        (2, [2]),
        (V, [V]),
        (np.array(3.0), [3.0]),
        (np.array([[1, 2]]), [1, 2]),
        (np.array([[1.0, 2.0], [3.0, 4.0]]).T, [1.0, 3.0, 2.0, 4.0]),
        (np.array([V, 1], object), [V, 1]),
        (np.empty((2, 0)), []),
    ],
)
def test_scalars_of_a_block_in_order(block, elements):
    assert pytree.scalars(block) == elements


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0,), (2, 0)], ids=str)
def test_shaped_undoes_scalars(shape):
    array = np.arange(np.prod(shape, dtype=int), dtype=float).reshape(shape)
    again = pytree.shaped(shape, pytree.scalars(array))
    assert_array_equal(again, array)
    assert pytree.shape(again) == shape
    objects = pytree.shaped((2,), [V, 1.0])
    assert (objects.dtype, objects[0]) == (object, V)


def test_along_follows_the_first_tree():
    other = {"none": None, "p": [1, ()], "w": (2, [3, np.array([[4, 5], [6, 7]])])}
    found = pytree.along(NESTED, other, "t")
    assert [x for _, x in found] == [2, 3, 4, 5, 6, 7, 1]
    assert found[-1] == ("t['p'][0]", 1)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ([1.0], r"t has to be a dict with the keys \['a', 'b', 'c'\]"),
        ({"a": 1.0, "b": [1.0]}, "t has to be a dict"),
        ({"a": 1.0, "b": [1.0, 2.0], "c": None}, r"t\['b'\] has to be a list of 1"),
        ({"a": 1.0, "b": 1.0, "c": None}, r"t\['b'\] has to be a list of 1, got float 1.0"),
        ({"a": [1.0], "b": [1.0], "c": None}, r"t\['a'\] has to be one number, got list"),
        ({"a": np.ones(1), "b": [1.0], "c": None}, r"t\['a'\] has to be one number"),
        ({"a": None, "b": [1.0], "c": None}, r"t\['a'\] has to be one number, got NoneType"),
        ({"a": 1.0, "b": [1.0], "c": 0.0}, r"t\['c'\] has to be None, got float"),
    ],
)
def test_along_names_the_place_that_differs(other, message):
    with pytest.raises(ValueError, match=message):
        (pytree.along({"a": 1.0, "b": [2.0], "c": None}, other, "t"))
    with pytest.raises(ValueError, match=r"array of shape \(2,\), got list"):
        (pytree.along(np.ones(2), [1.0, 2.0], "t"))
