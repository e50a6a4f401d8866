"""Functions of vectors, over the last axis of nested lists: `softmax` and its logarithm."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import exp, logsumexp


def softmax(xs: Any) -> list[Any]:
    """e^x / Σ e^x over the numbers in `xs`; of rows, for each. No exponential overflows."""
    return rowwise("softmax", xs, lambda row: [exp(x) for x in log_softmax(row)])


def log_softmax(xs: Any) -> list[Any]:
    """x - log Σ e^x over the numbers in `xs`; of rows, for each."""

    def shifted(row: list[Any]) -> list[Any]:
        total = logsumexp(row)
        return [x - total for x in row]

    return rowwise("log_softmax", xs, shifted)


def rowwise(name: str, xs: Any, f: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """`f` of `xs`, or of each vector in nested sequences.

    Raises TypeError for what is no sequence and ValueError for one without numbers, as `name`.
    """
    if isinstance(xs, np.ndarray):
        xs = xs.tolist()
    if not hasattr(xs, "__len__") or isinstance(xs, str):
        raise TypeError(
            f"{name} takes a sequence of numbers, got {type(xs).__name__}; "
            "a single number x is the sequence [x]"
        )
    if not len(xs):
        raise ValueError(f"{name} of no numbers")
    return [rowwise(name, x, f) for x in xs] if hasattr(xs[0], "__len__") else f(list(xs))


def elementwise(x: Any, f: Callable[[Any], Any]) -> Any:
    """`f` of a number, or of each number in nested sequences, which become lists."""
    if isinstance(x, np.ndarray):
        x = x.tolist()
    return [elementwise(item, f) for item in x] if hasattr(x, "__len__") else f(x)
