import numpy as np
import pytest

from autodiff.compiler.arrays.layout import ANY
from autodiff.compiler.arrays.lowering.contract import _completed, bands

ROWS = {
    "none": ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
    "of a longer one": ([[1, ANY, ANY], [1, 2, 3], [1, 2, ANY]], [[1, 2, 3]] * 3),
    "of two": ([[1, ANY, ANY], [1, 2, ANY], [1, 3, 4]], [[1, 3, 4], [1, 2, 1], [1, 3, 4]]),
    "of one that is continued itself": ([[2, ANY, ANY], [2, 5, ANY], [2, 5, 7]], [[2, 5, 7]] * 3),
    "not in order": ([[9, 1, 2], [4, ANY, ANY], [9, ANY, ANY]], [[9, 1, 2], [4, 4, 4], [9, 1, 2]]),
    "turned": ([[0, ANY, ANY], [1, 0, ANY], [2, 1, 0]], [[0, 0, 0], [1, 0, 1], [2, 1, 0]]),
    "of large numbers": ([[256, ANY], [256, 1], [1, ANY]], [[256, 1], [256, 1], [1, 1]]),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_continued_as_the_longest_that_begins_like_it(name):
    rows, expected = ROWS[name]
    assert _completed(np.array(rows)).tolist() == expected


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([3, 1, 2], [[0, 1, 2]]), ([5] * 9, [[*range(9)]]), ([1] * 60 + [60], [[*range(61)]]),
     ([1] * 70 + [70, 64], [[*range(70)], [70, 71]]), ([*range(1, 300)], [[*range(299)]]),
     ([2, 9000, 3, 2, 3, 8500, 1, 1, 1, 1], [[0, 2, 3, 4], [1, 5], [6, 7, 8, 9]])],
)  # fmt: skip
def test_lanes_of_different_lengths_are_separated_where_padding_would_be_large(counts, expected):
    assert bands(counts) == expected
