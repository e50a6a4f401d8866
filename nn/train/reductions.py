"""How a loss is made of terms: from nested predictions and targets to their mean or sum."""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, Protocol, TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, mean
from autodiff.checks import one_of
from autodiff.pytree import filled
from nn.layers.vectors import Nested, Scalar

Numbers: TypeAlias = float | Iterable["Numbers"] | npt.NDArray[np.number | np.bool_]
"""A number, or numbers in nested sequences, none of them a Value."""
Given: TypeAlias = Nested | Numbers
Reduction: TypeAlias = Literal["mean", "sum", "none"]
Total: TypeAlias = Literal["mean", "sum"]
Row: TypeAlias = list[Scalar]


class PredictionLoss(Protocol):
    """A loss of predictions: a Value if any number is one, else a float."""

    @overload  # numbers are nested numbers, but give a float
    def __call__(  # type: ignore[overload-overlap]
        self, predictions: Numbers, targets: Numbers, *, reduction: Total = "mean"
    ) -> float: ...
    @overload
    def __call__(
        self, predictions: Nested, targets: Nested, *, reduction: Total = "mean"
    ) -> Value: ...
    @overload
    def __call__(
        self, predictions: Nested, targets: Nested, *, reduction: Literal["none"]
    ) -> Nested: ...


class ScoreLoss(Protocol):
    """A loss of scores: a Value if any number is one, else a float."""

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, scores: Numbers, targets: Numbers, *, reduction: Total = "mean"
    ) -> float: ...
    @overload
    def __call__(self, scores: Nested, targets: Nested, *, reduction: Total = "mean") -> Value: ...
    @overload
    def __call__(
        self, scores: Nested, targets: Nested, *, reduction: Literal["none"]
    ) -> Nested: ...


class LogitLoss(Protocol):
    """A loss of logits: a Value if any number is one, else a float."""

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, logits: Numbers, targets: Numbers, *, reduction: Total = "mean"
    ) -> float: ...
    @overload
    def __call__(self, logits: Nested, targets: Nested, *, reduction: Total = "mean") -> Value: ...
    @overload
    def __call__(
        self, logits: Nested, targets: Nested, *, reduction: Literal["none"]
    ) -> Nested: ...


def of_predictions(loss: Callable[..., Nested]) -> PredictionLoss:
    """`loss` itself, with its types."""
    return cast(PredictionLoss, loss)


def of_scores(loss: Callable[..., Nested]) -> ScoreLoss:
    """`loss` itself, with its types."""
    return cast(ScoreLoss, loss)


def of_logits(loss: Callable[..., Nested]) -> LogitLoss:
    """`loss` itself, with its types."""
    return cast(LogitLoss, loss)


def elementwise(
    name: str,
    term: Callable[[Scalar, Scalar], Scalar],
    predictions: Given,
    targets: Given,
    reduction: Reduction,
) -> Nested:
    """The reduction of `term` over pairs of numbers."""
    _check_reduction(name, reduction)
    tree = as_lists(predictions)
    ps, ts = list(_numbers(name, tree)), list(_numbers(name, as_lists(targets)))
    if len(ps) != len(ts):
        raise ValueError(f"{name} of {len(ps)} predictions and {len(ts)} targets")
    terms = [term(p, t) for p, t in zip(ps, ts, strict=True)]
    if reduction == "none":
        return cast(Nested, filled(tree, iter(terms)))
    return _reduced(name, terms, reduction)


def rowwise(
    name: str,
    term: Callable[[Row, Nested], Scalar],
    rows: Nested,
    targets: list[Nested],
    reduction: Reduction,
    *,
    is_one: bool = False,
) -> Nested:
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
            raise ValueError(f"{name}: a row of logits must be a list of numbers, got {row!r}")
    terms = [term(row, target) for row, target in zip(rows, targets, strict=True)]
    if reduction == "none":
        return terms[0] if is_one else terms
    return _reduced(name, terms, reduction)


def as_lists(x: Given) -> Nested:
    """Nested sequences as nested lists, NumPy's numbers as Python's."""
    if isinstance(x, np.ndarray | np.generic):
        plain: Nested = x.tolist()  # Python floats overflow to inf without a warning
        return plain
    if isinstance(x, str | bytes) or not hasattr(x, "__iter__"):
        return x
    return [as_lists(item) for item in x]  # type: ignore[union-attr]


def _numbers(name: str, tree: Nested) -> Iterator[Scalar]:
    """The numbers in nested lists, in order."""
    if isinstance(tree, list):
        for branch in tree:
            yield from _numbers(name, branch)
    elif isinstance(tree, str | bytes) or tree is None:
        raise TypeError(f"{name} of numbers, got {tree!r}")
    else:
        yield tree  # type: ignore[misc]  # it has no items


def _check_reduction(name: str, reduction: str) -> None:
    one_of(f"{name}: reduction", reduction, ("mean", "sum", "none"))


def _reduced(name: str, terms: list[Scalar], reduction: Total) -> Scalar:
    if not terms:
        raise ValueError(f"{name} of no predictions")
    total: Scalar = mean(terms) if reduction == "mean" else autodiff.sum(terms)
    return total
