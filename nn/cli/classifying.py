"""`python -m nn classify`: a network learns classes, is tested on held-out data, and is drawn."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

import nn
from nn import data
from nn.cli.options import (
    OPTIMIZERS,
    TEST_SHARE,
    Parser,
    add_network,
    add_output,
    add_table,
    has_table,
    mlp,
    positive,
    rate,
    table,
)
from nn.cli.output import (
    INTERRUPTED,
    output_folder,
    print_missing,
    print_written,
    progress,
    write_drawing,
)
from nn.data.datasets import Floats, Numbers
from nn.metrics import accuracy, confusion_matrix
from nn.view.plots import plot_boundary, plot_curves


class Setting(NamedTuple):
    """Hidden layers and epochs that work well."""

    hidden: Sequence[int]
    epochs: int


SETS: dict[str, tuple[Callable[[int], data.Dataset], Setting]] = {
    "moons": (lambda seed: data.moons(400, noise=0.2, seed=seed), Setting((16, 16), 100)),
    "spirals": (lambda seed: data.spirals(450, noise=0.04, seed=seed), Setting((32, 32), 200)),
    "iris": (lambda seed: data.iris(), Setting((16,), 60)),
    "wine": (lambda seed: data.wine(), Setting((16,), 40)),
    "digits": (lambda seed: data.digits(), Setting((32,), 30)),
    "breast_cancer": (lambda seed: data.breast_cancer(), Setting((16,), 40)),
}
"""Each data set, made from a seed, and its setting."""
TABLE = Setting((32,), 60)
"""The setting of a user's own table."""


class Split(NamedTuple):
    """Examples for training and for the test, with standardized inputs."""

    x: Floats
    inputs: Floats
    y: Numbers
    inputs_test: Floats
    y_test: Numbers


def command_line(prog: str) -> Parser:
    """The parser of the command."""
    parser = Parser(
        prog,
        "Learn the classes of a data set, or of a column of a table, with a fully connected "
        "network of scalar neurons; a fifth of the examples is held out.",
        f"{prog} moons --layers 8 8 --seed 1; {prog} --csv flowers.csv --x length width --y kind",
    )
    add = parser.add_argument
    add("name", nargs="?", choices=SETS, metavar="DATA", help=f"one of {', '.join(SETS)}")
    add_table(parser, "classes")
    add("--layers", type=positive, nargs="+", metavar="N",
        help="neurons per hidden layer; the last layer has one per class; default: 32 for "
        "digits and tables, 16 16 for moons, 32 32 for spirals, otherwise 16")  # fmt: skip
    add_network(parser)
    add("--lr", type=rate, default=0.01, help="learning rate; default: %(default)s")
    add("--epochs", type=positive, metavar="N", help="default: "
        + ", ".join(f"{setting.epochs} {name}" for name, (_, setting) in SETS.items())
        + f", {TABLE.epochs} tables")  # fmt: skip
    add("--batch", type=positive, metavar="N", default=32,
        help="examples per step; default: %(default)s")  # fmt: skip
    add_output(parser, "data, weights and batches")
    return parser


def run(options: argparse.Namespace) -> int:
    """Learn and test; return the exit status."""
    found, setting = _found(options)
    x, x_test, y, y_test = data.train_test_split(*found, test_size=TEST_SHARE, seed=options.seed)
    inputs, inputs_test = data.standardize(x, x_test)
    split = Split(x, inputs, y, inputs_test, y_test)
    sizes = [*(options.layers or setting.hidden), len(found.classes)]
    nin = x.shape[1]
    model = mlp(options, nin, sizes, np.random.default_rng(options.seed))
    if options.batch > len(x):
        raise ValueError(f"--batch must be at most {len(x)}, the number of training examples")
    with output_folder(options.out) as folder:
        print(f"classifying {options.name or options.csv}: {len(found.x):,} examples of "
              f"{nin} inputs in {len(found.classes)} classes, with a "
              f"{'-'.join(map(str, [nin, *sizes]))} network of {len(model.parameters()):,} "
              "parameters")  # fmt: skip
        history = _trained(options, model, split, options.epochs or setting.epochs)
        _print_test(model, split, found.classes)
        _write(folder, model, split, found, history)
        print_written(options.out, folder)
    print_missing()
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _found(options: argparse.Namespace) -> tuple[data.Dataset, Setting]:
    """The examples that the options name, and their setting."""
    if has_table(options):
        if options.name:
            raise ValueError(f"{options.name} and --csv: classify a data set or a table, not both")
        own = table(options)
        x, (y, classes) = own.matrix(options.x), own.labels(options.y)
        if len(classes) > len(y) / 2:
            raise ValueError(
                f"{own.path}: column {options.y!r} has {len(classes)} values in {len(y)} rows; "
                "python -m nn fit learns numbers"
            )
        return data.Dataset(x, y, tuple(options.x), classes), TABLE
    if not options.name:
        raise ValueError(f"name a data set, {', '.join(SETS)}, or give a table with --csv")
    make, setting = SETS[options.name]
    return make(options.seed), setting


def _trained(options: argparse.Namespace, model: nn.MLP, split: Split, epochs: int) -> nn.History:
    """Train as the options say; return the history and print how long it took."""
    start = perf_counter()
    history = nn.fit(
        model,
        split.inputs,
        split.y,
        loss=nn.cross_entropy,
        optimizer=OPTIMIZERS[options.optimizer](model.parameters(), lr=options.lr),
        epochs=epochs,
        batch_size=options.batch,
        validation=(split.inputs_test, split.y_test),
        metrics=["accuracy"],
        seed=options.seed,
        progress=progress(options.no_progress),
    )
    seconds = perf_counter() - start
    done = len(history.epochs.get("loss", ()))
    print(f"{len(history.losses):,} steps, {done:,} epochs in {seconds:.1f} s")
    return history


def _print_test(model: nn.MLP, split: Split, classes: Sequence[str]) -> None:
    """Print the accuracy, and which classes are taken for which."""
    train, test = nn.predict(model, split.inputs), nn.predict(model, split.inputs_test)
    print(f"accuracy: {accuracy(train, split.y):.2%} on {len(split.y):,} training examples, "
          f"{accuracy(test, split.y_test):.2%} on {len(split.y_test):,} held out")  # fmt: skip
    _print_confusion(confusion_matrix(test, split.y_test, len(classes)), classes)


def _print_confusion(counts: npt.NDArray[np.int_], classes: Sequence[str]) -> None:
    """Print one line per true class, one column per predicted class."""
    names = [name if len(name) <= 12 else f"{name[:11]}…" for name in classes]
    width = max(len(name) for name in names)
    column = max(5, *(len(name) for name in names))
    print("held-out examples (rows: true class; columns: predicted class):")
    print(" " * width, "  ".join(f"{name:>{column}}" for name in names))
    for name, row in zip(names, counts.tolist(), strict=True):
        print(f"{name:<{width}}", "  ".join(f"{count or '·':>{column}}" for count in row))


def _write(
    folder: Path, model: nn.MLP, split: Split, found: data.Dataset, history: nn.History
) -> None:
    """Write the boundary between classes of two inputs, the learning curves and the network."""
    if split.x.shape[1] == 2:

        def predict(points: Floats) -> npt.ArrayLike:
            return nn.predict(model, data.standardize(split.x, points)[1])

        plot_boundary(
            folder, predict, split.x, split.y, names=found.features, classes=found.classes
        )
    if history.epochs.get("loss"):
        plot_curves(folder, history.epochs)
    write_drawing(folder, model)
