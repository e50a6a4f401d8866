"""Ops on NumPy arrays: the row's NumPy spelling, evaluated.

Importing this module registers the interpreter. Floating-point warnings are off: inf and nan
are results. On an array of objects (Values, say) the op runs one object at a time.
"""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cache

import numpy as np
import numpy.typing as npt

from autodiff.checks import number
from autodiff.rows.interpreter import interpret
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction
from autodiff.rows.special import erf, erfc, sigmoid, softplus

Array = npt.NDArray[np.generic]

CUSTOM: dict[str, Callable[..., Array] | None] = {}
"""The functions that the array forms of custom ops call, by the name of the op."""
SPECIAL: dict[str, Callable[..., Array]] = {
    "erf": erf,
    "erfc": erfc,
    "sigmoid": sigmoid,
    "softplus": softplus,
}
"""Functions of an array that NumPy does not have, or has slowly; they take `out` as its own do."""
NAMES: dict[str, object] = {"np": np, "math": math, "custom": CUSTOM, **SPECIAL}
"""Every name that a spelling may use."""


class _Arrays:
    rank = 2

    hands_over = False

    def apply(self, primitive: Primitive, operands: tuple[object, ...]) -> Array | object:
        arrays = [_operand(x) for x in operands]
        kinds = [_real(x, primitive.name).dtype.kind for x in arrays if not isinstance(x, float)]
        if "O" in kinds:
            return _map(primitive, arrays)
        floats = [x if _is_condition(primitive, i) else _floating(x) for i, x in enumerate(arrays)]
        numeric = [x for i, x in enumerate(floats) if not _is_condition(primitive, i)]
        dtype = np.result_type(*numeric)
        if isinstance(primitive, Reduction):
            stacked = np.stack(np.broadcast_arrays(*floats))
            floats = np.split(stacked, max(1, primitive.sequences))
        with self.quiet():
            return np.asarray(spelling(primitive)(*floats), dtype=dtype)

    def quiet(self) -> AbstractContextManager[None]:
        return np.errstate(all="ignore")

    def fit(self, cotangent: npt.ArrayLike, operand: npt.ArrayLike) -> Array | np.generic:
        """`cotangent` in the shape and floating dtype of `operand`: broadcast axes are summed."""
        is_array = isinstance(operand, np.ndarray)
        cotangent, operand = _real(np.asarray(cotangent)), np.asarray(operand)
        extra = cotangent.ndim - operand.ndim
        broadcast = tuple(range(extra)) + tuple(
            axis + extra
            for axis, size in enumerate(operand.shape)
            if size == 1 and cotangent.shape[axis + extra] != 1
        )
        kind = object if "O" in (cotangent.dtype.kind, operand.dtype.kind) else float
        if broadcast:
            cotangent = np.asarray(cotangent.sum(axis=broadcast), kind).reshape(operand.shape)
        fitted = cotangent.astype(
            operand.dtype if operand.dtype.kind == "f" and kind is float else kind
        )
        return fitted if fitted.ndim or is_array else fitted[()]

    def select(self, cotangent: npt.ArrayLike, partial: npt.ArrayLike) -> Array:
        return np.where(np.not_equal(partial, 0), np.multiply(cotangent, partial), 0.0)


def _real(array: Array, name: str = "") -> Array:
    """`array` itself; TypeError if its elements are neither real numbers nor objects."""
    if array.dtype.kind not in "fiubO":
        raise TypeError(f"{name}{': ' * bool(name)}expected real numbers, got {array.dtype}")
    return array


def _operand(x: object) -> Array | float:
    """`x` as an array or a float; a float does not change the precision of arrays beside it."""
    if isinstance(x, np.ndarray):
        return x
    try:
        return number(x)
    except TypeError:
        return np.asarray(x)


def _is_condition(primitive: Primitive, i: int) -> bool:
    """True if operand `i` only chooses; then it keeps its kind."""
    return not isinstance(primitive, Reduction) and primitive.partials[i] is None


def _floating(x: Array | float) -> Array | float:
    """`x` in floating point: integers would wrap around."""
    return x if isinstance(x, float) or x.dtype.kind == "f" else x.astype(float)


def _map(primitive: Primitive, arrays: Sequence[Array | float]) -> object:
    """The op on arrays of objects, one object at a time."""
    broadcast = np.broadcast_arrays(*[np.asarray(array, dtype=object) for array in arrays])
    out = np.empty(broadcast[0].shape, dtype=object)
    for place in np.ndindex(out.shape):
        out[place] = primitive.apply(tuple([array[place] for array in broadcast]))
    return out if out.ndim else out[()]


@cache
def spelling(primitive: Primitive) -> Callable[..., Array]:
    """The NumPy spelling of `primitive` as a function of its arrays."""
    count = max(1, primitive.sequences) if isinstance(primitive, Reduction) else primitive.arity
    names = [f"x{i}" for i in range(count or 0)]
    text = f"lambda {', '.join(names)}: {primitive.array.format(*names)}"
    # The text is from a row: ours, or a user's, given to `custom_op`.
    function: Callable[..., Array] = eval(text, dict(NAMES))
    return function


interpret(np.ndarray, _Arrays())
