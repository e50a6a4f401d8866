"""`python -m nn classify`: a network learns classes, is tested on held-out data, and is drawn."""

import argparse
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import nn
from nn import data
from nn.cli import tables
from nn.cli.options import OPTIMIZERS, Parser, add_network, add_output, add_table, positive, rate
from nn.cli.output import (
    INTERRUPTED,
    output_folder,
    print_missing,
    print_written,
    progress,
    write_drawing,
)
from nn.metrics import accuracy, confusion_matrix
from nn.view.plots import plot_boundary, plot_curves

Floats = npt.NDArray[np.float64]

HELD_OUT = 0.2


class Setting(NamedTuple):
    """A data set and what works well on it: hidden layers and epochs."""

    make: Callable[[int], data.Dataset]
    hidden: Sequence[int]
    epochs: int


SETS = {
    "moons": Setting(lambda seed: data.moons(400, noise=0.2, seed=seed), (16, 16), 100),
    "spirals": Setting(lambda seed: data.spirals(450, noise=0.04, seed=seed), (32, 32), 200),
    "iris": Setting(lambda seed: data.iris(), (16,), 60),
    "wine": Setting(lambda seed: data.wine(), (16,), 40),
    "digits": Setting(lambda seed: data.digits(), (32,), 30),
    "breast_cancer": Setting(lambda seed: data.breast_cancer(), (16,), 40),
}
TABLE = Setting(lambda seed: data.iris(), (32,), 60)
"""What a user's own table is given unless the options say more."""


def command_line(prog: str) -> Parser:
    """What the command takes."""
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
        help="neurons in each hidden layer; the last layer has one a class; default: 32 for "
        "digits and tables, 16 16 for moons, 32 32 for spirals, otherwise 16")  # fmt: skip
    add_network(parser)
    add("--lr", type=rate, default=0.01, help="learning rate; default: %(default)s")
    add("--epochs", type=positive, metavar="N", help="default: "
        + ", ".join(f"{setting.epochs} {name}" for name, setting in SETS.items())
        + f", {TABLE.epochs} tables")  # fmt: skip
    add("--batch", type=positive, metavar="N", default=32,
        help="examples an iteration; default: %(default)s")  # fmt: skip
    add_output(parser, "data, weights and batches")
    return parser


def run(options: argparse.Namespace) -> int:
    """Learn and test; the exit status."""
    found, setting = _found(options)
    x, x_test, y, y_test = data.train_test_split(*found, test_size=HELD_OUT, seed=options.seed)
    inputs, inputs_test = data.standardize(x, x_test)
    nin, classes = inputs.shape[1], found.classes
    sizes = [*(options.layers or setting.hidden), len(classes)]
    names = options.activation
    rng = np.random.default_rng(options.seed)
    model = nn.MLP(nin, sizes, names[0] if len(names) == 1 else names, rng=rng)
    if options.batch > len(x):
        raise ValueError(f"--batch: at most {len(x)}, the training examples")
    with output_folder(options.out) as folder:
        count = len(model.parameters())
        print(f"classifying {options.name or options.csv}: {len(found.x):,} examples of "
              f"{nin} inputs in {len(classes)} classes, with a "
              f"{'-'.join(map(str, [nin, *sizes]))} network of {count:,} parameters")  # fmt: skip
        start = perf_counter()
        history = nn.fit(
            model,
            inputs,
            y,
            loss=nn.cross_entropy,
            optimizer=OPTIMIZERS[options.optimizer](model.parameters(), lr=options.lr),
            epochs=options.epochs or setting.epochs,
            batch_size=options.batch,
            validation=(inputs_test, y_test),
            metrics=["accuracy"],
            seed=options.seed,
            progress=progress(options.no_progress),
        )
        seconds = perf_counter() - start
        epochs = len(history.epochs.get("loss", ()))
        print(f"trained {epochs:,} epochs, {len(history.losses):,} steps, in {seconds:.1f} s")
        train, test = nn.predict(model, inputs), nn.predict(model, inputs_test)
        print(f"accuracy {accuracy(train, y):.2%} on {len(x):,} training examples, "
              f"{accuracy(test, y_test):.2%} on {len(x_test):,} held out")  # fmt: skip
        _print_confusion(confusion_matrix(test, y_test, len(classes)), classes)
        if nin == 2:

            def predict(points: Floats) -> Any:
                return nn.predict(model, data.standardize(x, points)[1])

            plot_boundary(folder, predict, x, y, names=found.features, classes=classes)
        if epochs:
            plot_curves(folder, history.epochs)
        write_drawing(folder, model)
        print_written(options.out, folder)
    print_missing()
    return INTERRUPTED if history.stopped == "interrupted" else 0


def _found(options: argparse.Namespace) -> tuple[data.Dataset, Setting]:
    """The examples that the options name, and what works well on them."""
    if options.csv or options.x or options.y:
        if options.name:
            raise ValueError(f"{options.name} and --csv: classify a data set or a table, not both")
        table = tables.opened(options)
        x, (y, classes) = table.matrix(options.x), table.labels(options.y)
        if len(classes) > len(y) / 2:
            raise ValueError(
                f"{table.path}: column {options.y!r} has {len(classes)} values in {len(y)} rows; "
                "numbers are fitted by python -m nn fit"
            )
        return data.Dataset(x, y, tuple(options.x), classes), TABLE
    if not options.name:
        raise ValueError(f"name a data set, {', '.join(SETS)}, or give a table with --csv")
    setting = SETS[options.name]
    return setting.make(options.seed), setting


def _print_confusion(counts: npt.NDArray[np.int_], classes: Sequence[str]) -> None:
    """A row a true class, a column a predicted class."""
    names = [name if len(name) <= 12 else f"{name[:11]}…" for name in classes]
    width = max(len(name) for name in names)
    column = max(5, *(len(name) for name in names))
    print("held-out examples, a row a true class, a column a predicted one:")
    print(" " * width, "  ".join(f"{name:>{column}}" for name in names))
    for name, row in zip(names, counts.tolist(), strict=True):
        print(f"{name:<{width}}", "  ".join(f"{count or '·':>{column}}" for count in row))
