"""Losses: how far predictions are from targets, in Values, numbers or traced scalars.

`reduction` says what becomes of the terms: their "mean", their "sum", or "none" for the terms
themselves, nested as the predictions are. All raise ValueError for sizes that differ.
"""

from __future__ import annotations

from math import isclose
from typing import Literal, cast, overload

import autodiff
from autodiff import Value, clip, log, logsumexp, relu, softplus, take, where
from autodiff.checks import within
from nn.layers.functional import log_softmax
from nn.layers.vectors import Nested, Scalar
from nn.train.reductions import (
    Given,
    Numbers,
    Reduction,
    Row,
    Total,
    as_lists,
    elementwise,
    of_logits,
    of_predictions,
    of_scores,
    rowwise,
)


@of_predictions
def mse(predictions: Nested, targets: Nested, *, reduction: Reduction = "mean") -> Nested:
    """(prediction - target)² over two numbers, sequences or nested sequences.

    A Value if any of them is one, else a float.
    """

    def term(p: Scalar, t: Scalar) -> Scalar:
        difference: Scalar = p - t
        return difference * difference

    return elementwise("mse", term, predictions, targets, reduction)


@of_predictions
def mae(predictions: Nested, targets: Nested, *, reduction: Reduction = "mean") -> Nested:
    """|prediction - target|, as torch.nn.L1Loss."""

    def term(p: Scalar, t: Scalar) -> Scalar:
        return cast(Scalar, abs(p - t))

    return elementwise("mae", term, predictions, targets, reduction)


@overload
def huber(  # type: ignore[overload-overlap]
    predictions: Numbers, targets: Numbers, *, delta: float = 1.0, reduction: Total = "mean"
) -> float: ...
@overload
def huber(
    predictions: Nested, targets: Nested, *, delta: float = 1.0, reduction: Total = "mean"
) -> Value: ...
@overload
def huber(
    predictions: Nested, targets: Nested, *, delta: float = 1.0, reduction: Literal["none"]
) -> Nested: ...
def huber(
    predictions: Given, targets: Given, *, delta: float = 1.0, reduction: Reduction = "mean"
) -> Nested:
    """d² / 2 for a difference d of at most `delta`, beyond it the tangent (Huber 1964)."""
    within("huber: delta", delta, above=0.0)

    def term(p: Scalar, t: Scalar) -> Scalar:
        difference: Scalar = p - t
        near: Scalar = clip(difference, -delta, delta)
        return near * (difference - 0.5 * near)

    return elementwise("huber", term, predictions, targets, reduction)


@of_scores
def hinge(scores: Nested, targets: Nested, *, reduction: Reduction = "mean") -> Nested:
    """max(0, 1 - target · score), the loss of a support vector machine; targets are -1 or 1."""

    def term(score: Scalar, target: Scalar) -> Scalar:
        if isinstance(target, int | float) and target not in (-1, 1):
            raise ValueError(f"hinge: target must be -1 or 1, got {target!r}")
        loss: Scalar = relu(1.0 - target * score)
        return loss

    return elementwise("hinge", term, scores, targets, reduction)


@of_logits
def binary_cross_entropy(
    logits: Nested, targets: Nested, *, reduction: Reduction = "mean"
) -> Nested:
    """-t log p - (1 - t) log(1 - p) where p = sigmoid(logit): torch.nn.BCEWithLogitsLoss.

    A target t is the probability of the positive class, 0 … 1.
    """

    def term(logit: Scalar, target: Scalar) -> Scalar:
        _check_probability("binary_cross_entropy", target)
        # Both terms are positive: no digit cancels, however sure the prediction is.
        loss: Scalar = target * softplus(-logit) + (1.0 - target) * softplus(logit)
        return loss

    return elementwise("binary_cross_entropy", term, logits, targets, reduction)


@of_logits
def cross_entropy(logits: Nested, targets: Nested, *, reduction: Reduction = "mean") -> Nested:
    """-log softmax(logits)[target]: torch.nn.CrossEntropyLoss for class indices.

    One row of logits and one index, or a list of either. Raises TypeError for a target that is
    not an integer, IndexError for one that is not the index of a class.
    """

    def term(row: Row, target: Nested) -> Scalar:
        if target is None or isinstance(target, bool | float | str | list | Value):
            raise TypeError(f"cross_entropy: target must be an integer class index, got {target!r}")
        if isinstance(target, int) and not 0 <= target < len(row):
            raise IndexError(
                f"cross_entropy: target must be a class index in 0 … {len(row) - 1}, got {target}"
            )
        loss: Scalar = logsumexp(row) - take(row, cast(int, target))  # an int, or traced
        return loss

    rows, labels = as_lists(logits), as_lists(targets)
    if isinstance(labels, list):
        return rowwise("cross_entropy", term, rows, labels, reduction)
    return rowwise("cross_entropy", term, [rows], [labels], reduction, is_one=True)


@of_logits
def kl_divergence(logits: Nested, targets: Nested, *, reduction: Reduction = "mean") -> Nested:
    """Σ t (log t - log softmax(logits)): from the prediction to the probabilities t.

    One row of logits and one of probabilities, or a list of either; "mean" is then over the
    rows, as "batchmean" of torch.nn.KLDivLoss. Logarithms of probabilities are logits.
    """

    def term(row: Row, target: Nested) -> Scalar:
        if not isinstance(target, list) or len(target) != len(row):
            wanted = f"a row of {len(row)} probabilities"
            raise ValueError(f"kl_divergence: target must be {wanted}, got {target!r}")
        for t in target:
            _check_probability("kl_divergence", t)
        if all(isinstance(t, int | float) for t in target):
            total = autodiff.sum([float(t) for t in target])
            if not isclose(total, 1.0, abs_tol=1e-6):
                raise ValueError(
                    f"kl_divergence: the probabilities of a target must sum to 1, got {total:g}"
                )
        pairs = zip(target, log_softmax(row), strict=True)
        terms = [where(t > 0, t * (log(t) - predicted), 0.0) for t, predicted in pairs]
        divergence: Scalar = autodiff.sum(terms)
        return divergence

    rows, distributions = as_lists(logits), as_lists(targets)
    if isinstance(distributions, list) and any(isinstance(t, list) for t in distributions):
        return rowwise("kl_divergence", term, rows, distributions, reduction)
    return rowwise("kl_divergence", term, [rows], [distributions], reduction, is_one=True)


def _check_probability(name: str, target: Nested) -> None:
    if isinstance(target, int | float) and not 0 <= target <= 1:
        raise ValueError(f"{name}: target must be a probability, 0 … 1, got {target!r}")
