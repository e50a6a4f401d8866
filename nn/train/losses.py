"""Losses: how far predictions are from targets, in Values, numbers or traced scalars.

`reduction` says what becomes of the terms: their "mean", their "sum", or "none", the terms
themselves, nested as the predictions are. All raise ValueError for sizes that differ.
"""

from collections.abc import Callable, Iterator
from math import isclose
from typing import Any, Literal

import numpy as np

import autodiff
from autodiff import Value, clip, log, logsumexp, mean, relu, softplus, take, where
from autodiff.checks import within
from nn.layers.functional import log_softmax

Reduction = Literal["mean", "sum", "none"]


def mse(predictions: Any, targets: Any, *, reduction: Reduction = "mean") -> Any:
    """(prediction - target)² over two numbers, sequences or nested sequences.

    A Value if any of them is one, else a float.
    """
    return _each("mse", _squared, predictions, targets, reduction)


def mae(predictions: Any, targets: Any, *, reduction: Reduction = "mean") -> Any:
    """|prediction - target|, as torch.nn.L1Loss."""
    return _each("mae", lambda p, t: abs(p - t), predictions, targets, reduction)


def huber(
    predictions: Any, targets: Any, *, delta: float = 1.0, reduction: Reduction = "mean"
) -> Any:
    """d² / 2 for a difference d of at most `delta`, beyond it the tangent (Huber 1964)."""
    within("huber: delta", delta, above=0.0)

    def term(p: Any, t: Any) -> Any:
        difference = p - t
        near = clip(difference, -delta, delta)
        return near * (difference - 0.5 * near)

    return _each("huber", term, predictions, targets, reduction)


def hinge(scores: Any, targets: Any, *, reduction: Reduction = "mean") -> Any:
    """max(0, 1 - target · score), the loss of a support vector machine; targets are -1 or 1."""

    def term(score: Any, target: Any) -> Any:
        if isinstance(target, int | float) and target not in (-1, 1):
            raise ValueError(f"hinge: a target is -1 or 1, got {target!r}")
        return relu(1.0 - target * score)

    return _each("hinge", term, scores, targets, reduction)


def binary_cross_entropy(logits: Any, targets: Any, *, reduction: Reduction = "mean") -> Any:
    """-t log p - (1 - t) log(1 - p) where p = sigmoid(logit): torch.nn.BCEWithLogitsLoss.

    A target t is the probability of the positive class, 0 … 1.
    """

    def term(logit: Any, target: Any) -> Any:
        _check_probability("binary_cross_entropy", target)
        # Both terms are positive: no digit cancels, however sure the prediction is.
        return target * softplus(-logit) + (1.0 - target) * softplus(logit)

    return _each("binary_cross_entropy", term, logits, targets, reduction)


def cross_entropy(logits: Any, targets: Any, *, reduction: Reduction = "mean") -> Any:
    """-log softmax(logits)[target]: torch.nn.CrossEntropyLoss for class indices.

    One row of logits and one index, or a list of either. Raises TypeError for a target that is
    no integer, IndexError for one that is no class.
    """

    def term(row: list[Any], target: Any) -> Any:
        if target is None or isinstance(target, bool | float | str | list | Value):
            raise TypeError(
                f"cross_entropy: a target is the index of a class, an integer, got {target!r}"
            )
        if isinstance(target, int) and not 0 <= target < len(row):
            raise IndexError(f"cross_entropy: target {target} of {len(row)} classes")
        return logsumexp(row) - take(row, target)

    rows, labels = _tree(logits), _tree(targets)
    if isinstance(labels, list):
        return _rowwise("cross_entropy", term, rows, labels, reduction)
    return _rowwise("cross_entropy", term, [rows], [labels], reduction, is_one=True)


def kl_divergence(logits: Any, targets: Any, *, reduction: Reduction = "mean") -> Any:
    """Σ t (log t - log softmax(logits)): from what is predicted to the probabilities t.

    One row of logits and one of probabilities, or a list of either, of which "mean" is over
    the rows, as "batchmean" of torch.nn.KLDivLoss. Logarithms of probabilities are logits.
    """

    def term(row: list[Any], target: Any) -> Any:
        if not isinstance(target, list) or len(target) != len(row):
            wanted = f"a row of {len(row)} probabilities"
            raise ValueError(f"kl_divergence: a target is {wanted}, got {target!r}")
        for t in target:
            _check_probability("kl_divergence", t)
        if all(isinstance(t, int | float) for t in target):
            total = autodiff.sum([float(t) for t in target])
            if not isclose(total, 1.0, abs_tol=1e-6):
                raise ValueError(f"kl_divergence: the probabilities of a target sum to {total:g}")
        pairs = zip(target, log_softmax(row), strict=True)
        return autodiff.sum([where(t > 0, t * (log(t) - predicted), 0.0) for t, predicted in pairs])

    rows, distributions = _tree(logits), _tree(targets)
    if isinstance(distributions, list) and any(isinstance(t, list) for t in distributions):
        return _rowwise("kl_divergence", term, rows, distributions, reduction)
    return _rowwise("kl_divergence", term, [rows], [distributions], reduction, is_one=True)


def _squared(p: Any, t: Any) -> Any:
    difference = p - t
    return difference * difference


def _check_probability(name: str, target: Any) -> None:
    if isinstance(target, int | float) and not 0 <= target <= 1:
        raise ValueError(f"{name}: a target is a probability, 0 … 1, got {target!r}")


def _each(
    name: str, term: Callable[[Any, Any], Any], predictions: Any, targets: Any, reduction: str
) -> Any:
    """The reduction of `term` over pairs of scalars."""
    _check_reduction(name, reduction)
    tree = _tree(predictions)
    ps, ts = list(_scalars(name, tree)), list(_scalars(name, _tree(targets)))
    if len(ps) != len(ts):
        raise ValueError(f"{name} of {len(ps)} predictions and {len(ts)} targets")
    terms = [term(p, t) for p, t in zip(ps, ts, strict=True)]
    return _nested(tree, iter(terms)) if reduction == "none" else _reduced(name, terms, reduction)


def _rowwise(
    name: str,
    term: Callable[[list[Any], Any], Any],
    rows: Any,
    targets: list[Any],
    reduction: str,
    *,
    is_one: bool = False,
) -> Any:
    """The reduction of `term` over pairs of a row of logits and its target."""
    _check_reduction(name, reduction)
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise TypeError(
            f"{name} takes a row of logits for each target; for a single logit there is "
            "binary_cross_entropy"
        )
    if len(rows) != len(targets):
        raise ValueError(f"{name} of {len(rows)} rows of logits and {len(targets)} targets")
    for row in rows:
        if not row or any(isinstance(x, list | str) or x is None for x in row):
            raise ValueError(f"{name}: a row of logits is a list of numbers, got {row!r}")
    terms = [term(row, target) for row, target in zip(rows, targets, strict=True)]
    if reduction == "none":
        return terms[0] if is_one else terms
    return _reduced(name, terms, reduction)


def _check_reduction(name: str, reduction: str) -> None:
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{name}: reduction is 'mean', 'sum' or 'none', got {reduction!r}")


def _reduced(name: str, terms: list[Any], reduction: str) -> Any:
    if not terms:
        raise ValueError(f"{name} of no predictions")
    return mean(terms) if reduction == "mean" else autodiff.sum(terms)


def _tree(x: Any) -> Any:
    """Nested sequences as nested lists, NumPy's numbers as Python's."""
    if isinstance(x, np.ndarray | np.generic):
        return x.tolist()  # Python floats overflow to inf without a warning
    if isinstance(x, str | bytes) or not hasattr(x, "__iter__"):
        return x
    return [_tree(branch) for branch in x]


def _scalars(name: str, tree: Any) -> Iterator[Any]:
    if isinstance(tree, list):
        for branch in tree:
            yield from _scalars(name, branch)
    elif isinstance(tree, str | bytes) or tree is None:
        raise TypeError(f"{name} of numbers, got {tree!r}")
    else:
        yield tree


def _nested(tree: Any, terms: Iterator[Any]) -> Any:
    """`terms` in the places of the scalars of `tree`."""
    return [_nested(branch, terms) for branch in tree] if isinstance(tree, list) else next(terms)
