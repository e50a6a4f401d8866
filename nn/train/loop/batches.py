"""`Examples`: what `fit` trains on and what it holds out, in batches."""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from autodiff.checks import brief, integer, number
from nn.data.datasets import train_test_split
from nn.data.inputs import Rows, as_inputs, as_targets, check_finite

Validation: TypeAlias = float | tuple[npt.ArrayLike, npt.ArrayLike] | None

_BATCH = 32
_WANTED = "a share of the examples, above 0 and below 1, or a pair (x, y)"


class Pair(NamedTuple):
    """Inputs and targets, one row per example."""

    x: Rows
    y: Rows


@dataclass(frozen=True)
class Examples:
    """Examples to train on, in batches of `batch_size`, and examples to validate on."""

    train: Pair
    validation: Pair | None
    batch_size: int

    def batches(self, rng: np.random.Generator) -> list[npt.NDArray[np.int_]]:
        """The rows of each batch of an epoch: shuffled, or all examples in their order."""
        count, size = len(self.train.x), self.batch_size
        order = rng.permutation(count) if size < count else np.arange(count)
        return [order[start : start + size] for start in range(0, count, size)]


def examples_of(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    validation: Validation,
    batch_size: int | None,
    *,
    seed: int,
    counts_epochs: bool,
) -> Examples:
    """The examples that the arguments of `fit` describe.

    Without a `batch_size`, a batch is 32 examples if `counts_epochs`, otherwise all of them.
    """
    train, held_out = _parted(_pair("", x, y), validation, seed)
    count = len(train.x)
    if batch_size is None:
        batch_size = min(_BATCH, count) if counts_epochs else count
    return Examples(train, held_out, integer("fit: batch_size", batch_size, least=1, most=count))


def _parted(whole: Pair, validation: Validation, seed: int) -> tuple[Pair, Pair | None]:
    """The examples to train on and those to validate on."""
    if validation is None:
        return whole, None
    if isinstance(validation, tuple | list):
        return whole, _held_out(whole, validation)
    try:
        share = number(validation)
    except TypeError:
        raise TypeError(f"fit: validation must be {_WANTED}, got {brief(validation)}") from None
    if not 0 < share < 1:
        raise ValueError(f"fit: validation must be {_WANTED}, got {brief(validation)}")
    count = ceil(len(whole.x) * share)
    if count == len(whole.x):
        raise ValueError(f"fit: validation {share:g} of {count} examples leaves none to train on")
    x_train, x_held, y_train, y_held = train_test_split(*whole, test_size=count, seed=seed)
    return Pair(x_train, y_train), Pair(x_held, y_held)


def _held_out(whole: Pair, validation: tuple[npt.ArrayLike, ...] | list[npt.ArrayLike]) -> Pair:
    """The pair to validate on, whose rows have the shapes of those in `whole`."""
    if len(validation) != 2:
        raise ValueError(
            f"fit: validation must be {_WANTED}, got a {type(validation).__name__} of "
            f"{len(validation)}"
        )
    held_out = _pair("validation ", *validation)
    for name, ours, theirs in zip("xy", whole, held_out, strict=True):
        if ours.shape[1:] != theirs.shape[1:]:
            raise ValueError(
                f"fit: rows of {name} have shape {ours.shape[1:]}, rows of validation {name} "
                f"have shape {theirs.shape[1:]}"
            )
    return held_out


def _pair(name: str, x: npt.ArrayLike, y: npt.ArrayLike) -> Pair:
    pair = Pair(as_inputs(x), as_targets(y))
    if len(pair.x) != len(pair.y):
        raise ValueError(f"fit: {len(pair.x)} examples in {name}x, {len(pair.y)} in {name}y")
    check_finite(f"{name}x", pair.x)
    check_finite(f"{name}y", pair.y)
    return pair
