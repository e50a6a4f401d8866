"""Options that the subcommands share, and how a wrong one is reported: in one line."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import nn

Number = TypeVar("Number", int, float)

OPTIMIZERS: dict[str, Callable[..., nn.Optimizer]] = {"adam": nn.Adam, "sgd": nn.SGD}


class Parser(argparse.ArgumentParser):
    """Prints one line for a wrong option, and takes no abbreviations."""

    def __init__(self, prog: str, description: str, example: str) -> None:
        super().__init__(
            prog=prog, description=description, epilog=f"example: {example}", allow_abbrev=False
        )

    def error(self, message: str) -> NoReturn:
        """One line, where argparse prints the usage as well."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add what the activation and the optimizer are."""
    add = parser.add_argument
    add("--activation", choices=["linear", *nn.ACTIVATIONS], nargs="+", default=["relu"],
        metavar="NAME", help="one for all layers but the last, which is linear, or one a layer: "
        f"{', '.join(nn.ACTIVATIONS)}, linear; default: relu")  # fmt: skip
    add("--optimizer", choices=sorted(OPTIMIZERS), default="adam", help="default: %(default)s")


def add_table(parser: argparse.ArgumentParser, target: str) -> None:
    """Add what names a user's own table and its columns."""
    add = parser.add_argument
    add("--csv", type=Path, metavar="FILE", help="learn from this table, with a header line")
    add("--x", nargs="+", metavar="COL", help="the columns of the inputs, by name")
    add("--y", metavar="COL", help=f"the column of the {target}, by name")


def add_output(parser: argparse.ArgumentParser, seeded: str) -> None:
    """Add the seed, the folder and the switch of the progress."""
    add = parser.add_argument
    add("--seed", type=seed, default=0, help=f"of {seeded}; default: 0")
    add("--out", type=Path, default=Path("runs"), metavar="DIR",
        help="where pictures go; default: %(default)s")  # fmt: skip
    add("--no-progress", action="store_true", help="print neither a bar nor the loss")


def positive(text: str) -> int:
    """A positive integer."""
    return _bounded(int, text, 1, "a positive integer")


def seed(text: str) -> int:
    """An integer, at least 0."""
    return _bounded(int, text, 0, "an integer, at least 0")


def rate(text: str) -> float:
    """A positive number."""
    return _bounded(float, text, sys.float_info.min, "a positive number")


def temperature(text: str) -> float:
    """A number, at least 0."""
    return _bounded(float, text, 0.0, "a number, at least 0")


def _bounded(kind: type[Number], text: str, least: float, wanted: str) -> Number:
    try:
        value = kind(text)
        if least <= value < float("inf"):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
