"""The eager engine: the loss of a batch on Values, and a step down its gradient."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from autodiff import Value, no_grad, zero_grad
from autodiff.checks import brief
from nn.data.inputs import Rows
from nn.module import Module
from nn.train.arrays import Floats, Listed
from nn.train.engines.prediction import EngineName, eager_outputs
from nn.train.engines.training_mode import in_mode

Loss: TypeAlias = Callable[..., Value | float]
"""Takes a list of predictions and a list of targets; a number only where nothing is recorded."""
Change: TypeAlias = Callable[[Floats, Floats], None]
"""Changes the flat parameters, its first argument, by their gradient, its second."""


class EagerEngine:
    """Training on Values: one graph per batch."""

    name: ClassVar[EngineName] = "eager"
    """What `fit` and checkpoints call this engine."""

    def __init__(
        self, model: Module, loss: Loss, x: Rows, y: Rows, parameters: list[Value]
    ) -> None:
        self.model, self.criterion, self.parameters = model, loss, parameters
        self.x, self.y = x, y
        self._root = Value(0.0)

    @property
    def theta(self) -> Floats:
        """The flat parameters, a copy."""
        return np.array([parameter.data for parameter in self.parameters])

    @theta.setter
    def theta(self, theta: Floats) -> None:
        for parameter, data in zip(self.parameters, theta.tolist(), strict=True):
            parameter.data = data

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of the examples in `batch`, which the next step goes down."""
        rows, targets = self._lists
        self._root = self.root([_own(rows[i]) for i in batch], [_own(targets[i]) for i in batch])
        return self._root.data

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        zero_grad(self.parameters)
        self._root.backward()
        theta, gradient = self.theta, np.array([parameter.grad for parameter in self.parameters])
        change(theta, gradient)
        self.theta = theta

    def evaluate(self, x: Rows, y: Rows) -> float:
        """The loss of other examples, in evaluation mode; no graph is recorded."""
        with in_mode(self.model, training=False), no_grad():
            return self.root(x.tolist(), y.tolist()).data

    def predictions(self, x: Rows) -> Floats:
        """The outputs of the model in evaluation mode, one row per example."""
        with in_mode(self.model, training=False):
            return eager_outputs(self.model, x)

    def give(self) -> None:
        """Write what was learned into the Values: nothing to do, it is there."""

    def take(self) -> None:
        """Read the parameters from the Values: nothing to do, no copy is kept."""

    def check(self) -> None:
        """Compare kernels with this engine: there are none."""

    def resume_as(self, name: EngineName) -> None:
        """Become the engine of a checkpoint, where the choice is open: it is not."""

    def root(self, rows: Sequence[Listed], targets: Sequence[Listed]) -> Value:
        """The loss of examples as a Value."""
        return self.of([self.model(row) for row in rows], targets)

    def of(self, predictions: Sequence[object], targets: Sequence[Listed]) -> Value:
        """The loss of predictions as a Value."""
        try:
            root = self.criterion(predictions, targets)
        except TypeError as error:
            error.add_note(
                "fit: loss is given a list of predictions and a list of targets; a mean over "
                "zip(predictions, targets), say, is a loss"
            )
            raise
        if isinstance(root, float) and not _is_recording():
            return Value(root)  # derivatives inside a model are numbers there
        if not isinstance(root, Value):
            raise TypeError(f"fit: the loss must return a Value, got {type(root).__name__}")
        return root

    @cached_property
    def _lists(self) -> tuple[list[Listed], list[Listed]]:
        return self.x.tolist(), self.y.tolist()


def check_loss(loss: Loss) -> None:
    """Raise TypeError for what cannot be a loss."""
    if isinstance(loss, type) or not callable(loss):
        raise TypeError(
            "fit: loss must be a function of predictions and targets, as nn.mse, got " + brief(loss)
        )


def _own(row: Listed) -> Listed:
    """A row that a model may change: new lists, the same numbers."""
    return list(map(_own, row)) if isinstance(row, list) else row


def _is_recording() -> bool:
    """Whether ops record a graph here: not inside `no_grad`."""
    return (Value(0.0) + 0.0).op is not None
