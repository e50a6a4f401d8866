"""`Descent`: a step down a gradient, with clipping, an optimizer and its schedule."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from autodiff import Value, leaves
from autodiff.checks import instance, within
from nn.module import Module
from nn.train.arrays import Floats
from nn.train.clipping import clip_grad_norm_, clip_grad_value_
from nn.train.engines.eager import EagerEngine
from nn.train.engines.snapshot import rehearsal
from nn.train.engines.trust import spread
from nn.train.optim import Adam, Optimizer
from nn.train.schedule import Schedule

_FEW = 32
"""How many examples show which parameters a loss reaches."""


@dataclass
class Descent:
    """Changes parameters by a gradient, clipped by value and then by norm.

    A parameter that no gradient other than 0 has reached yet stays as it is: weight decay does
    not move what the loss does not train.
    """

    optimizer: Optimizer
    schedule: Schedule | None = None
    clip_norm: float | None = None
    clip_value: float | None = None
    per: Literal["epoch", "iteration"] = "epoch"
    """How often the schedule takes a step."""
    frozen: npt.NDArray[np.bool_] = field(init=False)
    """Which parameters no gradient has reached while weights decay."""
    _moves_all: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.frozen = np.ones(len(self.optimizer.parameters), dtype=bool)
        if self.clip_norm is not None:
            within("fit: clip_norm", self.clip_norm, above=0.0)
        if self.clip_value is not None:
            within("fit: clip_value", self.clip_value, above=0.0)

    def step(self, theta: Floats, gradient: Floats) -> None:
        """Change `theta` in place by one step; `gradient` is clipped in place."""
        if self.clip_value is not None:
            clip_grad_value_(gradient, self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(gradient, self.clip_norm)
        decays = getattr(self.optimizer, "weight_decay", None) != 0.0
        if self._moves_all or not decays:  # without decay, a gradient of 0 moves nothing
            self.optimizer.update(theta, gradient)
        else:
            self.frozen &= gradient == 0.0
            self._moves_all = not self.frozen.any()
            self._update_all_but_frozen(theta, gradient)
        if self.schedule is not None and self.per == "iteration":
            self.schedule.step()

    def _update_all_but_frozen(self, theta: Floats, gradient: Floats) -> None:
        kept = theta[self.frozen]
        theta[self.frozen] = 0.0  # a parameter at 0 has no decay, and running averages stay 0
        try:
            self.optimizer.update(theta, gradient)
        finally:
            theta[self.frozen] = kept

    def figures(self) -> dict[str, float]:
        """The learning rate of the epoch, if a schedule changes it between epochs."""
        return {} if self.schedule is None or self.per != "epoch" else {"lr": self.optimizer.lr}

    def end_epoch(self, watched: float) -> None:
        """Let the schedule begin the next epoch, the last one having reached the loss `watched`."""
        if self.schedule is not None and self.per == "epoch":
            self.schedule.step(watched)


def descent_of(
    model: Module,
    optimizer: Optimizer | None,
    schedule: Schedule | None,
    clip_norm: float | None,
    clip_value: float | None,
) -> Descent:
    """The descent that the arguments of `fit` describe, with Adam at 0.01 if there is none."""
    if schedule is not None:
        instance("fit: schedule", schedule, Schedule, "a schedule, as nn.StepLR(optimizer, 10)")
    if optimizer is None:
        optimizer = schedule.optimizer if schedule else Adam(model.parameters(), lr=0.01)
    wanted = "an optimizer, as nn.Adam(model.parameters())"
    instance("fit: optimizer", optimizer, Optimizer, wanted)
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError(
            "fit: schedule must be a schedule of the optimizer, got one of another optimizer"
        )
    return Descent(optimizer, schedule, clip_norm, clip_value)


def require_trained(engine: EagerEngine) -> None:
    """Raise ValueError for parameters that neither belong to the model nor are in the loss."""
    own = set(engine.model.parameters())
    others = {parameter for parameter in engine.parameters if parameter not in own}
    if others:
        others -= _reached(engine, others)
    if others:
        count = len(engine.parameters)
        which = "none" if len(others) == count else f"only {count - len(others)}"
        raise ValueError(
            f"fit: optimizer must have parameters of the model, got {count} of which {which} "
            "belong to the model or the loss; make it of this model, as Adam(model.parameters())"
        )


def _reached(engine: EagerEngine, parameters: set[Value]) -> set[Value]:
    """Those of `parameters` that the loss of a few examples reaches; all if it has no loss."""
    few = spread(_FEW, engine.x, engine.y)
    try:
        with rehearsal(engine.model):
            root = engine.root(engine.x[few].tolist(), engine.y[few].tolist())
    except Exception:  # the user's code fails: training will show how
        return parameters
    return parameters & set(leaves(root))
