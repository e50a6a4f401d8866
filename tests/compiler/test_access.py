import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.compiler.access import Gather, View

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
    assert View.of(positions) == view
    assert (view.positions() == positions).all()


@pytest.mark.parametrize(
    "positions",
    [[0, 1, 3], [2, 1, 0], [[0, 1], [2, 4]], [[0, 1], [1, 3]], [[0, 1, 2], [3, 4, 5], [7, 8, 9]]],
)
def test_irregular_or_backward_places_are_no_view(positions):
    assert View.of(np.array(positions)) is None


def test_no_places_are_no_view():
    assert View.of(np.empty((0, 3), dtype=np.intp)) is None


@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=3),
)
def test_views_round_trip(offset, axes):
    shape, strides = zip(*axes, strict=True)
    positions = View(offset, shape, strides).positions()
    found = View.of(positions)
    assert found is not None
    assert (found.positions() == positions).all()
    # An axis of one element has no stride.
    expected = tuple(s if n > 1 else 0 for n, s in axes)
    assert (found.offset, found.strides) == (offset, expected)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_a_view_is_found_where_steps_are_equal_and_not_negative(places):
    steps = np.diff(places)
    is_even = all(step == steps[0] >= 0 for step in steps)
    assert (View.of(np.array(places)) is not None) == is_even


def test_repeated_axes_are_those_of_stride_zero():
    assert View(0, (2, 1, 3, 4), (0, 0, 1, 0)).repeated == (0, 3)


def test_gathers_are_equal_if_shape_and_places_are():
    places = np.array([0, 3, 1, 2])
    assert Gather(places) == Gather(places.copy())
    assert hash(Gather(places)) == hash(Gather(places.copy()))
    assert Gather(places) != Gather(places.reshape(2, 2))
    assert Gather(places) != Gather(places[::-1])
    assert Gather(places.reshape(2, 2)).shape == (2, 2)
