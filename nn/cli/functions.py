"""`python -m nn fit`: a network fits a function of x, is checked, predicts, and is drawn."""

import argparse
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import nn
from nn.cli import regression
from nn.cli.expression import parse
from nn.cli.output import INTERRUPTED, output_folder, print_missing, print_written, write_drawing
from nn.data.datasets import Floats
from nn.view.plots import plot_fit, plot_loss

TARGET = "x**2 + 2*x - 3"
LOW, HIGH = -5.0, 5.0
TRAINING_POINTS = 200
TEST_POINTS = 100
SHOWN = (-5.0, -2.5, -1.0, 0.0, 1.0, 2.5, 5.0)

Target = Callable[[npt.ArrayLike], Floats]


def run(options: argparse.Namespace) -> int:
    """Fit the function that the options name; return the exit status."""
    text = TARGET if options.target is None else options.target
    target = _target(text)
    rng = np.random.default_rng(options.seed)
    model = regression.network(options, 1, rng)
    x_train = rng.uniform(LOW, HIGH, TRAINING_POINTS)
    x_test = np.linspace(LOW, HIGH, TEST_POINTS)
    y_train, y_test = target(x_train), target(x_test)
    if not np.isfinite([*y_train, *y_test, *target(SHOWN)]).all():
        raise ValueError(f"--target: {text} is not finite everywhere on [-5, 5]")
    with output_folder(options.out) as folder:
        print(f"fitting y = {text} with {regression.described(options, model, 1)}")
        history = regression.train(options, model, x_train, y_train)
        regression.print_errors(
            (nn.predict(model, x_train), y_train), (nn.predict(model, x_test), y_test), "points"
        )
        some = np.linspace(0, TEST_POINTS - 1, 6).round().astype(int)[1:-1]
        kernel = regression.print_check(options, model, x_test[some, None], y_test[some])
        _print_predictions(model, target)
        plot_fit(folder, x_test, y_test, nn.predict(model, x_test), (x_train, y_train))
        plot_loss(folder, history.losses)
        write_drawing(folder, model)
        regression.write_source(folder, options, 1, kernel)
        print_written(options.out, folder)
    print_missing()
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _target(text: str) -> Target:
    """The function that `text` writes, at each of several points."""
    function = parse(text)
    return lambda points: np.array([function(float(x)) for x in np.asarray(points)])


def _print_predictions(model: nn.MLP, target: Target) -> None:
    print(f"{'x':>8}  {'predicted':>10}  {'true':>10}")
    for x, predicted, true in zip(SHOWN, nn.predict(model, SHOWN), target(SHOWN), strict=True):
        print(f"{x:8g}  {predicted:10.4f}  {true:10.4f}")
