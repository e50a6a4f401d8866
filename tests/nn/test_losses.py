"""`mse`: a mean over whatever holds the numbers."""

import math

import numpy as np
import pytest

from autodiff import Value, gradcheck, mean
from nn import mse

V = Value


@pytest.mark.parametrize(
    ("predictions", "targets", "expected"),
    [
        (3, 1, 4.0),
        ([1.0, 2.0], [0.0, 5.0], 5.0),
        ((1.0, 2.0), np.array([0.0, 5.0]), 5.0),
        (np.array([[1.0, 2.0], [3.0, 4.0]]), [[1, 2], [3, 8]], 4.0),
        ([[1.0], [2.0]], [1.0, 4.0], 2.0),
        (np.float64(3), np.array(1.0), 4.0),
        (iter([1.0, 3.0]), (x for x in [1.0, 1.0]), 2.0),
        ([math.inf], [0.0], math.inf),
    ],
)
def test_mse_of_numbers_is_a_number(predictions, targets, expected):
    found = mse(predictions, targets)
    assert isinstance(found, float)
    assert found == expected


@pytest.mark.parametrize(
    ("predictions", "targets", "expected"),
    [
        (V(3.0), 1.0, 4.0),
        (3.0, V(1.0), 4.0),
        ([V(1.0), 2.0], [0.0, V(5.0)], 5.0),
        ([[V(1.0), V(2.0)], [V(3.0), V(4.0)]], np.array([[1.0, 2.0], [3.0, 8.0]]), 4.0),
        (np.array([V(1.0), V(2.0)]), [0.0, 5.0], 5.0),
    ],
)
def test_mse_with_a_value_is_a_value(predictions, targets, expected):
    found = mse(predictions, targets)
    assert isinstance(found, Value)
    assert found.data == expected


def test_the_gradient_is_twice_the_mean_difference():
    predictions, targets = [V(1.0), V(2.0)], [V(0.0), V(5.0)]
    mse(predictions, targets).backward()
    assert [v.grad for v in predictions + targets] == [1.0, -3.0, -1.0, 3.0]
    gradcheck(mse, ([0.3, [1.2, -0.7]], [1.0, 2.0, 3.0]))


def test_mse_is_the_mean_of_squares():
    xs, ys = [V(0.3), V(-1.7)], [V(2.0), V(0.1)]
    assert mse(xs, ys).data == mean([(x - y) ** 2 for x, y in zip(xs, ys, strict=True)]).data


@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        ([1.0, 2.0], [1.0], "mse of 2 predictions and 1 targets"),
        ([1.0], [[1.0, 2.0], [3.0]], "mse of 1 predictions and 3 targets"),
        (1.0, [], "mse of 1 predictions and 0 targets"),
        ([], [], "mean of no operands"),
    ],
)
def test_sizes_that_differ_are_named(predictions, targets, message):
    with pytest.raises(ValueError, match=message):
        mse(predictions, targets)


def test_overflow_is_silent_for_arrays_as_for_floats():
    assert mse([1e200], [0.0]) == math.inf
    assert mse(np.array([1e200]), np.array([0.0])) == math.inf


def test_text_is_no_number():
    with pytest.raises(TypeError):
        mse("a", "b")
