"""Activations as modules: what they are applied to, and which names they know."""

import math

import numpy as np
import pytest

import autodiff
from autodiff import Value
from nn import ACTIVATIONS, Activation
from nn.layers.activations import known, method


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_the_op_of_its_name(name):
    expected = getattr(autodiff, name)(-0.7)
    assert Activation(name)(-0.7) == method(name)(Value(-0.7)).data == expected
    assert Activation(name)(Value(-0.7)).data == expected


def test_numbers_keep_their_places():
    tanh = Activation("tanh")
    assert tanh([0.5, (1.0, 2.0)]) == [math.tanh(0.5), [math.tanh(1.0), math.tanh(2.0)]]
    assert tanh(np.array([[0.5]])) == [[math.tanh(0.5)]]
    assert [v.data for v in tanh(np.array([Value(0.5)]))] == [math.tanh(0.5)]


def test_text_is_not_a_sequence_of_numbers():
    with pytest.raises(TypeError, match="'ab'"):
        Activation("relu")("ab")


def test_linear_is_the_identity():
    assert Activation("linear")([1.0, -2.0]) == [1.0, -2.0]
    assert known("linear") is known(None) is None


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match="unknown activation 'rleu'; choose from linear, relu"):
        Activation("rleu")


def test_an_activation_shows_its_name_and_has_no_parameters():
    assert repr(Activation("relu")) == "Activation('relu')"
    assert Activation("relu").parameters() == []
