"""Learning curves: what was recorded over epochs or iterations, as a matplotlib Figure."""

from collections.abc import Mapping, Sequence
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAIN, VALIDATION, BEST = "#1f6fb4", "#e0701b", "#999999"


def learning_curves(
    epochs: Mapping[str, Sequence[float]], losses: Sequence[float], best_epoch: int | None = None
) -> "Figure":
    """A matplotlib Figure of the columns of `epochs`, with one plot for the loss and each metric.

    A column and its `validation_` companion share a plot. With fewer than two epochs it shows
    the losses of the iterations.
    """
    names = [name for name in epochs if not name.startswith("validation_")]
    if len(epochs.get("loss", ())) < 2:
        epochs, names = {"loss": losses}, ["loss"]
    figure = empty_figure(len(names))
    for axes, name in zip(figure.axes, names, strict=True):
        unit = "epoch" if epochs[name] is not losses else "iteration"
        _curves(axes, name, epochs[name], epochs.get(f"validation_{name}"))
        axes.set(xlabel=unit, ylabel="R²" if name == "r2" else name.replace("_", " "))
        if best_epoch is not None:
            axes.axvline(best_epoch, color=BEST, linewidth=0.8, linestyle=":")
    return figure


def _curves(
    axes: "Axes", name: str, train: Sequence[float], validation: Sequence[float] | None
) -> None:
    axes.plot(range(1, len(train) + 1), train, color=TRAIN, linewidth=1.2, label="training")
    if validation is not None:
        places = range(1, len(validation) + 1)
        axes.plot(places, validation, color=VALIDATION, linewidth=1.2, label="validation")
        axes.legend(frameon=False)
    if name == "loss" and all(x > 0 for x in (*train, *(validation or ()))):
        axes.set_yscale("log")


def empty_figure(plots: int) -> "Figure":
    """A Figure with this many plots side by side, which a notebook shows.

    Raises ImportError without matplotlib.
    """
    # Slow to import. Figure, not pyplot: no display, no global state.
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError(
            'a plot needs the plot extra: pip install "scalar-autodiff[plot]"'
        ) from None
    figure = Figure(figsize=(6.4 if plots == 1 else 4.4 * plots, 4), layout="constrained")
    for k in range(plots):
        figure.add_subplot(1, plots, k + 1).spines[["top", "right"]].set_visible(False)
    figure._repr_png_ = partial(png, figure)  # type: ignore[attr-defined]
    return figure


def png(figure: "Figure") -> bytes:
    """The picture that a notebook shows."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()
