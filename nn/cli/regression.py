"""A network that fits numbers: made, trained, checked and written down."""

import argparse
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import numpy as np

import autodiff
import nn
from autodiff import Value, gradcheck
from nn.cli.options import OPTIMIZERS, mlp
from nn.cli.output import progress
from nn.data.datasets import Floats
from nn.data.inputs import as_lists
from nn.metrics import Metric

SAMPLE = 300
"""The number of parameters that the gradient check of the eager engine draws."""

DEFAULTS = {"compiled": (10_000, 100, 0.005), "eager": (1000, 16, 0.01)}
"""Iterations, batch and learning rate of each engine."""

Pair = tuple[Floats, Floats]

HEADER = '''"""The mean squared error of a {sizes} network and its gradient, derived from scalars.

`bind(batch, 1 / batch, float, arrays)` makes the arrays and returns `step`, which takes the flat
parameters, x of shape (batch, {nin}) and y of shape (batch, 1), and returns the errors and the
gradient of their mean.
"""

'''


def network(options: argparse.Namespace, nin: int, rng: np.random.Generator) -> nn.MLP:
    """The network of `nin` inputs and one output that the options describe."""
    if options.layers[-1] != 1:
        raise ValueError(f"--layers: the last layer has 1 neuron, got {options.layers[-1]}")
    return mlp(options, nin, options.layers, rng)


def described(options: argparse.Namespace, model: nn.MLP, nin: int) -> str:
    """The size of the network in words."""
    sizes = "-".join(map(str, [nin, *options.layers]))
    return f"a {sizes} network of {len(model.parameters()):,} parameters"


def train(
    options: argparse.Namespace,
    model: nn.MLP,
    x: Floats,
    y: Floats,
    *,
    validation: tuple[Floats, Floats] | None = None,
    metrics: Sequence[str | Metric] = (),
    early_stopping: int | None = None,
) -> nn.History:
    """Train by the options and the defaults of the engine; print why it stopped."""
    iterations, batch, lr = DEFAULTS[options.engine]
    if options.batch and options.batch > len(x):
        raise ValueError(f"--batch must be at most {len(x)}, the number of training points")
    history = nn.fit(
        model,
        x,
        y,
        optimizer=OPTIMIZERS[options.optimizer](model.parameters(), lr=options.lr or lr),
        iterations=options.iterations or iterations,
        batch_size=options.batch or min(batch, len(x)),
        tolerance=options.tolerance,
        seed=options.seed,
        engine=options.engine,
        progress=progress(options.no_progress),
        validation=validation,
        metrics=metrics,
        early_stopping=early_stopping,
    )
    why = "" if history.stopped == "iterations" else f": {history.stopped}"
    print(f"stopped after {len(history.losses):,} iterations{why}")
    check_finite(*nn.predict(model, x[:1]))
    return history


def print_errors(train: Pair, test: Pair, examples: str) -> None:
    """Print the mean squared errors of pairs of predictions and true numbers."""
    errors = [float(nn.mse(*pair)) for pair in (train, test)]
    check_finite(*errors)
    counts = [np.size(true) for _, true in (train, test)]
    print(f"MSE: {errors[0]:.4g} on {counts[0]} training {examples}, "
          f"{errors[1]:.4g} on {counts[1]} test {examples}")  # fmt: skip


def check_finite(*numbers: float) -> None:
    """Raise ArithmeticError if an output or an error is not finite."""
    if not all(map(isfinite, numbers)):
        raise ArithmeticError("the output of the trained network is not finite; lower --lr")


def print_check(
    options: argparse.Namespace, model: nn.MLP, x: Floats, y: Floats
) -> autodiff.Kernel[object]:
    """Check the gradient of the squared error at a few examples; return the kernel that has it."""
    kernel = autodiff.compile(lambda x, y: nn.mse(model(as_lists(x)), y))
    kernel(x, y)
    if options.engine == "compiled":
        print(gradcheck(kernel, (x, y), raise_exception=False))
        return kernel

    def loss(checked: nn.MLP) -> Value:
        return nn.mse([checked(row) for row in x.tolist()], y)

    print(gradcheck(loss, model, sample=SAMPLE, seed=options.seed, raise_exception=False))
    return kernel


def write_source(
    folder: Path, options: argparse.Namespace, nin: int, kernel: autodiff.Kernel[object]
) -> None:
    """Write `backprop.py`, the derived program as a module that runs by itself."""
    header = HEADER.format(sizes="-".join(map(str, [nin, *options.layers])), nin=nin)
    (folder / "backprop.py").write_text(header + kernel.standalone(), encoding="utf-8")
