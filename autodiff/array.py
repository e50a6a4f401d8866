"""Ops on NumPy arrays: the row's NumPy spelling, evaluated.

Importing this module registers the interpreter. Floating-point warnings are off: inf and nan
are results. An array of objects (Values, say) is mapped over, one object at a time.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np

from autodiff.interpreter import interpret
from autodiff.primitive import Primitive
from autodiff.reduction import Reduction


class _Arrays:
    rank = 2

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        arrays = [np.asarray(operand) for operand in operands]
        for array in arrays:
            if array.dtype.kind not in "fiubO":
                raise TypeError(f"{primitive.name}: expected real numbers, got {array.dtype}")
        if any(array.dtype == object for array in arrays):
            return np.frompyfunc(lambda *row: primitive.apply(row), len(arrays), 1)(*arrays)
        # An operand of booleans is a condition; integers would wrap round and have no inf.
        floats = [array if array.dtype.kind in "fb" else array.astype(float) for array in arrays]
        if isinstance(primitive, Reduction):
            stacked = np.stack(np.broadcast_arrays(*floats))
            floats = np.split(stacked, max(1, primitive.sequences))
        with self.quiet():
            return np.asarray(spelling(primitive)(*floats))

    def quiet(self) -> AbstractContextManager[Any]:
        return np.errstate(all="ignore")

    def fit(self, cotangent: Any, operand: Any) -> Any:
        """`cotangent` in the shape and floating dtype of `operand`: broadcast axes are summed."""
        cotangent, operand = np.asarray(cotangent), np.asarray(operand)
        extra = cotangent.ndim - operand.ndim
        broadcast = tuple(range(extra)) + tuple(
            axis + extra
            for axis, size in enumerate(operand.shape)
            if size == 1 and cotangent.shape[axis + extra] != 1
        )
        if broadcast:
            cotangent = cotangent.sum(axis=broadcast).reshape(operand.shape)
        return cotangent.astype(operand.dtype if operand.dtype.kind in "fO" else float)

    def select(self, cotangent: Any, partial: Any) -> Any:
        return np.where(np.not_equal(partial, 0), np.multiply(cotangent, partial), 0.0)


@cache
def spelling(primitive: Primitive) -> Callable[..., Any]:
    """The NumPy spelling of `primitive` as a function of its arrays."""
    count = max(1, primitive.sequences) if isinstance(primitive, Reduction) else primitive.arity
    names = [f"x{i}" for i in range(count or 0)]
    text = f"lambda {', '.join(names)}: {primitive.array.format(*names)}"
    # The text is a row of the op table, written in this package; nothing of a user's is evaluated.
    function: Callable[..., Any] = eval(text, {"np": np, "math": math})
    return function


interpret(np.ndarray, _Arrays())
