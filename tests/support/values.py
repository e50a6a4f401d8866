"""The numbers in a Value, in lists and arrays of Values, and in the parameters of a model."""

import numpy as np

from autodiff import Value
from nn import Module


def data(tree):
    return _read(tree, lambda x: x.data if isinstance(x, Value) else x)


def grads(tree):
    return _read(tree, lambda x: x.grad)


def bits(tree):
    """Their digits, exactly."""
    return _read(tree, lambda x: x.data.hex())


def arrays(tree):
    """As `data`, as an array."""
    return np.array(data(tree))


def _read(tree, number):
    if isinstance(tree, Module):
        tree = tree.parameters()
    if isinstance(tree, list | tuple | np.ndarray):
        return [_read(branch, number) for branch in tree]
    return number(tree)
