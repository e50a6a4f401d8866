"""Examples as arrays: floats or integers, one row per example."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import nn
from nn.data.inputs import as_inputs, as_lists, as_targets, check_finite
from tests.nn.trainees import Number


@pytest.mark.parametrize(
    ("given", "kind"),
    [([1, 2], int), ([1.0, 2], float), ([True, False], float), ([Fraction(1, 2)], float),
     (np.array([3], np.uint8), int), (np.array([3], np.float32), float)],
)  # fmt: skip
def test_integers_stay_integers(given, kind):
    for found in (as_inputs(given), as_targets(given)):
        assert found.dtype == kind
        assert found.ravel().tolist() == [kind(x) for x in given]


def test_a_number_is_an_example_of_one_input():
    assert as_inputs([1.0, 2.0]).shape == (2, 1)
    assert as_targets([1.0, 2.0]).shape == (2,)
    assert as_inputs(np.zeros((2, 3, 4))).shape == (2, 3, 4)


@pytest.mark.parametrize("convert", [as_inputs, as_targets])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (1.0, r"must have shape \(n,\) or \(n, …\), one row per example, got \(\)"),
        ([], "there are no examples in"),
        ([[1.0], [1.0, 2.0]], "all rows of one shape"),
        (["a", "b"], "number classes from 0"),
        ([1j], "must be an array of numbers"),
        ([None], "must be an array of numbers"),
    ],
)
def test_arrays_without_examples_are_refused(convert, given, message):
    with pytest.raises(ValueError, match=f"{convert.__name__[3]} .*{message}|{message}"):
        convert(given)


@pytest.mark.parametrize("use", [nn.predict, lambda m, x: nn.fit(m, x, x)])
def test_no_examples_are_refused_in_our_words(use):
    with pytest.raises(ValueError, match="example"):
        use(Number(), [])


def test_infinite_and_nan_numbers_are_found_by_row():
    check_finite("x", np.ones((2, 2)))
    with pytest.raises(ValueError, match="x is not finite in row 1, counted from 0"):
        check_finite("x", np.array([[1.0, 2.0], [3.0, np.inf]]))


@pytest.mark.parametrize("convert", [as_inputs, as_targets])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.array([1, 2**63], np.uint64), "has a number that is too large: integers are below 2"),
        ([2**63], "has a number that is too large"),
        ([2**64], "has a number that is too large"),
        (np.array([-(2**63) - 1], object), "has a number that is too large"),
        ([Fraction(10) ** 400], "has a number that is too large: .*floats below 1.8e308"),
        ([Decimal("1e400")], "has a number that is too large"),
        (np.ma.array([1.0, 2.0], mask=[False, True]), "has masked numbers; fill them"),
        ([np.ma.array([1.0, 2.0], mask=[False, True])], "has masked numbers; fill them"),
        (np.array(["1"], object), "must be an array of numbers"),
    ],
)
def test_numbers_too_large_for_int64_and_float64_are_refused(convert, given, message):
    with pytest.raises(ValueError, match=f"^[xy] {message}"):
        convert(given)


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(float).max, reason="it is a float64")
def test_a_long_double_that_no_float_holds_is_refused():
    assert as_targets(np.array([1.5], np.longdouble)).tolist() == [1.5]
    with pytest.raises(ValueError, match="x has a number that is too large"):
        as_inputs(np.array([np.longdouble("1e4000")]))


@pytest.mark.parametrize(
    ("given", "kind"),
    [(np.array([2**63 - 1], np.uint64), int), (np.array([3, -4], object), int),
     (np.array([0.5], np.float16), float), ([Decimal("0.5")], float),
     (np.ma.array([1.0, 2.0]), float), (np.array([True, 2], object), float),
     (np.array([np.int8(3), Fraction(1, 2)], object), float)],
)  # fmt: skip
def test_numbers_of_every_type_are_exact(given, kind):
    found = as_targets(given)
    assert found.dtype == kind
    assert found.tolist() == list(given)


def test_an_example_becomes_nested_lists():
    assert as_lists(np.array([[1, 2], [3, 4]])) == [[1, 2], [3, 4]]
    assert as_lists(np.array([None, "a"], object)) == [None, "a"]
    assert as_lists(2.0) == 2.0
