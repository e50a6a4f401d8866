"""`compile`: scalar code → array program → its adjoint → NumPy source."""

from collections.abc import Callable
from typing import Any

from autodiff.compiler.kernel import Kernel
from autodiff.compiler.trace import TraceError

__all__ = ["Kernel", "TraceError", "compile"]


def compile(f: Callable[..., Any], *, batched: bool = True, dtype: Any = float) -> Kernel:
    """The scalar function `f` as array code, mapped over a leading batch axis of its arguments.

    `f` is called once for each structure of arguments, with tracers for the numbers: a number
    for an argument of shape (B,), an array of numbers for (B, n). Python ints, strings, bools
    and None are static; arrays of integers trace as indices for `take`, which count from 0 and not
    from the end (IndexError). Leaf Values that `f`
    reaches are parameters, read at every call. With `batched=False` the arguments are those of
    `f` itself. Arrays are of type `dtype`.

    Calls raise TraceError, with the user's file and line, where `f` does what depends on the
    data: a branch, float(), .data, math functions.
    """
    return Kernel(f, batched=batched, dtype=dtype)
