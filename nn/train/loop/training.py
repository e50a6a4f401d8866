"""`Training`: the loop, from the first epoch or a checkpoint to the end."""

import threading
from collections.abc import Callable, Sized
from math import isfinite
from typing import Generic, Protocol, TypeVar

import numpy as np

from autodiff import collector_paused
from nn.train.arrays import Floats
from nn.train.engines.eager import Change
from nn.train.history import History, Stopped
from nn.train.loop.descent import Descent
from nn.train.loop.interruption import interruptible
from nn.train.loop.measuring import Holder, lent
from nn.train.loop.plan import Plan
from nn.train.loop.stopping import Patience
from nn.train.progress import OURS, Progress, Step

B = TypeVar("B", bound=Sized)
B_contra = TypeVar("B_contra", bound=Sized, contravariant=True)


class Engine(Holder, Protocol[B_contra]):
    """Holds the parameters, computes the loss of a batch, and changes them by its gradient."""

    @property
    def theta(self) -> Floats:
        """The flat parameters."""

    @theta.setter
    def theta(self, theta: Floats) -> None: ...

    def loss(self, batch: B_contra) -> float:
        """The loss of a batch, which the next step goes down."""

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""

    def check(self) -> None:
        """Warn, after training, where the loss is not what was trained."""


class Training(Generic[B]):
    """One training: its parts, and its state, which a checkpoint keeps."""

    def __init__(
        self,
        plan: Plan[B],
        engine: Engine[B],
        descent: Descent,
        measure: Callable[[], dict[str, float]] = dict,
    ) -> None:
        self.plan, self.engine, self.descent = plan, engine, descent
        self.measure = measure
        self.history = History()
        self.epoch = 0
        self.rng = np.random.default_rng(plan.seed)
        self.plateau = Patience(plan.patience, plan.tolerance or 0.0)
        self.early = Patience(plan.early_stopping or 1)
        self.best: Floats | None = None
        self._is_over = False

    def run(
        self, progress: Progress, keep: Callable[["Training[B]"], None] = lambda _: None
    ) -> History:
        """Train until the plan, the loss or Ctrl-C ends it; return the history.

        `keep` is called after each whole epoch.
        """
        with interruptible() as interrupted, collector_paused(), progress as report:
            try:
                self._end_if_done(is_epoch=self.epoch > 0)
                while not self._is_over:
                    if self._train_epoch(report, interrupted):
                        keep(self)
                    self._end_if_done(is_epoch=True)
                    if interrupted.is_set():
                        self._end("interrupted")
                if self.best is not None:
                    self.engine.theta = self.best
            finally:
                self.engine.give()
            self.engine.check()
        return self.history

    def _train_epoch(self, report: Progress, interrupted: threading.Event) -> bool:
        """Train on the batches of an epoch and record it; return whether on all of them."""
        plan, batches = self.plan, self.plan.batches(self.rng)
        total = done = 0.0
        for batch in batches:
            value = self._take_step(batch)
            total, done = total + value * len(batch), done + len(batch)
            if plan.epochs is None:
                self._show(report, Step(len(self.history.losses), plan.iterations or 0, value))
            self._end_if_done()
            if interrupted.is_set():
                self._end("interrupted")
                if not plan.records_cut_epochs:
                    return False
            if self._is_over:
                break
        self.epoch += 1
        figures = self._record(total / done)
        if plan.epochs is not None:
            loss = figures.pop("loss")
            self._show(report, Step(self.epoch, plan.epochs, loss, "epoch", figures))
        return batch is batches[-1]

    def _take_step(self, batch: B) -> float:
        """Go down the loss of a batch once; return that loss."""
        value = self.engine.loss(batch)
        if not isfinite(value):
            raise self._diverged(f"the loss is {value}")
        self.engine.update(self._change)
        self.history.losses.append(value)
        if self.plan.tolerance is not None:
            self.plateau.see(value)
        return value

    def _change(self, theta: Floats, gradient: Floats) -> None:
        if not np.isfinite(gradient).all():
            raise self._diverged("the gradient is not finite")
        self.descent.step(theta, gradient)

    def _diverged(self, what: str) -> FloatingPointError:
        return FloatingPointError(
            f"{what} at iteration {len(self.history.losses) + 1}; a lower learning rate than "
            f"{self.descent.optimizer.lr:g} may help"
        )

    def _record(self, loss: float) -> dict[str, float]:
        """Add a row to the history; return it."""
        figures = {"loss": loss} | self.measure() | self.descent.figures()
        for name, value in figures.items():
            self.history.epochs.setdefault(name, []).append(value)
        watched = figures.get("validation_loss", loss)
        self.descent.end_epoch(watched)
        if self.plan.early_stopping is not None and self.early.see(watched):
            self.best, self.history.best_epoch = self.engine.theta.copy(), self.epoch
        return figures

    def _show(self, report: Progress, step: Step) -> None:
        if type(report) in OURS:
            report(step)
        else:
            with lent(self.engine):
                report(step)

    def _end(self, why: Stopped) -> None:
        self.history.stopped, self._is_over = why, True

    def _end_if_done(self, *, is_epoch: bool = False) -> None:
        plan = self.plan
        if plan.tolerance is not None and self.plateau.is_out:
            self._end("converged")
        elif plan.iterations is not None and len(self.history.losses) >= plan.iterations:
            self._end("iterations")
        elif plan.epochs is not None and self.epoch >= plan.epochs:
            self._end("epochs")
        elif is_epoch and plan.early_stopping is not None and self.early.is_out:
            self._end("early stopping")
