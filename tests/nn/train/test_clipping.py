"""Clipping: the norm that is returned, what becomes of the gradients, and of infinite ones."""

import math

import numpy as np
import pytest

from autodiff import Value
from nn import MLP, clip_grad_norm_, clip_grad_value_

GRADIENT = [3.0, -4.0, 0.0, 12.0]


def values(gradient):
    made = [Value(1.0) for _ in gradient]
    for value, g in zip(made, gradient, strict=True):
        value.grad = g
    return made


@pytest.mark.parametrize(("order", "norm"), [(2.0, 13.0), (1, 19.0), (math.inf, 12.0)])
@pytest.mark.parametrize("bound", [6.5, 0.0])
def test_a_longer_gradient_is_scaled_to_the_bound(order, norm, bound):
    parameters, flat = values(GRADIENT), np.array(GRADIENT)
    assert clip_grad_norm_(parameters, bound, order) == norm
    assert clip_grad_norm_(flat, bound, order) == norm
    expected = [g * bound / (norm + 1e-6) for g in GRADIENT]
    assert [p.grad for p in parameters] == pytest.approx(expected, rel=1e-15)
    assert flat.tolist() == pytest.approx(expected, rel=1e-15)


def test_a_shorter_gradient_keeps_its_bits():
    parameters = values(GRADIENT)
    assert clip_grad_norm_(iter(parameters), 13.1) == 13.0
    assert [p.grad for p in parameters] == GRADIENT
    assert clip_grad_norm_(values([0.0]), 1.0) == 0.0
    assert clip_grad_norm_([], 1.0) == 0.0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_squares_neither_overflow_nor_underflow(scale):
    gradient = np.array([3.0, 4.0]) * scale
    assert clip_grad_norm_(gradient, 1.0) == pytest.approx(5 * scale)
    if scale > 1:
        assert gradient.tolist() == pytest.approx([0.6, 0.8])


def test_values_are_brought_into_the_range():
    parameters, flat = values(GRADIENT), np.array(GRADIENT)
    clip_grad_value_(parameters, 3.5)
    clip_grad_value_(flat, 3.5)
    assert [p.grad for p in parameters] == flat.tolist() == [3.0, -3.5, 0.0, 3.5]


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_refused_and_kept(wrong):
    parameters = values([1.0, wrong])
    with pytest.raises(FloatingPointError, match="a gradient is not finite"):
        clip_grad_norm_(parameters, 1.0)
    assert parameters[0].grad == 1.0


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        (np.array([3, 4]), "a flat gradient is an array of floats, got int64"),
        ([3.0], "a parameter is a Value, got float"),
        (MLP(1, [1]), "takes a list of parameters, got MLP"),
    ],
)
@pytest.mark.parametrize("clip", [clip_grad_norm_, clip_grad_value_])
def test_an_argument_without_gradients_is_named(clip, gradients, message):
    with pytest.raises(TypeError, match=message):
        clip(gradients, 1.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ps: clip_grad_norm_(ps, -1.0), "max_norm must be at least 0, got -1.0"),
        (lambda ps: clip_grad_norm_(ps, 1.0, 0), "norm_type must be positive, got 0"),
        (lambda ps: clip_grad_value_(ps, math.nan), "clip_value must be at least 0, got nan"),
    ],
)
def test_bounds_out_of_range_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(values(GRADIENT))
