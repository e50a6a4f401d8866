"""`Auto`: the compiled engine as long as it does what the eager one does."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from autodiff import Value
from nn.module import Module
from nn.train.engines.compiled import Compiled
from nn.train.engines.eager import Array, Change, Eager, Loss
from nn.train.engines.prediction import warn_of_eager
from nn.train.engines.snapshot import Snapshot
from nn.train.engines.trust import spread

T = TypeVar("T")

_TRIED = 32
"""How many examples show, where a kernel fails, whether the model fails on Values as well."""


class Auto:
    """Training on arrays, and from whatever a kernel refuses on, on Values.

    Then parameters, the optimizer and random generators are what they were before the call that
    failed, which is done again on Values. What fails there as well is the user's own error.
    """

    def __init__(
        self, model: Module, loss: Loss, x: Array, y: Array, parameters: list[Value]
    ) -> None:
        self._now = Eager(model, loss, x, y, parameters)
        try:
            self._now = Compiled(model, loss, x, y, parameters)
            return
        except Exception as error:  # user code meets tracers here, and may fail in any way
            reason = error
        before = Snapshot(model)
        try:
            self._now.loss(spread(_TRIED, x, y))
        finally:
            before.restore()
            before.rewind()
        warn_of_eager("fit", reason)

    @property
    def name(self) -> str:
        """What `fit` calls the engine of now."""
        return self._now.name

    @property
    def theta(self) -> Array:
        """The flat parameters."""
        return self._now.theta

    @theta.setter
    def theta(self, theta: Array) -> None:
        self._now.theta = theta

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of some examples, which the next step goes down."""
        return self._tried(lambda engine: engine.loss(batch), draws=True)

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        self._now.update(change)

    def evaluate(self, x: Array, y: Array) -> float:
        """The loss of other examples, in evaluation mode."""
        return self._tried(lambda engine: engine.evaluate(x, y))

    def predictions(self, x: Array) -> Array:
        """The outputs of the model in evaluation mode, a row an example."""
        return self._tried(lambda engine: engine.predictions(x))

    def give(self) -> None:
        """Give the Values what was learned."""
        self._now.give()

    def take(self) -> None:
        """Take the parameters from the Values, which may have been changed."""
        self._now.take()

    def check(self) -> None:
        """Warn where a kernel does not do now what the eager engine does."""
        self._now.check()

    def go_on_as(self, name: str) -> None:
        """Become the engine of a checkpoint, if it is the eager one."""
        if name == "eager" and isinstance(self._now, Compiled):
            self._now = self._on_values()
            warn_of_eager("fit", RuntimeError("so did the training of the checkpoint"))

    def _tried(self, do: Callable[[Eager], T], *, draws: bool = False) -> T:
        engine = self._now
        if not isinstance(engine, Compiled):
            return do(engine)
        try:
            return do(engine)
        except Exception as error:
            reason = error
        engine.give()
        eager = self._on_values()
        with engine.drawn_again() if draws else nullcontext():
            result = do(eager)
        self._now = eager
        warn_of_eager("fit", reason)
        return result

    def _on_values(self) -> Eager:
        now = self._now
        return Eager(now.model, now.criterion, now.x, now.y, now.parameters)
