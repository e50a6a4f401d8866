"""Vectors: how a wrong width is named."""

import numpy as np
import pytest

from nn import Neuron
from nn.layers.vectors import check_width


def test_an_input_has_the_width_of_the_layer():
    neuron = Neuron(2)
    for x in ([1, 2], (1, 2), np.array([1, 2])):
        check_width(neuron, 2, x)
    with pytest.raises(ValueError, match="Neuron takes 2 inputs, got 3"):
        check_width(neuron, 2, [1, 2, 3])
    with pytest.raises(TypeError, match="Neuron takes a sequence of 2 inputs, got float"):
        check_width(neuron, 2, 1.0)
