"""Plots of a fit and of a loss; as CSV where matplotlib is not installed."""

import csv
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def plot_fit(
    folder: Path,
    x: npt.ArrayLike,
    target: npt.ArrayLike,
    prediction: npt.ArrayLike,
    train: tuple[npt.ArrayLike, npt.ArrayLike],
) -> Path:
    """Write `fit.png`, prediction and target over x and the training points; its path.

    Writes `fit.csv` without matplotlib.
    """
    if not can_plot():
        rows = np.column_stack((x, target, prediction)).tolist()
        return _write_csv(folder / "fit.csv", ("x", "target", "prediction"), rows)

    def paint(axes: Any) -> None:
        axes.plot(*train, ".", color="#bbbbbb", markersize=4, label="training points")
        axes.plot(x, target, color="#1f6fb4", linewidth=4, alpha=0.4, label="target")
        axes.plot(x, prediction, color="#e0701b", linewidth=1.5, label="network")
        axes.set(xlabel="x", ylabel="y")
        axes.legend(frameon=False)

    return _write_png(folder / "fit.png", paint)


def plot_loss(folder: Path, losses: Sequence[float]) -> Path:
    """Write `loss.png`, the loss over iterations, on a logarithmic scale if positive; its path.

    Writes `loss.csv` without matplotlib.
    """
    iterations = range(1, len(losses) + 1)
    if not can_plot():
        rows = zip(iterations, losses, strict=True)
        return _write_csv(folder / "loss.csv", ("iteration", "loss"), rows)

    def paint(axes: Any) -> None:
        axes.plot(iterations, losses, color="#1f6fb4", linewidth=0.8)
        axes.set(xlabel="iteration", ylabel="loss of the mini-batch")
        if all(loss > 0 for loss in losses):
            axes.set_yscale("log")

    return _write_png(folder / "loss.png", paint)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _write_png(path: Path, paint: Callable[[Any], None]) -> Path:
    # An optional extra, and slow to import. Figure, not pyplot: no display, no global state.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    paint(axes)
    figure.savefig(path, dpi=120)
    return path
