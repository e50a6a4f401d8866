"""Options that commands share, and how a wrong one is reported: in one line."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

import numpy as np

import nn
from autodiff.checks import integer, within
from nn.data.tables import Table, read_csv

Number = TypeVar("Number", int, float)

OPTIMIZERS: dict[str, Callable[..., nn.Optimizer]] = {"adam": nn.Adam, "sgd": nn.SGD}

TEST_SHARE = 0.2
"""The share of the examples that is held out for the test."""
FEWEST = 10
"""With this many rows some are left for training, for validation and for the test."""


class Parser(argparse.ArgumentParser):
    """Prints one line for a wrong option, and takes no abbreviations."""

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog, description=description, epilog=f"example: {example}", allow_abbrev=False
        )

    def error(self, message: str) -> NoReturn:
        """Exit with one line, where argparse prints the usage as well."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add the activation and the optimizer."""
    add = parser.add_argument
    add("--activation", choices=["linear", *nn.ACTIVATIONS], nargs="+", default=["relu"],
        metavar="NAME", help="one for all layers but the last, which is linear, or one per layer: "
        f"{', '.join(nn.ACTIVATIONS)}, linear; default: relu")  # fmt: skip
    add("--optimizer", choices=sorted(OPTIMIZERS), default="adam", help="default: %(default)s")


def add_table(parser: argparse.ArgumentParser, target: str) -> None:
    """Add a user's own table and its columns."""
    add = parser.add_argument
    add("--csv", type=Path, metavar="FILE", help="learn from this table, with a header line")
    add("--x", nargs="+", metavar="COL", help="names of the input columns")
    add("--y", metavar="COL", help=f"name of the column of {target}")


def add_output(parser: argparse.ArgumentParser, seeded: str) -> None:
    """Add the seed, the folder and the switch of the progress."""
    add = parser.add_argument
    add("--seed", type=seed, default=0, help=f"seed of {seeded}; default: 0")
    add("--out", type=Path, default=Path("runs"), metavar="DIR",
        help="folder for what is written; default: %(default)s")  # fmt: skip
    add("--no-progress", action="store_true", help="show no progress")


def has_table(options: argparse.Namespace) -> bool:
    """Whether the options name a table or columns of one."""
    return bool(options.csv or options.x or options.y)


def table(options: argparse.Namespace) -> Table:
    """The table that the options name, after a check of the columns that they name."""
    if options.csv is None:
        raise ValueError("--x and --y name columns of a table; give the table with --csv")
    try:
        found = read_csv(options.csv)
    except OSError as error:
        raise ValueError(f"--csv: cannot read {options.csv}: {error.strerror}") from None
    if not options.x or not options.y:
        raise ValueError(f"--csv needs --x and --y; the columns are {', '.join(found.names)}")
    if options.y in options.x or len(set(options.x)) < len(options.x):
        raise ValueError("--x and --y: a column is named twice")
    if len(found.rows) < FEWEST:
        raise ValueError(f"{found.path} has {len(found.rows)} rows; at least {FEWEST} are needed")
    return found


def mlp(
    options: argparse.Namespace, nin: int, sizes: Sequence[int], rng: np.random.Generator
) -> nn.MLP:
    """A network with `nin` inputs, layers of `sizes` neurons and the activation of the options."""
    names = options.activation
    return nn.MLP(nin, sizes, names[0] if len(names) == 1 else names, rng=rng)


def positive(text: str) -> int:
    """A positive integer."""
    return _read(int, text, lambda number: integer("the value", number, least=1))


def seed(text: str) -> int:
    """An integer of at least 0."""
    return _read(int, text, lambda number: integer("the value", number, least=0))


def rate(text: str) -> float:
    """A positive number."""
    return _read(float, text, lambda number: within("the value", number, above=0.0))


def temperature(text: str) -> float:
    """A number of at least 0."""
    return _read(float, text, lambda number: within("the value", number, least=0.0))


def _read(kind: type[Number], text: str, checked: Callable[[Number | str], Number]) -> Number:
    """The number in `text`, checked; a text without one is checked as it is."""
    try:
        number: Number | str = kind(text)
    except ValueError:
        number = text
    try:
        return checked(number)
    except (TypeError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None
