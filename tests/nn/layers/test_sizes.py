"""Sizes: which are allowed, and how a wrong one is named."""

import numpy as np
import pytest

from nn import Neuron
from nn.layers.sizes import check_width, positive


def test_a_size_is_a_positive_integer():
    assert [positive("n", n) for n in (1, np.int64(2))] == [1, 2]
    assert type(positive("n", np.int64(2))) is int
    for wrong in (0, -1, 1.0, True, "2", None):
        with pytest.raises(ValueError, match=f"n must be a positive integer, got {wrong!r}"):
            positive("n", wrong)


def test_an_input_has_the_width_of_the_layer():
    neuron = Neuron(2)
    for x in ([1, 2], (1, 2), np.array([1, 2])):
        check_width(neuron, 2, x)
    with pytest.raises(ValueError, match="Neuron takes 2 inputs, got 3"):
        check_width(neuron, 2, [1, 2, 3])
    with pytest.raises(TypeError, match="Neuron takes a sequence of 2 inputs, got float"):
        check_width(neuron, 2, 1.0)
