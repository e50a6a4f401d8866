"""`python -m nn fit --csv`: a network fits a column of a table by others."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nn
from nn.cli import regression
from nn.cli.options import TEST_SHARE, table
from nn.cli.output import INTERRUPTED, output_folder, print_missing, print_written, write_drawing
from nn.data.datasets import Dataset, Floats, standardize, train_test_split
from nn.view.plots import plot_agreement, plot_curves, plot_fit

PATIENCE = 100
"""Epochs without a better validation loss, after which training stops."""
SHOWN = 7


@dataclass(frozen=True)
class Split:
    """The rows for training, for validation and for the test: `TEST_SHARE` is taken off twice."""

    x: Floats
    y: Floats
    x_held: Floats
    y_held: Floats
    x_test: Floats
    y_test: Floats

    def inputs(self, x: Floats) -> Floats:
        """Inputs, standardized by the training rows."""
        return standardize(self.x, x)[1]

    def scaled(self, y: Floats) -> Floats:
        """Targets, standardized by the training rows."""
        center, scale = self._center_and_scale()
        scaled: Floats = (y - center) / scale
        return scaled

    def predicted(self, model: nn.MLP, x: Floats) -> Floats:
        """Predictions for `x` in the units of the table."""
        center, scale = self._center_and_scale()
        numbers: Floats = nn.predict(model, self.inputs(x)) * scale + center
        return numbers

    def _center_and_scale(self) -> tuple[float, float]:
        return self.y.mean(), self.y.std() or 1.0


def run(options: argparse.Namespace) -> int:
    """Fit a column of the table by others; return the exit status."""
    if options.target is not None:
        raise ValueError("--target and --csv: fit a function or a table, not both")
    own = table(options)
    split = _split(Dataset(own.matrix(options.x), own.numbers(options.y)), options.seed)
    nin = len(options.x)
    model = regression.network(options, nin, np.random.default_rng(options.seed))
    with output_folder(options.out) as folder:
        size = regression.described(options, model, nin)
        print(f"fitting {options.y} by {', '.join(options.x)} in {options.csv} with {size}")
        history = regression.train(
            options, model, split.inputs(split.x), split.scaled(split.y),
            validation=(split.inputs(split.x_held), split.scaled(split.y_held)), metrics=["r2"],
            early_stopping=PATIENCE,
        )  # fmt: skip
        _print_test(model, split, history)
        few = slice(4)
        kernel = regression.print_check(
            options, model, split.inputs(split.x_test[few]), split.scaled(split.y_test[few])
        )
        _print_predictions(options.x, model, split)
        _plot(folder, options, model, split)
        plot_curves(folder, history.epochs, history.best_epoch)
        write_drawing(folder, model)
        regression.write_source(folder, options, nin, kernel)
        print_written(options.out, folder)
    print_missing()
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _split(found: Dataset, seed: int) -> Split:
    x, x_test, y, y_test = train_test_split(*found, test_size=TEST_SHARE, seed=seed)
    x, x_held, y, y_held = train_test_split(x, y, test_size=TEST_SHARE, seed=seed)
    return Split(x, y, x_held, y_held, x_test, y_test)


def _print_test(model: nn.MLP, split: Split, history: nn.History) -> None:
    """Print the errors on the training rows and the test rows, and how much is explained."""
    test = split.predicted(model, split.x_test)
    regression.print_errors(
        (split.predicted(model, split.x), split.y), (test, split.y_test), "rows"
    )
    r2 = nn.metrics.r2(test, split.y_test)
    print(f"R²: {r2:.4f} on the test rows, with the parameters of epoch {history.best_epoch}")


def _print_predictions(names: Sequence[str], model: nn.MLP, split: Split) -> None:
    """Print one line per row: the inputs, the prediction and the true number."""
    shown, x, true = names[:4], split.x_test[:SHOWN], split.y_test[:SHOWN]
    print("  ".join(f"{name[:10]:>10}" for name in (*shown, "predicted", "true")))
    for row in zip(x.tolist(), split.predicted(model, x), true, strict=True):
        print("  ".join(f"{number:>10.4g}" for number in (*row[0][: len(shown)], *row[1:])))


def _plot(folder: Path, options: argparse.Namespace, model: nn.MLP, split: Split) -> None:
    """Plot predictions over a single input, or over the true numbers."""
    if len(options.x) > 1:
        predicted = split.predicted(model, split.x_test)
        plot_agreement(folder, split.y_test, predicted, options.y)
        return
    grid = np.linspace(split.x.min(), split.x.max(), 200)
    curve = split.predicted(model, grid[:, None])
    train = split.x[:, 0], split.y
    plot_fit(folder, grid, None, curve, train, names=(options.x[0], options.y))
