"""Arrays of examples as models take them: one row an example."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def as_inputs(x: Any) -> Array:
    """`x` of shape (n, …), floats, or integers if it holds integers, which `take` can use.

    A plain number is an example of one input: shape (n,) becomes (n, 1).
    """
    array = _numbers("x", x)
    return array.reshape(-1, 1) if array.ndim == 1 else array


def as_targets(y: Any) -> Array:
    """`y` of shape (n, …), floats or integers."""
    return _numbers("y", y)


def check_finite(name: str, array: Array) -> None:
    """Raise ValueError if a number is nan or infinite."""
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"{name} is not finite in row {row}, counted from 0")


def _numbers(name: str, given: Any) -> Array:
    try:
        array = np.asarray(given)
        if array.dtype.kind == "O":  # Fractions, Decimals; NumPy itself would take None for nan
            array = np.array([float(x) for x in array.flat]).reshape(array.shape)
        if array.dtype.kind not in "fiub":
            raise TypeError
        array = array.astype(np.int64 if array.dtype.kind in "iu" else np.float64)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be an array of numbers, all rows of one shape; number classes from 0"
        ) from None
    if not array.ndim:
        raise ValueError(f"{name} must have shape (n,) or (n, …), one row an example, got ()")
    if not array.size:
        raise ValueError(f"there are no examples in {name}")
    return array
