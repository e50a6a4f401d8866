"""Sizes: of the layer that is made, and of the input that it gets."""

from typing import Any

import numpy as np


def check_width(layer: object, nin: int, x: Any) -> None:
    """TypeError if `x` is no sequence, ValueError if it does not have `nin` numbers."""
    try:
        width = len(x)
    except TypeError:
        raise TypeError(
            f"{type(layer).__name__} takes a sequence of {nin} inputs, got "
            f"{type(x).__name__}; for one input write model([x])"
        ) from None
    if width != nin:
        raise ValueError(f"{type(layer).__name__} takes {nin} inputs, got {width}")


def check_vector(layer: object, x: Any) -> None:
    """TypeError if what is in the sequence `x` are sequences themselves."""
    if any(hasattr(xi, "__len__") for xi in x):
        name = type(layer).__name__
        raise TypeError(f"{name} takes one vector, got a sequence of sequences; call it for each")


def positive(name: str, size: Any) -> int:
    """`size`; ValueError if it is no positive integer."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"{name} must be a positive integer, got {size!r}")
    return int(size)
