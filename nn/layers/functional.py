"""Functions of vectors, over the last axis of nested lists: `softmax` and its logarithm."""

from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff
from autodiff import exp, log, maximum, no_grad


def softmax(xs: Any) -> list[Any]:
    """e^x / Σ e^x over the numbers in `xs`; of rows, for each. No exponential overflows."""

    def shares(row: list[Any]) -> list[Any]:
        exponentials = [exp(x) for x in _below_the_largest(row)]
        total = autodiff.sum(exponentials)
        return [e / total for e in exponentials]

    return rowwise("softmax", xs, shares)


def log_softmax(xs: Any) -> list[Any]:
    """x - log Σ e^x over the numbers in `xs`; of rows, for each."""

    def logarithms(row: list[Any]) -> list[Any]:
        below = _below_the_largest(row)
        total = log(autodiff.sum([exp(x) for x in below]))
        return [x - total for x in below]

    return rowwise("log_softmax", xs, logarithms)


def _below_the_largest(row: list[Any]) -> list[Any]:
    """x - max for each x, the maximum a constant: it changes no share, and so no slope."""
    with no_grad():
        top = maximum(row)
    return [x - top for x in row]


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
