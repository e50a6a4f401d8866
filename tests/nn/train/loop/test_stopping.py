"""Patience: what is a gain, and when it runs out."""

import pytest

from nn.train.loop.stopping import Patience


@pytest.mark.parametrize(
    ("tolerance", "gains"),
    [(0.0, [True, True, False, False, True]), (0.5, [True, True, False, False, False])],
)
def test_a_gain_is_below_the_least_by_more_than_the_tolerance(tolerance, gains):
    patience = Patience(3, tolerance)
    assert [patience.see(loss) for loss in (5.0, 4.0, 4.0, 4.5, 3.5)] == gains
    assert patience.least == 3.5
    assert patience.is_out is (tolerance > 0)


def test_nan_is_not_a_gain():
    patience = Patience(2)
    patience.see(1.0)
    assert not patience.see(float("nan"))
    assert not patience.is_out
    assert not patience.see(float("nan"))
    assert patience.is_out
    assert patience.see(0.5)


def test_patience_must_be_positive():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Patience(0)
