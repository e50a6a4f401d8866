"""Gradient clipping, in place: of Values' `grad`, or of a flat array."""

from collections.abc import Iterable
from math import isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from autodiff import Value, checks
from autodiff.checks import within

Gradients: TypeAlias = Iterable[Value] | npt.NDArray[np.float64]


def clip_grad_norm_(parameters: Gradients, max_norm: float, norm_type: float = 2.0) -> float:
    """Scale all gradients by one factor so that their norm is at most `max_norm`.

    Returns the norm before, of order `norm_type`: 1, 2, inf or any positive number. Raises
    FloatingPointError, nothing changed, if the norm is not finite: no factor mends that.
    """
    max_norm = within("max_norm", max_norm, least=0.0)
    if not norm_type > 0:
        raise ValueError(f"norm_type must be positive, got {norm_type!r}")
    target, gradient = _gathered(parameters)
    largest = float(np.max(np.abs(gradient), initial=0.0))
    if not isfinite(largest):
        raise FloatingPointError("clip_grad_norm_: a gradient is not finite")
    if not largest:
        return 0.0
    # Divided by the largest, no power over- or underflows.
    norm = largest * float(np.linalg.norm(gradient / largest, norm_type))
    factor = max_norm / (norm + 1e-6)  # as PyTorch
    if factor < 1.0:
        _scatter(target, gradient * factor)
    return norm


def clip_grad_value_(parameters: Gradients, clip_value: float) -> None:
    """Bring every gradient into -clip_value … clip_value."""
    clip_value = within("clip_value", clip_value, least=0.0)
    target, gradient = _gathered(parameters)
    _scatter(target, np.clip(gradient, -clip_value, clip_value))


def _gathered(
    parameters: Gradients,
) -> tuple[list[Value] | npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The place to write to, and its gradient as an array."""
    if isinstance(parameters, np.ndarray) and parameters.dtype != object:
        if parameters.dtype.kind != "f":  # what is scaled would be cut to integers
            raise TypeError(f"a flat gradient is an array of floats, got {parameters.dtype}")
        return parameters, parameters
    given = [parameters] if isinstance(parameters, Value) else parameters
    values = checks.parameters("clipping", given, Value)
    return values, np.array([value.grad for value in values], dtype=float)


def _scatter(
    target: list[Value] | npt.NDArray[np.float64], gradient: npt.NDArray[np.float64]
) -> None:
    if isinstance(target, np.ndarray):
        target[...] = gradient
        return
    for value, number in zip(target, gradient.tolist(), strict=True):
        value.grad = number
