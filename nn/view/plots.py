"""Plots of fits, losses, curves and boundaries, or CSV files where matplotlib is missing."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nn.data.datasets import Numbers
from nn.train.curves import BEST, TRAIN, VALIDATION, empty_figure, learning_curves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CLASSES = ("#1f6fb4", "#e0701b", "#3a9a4b", "#b23a8e", "#8a6d1f", "#2aa5a5", "#7a4fc0", "#a03030",
            "#55606a", "#c2a500")  # fmt: skip
"""Colors of classes; any two differ in print and for most color-blind readers."""


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def plot_fit(
    folder: Path,
    x: npt.ArrayLike,
    target: npt.ArrayLike | None,
    prediction: npt.ArrayLike,
    train: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    names: tuple[str, str] = ("x", "y"),
) -> Path:
    """Write `fit.png`, prediction and target over x and the training points; return its path.

    A target of None is left out. Writes `fit.csv` without matplotlib.
    """
    columns = [x, prediction] if target is None else [x, target, prediction]
    if not can_plot():
        header = (names[0], *(["target"] if target is not None else []), "prediction")
        return _write_csv(folder / "fit.csv", header, np.column_stack(columns).tolist())

    def paint(axes: "Axes") -> None:
        axes.plot(*train, ".", color="#bbbbbb", markersize=4, label="training points")
        if target is not None:
            axes.plot(x, target, color=TRAIN, linewidth=4, alpha=0.4, label="target")
        axes.plot(x, prediction, color=VALIDATION, linewidth=1.5, label="network")
        axes.set(xlabel=names[0], ylabel=names[1])
        axes.legend(frameon=False)

    return _write_png(folder / "fit.png", paint)


def plot_agreement(folder: Path, true: npt.ArrayLike, predicted: npt.ArrayLike, name: str) -> Path:
    """Write `fit.png`, predicted over true numbers and the line y = x; return its path.

    Writes `fit.csv` without matplotlib.
    """
    if not can_plot():
        rows = np.column_stack([true, predicted]).tolist()
        return _write_csv(folder / "fit.csv", ("true", "predicted"), rows)
    ends = [np.min([true, predicted]), np.max([true, predicted])]

    def paint(axes: "Axes") -> None:
        axes.plot(ends, ends, color=BEST, linewidth=0.8)
        axes.plot(true, predicted, "o", color=TRAIN, markersize=4, alpha=0.7)
        axes.set(xlabel=f"{name}, true", ylabel=f"{name}, predicted")

    return _write_png(folder / "fit.png", paint)


def plot_loss(folder: Path, losses: Sequence[float]) -> Path:
    """Write `loss.png`, the loss over iterations; return its path.

    The scale is logarithmic if all losses are positive. Writes `loss.csv` without matplotlib.
    """
    iterations = range(1, len(losses) + 1)
    if not can_plot():
        rows = zip(iterations, losses, strict=True)
        return _write_csv(folder / "loss.csv", ("iteration", "loss"), rows)

    def paint(axes: "Axes") -> None:
        axes.plot(iterations, losses, color=TRAIN, linewidth=0.8)
        axes.set(xlabel="iteration", ylabel="loss of the mini-batch")
        if all(loss > 0 for loss in losses):
            axes.set_yscale("log")

    return _write_png(folder / "loss.png", paint)


def plot_curves(
    folder: Path, epochs: Mapping[str, Sequence[float]], best_epoch: int | None = None
) -> Path:
    """Write `curves.png`, the learning curves of a history's epochs; return its path.

    Writes `curves.csv` without matplotlib.
    """
    if not can_plot():
        rows = zip(range(1, len(epochs["loss"]) + 1), *epochs.values(), strict=True)
        return _write_csv(folder / "curves.csv", ("epoch", *epochs), rows)
    path = folder / "curves.png"
    learning_curves(epochs, (), best_epoch).savefig(path, dpi=120)
    return path


def plot_boundary(
    folder: Path,
    predict: Callable[[npt.NDArray[np.float64]], npt.ArrayLike],
    x: npt.NDArray[np.float64],
    y: Numbers,
    *,
    names: Sequence[str] = ("x1", "x2"),
    classes: Sequence[str] = (),
) -> Path:
    """Write `boundary.png`, the predicted class over the plane of two inputs; return its path.

    `predict` maps points, (n, 2), to rows of logits. The examples `x` are drawn over it in the
    color of their classes `y`. Writes `boundary.csv`, the grid, without matplotlib.
    """
    margin = 0.08 * (x.max(axis=0) - x.min(axis=0))
    (left, bottom), (right, top) = x.min(axis=0) - margin, x.max(axis=0) + margin
    across, up = np.meshgrid(np.linspace(left, right, 240), np.linspace(bottom, top, 160))
    points = np.column_stack([across.ravel(), up.ravel()])
    found = np.asarray(predict(points)).argmax(axis=1)
    if not can_plot():
        rows = np.column_stack([points, found]).tolist()
        return _write_csv(folder / "boundary.csv", (*names, "class"), rows)
    figure = empty_figure(1)
    (axes,) = figure.axes
    count = max(len(classes), int(y.max()) + 1)
    colors = [_CLASSES[k % len(_CLASSES)] for k in range(count)]
    shades = np.array([_rgb(color) for color in colors])[found.reshape(across.shape)]
    axes.imshow(1 - 0.3 * (1 - shades), interpolation="nearest", origin="lower", aspect="auto",
                extent=(left, right, bottom, top))  # fmt: skip
    for k, color in enumerate(colors):
        label = classes[k] if k < len(classes) else str(k)
        axes.plot(*x[y == k].T, "o", color=color, markersize=4, markeredgecolor="white",
                  markeredgewidth=0.5, label=label)  # fmt: skip
    axes.set(xlabel=names[0], ylabel=names[1])
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    path = folder / "boundary.png"
    figure.savefig(path, dpi=120)
    return path


def _rgb(color: str) -> list[float]:
    return [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def _write_png(path: Path, paint: Callable[["Axes"], None]) -> Path:
    figure = empty_figure(1)
    paint(figure.axes[0])
    figure.savefig(path, dpi=120)
    return path
