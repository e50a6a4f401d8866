"""Schedules: the learning rate of an optimizer over epochs, or whatever `step` counts."""

from collections.abc import Mapping
from math import cos, inf, isfinite, pi
from typing import Literal

import numpy.typing as npt

from nn.train.optim import Optimizer
from nn.train.stateful import Stateful, within


class Schedule(Stateful):
    """Sets `optimizer.lr` now and at each `step`; a subclass says to what in `rate`.

    A subclass has what `rate` needs before it calls `__init__` here. `base_lr` is the rate that
    the optimizer has when the schedule is made.
    """

    links = ("optimizer",)

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"a schedule takes an optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.last_epoch = 0
        self._set()

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, counted from 0."""
        raise NotImplementedError

    def step(self, metric: float | None = None) -> None:
        """Begin the next epoch. `metric` matters to `ReduceLROnPlateau` alone."""
        self.last_epoch += 1
        self._set()

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Go back to a state that `state_dict` returned, and set the rate that belongs to it."""
        super().load_state_dict(state)
        self._set()

    def _set(self) -> None:
        self.optimizer.lr = self.rate(self.last_epoch)


class StepLR(Schedule):
    """The base rate times `gamma` to the number of times that `step_size` epochs have passed."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _count("step_size", step_size, 1)
        self.gamma = within("gamma", gamma, low=0.0)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """base_lr · gamma^⌊epoch / step_size⌋."""
        return self.base_lr * self.gamma ** (epoch // self.step_size)


class ExponentialLR(Schedule):
    """The base rate times `gamma` to the epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = within("gamma", gamma, low=0.0)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """base_lr · gamma^epoch."""
        return self.base_lr * self.gamma**epoch


class CosineAnnealingLR(Schedule):
    """Half a cosine from the base rate down to `eta_min` in `T_max` epochs, then up again.

    Before it come `warmup` epochs in which the rate grows linearly from base / (warmup + 1).
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
        self.T_max = _count("T_max", T_max, 1)
        self.eta_min = within("eta_min", eta_min, low=0.0)
        self.warmup = _count("warmup", warmup, 0)
        super().__init__(optimizer)

    def rate(self, epoch: int) -> float:
        """The ramp, then the cosine."""
        if epoch < self.warmup:
            return self.base_lr * (epoch + 1) / (self.warmup + 1)
        share = (1 + cos(pi * (epoch - self.warmup) / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * share


class ReduceLROnPlateau(Schedule):
    """Multiplies the rate by `factor` after more than `patience` epochs without a better metric.

    Better is less (`mode` "min") or more ("max") than the best so far by `threshold`, a share
    of it ("rel") or a number ("abs"). The epochs of a `cooldown` after a cut do not count. The
    rate stays at or above `min_lr`, and as it is where a cut would change it by `eps` or less.
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
        if mode not in ("min", "max"):
            raise ValueError(f"mode is 'min' or 'max', got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode is 'rel' or 'abs', got {threshold_mode!r}")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor = within("factor", factor, low=0.0, below=1.0)
        self.patience = _count("patience", patience, 0)
        self.threshold = within("threshold", threshold, low=0.0)
        self.cooldown = _count("cooldown", cooldown, 0)
        self.min_lr = within("min_lr", min_lr, low=0.0)
        self.eps = within("eps", eps, low=0.0)
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0

    def rate(self, epoch: int) -> float:
        """The rate as it is: here the metric decides, not the epoch."""
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


def _count(name: str, value: int, low: int) -> int:
    if isinstance(value, bool) or int(value) != value or value < low:
        raise ValueError(f"{name} must be an integer of at least {low}, got {value!r}")
    return int(value)
