"""`softmax` and `log_softmax`: distributions, whatever the logits, one by one or in rows."""

import math

import numpy as np
import pytest

import autodiff
from autodiff import Value, gradcheck
from nn import log_softmax, softmax


def test_softmax_is_proportional_to_exponentials_and_sums_to_one():
    xs = [0.3, -1.2, 2.0]
    exps = np.exp(xs)
    assert softmax(xs) == pytest.approx((exps / exps.sum()).tolist(), rel=1e-15)
    assert log_softmax(xs) == pytest.approx(np.log(exps / exps.sum()).tolist(), rel=1e-15)
    assert sum(v.data for v in softmax([Value(x) for x in xs])) == pytest.approx(1.0, rel=1e-15)


def test_rows_are_each_a_distribution():
    table = np.array([[0.0, 0.0], [0.0, math.log(3)]])
    assert softmax(table) == [pytest.approx([0.5, 0.5]), pytest.approx([0.25, 0.75])]
    assert log_softmax([table.tolist()])[0][1] == pytest.approx([math.log(0.25), math.log(0.75)])


@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_slopes_are_those_of_finite_differences(f):
    gradcheck(lambda xs: autodiff.dot(f(xs), [1.0, -2.0, 3.0]), ([0.3, -1.2, 2.0],), order=2)


def test_extreme_logits_neither_overflow_nor_lose_the_logarithm():
    assert softmax([1000.0, -1000.0]) == [1.0, 0.0]
    assert log_softmax([1000.0, -1000.0]) == [0.0, -2000.0]
    assert softmax([5.0, -math.inf]) == [1.0, 0.0]
    xs = [Value(1000.0), Value(1000.0)]
    log_softmax(xs)[0].backward()
    assert [x.grad for x in xs] == pytest.approx([0.5, -0.5], rel=1e-12)


@pytest.mark.parametrize("shift", [0.0, -1000.0, 1000.0, 1e12])
def test_large_logits_lose_no_digit(shift):
    exps = np.exp([0.0, -1.0, -3.0])
    shares = (exps / exps.sum()).tolist()
    xs = [shift, shift - 1.0, shift - 3.0]
    assert softmax(xs) == pytest.approx(shares, rel=5e-16)
    assert log_softmax(xs) == pytest.approx(np.log(shares).tolist(), rel=5e-16)
    slopes = autodiff.grad(lambda xs: log_softmax(xs)[1])(xs)
    assert slopes == pytest.approx([-shares[0], 1.0 - shares[1], -shares[2]], rel=1e-15)


@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_anything_but_a_vector_is_refused(f):
    with pytest.raises(TypeError, match=f"{f.__name__} takes a sequence of numbers, got Value"):
        f(Value(1.0))
    with pytest.raises(TypeError, match="got float; a single number"):
        f(np.array(1.0))
    with pytest.raises(TypeError, match="got str"):
        f("ab")
    with pytest.raises(ValueError, match=f"{f.__name__} needs at least one number"):
        f([])
