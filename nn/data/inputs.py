"""Arrays of examples as models take them, one row per example."""

from math import isinf
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.float64 | np.int64]
"""An array with one row per example."""


def as_inputs(x: npt.ArrayLike) -> Rows:
    """`x` of shape (n, …) as floats, or as integers if it holds integers, which `take` can use.

    A plain number is an example of one input: shape (n,) becomes (n, 1).
    """
    array = _numbers("x", x)
    return array.reshape(-1, 1) if array.ndim == 1 else array


def as_targets(y: npt.ArrayLike) -> Rows:
    """`y` of shape (n, …), as floats or integers."""
    return _numbers("y", y)


def as_lists(x: Any) -> Any:
    """An example as a model takes it: an array, also one of traced scalars, as nested lists."""
    return x.tolist() if isinstance(x, np.ndarray) else x


def check_finite(name: str, array: Rows) -> None:
    """Raise ValueError if a number is nan or infinite."""
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"{name} is not finite in row {row}, counted from 0")


def _numbers(name: str, given: npt.ArrayLike) -> Rows:
    if _is_masked(given):
        raise ValueError(f"{name} has masked numbers; fill them, as in x.filled(0.0)")
    try:
        array = _array(given)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be an array of numbers, all rows of one shape; number classes from 0"
        ) from None
    except OverflowError:
        raise ValueError(
            f"{name} has a number that is too large: integers are below 2**63, floats below 1.8e308"
        ) from None
    if not array.ndim:
        raise ValueError(f"{name} must have shape (n,) or (n, …), one row per example, got ()")
    if not array.size:
        raise ValueError(f"there are no examples in {name}")
    return array


def _array(given: npt.ArrayLike) -> Rows:
    """`given` as int64 or float64; OverflowError for a number that neither can hold."""
    array = np.asarray(given)
    if array.dtype.kind == "O":  # Fractions, Decimals; NumPy itself would take None for nan
        array = np.array([_number(x) for x in array.flat]).reshape(array.shape)
    if array.dtype.kind in "iu":
        if array.size and array.max() > np.iinfo(np.int64).max:
            raise OverflowError
        return array.astype(np.int64)
    if array.dtype.kind not in "fb":
        raise TypeError
    with np.errstate(over="ignore"):
        floats = array.astype(np.float64)
    if array.dtype.itemsize > 8 and (np.isfinite(array) & ~np.isfinite(floats)).any():
        raise OverflowError
    return floats


def _number(x: Any) -> int | float:
    """An element of an array of objects as a number of Python."""
    if isinstance(x, str | bytes):
        raise TypeError
    if isinstance(x, int | np.integer) and not isinstance(x, bool):
        if abs(int(x)) > np.iinfo(np.int64).max:
            raise OverflowError
        return int(x)
    number = float(x)
    if isinf(number) and x != number:  # a Decimal that no float can hold
        raise OverflowError
    return number


def _is_masked(given: object) -> bool:
    """Whether an array, or one of the arrays in a list, has masked numbers."""
    if isinstance(given, list | tuple):
        return any(isinstance(x, list | tuple | np.ma.MaskedArray) and _is_masked(x) for x in given)
    return bool(np.ma.is_masked(given))
