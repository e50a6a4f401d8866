"""`compile`: scalar code → array program → its adjoint → NumPy source.

Read `build` first: it is the whole pipeline, one pass per line, over the rooms `scalars`, `arrays`
and `numpy`. A call goes from `kernel` by `dispatch`, which finds the `specialization` for its
`arguments`, to the function that was built; `results` are what it returns. `fallback` computes on
Values (`eager`) where an array program must not be trusted. `comparison` is `Kernel.check`,
`explanation` is `explain`, and `algebra` has the identities of ops.
"""

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from autodiff.compiler.kernel import Kernel
from autodiff.compiler.scalars.tracer import TraceError
from autodiff.engine.value import Value

__all__ = ["Kernel", "TraceError", "compile"]


Array = npt.NDArray[np.float64]


@overload
def compile(
    f: Callable[..., Value], *, batched: Literal[True] = ..., dtype: npt.DTypeLike = ...
) -> Kernel[Array]: ...
@overload
def compile(
    f: Callable[..., list[Value]], *, batched: Literal[True] = ..., dtype: npt.DTypeLike = ...
) -> Kernel[list[Array]]: ...
@overload
def compile(
    f: Callable[..., Value], *, batched: Literal[False], dtype: npt.DTypeLike = ...
) -> Kernel[np.float64]: ...
@overload
def compile(
    f: Callable[..., object], *, batched: bool = ..., dtype: npt.DTypeLike = ...
) -> Kernel[Any]: ...
def compile(
    f: Callable[..., object], *, batched: bool = True, dtype: npt.DTypeLike = float
) -> Kernel[Any]:
    """The scalar function `f` as array code, mapped over a leading batch axis of its arguments.

    `f` is called once for each structure of arguments, with tracers for the numbers: a number
    for an argument of shape (B,), an array of numbers for an array (B, n), a list of numbers for
    a list of B lists. Tuples, named tuples and dicts hold arguments, and arrive as themselves; so
    does the result come back, with an array of shape (B,) for each number in it. A Value as an
    argument counts as its number, the same in every example. With `batched=False` the arguments
    are those of `f` itself. Arrays are of type `dtype`. Arrays of integers trace as numbers, or
    as indices for `take`, which count from 0 and not from the end (IndexError); arrays of bools
    as conditions.

    Read again at every call: the data of the leaf Values that `f` reaches, which are the
    parameters. Values with a graph, made before, are computed again from their leaves. Frozen
    for each structure: Python ints, strings, bools, None and functions among the arguments,
    which are part of that structure, and everything else that `f` reads or decides by: numbers,
    lists, attributes, random numbers. Values that `f` makes itself are constants.

    Calls raise TraceError, with the user's file and line, where `f` does what depends on the
    data: a branch, float(), math functions, or where a number of a Value would leave it: `data`,
    `grad`, round(), f-strings, copies.
    """
    return Kernel(f, batched=batched, dtype=dtype)
