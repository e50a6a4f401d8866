"""Nearest: the fewest steps first, exactly the wanted number, and no step further."""

import pytest

from autodiff.view.nearest import nearest

BEFORE = {"root": ["a", "b"], "a": ["c", "d"], "b": ["d", "root"], "c": ["e"], "d": [], "e": []}


@pytest.mark.parametrize("count", range(1, 8))
def test_nodes_with_the_fewest_steps_come_first(count):
    assert list(nearest(["root"], BEFORE.__getitem__, count)) == list(["root", *"abcde"][:count])


def test_there_may_be_more_starts_than_wanted_elements():
    assert list(nearest(["b", "a", "b"], BEFORE.__getitem__, 4)) == ["b", "a", "d", "root"]
    assert list(nearest(["b", "a", "e"], BEFORE.__getitem__, 2)) == ["b", "a"]


def test_nothing_beyond_the_wanted_number_is_visited():
    assert len(nearest([0], lambda i: [i + 1] if i < 9 else 1 / 0, 10)) == 10
