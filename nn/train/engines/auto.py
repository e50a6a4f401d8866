"""`AutoEngine`: the compiled engine as long as it does what the eager one does."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from autodiff import Value
from nn.data.inputs import Rows
from nn.module import Module
from nn.train.arrays import Floats
from nn.train.engines.compiled import CompiledEngine
from nn.train.engines.eager import Change, EagerEngine, Loss
from nn.train.engines.prediction import EngineName, warn_of_eager
from nn.train.engines.snapshot import Snapshot
from nn.train.engines.trust import spread

T = TypeVar("T")

_TRIED = 32
"""How many examples show, where a kernel fails, whether the model fails on Values as well."""


class AutoEngine:
    """Training on arrays until a kernel refuses something, and from there on Values.

    Parameters, optimizer and random generators are then what they were before the call that
    failed, and the call is repeated on Values. An error there as well is the user's own.
    """

    def __init__(
        self, model: Module, loss: Loss, x: Rows, y: Rows, parameters: list[Value]
    ) -> None:
        self._now = EagerEngine(model, loss, x, y, parameters)
        try:
            self._now = CompiledEngine(model, loss, x, y, parameters)
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
    def name(self) -> EngineName:
        """The name of the engine that runs now."""
        return self._now.name

    @property
    def theta(self) -> Floats:
        """The flat parameters."""
        return self._now.theta

    @theta.setter
    def theta(self, theta: Floats) -> None:
        self._now.theta = theta

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of the examples in `batch`, which the next step goes down."""
        return self._tried(lambda engine: engine.loss(batch), draws=True)

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        self._now.update(change)

    def evaluate(self, x: Rows, y: Rows) -> float:
        """The loss of other examples, in evaluation mode."""
        return self._tried(lambda engine: engine.evaluate(x, y))

    def predictions(self, x: Rows) -> Floats:
        """The outputs of the model in evaluation mode, one row per example."""
        return self._tried(lambda engine: engine.predictions(x))

    def give(self) -> None:
        """Write what was learned into the Values."""
        self._now.give()

    def take(self) -> None:
        """Read the parameters from the Values, which may have been changed."""
        self._now.take()

    def check(self) -> None:
        """Warn where a kernel no longer does what the eager engine does."""
        self._now.check()

    def resume_as(self, name: EngineName) -> None:
        """Become the engine of a checkpoint, if that is the eager one."""
        if name == "eager" and isinstance(self._now, CompiledEngine):
            self._now = self._on_values()
            warn_of_eager("fit", RuntimeError("the checkpoint was trained on Values"))

    def _tried(self, do: Callable[[EagerEngine], T], *, draws: bool = False) -> T:
        engine = self._now
        if not isinstance(engine, CompiledEngine):
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

    def _on_values(self) -> EagerEngine:
        now = self._now
        return EagerEngine(now.model, now.criterion, now.x, now.y, now.parameters)
