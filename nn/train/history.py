"""`History`: what training recorded, as numbers, a table and a plot."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from nn.train.curves import learning_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Stopped = Literal["iterations", "epochs", "converged", "early stopping", "interrupted"]

_ROWS = 20
"""The most epochs that the table shows."""


@dataclass(repr=False)
class History:
    """The loss of every iteration, what was measured after every epoch, and why training stopped.

    `epochs` has a list with one number per epoch for each of: `loss`, the mean over the epoch
    while the parameters changed; `validation_loss`; each metric, as `accuracy` on the training
    examples and `validation_accuracy`; `lr` with a schedule. `best_epoch`, counted from 1, is
    the epoch whose parameters early stopping has kept.
    """

    losses: list[float] = field(default_factory=list)
    stopped: Stopped = "iterations"
    epochs: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int | None = None

    def __repr__(self) -> str:
        """A table of at most 20 epochs, the first, the best and the last among them."""
        count = len(self.epochs.get("loss", ()))
        head = f"{count:,} epochs, {len(self.losses):,} iterations, stopped: {self.stopped}"
        if self.best_epoch is not None:
            head += f", best epoch {self.best_epoch}"
        if not count:
            return head
        cells = [["epoch", *self.epochs]]
        cells += [
            [str(k + 1), *(f"{column[k]:.4g}" for column in self.epochs.values())]
            for k in self._shown(count)
        ]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(map(str.rjust, row, widths)) for row in cells]
        return "\n".join([head, *lines])

    def plot(self) -> "Figure":
        """The losses, and metrics beside them. Raises ImportError without matplotlib."""
        return learning_curves(self.epochs, self.losses, self.best_epoch)

    def _shown(self, count: int) -> list[int]:
        shown = set(np.linspace(0, count - 1, min(count, _ROWS)).round().astype(int).tolist())
        if self.best_epoch is not None and self.best_epoch - 1 not in shown:
            # The nearest row that is neither the first nor the last makes room.
            best = self.best_epoch - 1
            shown.remove(min(shown - {0, count - 1}, key=lambda k: abs(k - best)))
            shown.add(best)
        return sorted(shown)
