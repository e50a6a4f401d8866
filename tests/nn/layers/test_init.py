"""First weights: their spread, and what fixes them."""

import random
from math import sqrt

import numpy as np
import pytest

import autodiff
import nn
from nn import ACTIVATIONS, Layer
from nn.layers.init import generator, is_rectifier, weights

FAN_IN, FAN_OUT = 100, 300
HE, GLOROT = 2 / FAN_IN, 2 / (FAN_IN + FAN_OUT)
VARIANCE = {
    "relu": HE, "leaky_relu": HE, "elu": HE, "gelu": HE, "silu": HE, "softplus": HE,
    "sigmoid": GLOROT, "tanh": GLOROT, "sin": GLOROT, None: GLOROT,
}  # fmt: skip


def test_every_activation_has_a_variance():
    assert set(VARIANCE) == {*ACTIVATIONS, None}


@pytest.mark.parametrize("activation", VARIANCE)
def test_the_weights_of_a_layer_are_uniform_with_the_variance_of_the_paper(activation):
    layer = Layer(FAN_IN, FAN_OUT, activation=activation, seed=0)
    drawn = np.array([w.data for neuron in layer.neurons for w in neuron.w])
    variance = VARIANCE[activation]
    assert drawn.var() == pytest.approx(variance, rel=0.02)
    assert abs(drawn.mean()) < 4 * sqrt(variance / drawn.size)
    # Uniform, so no weight is beyond the bound, and some come close.
    assert 0.999 * sqrt(3 * variance) < np.abs(drawn).max() <= sqrt(3 * variance)
    assert [neuron.b.data for neuron in layer.neurons] == [0.0] * FAN_OUT


def test_a_neuron_alone_is_a_layer_of_one():
    drawn = np.abs([w.data for w in nn.Neuron(1000, activation=None, seed=0).w])
    assert 0.99 * sqrt(3 * 2 / 1001) < drawn.max() <= sqrt(3 * 2 / 1001)


def test_a_signal_keeps_its_size_through_rectified_layers():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 64))
    for _ in range(10):
        w = np.array([weights(rng, 64, 64, autodiff.relu) for _ in range(64)])
        x = np.maximum(x @ w.T, 0)
    assert 0.1 < np.mean(x * x) < 10  # half the variance would leave 2^-10


def test_weights_are_floats_one_per_input():
    drawn = weights(np.random.default_rng(0), 3, 2, None)
    assert [type(w) for w in drawn] == [float] * 3


def test_whether_a_function_is_a_rectifier_is_asked_of_the_function():
    bounded_below = autodiff.custom_op(
        "bounded_below", lambda x: max(x, -0.5), lambda x, out: autodiff.where(x > -0.5, 1.0, 0.0)
    )
    assert is_rectifier(bounded_below)
    for other in (lambda x: x, abs, lambda x: -x, lambda x: min(x, 6.0)):
        assert not is_rectifier(other)


def test_a_generator_is_the_one_given_or_made_from_a_seed():
    rng = np.random.default_rng(5)
    assert generator(rng) is rng
    assert generator(seed=5).random() == np.random.default_rng(5).random()
    assert generator(seed=0).random() == np.random.default_rng(0).random()
    with pytest.raises(TypeError, match="give rng or seed, not both"):
        generator(rng, 0)


def test_without_either_pythons_random_decides(monkeypatch):
    asked = []
    monkeypatch.setattr(random, "getrandbits", lambda n: asked.append(n) or 7)
    assert generator().random() == np.random.default_rng(7).random()
    assert asked == [64]
