"""`Plan`: the batches of a training, and how long it lasts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from autodiff.checks import integer, within

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Plan(Generic[Batch]):
    """Which batches to train on, in what order, and when to end; checked."""

    batches: Callable[[np.random.Generator], list[Batch]]
    """The batches of one epoch, in an order that may be drawn."""
    seed: int = 0
    epochs: int | None = None
    iterations: int | None = None
    tolerance: float | None = None
    patience: int = 100
    early_stopping: int | None = None
    records_cut_epochs: bool = False
    """Whether an epoch that Ctrl-C cuts short is recorded as well."""

    def __post_init__(self) -> None:
        integer("fit: patience", self.patience, least=1)
        if self.tolerance is not None:
            within("fit: tolerance", self.tolerance, least=0.0)
        for name, least in (("epochs", 0), ("iterations", 0), ("early_stopping", 1)):
            value = getattr(self, name)
            if value is not None:
                integer(f"fit: {name}", value, least=least)
