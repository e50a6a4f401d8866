"""Schedules: the learning rate of an optimizer over epochs, or whatever `step` counts."""

from collections.abc import Mapping
from math import cos, inf, isfinite, pi
from typing import Literal

import numpy.typing as npt

from autodiff.checks import instance, integer, one_of, within
from nn.train.optim import Optimizer
from nn.train.stateful import Stateful


class Schedule(Stateful):
    """Sets `optimizer.lr` now and at each `step`; a subclass says to what in `rate`.

    A subclass sets what `rate` needs before it calls `__init__` here. `base_lr` is the rate of
    the optimizer when the schedule is made.
    """

    links = ("optimizer",)

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = instance(
            f"{type(self).__name__}: optimizer", optimizer, Optimizer, "an optimizer"
        )
        self.base_lr = optimizer.lr
        self.last_epoch = 0
        self._set()

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        raise NotImplementedError

    def step(self, metric: float | None = None) -> None:
        """Begin the next epoch. Only `ReduceLROnPlateau` uses `metric`."""
        self.last_epoch += 1
        self._set()

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Go back to a state that `state_dict` returned, and set the rate that goes with it."""
        super().load_state_dict(state)
        self._set()

    def _set(self) -> None:
        self.optimizer.lr = self.rate(self.last_epoch)


class StepLR(Schedule):
    """The base rate, times `gamma` after every `step_size` epochs."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = integer("step_size", step_size, least=1)
        self.gamma = within("gamma", gamma, least=0.0)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """base_lr · gamma^⌊epoch / step_size⌋."""
        return self.base_lr * self.gamma ** (epoch // self.step_size)


class ExponentialLR(Schedule):
    """The base rate, times `gamma` after every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = within("gamma", gamma, least=0.0)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """base_lr · gamma^epoch."""
        return self.base_lr * self.gamma**epoch


class CosineAnnealingLR(Schedule):
    """Half a cosine from the base rate down to `eta_min` in `T_max` epochs, then up again.

    Before that, the rate grows linearly from base / (warmup + 1) for `warmup` epochs.
    Loshchilov and Hutter 2017, eq. 5, without restarts.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 (PyTorch's name)
        eta_min: float = 0.0,
        *,
        warmup: int = 0,
    ) -> None:
        self.T_max = integer("T_max", T_max, least=1)
        self.eta_min = within("eta_min", eta_min, least=0.0)
        self.warmup = integer("warmup", warmup, least=0)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """The ramp, then the cosine."""
        if epoch < self.warmup:
            return self.base_lr * (epoch + 1) / (self.warmup + 1)
        share = (1 + cos(pi * (epoch - self.warmup) / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * share


class ReduceLROnPlateau(Schedule):
    """Multiplies the rate by `factor` after more than `patience` epochs without a better metric.

    A metric is better if it is below the best so far (`mode` "min") or above it ("max") by more
    than `threshold`, a share of the best ("rel") or a number ("abs"). The `cooldown` epochs after
    a cut do not count. The rate never falls below `min_lr`, and a cut of at most `eps` is not made.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(optimizer)
        self.mode = one_of("mode", mode, ("min", "max"))
        self.threshold_mode = one_of("threshold_mode", threshold_mode, ("rel", "abs"))
        self.factor = within("factor", factor, least=0.0, below=1.0)
        self.patience = integer("patience", patience, least=0)
        self.threshold = within("threshold", threshold, least=0.0)
        self.cooldown = integer("cooldown", cooldown, least=0)
        self.min_lr = within("min_lr", min_lr, least=0.0)
        self.eps = within("eps", eps, least=0.0)
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def rate(self, epoch: int) -> float:
        """The rate as it is: the metric decides, not the epoch."""
        return self.optimizer.lr

    def step(self, metric: float | None = None) -> None:
        """Begin the next epoch, the last one having reached `metric`."""
        if metric is None:
            raise TypeError("ReduceLROnPlateau.step takes the metric that it watches")
        self.last_epoch += 1
        metric = float(metric)
        if self._is_better(metric):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()

    def _is_better(self, metric: float) -> bool:
        # The margin is a share of the best, which is infinite before the first metric.
        relative = self.threshold_mode == "rel" and isfinite(self.best)
        margin = self.threshold * (self.best if relative else 1.0)
        return metric < self.best - margin if self.mode == "min" else metric > self.best + margin

    def _reduce(self) -> None:
        lr = max(self.optimizer.lr * self.factor, self.min_lr)
        if self.optimizer.lr - lr > self.eps:
            self.optimizer.lr = lr
        self.cooldown_counter = self.cooldown
        self.num_bad_epochs = 0
