"""`Run`: one training, from its first epoch or from a checkpoint to its end."""

import threading
from collections.abc import Callable
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from autodiff import collector_paused
from nn.metrics import METRICS
from nn.module import Module
from nn.train import checkpoint
from nn.train.clipping import clip_grad_norm_, clip_grad_value_
from nn.train.engines.eager import Eager
from nn.train.engines.fallback import Auto
from nn.train.engines.snapshot import generators
from nn.train.history import History
from nn.train.interruption import interruptible
from nn.train.optim import Optimizer
from nn.train.plan import Pair, Plan
from nn.train.progress import Bar, Lines, Notebook, Progress, Silent, Step
from nn.train.schedule import Schedule
from nn.train.stopping import Patience

Array = npt.NDArray[Any]
T = TypeVar("T")


class Run:
    """The state of a training, which a checkpoint keeps."""

    def __init__(
        self,
        plan: Plan,
        model: Module,
        optimizer: Optimizer,
        schedule: Schedule | None,
        engine: Eager | Auto,
    ) -> None:
        self.plan, self.model, self.engine = plan, model, engine
        self.optimizer, self.schedule = optimizer, schedule
        self.history = History()
        self.epoch = 0
        self._rng = np.random.default_rng(plan.seed)
        self._plateau = Patience(plan.patience, plan.tolerance or 0.0)
        self._early = Patience(plan.early_stopping or 1)
        self._best: Array | None = None
        self._is_over = False

    def to_the_end(self, progress: Progress) -> History:
        """Train until the plan, the loss or Ctrl-C ends it; the history."""
        with interruptible() as interrupted, collector_paused(), progress as report:
            try:
                self._end_if_done(of_epoch=self.epoch > 0)
                while not self._is_over:
                    self._train_epoch(report, interrupted)
                if self._best is not None:
                    self.engine.theta = self._best
            finally:
                self.engine.give()
            self.engine.check()
        return self.history

    def _train_epoch(self, report: Progress, interrupted: threading.Event) -> None:
        size, count = self.plan.batch_size, len(self.plan.train[0])
        order = self._rng.permutation(count) if size < count else np.arange(count)
        total = done = 0.0
        for start in range(0, count, size):
            batch = order[start : start + size]
            value = self._take_step(batch)
            total, done = total + value * len(batch), done + len(batch)
            if self.plan.epochs is None:
                self._call(report, Step(len(self.history.losses), self.plan.iterations or 0, value))
            if interrupted.is_set():
                return self._end("interrupted")
            self._end_if_done()
            if self._is_over:
                break
        self.epoch += 1
        figures = self._record(total / done)
        if self.plan.epochs is not None:
            loss = figures.pop("loss")
            self._call(report, Step(self.epoch, self.plan.epochs, loss, "epoch", figures))
        if done == count and self.plan.checkpoint and not self.epoch % self.plan.checkpoint_every:
            self._save(self.plan.checkpoint)
        self._end_if_done(of_epoch=True)
        if interrupted.is_set():
            self._end("interrupted")
        return None

    def _take_step(self, batch: npt.NDArray[np.int_]) -> float:
        """Go down the loss of a batch once; that loss."""
        iteration = len(self.history.losses) + 1

        def check(what: str, is_finite: bool) -> None:
            if not is_finite:
                raise FloatingPointError(
                    f"{what} at iteration {iteration}; a lower learning rate than "
                    f"{self.optimizer.lr:g} may help"
                )

        def change(theta: Array, gradient: Array) -> None:
            check("the gradient is not finite", bool(np.isfinite(gradient).all()))
            if self.plan.clip_value is not None:
                clip_grad_value_(gradient, self.plan.clip_value)
            if self.plan.clip_norm is not None:
                clip_grad_norm_(gradient, self.plan.clip_norm)
            self.optimizer.update(theta, gradient)

        value = self.engine.loss(batch)
        check(f"the loss is {value}", isfinite(value))
        self.engine.update(change)
        self.history.losses.append(value)
        if self.plan.tolerance is not None:
            self._plateau.see(value)
        return value

    def _record(self, loss: float) -> dict[str, float]:
        """Add a row to the history; it."""
        figures = {"loss": loss} | self._measured("", self.plan.train)
        if self.plan.validation is not None:
            figures["validation_loss"] = self.engine.evaluate(*self.plan.validation)
            figures |= self._measured("validation_", self.plan.validation)
        if self.schedule is not None:
            figures["lr"] = self.optimizer.lr
        for name, value in figures.items():
            self.history.epochs.setdefault(name, []).append(value)
        watched = figures.get("validation_loss", loss)
        if self.schedule is not None:
            self.schedule.step(watched)
        if self.plan.early_stopping is not None and self._early.see(watched):
            self._best, self.history.best_epoch = self.engine.theta.copy(), self.epoch
        return figures

    def _measured(self, prefix: str, pair: Pair) -> dict[str, float]:
        if not self.plan.metrics:
            return {}
        predictions = self.engine.predictions(pair[0])
        return {
            prefix + name: float(self._call(metric, predictions, pair[1]))
            for name, metric in self.plan.metrics.items()
        }

    def _call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a progress or a metric: the user's own may read the parameters and change them."""
        if function in METRICS.values() or type(function) in (Silent, Lines, Bar, Notebook):
            return function(*args)
        self.engine.give()
        try:
            return function(*args)
        finally:
            self.engine.take()

    def _end(self, why: Any) -> None:
        self.history.stopped, self._is_over = why, True

    def _end_if_done(self, *, of_epoch: bool = False) -> None:
        plan = self.plan
        if plan.tolerance is not None and self._plateau.is_out:
            self._end("converged")
        elif plan.iterations is not None and len(self.history.losses) >= plan.iterations:
            self._end("iterations")
        elif plan.epochs is not None and self.epoch >= plan.epochs:
            self._end("epochs")
        elif of_epoch and plan.early_stopping is not None and self._early.is_out:
            self._end("early stopping")

    # Checkpoints

    def _identity(self) -> dict[str, Any]:
        """What must be the same for training to go on to the same bits."""
        train, validation = self.plan.train, self.plan.validation
        return {
            "model": [name for name, _ in self.model.named_parameters()],
            "optimizer": type(self.optimizer).__name__,
            "schedule": type(self.schedule).__name__ if self.schedule else None,
            "engine": self.engine.name,
            "batch_size": self.plan.batch_size,
            "seed": self.plan.seed,
            "training examples": checkpoint.fingerprint(*train),
            "validation examples": validation and checkpoint.fingerprint(*validation),
        }

    def _save(self, path: Path) -> None:
        self.engine.give()
        arrays = {
            "model": np.array([parameter.data for parameter in self.model.parameters()]),
            "theta": self.engine.theta,
        }
        if self._best is not None:
            arrays["best"] = self._best
        for name, stateful in (("optimizer", self.optimizer), ("schedule", self.schedule)):
            if stateful is not None:
                state = stateful.state_dict()
                arrays |= {f"{name}.{key}": array for key, array in state.items()}
        facts = {
            "identity": self._identity(),
            "history": asdict(self.history),
            "epoch": self.epoch,
            "plateau": [self._plateau.least, self._plateau.since],
            "early": [self._early.least, self._early.since],
            "generators": [rng.bit_generator.state for rng in self._generators()],
        }
        checkpoint.write(path, arrays, facts)

    def resume(self) -> None:
        """Go on from the checkpoint if there is one.

        Raises ValueError, nothing changed, if it is damaged or of another training.
        """
        path = self.plan.checkpoint
        if path is None or not path.exists():
            return
        arrays, facts = checkpoint.read(path)
        self.engine.go_on_as(facts["identity"].get("engine"))
        for name, here in self._identity().items():
            there = facts["identity"].get(name)
            if there != here:
                about = "" if name.endswith(("model", "examples")) else f": {there}, here {here}"
                raise ValueError(f"{path} is of another training, with another {name}{about}")
        self.optimizer.load_state_dict(checkpoint.part(arrays, "optimizer."))
        if self.schedule is not None:
            self.schedule.load_state_dict(checkpoint.part(arrays, "schedule."))
        parameters = self.model.parameters()
        for parameter, data in zip(parameters, arrays["model"].tolist(), strict=True):
            parameter.data = data
        self.engine.theta = arrays["theta"]
        self._best = arrays.get("best")
        self.history = History(**facts["history"])
        self.epoch = facts["epoch"]
        for patience, (least, since) in (
            (self._plateau, facts["plateau"]), (self._early, facts["early"]),
        ):  # fmt: skip
            patience.least, patience.since = least, since
        for rng, state in zip(self._generators(), facts["generators"], strict=True):
            rng.bit_generator.state = state

    def _generators(self) -> list[np.random.Generator]:
        return [self._rng, *generators(self.model)]
