"""Functions of vectors: `softmax` and its logarithm, over the last axis of nested lists."""

from collections.abc import Callable
from typing import Any

import numpy as np

from autodiff import exp, logsumexp


def softmax(xs: Any) -> list[Any]:
    """e^x / Σ e^x over the numbers in `xs`; of rows, for each. No exponential overflows."""
    return _rows("softmax", xs, lambda row: [exp(x) for x in log_softmax(row)])


def log_softmax(xs: Any) -> list[Any]:
    """x - log Σ e^x over the numbers in `xs`; of rows, for each."""

    def shifted(row: list[Any]) -> list[Any]:
        total = logsumexp(row)
        return [x - total for x in row]

    return _rows("log_softmax", xs, shifted)


def _rows(name: str, xs: Any, f: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """`f` of the innermost lists."""
    if isinstance(xs, np.ndarray):
        xs = xs.tolist()
    if isinstance(xs, str) or not hasattr(xs, "__iter__"):
        raise TypeError(f"{name} takes a sequence of numbers, got {type(xs).__name__}")
    row = list(xs)
    if not row:
        raise ValueError(f"{name} of no numbers")
    return [_rows(name, x, f) for x in row] if hasattr(row[0], "__iter__") else f(row)
