"""`Plan`: what to train on, in which steps, how long, and what to record."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from nn.metrics import Metric

Pair = tuple[npt.NDArray[Any], npt.NDArray[Any]]
"""Examples and their targets."""


@dataclass(frozen=True)
class Plan:
    """The arguments of `fit`, checked."""

    train: Pair
    validation: Pair | None
    batch_size: int
    epochs: int | None
    iterations: int | None
    metrics: Mapping[str, Metric]
    clip_norm: float | None
    clip_value: float | None
    tolerance: float | None
    patience: int
    early_stopping: int | None
    checkpoint: Path | None
    checkpoint_every: int
    seed: int

    def __post_init__(self) -> None:
        for name, least in (
            ("epochs", 0), ("iterations", 0), ("patience", 1), ("early_stopping", 1),
            ("checkpoint_every", 1),
        ):  # fmt: skip
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or value < least or value % 1):
                raise ValueError(f"fit: {name} must be an integer, at least {least}, got {value!r}")
        for name in ("clip_norm", "clip_value"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"fit: {name} must be positive, got {value!r}")
        if self.checkpoint is not None and not (
            self.checkpoint.suffix == ".npz" and self.checkpoint.parent.is_dir()
        ):
            raise ValueError(
                "fit: checkpoint must be an .npz file in a folder that is there, "
                f"got {self.checkpoint}"
            )
