"""Metrics, numbers that people read: accuracy, R², the confusion matrix."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

D = TypeVar("D", bound=np.generic)
Metric = Callable[[npt.NDArray[np.float64], npt.NDArray[Any]], float]
"""A function of predictions and targets, one row per example."""


def accuracy(predictions: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """The share of examples whose class is predicted.

    Predictions of shape (n, classes) vote for their largest column; the targets are then
    classes, (n,), or one-hot rows. Predictions of shape (n,) or (n, 1) are logits: a positive
    one predicts target 1, any other target 0 or -1.
    """
    predicted, true = _classes(predictions, targets)
    return float(np.mean(predicted == true))


def r2(predictions: npt.ArrayLike, targets: npt.ArrayLike) -> float:
    """1 - (squared error) / (squared error of predicting the mean): 1 is perfect.

    For several outputs, the mean over them. For constant targets, as in scikit-learn, 1 if the
    prediction is exact, otherwise 0.
    """
    p, t = _flat(np.asarray(predictions, dtype=float)), _flat(np.asarray(targets, dtype=float))
    if p.shape != t.shape or not p.size:
        raise ValueError(f"predictions of shape {p.shape} for targets of shape {t.shape}")
    p, t = p.reshape(len(p), -1), t.reshape(len(t), -1)
    missed = ((t - p) ** 2).sum(axis=0)
    spread = ((t - t.mean(axis=0)) ** 2).sum(axis=0)
    unexplained = np.where(spread > 0, missed / np.where(spread > 0, spread, 1.0), missed > 0)
    return float(1.0 - unexplained.mean())


def confusion_matrix(
    predictions: npt.ArrayLike, targets: npt.ArrayLike, classes: int | None = None
) -> npt.NDArray[np.int_]:
    """The number of examples of class i that are predicted as class j, at [i, j].

    Takes predictions and targets as `accuracy` does. There are as many classes as predictions
    have columns, or `classes` if that is more.
    """
    predicted, true = _classes(predictions, targets)
    columns = np.shape(predictions)[1] if np.ndim(predictions) == 2 else 2
    count = max(columns, 2, classes or 0)
    counts = np.zeros((count, count), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    return counts


METRICS: dict[str, Metric] = {"accuracy": accuracy, "r2": r2}
"""The metrics that `fit` takes by name."""


def _classes(
    predictions: npt.ArrayLike, targets: npt.ArrayLike
) -> tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]:
    """The predicted and the true class of each example."""
    p, t = _flat(np.asarray(predictions, dtype=float)), _flat(np.asarray(targets))
    if p.ndim not in (1, 2) or not p.size or len(p) != (len(t) if t.ndim else 0):
        raise ValueError(f"predictions of shape {p.shape} for targets of shape {t.shape}")
    if p.ndim == 1:
        if t.shape != p.shape or not (set(np.unique(t)) <= {0, 1} or set(np.unique(t)) <= {-1, 1}):
            raise ValueError(
                "one prediction per example needs targets that are 0 and 1, or -1 and 1"
            )
        return (p > 0).astype(int), (t > 0).astype(int)
    if t.ndim == 2:
        if t.shape != p.shape:
            raise ValueError(f"predictions of shape {p.shape} for targets of shape {t.shape}")
        t = t.argmax(axis=1)
    if t.ndim != 1 or np.any(t != np.round(t)) or t.min() < 0 or t.max() >= p.shape[1]:
        raise ValueError(f"targets must be classes, integers in 0 … {p.shape[1] - 1}")
    return p.argmax(axis=1), t.astype(int)


def _flat(array: npt.NDArray[D]) -> npt.NDArray[D]:
    """Shape (n,) for (n, 1)."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
