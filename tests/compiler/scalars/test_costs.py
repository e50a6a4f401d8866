import math

from autodiff.compiler.scalars.costs import COLUMN, COPY, ELEMENT, GATHER, PACK, cost


def place_of(packs):
    """The place of each scalar, given a list of scalars per pack, older packs first."""
    found = {i: ((k, 0), lane) for k, pack in enumerate(packs) for lane, i in enumerate(pack)}
    return found.__getitem__


def test_scalars_side_by_side_cost_a_column():
    place = place_of([range(10)])
    assert cost([[i] for i in range(2, 8)], place) == PACK + COLUMN
    assert cost([[i] for i in range(0, 10, 2)], place) == PACK + COLUMN


def test_scalars_of_another_pack_are_copied_beside_the_newest():
    place = place_of([range(2), range(2, 10)])
    rows = [[0], *([i] for i in range(2, 10)), [1]]
    assert cost(rows, place) == PACK + COLUMN + COPY + 2 * ELEMENT


def test_scattered_scalars_are_gathered():
    place = place_of([range(20)])
    rows = [[i] for i in (3, 17, 2, 9, 0, 11)]
    assert cost(rows, place) == PACK + COLUMN + GATHER + 6 * ELEMENT


def test_rows_of_different_lengths_are_gathered():
    place = place_of([range(20)])
    assert cost([[0, 1], [2]], place) == PACK + GATHER + 3 * ELEMENT


def test_lanes_that_read_a_pack_each_are_not_joined():
    rows = [(k, 10 + k) for k in range(10)]
    assert cost(rows, lambda i: ((i, i), 0)) == math.inf
    assert cost(rows, lambda i: ((0, 0), i)) < math.inf
