"""`Measuring`: what `fit` records of an epoch beside its loss."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from autodiff.checks import brief
from nn.data.inputs import Rows
from nn.metrics import METRICS, Metric
from nn.train.arrays import Floats
from nn.train.loop.batches import Examples, Pair


class Holder(Protocol):
    """Holds parameters while training lasts."""

    def give(self) -> None:
        """Write what was learned into the Values."""

    def take(self) -> None:
        """Read the parameters from the Values, which may have been changed."""


class Evaluator(Holder, Protocol):
    """Computes losses and outputs in evaluation mode."""

    def evaluate(self, x: Rows, y: Rows) -> float:
        """The loss of examples."""

    def predictions(self, x: Rows) -> Floats:
        """The outputs of the model, one row per example."""


@contextmanager
def lent(holder: Holder) -> Iterator[None]:
    """A context in which the user's own code may read and change the parameters."""
    holder.give()
    try:
        yield
    finally:
        holder.take()


@dataclass(frozen=True)
class Measuring:
    """The metrics of an epoch on training examples, and loss and metrics on those held out."""

    engine: Evaluator
    examples: Examples
    metrics: Mapping[str, Metric]

    def __call__(self) -> dict[str, float]:
        """The figures with the parameters of now."""
        figures = self._measured("", self.examples.train)
        held_out = self.examples.validation
        if held_out is not None:
            figures["validation_loss"] = self.engine.evaluate(*held_out)
            figures |= self._measured("validation_", held_out)
        return figures

    def _measured(self, prefix: str, pair: Pair) -> dict[str, float]:
        if not self.metrics:
            return {}
        predictions = self.engine.predictions(pair.x)
        return {
            prefix + name: float(self._value(metric, predictions, pair.y))
            for name, metric in self.metrics.items()
        }

    def _value(self, metric: Metric, predictions: Floats, targets: Rows) -> float:
        if metric in METRICS.values():
            return metric(predictions, targets)
        with lent(self.engine):
            return metric(predictions, targets)


def metrics_of(metrics: Collection[str | Metric]) -> dict[str, Metric]:
    """Metrics by the names of their columns."""
    if isinstance(metrics, str):
        raise TypeError(f"fit: metrics must be a list, as [{metrics!r}]")
    if not isinstance(metrics, Collection):
        raise TypeError(f"fit: metrics must be a list of names and functions, got {brief(metrics)}")
    named: dict[str, Metric] = {}
    for metric in metrics:
        if isinstance(metric, str):
            if metric not in METRICS:
                raise ValueError(f"fit: no metric {metric!r}; there are {', '.join(METRICS)}")
            named[metric] = METRICS[metric]
        elif callable(metric) and not isinstance(metric, type):
            named[getattr(metric, "__name__", type(metric).__name__)] = metric
        else:
            raise TypeError(
                "fit: a metric must be a name or a function of predictions and targets, got "
                + brief(metric)
            )
    if len(named) < len(metrics) or "loss" in named or "lr" in named:
        raise ValueError("fit: two metrics have one name, or one is named loss or lr")
    return named
