import numpy as np
import pytest

from autodiff.compiler.arrays.layout import ANY
from autodiff.compiler.arrays.lowering.contract import Dots, _completed, bands, padded
from autodiff.compiler.arrays.ops import VIEW
from autodiff.compiler.numpy.loading import load
from autodiff.compiler.numpy.source import write


def run(builder, i, arrays):
    program, _ = builder.program([i])
    source = write(program, list(arrays))
    (found,) = load(source.text, "test")(2, 1.0, float, source.arrays)(*arrays.values())
    return found


A = np.random.default_rng(0).normal(size=12)
B = np.random.default_rng(1).normal(size=(2, 20))

LAYOUTS = {
    "grid": ([[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]],
             [[0, 1, 2], [3, 4, 5], [0, 1, 2], [3, 4, 5]], {"matmul"}),
    "blocks": ([[0, 1], [0, 1], [2, 3], [2, 3]], [[0, 1], [2, 3], [4, 5], [6, 7]], {"matmul"}),
    "one dot": ([[0, 1, 2]], [[4, 5, 6]], {"matmul"}),
    "cells": ([[0, 1], [2, 3], [4, 5]], [[0, 1], [2, 3], [4, 5]], {"mul", "sum"}),
    "irregular": ([[0, 7, 2], [5, 1, 1]], [[9, 3, 8], [2, 2, 0]], {"mul", "sum", "gather"}),
    "triangle": ([[0, ANY, ANY], [3, 4, ANY], [6, 7, 8]],
                 [[0, ANY, ANY], [0, 1, ANY], [0, 1, 2]], {"matmul", "where"}),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_dots_are_right_and_their_form_is_as_expected(builder, layout):
    left, right, forms = LAYOUTS[layout]
    left, right = np.array(left), np.array(right)
    a, b = builder.leaf("a", 12, False), builder.leaf("b", 20, True)
    array, places = Dots(builder, a, b, {}).contract(left, right)
    found = run(builder, array, {"a": A, "b": B}).reshape(2, -1)[:, places]
    for k, (x, y) in enumerate(zip(left, right, strict=True)):
        expected = sum(A[i] * B[:, j] for i, j in zip(x, y, strict=True) if i >= 0)
        assert np.allclose(found[:, k], expected, rtol=1e-12)
    made = {instr.name for instr in builder.program([array])[0].instrs}
    assert made - {"leaf", "view", "constant"} == forms


@pytest.mark.parametrize("places", [[[0, ANY], [2, 3]], [[5, ANY, ANY], [7, 1, ANY]]])
def test_padding_is_zero(builder, places):
    places = np.array(places)
    a = builder.leaf("a", 12, False)
    found = run(builder, padded(builder, a, places, {}), {"a": A})
    assert found.tolist() == np.where(places < 0, 0.0, A[places]).tolist()


def test_existing_zeros_are_not_made_again(builder):
    a = builder.leaf("a", 4, False)
    holes = np.array([False, True, False, False])
    made = padded(builder, a, np.array([[0, ANY], [2, 3]]), {a: holes})
    assert builder.instrs[made].op is VIEW


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
