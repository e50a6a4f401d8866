"""The eager engine: the loss of a batch on Values, and a step down its gradient."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import Value, no_grad
from nn.module import Module
from nn.train.engines.mode import in_mode
from nn.train.engines.prediction import eager_outputs

Array = npt.NDArray[Any]
Loss = Callable[[Any, Any], Any]
Change = Callable[[Array, Array], None]
"""Changes the flat parameters, its first argument, by their gradient, its second."""


class Eager:
    """Training on Values: one graph a batch."""

    def __init__(
        self, model: Module, loss: Loss, x: Array, y: Array, parameters: list[Value]
    ) -> None:
        self.model, self.criterion, self.parameters = model, loss, parameters
        self.x, self.y = x, y
        self._root = Value(0.0)

    @property
    def name(self) -> str:
        """What `fit` calls this engine."""
        return type(self).__name__.lower()

    @property
    def theta(self) -> Array:
        """The flat parameters, a copy."""
        return np.array([parameter.data for parameter in self.parameters])

    @theta.setter
    def theta(self, theta: Array) -> None:
        for parameter, data in zip(self.parameters, theta.tolist(), strict=True):
            parameter.data = data

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of some examples, which the next step goes down."""
        rows, targets = self._lists
        self._root = self.root([_own(rows[i]) for i in batch], [_own(targets[i]) for i in batch])
        return self._root.data

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        for parameter in self.parameters:
            parameter.grad = 0.0
        self._root.backward()
        theta, gradient = self.theta, np.array([parameter.grad for parameter in self.parameters])
        change(theta, gradient)
        self.theta = theta

    def evaluate(self, x: Array, y: Array) -> float:
        """The loss of other examples, in evaluation mode; no graph is recorded."""
        with in_mode(self.model, training=False), no_grad():
            return self.root(x.tolist(), y.tolist()).data

    def predictions(self, x: Array) -> Array:
        """The outputs of the model in evaluation mode, a row an example."""
        with in_mode(self.model, training=False):
            return eager_outputs(self.model, x)

    def give(self) -> None:
        """Give the Values what was learned: they have it."""

    def take(self) -> None:
        """Take the parameters from the Values, which may have been changed: they are there."""

    def check(self) -> None:
        """Nothing has been compiled that could differ."""

    def go_on_as(self, name: str) -> None:
        """Become the engine of a checkpoint if that can be chosen: it cannot."""

    def root(self, rows: list[Any], targets: list[Any]) -> Value:
        """The loss of examples as a Value."""
        return self.of([self.model(row) for row in rows], targets)

    def of(self, predictions: list[Any], targets: list[Any]) -> Value:
        """The loss of predictions as a Value."""
        root = self.criterion(predictions, targets)
        if isinstance(root, float) and not _is_recording():
            return Value(root)  # derivatives inside a model are numbers there
        if not isinstance(root, Value):
            raise TypeError(f"fit: the loss must return a Value, got {type(root).__name__}")
        return root

    @cached_property
    def _lists(self) -> tuple[list[Any], list[Any]]:
        return self.x.tolist(), self.y.tolist()


def _own(row: Any) -> Any:
    """A row that a model may change: nested lists anew, numbers as they are."""
    return list(map(_own, row)) if isinstance(row, list) else row


def _is_recording() -> bool:
    """Whether ops record a graph here: not inside `no_grad`."""
    return (Value(0.0) + 0.0).op is not None
