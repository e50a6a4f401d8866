"""A user's own table: what to read from it, and a network that fits a column of numbers."""

import argparse
from collections.abc import Sequence

import numpy as np

import nn
from nn.cli import regression
from nn.cli.output import INTERRUPTED, output_folder, print_missing, print_written, write_drawing
from nn.data.datasets import Dataset, Table, read_csv, standardize, train_test_split
from nn.view.plots import plot_agreement, plot_curves, plot_fit

HELD_OUT = 0.2
"""The share of the rows for the test, and of the others for validation."""
FEWEST = 10
"""So many rows leave some for training, for validation and for the test."""
PATIENCE = 100
"""Epochs without a better validation loss, after which training stops."""
SHOWN = 7


def opened(options: argparse.Namespace) -> Table:
    """The table of the options, whose columns of inputs and of the target are named and there."""
    if options.csv is None:
        raise ValueError("--x and --y name columns of a table; give it with --csv")
    try:
        table = read_csv(options.csv)
    except OSError as error:
        raise ValueError(f"--csv: cannot read {options.csv}: {error.strerror}") from None
    if not options.x or not options.y:
        raise ValueError(f"--csv needs --x and --y; the columns are {', '.join(table.names)}")
    if options.y in options.x or len(set(options.x)) < len(options.x):
        raise ValueError("--x and --y: a column is named twice")
    if len(table.rows) < FEWEST:
        raise ValueError(f"{table.path} has {len(table.rows)} rows; at least {FEWEST} are needed")
    return table


def run(options: argparse.Namespace) -> int:
    """Fit a column of the table by others; the exit status."""
    if options.target is not None:
        raise ValueError("--target and --csv: fit a function or a table, not both")
    table = opened(options)
    found = Dataset(table.matrix(options.x), table.numbers(options.y), tuple(options.x))
    x, x_test, y, y_test = train_test_split(*found, test_size=HELD_OUT, seed=options.seed)
    x, x_held, y, y_held = train_test_split(x, y, test_size=HELD_OUT, seed=options.seed)
    center, scale = y.mean(), y.std() or 1.0
    inputs, inputs_held, inputs_test = standardize(x, x_held, x_test)
    nin = len(options.x)
    model = regression.network(options, nin, np.random.default_rng(options.seed))

    def predicted(inputs: regression.Array) -> regression.Array:
        numbers: regression.Array = nn.predict(model, inputs) * scale + center
        return numbers

    with output_folder(options.out) as folder:
        names = ", ".join(options.x)
        size = regression.described(options, model, nin)
        print(f"fitting {options.y} by {names} in {options.csv} with {size}")
        history = regression.train(
            options, model, inputs, (y - center) / scale,
            validation=(inputs_held, (y_held - center) / scale), metrics=["r2"],
            early_stopping=PATIENCE,
        )  # fmt: skip
        train, test = nn.mse(predicted(inputs), y), nn.mse(predicted(inputs_test), y_test)
        regression.check_finite(train, test)
        print(f"train MSE {train:.4g} on {len(x)} rows, test MSE {test:.4g} on {len(x_test)}")
        r2 = nn.metrics.r2(predicted(inputs_test), y_test)
        print(f"R² on the test rows {r2:.4f}, by the parameters of epoch {history.best_epoch}")
        few = inputs_test[:4], ((y_test - center) / scale)[:4]
        kernel = regression.print_check(options, model, *few)
        some = slice(SHOWN)
        _print_predictions(options.x, x_test[some], predicted(inputs_test[some]), y_test[some])
        if nin == 1:
            grid = np.linspace(x.min(), x.max(), 200)
            curve = predicted(standardize(x, grid[:, None])[1])
            plot_fit(folder, grid, None, curve, (x[:, 0], y), names=(options.x[0], options.y))
        else:
            plot_agreement(folder, y_test, predicted(inputs_test), options.y)
        plot_curves(folder, history.epochs, history.best_epoch)
        write_drawing(folder, model)
        regression.write_source(folder, options, nin, kernel)
        print_written(options.out, folder)
    print_missing()
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _print_predictions(
    names: Sequence[str], x: regression.Array, predicted: regression.Array, true: regression.Array
) -> None:
    """A line a row: the inputs, what is predicted and what is true."""
    shown = names[:4]
    print("  ".join(f"{name[:10]:>10}" for name in (*shown, "predicted", "true")))
    for row in zip(x.tolist(), predicted, true, strict=True):
        print("  ".join(f"{number:>10.4g}" for number in (*row[0][: len(shown)], *row[1:])))
