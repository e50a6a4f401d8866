"""Losses: how far predictions are from targets, as one Value."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff import mean


def mse(predictions: Any, targets: Any) -> Any:
    """Mean of (prediction - target)² over two numbers, sequences or nested sequences.

    A Value if any of them is one, else a float. Raises ValueError if their sizes differ.
    """
    ps, ts = list(_scalars(predictions)), list(_scalars(targets))
    if len(ps) != len(ts):
        raise ValueError(f"mse of {len(ps)} predictions and {len(ts)} targets")
    differences = [p - t for p, t in zip(ps, ts, strict=True)]
    return mean([difference * difference for difference in differences])


def _scalars(tree: Any) -> Iterator[Any]:
    if isinstance(tree, np.ndarray):
        tree = tree.tolist()  # Python floats overflow to inf without a warning
    if isinstance(tree, str | bytes):
        raise TypeError(f"mse of numbers, got {tree!r}")
    if hasattr(tree, "__iter__"):
        for branch in tree:
            yield from _scalars(branch)
    else:
        yield tree
