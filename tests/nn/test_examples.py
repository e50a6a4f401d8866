"""Examples as arrays: floats or integers, one row an example."""

from fractions import Fraction

import numpy as np
import pytest

import nn
from nn.examples import as_inputs, as_targets, check_finite
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
        (1.0, r"must have shape \(n,\) or \(n, …\), one row an example, got \(\)"),
        ([], "there are no examples in"),
        ([[1.0], [1.0, 2.0]], "all rows of one shape"),
        (["a", "b"], "number classes from 0"),
        ([1j], "must be an array of numbers"),
        ([None], "must be an array of numbers"),
    ],
)
def test_what_holds_no_examples_is_refused(convert, given, message):
    with pytest.raises(ValueError, match=f"{convert.__name__[3]} .*{message}|{message}"):
        convert(given)


@pytest.mark.parametrize("use", [nn.predict, lambda m, x: nn.fit(m, x, x)])
def test_no_examples_are_refused_in_our_words(use):
    with pytest.raises(ValueError, match="example"):
        use(Number(), [])


def test_what_is_not_finite_is_found_by_row():
    check_finite("x", np.ones((2, 2)))
    with pytest.raises(ValueError, match="x is not finite in row 1, counted from 0"):
        check_finite("x", np.array([[1.0, 2.0], [3.0, np.inf]]))
