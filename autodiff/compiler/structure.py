"""Arguments and results as trees: lists, tuples and dicts of arrays."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff.interpreter import show
from autodiff.value import Value


def is_static(arg: Any) -> bool:
    """Whether an argument is part of the program instead of its data."""
    return isinstance(arg, bool | str | int | Value) or arg is None or callable(arg)


def is_branching(arg: Any) -> bool:
    """Whether a list holds arguments of their own; else it is an array of numbers."""
    return isinstance(arg, list) and any(isinstance(x, np.ndarray | dict | tuple) for x in arg)


def describe(arg: Any, arrays: list[Any], is_batched: bool) -> Any:
    """The structure of an argument, hashable; its arrays are appended to `arrays`."""
    if isinstance(arg, dict):
        items = [(key, describe(item, arrays, is_batched)) for key, item in arg.items()]
        return "dict", tuple(items)
    if isinstance(arg, tuple) or is_branching(arg):
        kind = "tuple" if isinstance(arg, tuple) else "list"
        return kind, tuple([describe(item, arrays, is_batched) for item in arg])
    if is_static(arg):
        return "static", type(arg), arg
    array = np.asarray(arg)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"compile: an argument holds no real numbers: {show(arg)}")
    if is_batched and array.ndim == 0:
        raise ValueError(
            f"compile: an argument has no batch axis: {show(arg)}; give an array, or compile "
            "with batched=False"
        )
    arrays.append(array)
    return "array", array.shape[1:] if is_batched else array.shape, array.dtype.kind != "f"


def filled(arg: Any, arrays: Iterator[Any]) -> Any:
    """The structure of an argument with the next of `arrays` for each of its arrays."""
    if isinstance(arg, dict):
        return {key: filled(item, arrays) for key, item in arg.items()}
    if isinstance(arg, tuple):
        return tuple([filled(item, arrays) for item in arg])
    if is_branching(arg):
        return [filled(item, arrays) for item in arg]
    return arg if is_static(arg) else next(arrays)


def flattened(result: Any) -> list[Any]:
    """The scalars of a result."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, np.ndarray) and result.ndim:
        result = list(result)
    if isinstance(result, list | tuple):
        return [x for item in result for x in flattened(item)]
    return [result]


def restored(result: Any, values: Iterator[Any]) -> Any:
    """The structure of a result with the next of `values` for each of its scalars."""
    if isinstance(result, dict):
        return {key: restored(item, values) for key, item in result.items()}
    if isinstance(result, np.ndarray) and result.ndim:
        result = list(result)
    if isinstance(result, list | tuple):
        items = [restored(item, values) for item in result]
        return tuple(items) if isinstance(result, tuple) else items
    return next(values)
