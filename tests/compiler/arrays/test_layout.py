import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.compiler.arrays.layout import ANY, Gather, View, common_shape, contiguous, periods

PLACES = np.arange(24)

REGULAR = {
    "slice": (PLACES[3:9], View(3, (6,), (1,))),
    "stride": (PLACES[1:20:4], View(1, (5,), (4,))),
    "matrix": (PLACES.reshape(4, 6), View(0, (4, 6), (6, 1))),
    "transpose": (PLACES.reshape(4, 6).T, View(0, (6, 4), (1, 6))),
    "block": (PLACES.reshape(4, 6)[1:3, 2:5], View(8, (2, 3), (6, 1))),
    "cube": (PLACES.reshape(2, 3, 4).transpose(2, 0, 1), View(0, (4, 2, 3), (1, 12, 4))),
    "rows repeated": (np.broadcast_to(PLACES[:3], (4, 3)), View(0, (4, 3), (0, 1))),
    "one element": (np.array([[5]]), View(5, (1, 1), (0, 0))),
    "windows": (np.arange(3)[:, None] + np.arange(4), View(0, (3, 4), (1, 1))),
}


@pytest.mark.parametrize("case", REGULAR)
def test_evenly_spaced_places_are_a_view(case):
    positions, view = REGULAR[case]
    assert View.of(positions, 24) == view
    assert (view.positions() == positions).all()


@pytest.mark.parametrize(
    "positions",
    [[0, 1, 3], [2, 1, 0], [[0, 1], [2, 4]], [[0, 1], [1, 3]], [[0, 1, 2], [3, 4, 5], [7, 8, 9]]],
)
def test_irregular_or_backward_places_are_not_a_view(positions):
    assert View.of(np.array(positions), 24) is None


def test_an_empty_set_of_places_is_not_a_view():
    assert View.of(np.empty((0, 3), dtype=np.intp), 24) is None


@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=3),
)
def test_views_round_trip(offset, axes):
    shape, strides = zip(*axes, strict=True)
    positions = View(offset, shape, strides).positions()
    found = View.of(positions, int(positions.max()) + 1)
    assert View.of(positions, int(positions.max())) is None
    assert found is not None
    assert (found.positions() == positions).all()
    # An axis of one element has no stride.
    expected = tuple(s if n > 1 else 0 for n, s in axes)
    assert (found.offset, found.strides) == (offset, expected)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_a_view_is_found_where_steps_are_equal_and_not_negative(places):
    steps = np.diff(places)
    is_even = all(step == steps[0] >= 0 for step in steps)
    assert (View.of(np.array(places), 7) is not None) == is_even


def test_repeated_axes_are_those_of_stride_zero():
    assert View(0, (2, 1, 3, 4), (0, 0, 1, 0)).repeated == (0, 3)


def test_gathers_are_equal_if_shape_and_places_are():
    places = np.array([0, 3, 1, 2])
    assert Gather(places) == Gather(places.copy())
    assert hash(Gather(places)) == hash(Gather(places.copy()))
    assert Gather(places) != Gather(places.reshape(2, 2))
    assert Gather(places) != Gather(places[::-1])
    assert Gather(places.reshape(2, 2)).shape == (2, 2)


HOLES = {
    "triangle": ([[0, ANY, ANY], [3, 4, ANY], [6, 7, 8]], View(0, (3, 3), (3, 1))),
    "first unknown": ([ANY, 3, 5, ANY], View(1, (4,), (2,))),
    "a column": ([[5, ANY], [7, ANY]], View(5, (2, 2), (2, 0))),
}


@pytest.mark.parametrize("case", HOLES)
def test_unread_positions_follow_the_rest(case):
    positions, view = HOLES[case]
    assert View.of(np.array(positions), 9) == view


def test_unread_positions_lie_within_the_array():
    assert View.of(np.array([ANY, 0, 2]), 9) is None
    assert View.of(np.array([4, 6, ANY]), 8) is None
    assert View.of(np.array([4, 6, ANY]), 9) == View(4, (3,), (2,))


def test_positions_that_are_all_unread_are_not_a_view():
    assert View.of(np.array([ANY, ANY]), 9) is None


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.permutations(range(3)))
def test_a_permutation_reads_each_element_once(shape, axes):
    axes = [axis for axis in axes if axis < len(shape)]
    positions = np.arange(np.prod(shape)).reshape(shape).transpose(axes)
    view = View.of(positions, positions.size)
    assert view.is_permutation(positions.size)
    assert not view.is_permutation(positions.size + 1)
    assert view.is_run() == (positions.ravel() == np.arange(positions.size)).all()


def test_a_view_that_repeats_or_omits_an_element_is_not_a_permutation():
    assert not View(0, (2, 2), (1, 1)).is_permutation(4)
    assert not View(1, (3,), (1,)).is_permutation(3)
    assert not View(0, (2, 2), (0, 1)).is_permutation(4)


def test_a_turned_view_has_its_columns_in_one_piece():
    assert View(0, (3, 2), (1, 3)).is_turned
    assert View(0, (3, 2), (1, 3)).transposed() == View(0, (2, 3), (3, 1))
    assert not View(0, (3, 2), (2, 1)).is_turned
    assert not View(0, (1, 2), (0, 1)).is_turned


def test_narrowing_keeps_one_of_repeated_elements():
    assert View(2, (4, 1, 3), (0, 0, 1)).narrowed() == View(2, (1, 1, 3), (0, 0, 1))


@pytest.mark.parametrize(
    ("positions", "blocks"),
    [([0, 0, 0, 4, 4, 4], [3, 6]), ([0, 1, 2, 3], [4]), ([0, 4, 1, 5, 2, 6], [2, 6]), ([7], []),
     ([0, 1, 10, 11, 5, 6, 15, 16], [2, 4, 8]), ([0, 1, 3], None), ([0, 1, 1, 2, 3, 4], None)],
)  # fmt: skip
def test_periods_are_the_blocks_of_equal_steps(positions, blocks):
    assert periods(np.array(positions)) == blocks


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 20)), min_size=1, max_size=3))
def test_positions_of_a_view_are_one_in_the_shape_of_their_periods(axes):
    shape, strides = zip(*axes, strict=True)
    positions = View(3, shape, strides).positions().ravel()
    blocks = periods(positions)
    assert blocks is not None
    found = positions.reshape(common_shape([blocks], positions.size))
    view = View.of(found, int(positions.max()) + 1)
    assert view is not None
    assert (view.positions() == found).all()


def test_a_common_shape_has_every_block():
    assert common_shape([[3, 12], [6]], 12) == (2, 2, 3)
    assert common_shape([[2], [3]], 12) is None
    assert common_shape([[], []], 5) == (5,)
    assert common_shape([contiguous((2, 3, 2))], 12) == (2, 3, 2)
