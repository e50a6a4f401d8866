"""Functions of vectors, over the last axis of nested lists: `softmax` and its logarithm."""

import autodiff
from autodiff import exp, log, maximum, no_grad
from nn.layers.vectors import Scalar, vectorwise


@vectorwise
def softmax(xs: list[Scalar]) -> list[Scalar]:
    """e^x / Σ e^x over the numbers in `xs`, for each row; no exponential overflows."""
    exponentials = [exp(x) for x in _below_the_largest(xs)]
    total = autodiff.sum(exponentials)
    return [e / total for e in exponentials]


@vectorwise
def log_softmax(xs: list[Scalar]) -> list[Scalar]:
    """x - log Σ e^x over the numbers in `xs`, for each row."""
    below = _below_the_largest(xs)
    total = log(autodiff.sum([exp(x) for x in below]))
    return [x - total for x in below]


def _below_the_largest(row: list[Scalar]) -> list[Scalar]:
    """x - max for each x, with a constant maximum: it changes no share, and so no slope."""
    with no_grad():
        top = maximum(row)
    return [x - top for x in row]
