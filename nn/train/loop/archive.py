"""The file of a checkpoint: arrays by name, and facts that are not arrays, as JSON."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired, TypedDict

import numpy as np

from nn.train.arrays import NumberArray, State
from nn.train.files import load, save
from nn.train.history import History, Stopped
from nn.train.loop.likeness import Saved

_FACTS = "facts"
"""The array that holds what is not an array, as JSON in UTF-8; it keeps every bit of a float."""


class HistoryFacts(TypedDict):
    """The fields of a History."""

    losses: list[float]
    stopped: Stopped
    epochs: dict[str, list[float]]
    best_epoch: int | None


class Facts(TypedDict):
    """What a checkpoint holds beside arrays."""

    identity: dict[str, object]
    """What must be the same for training to go on to the same bits."""
    next: NotRequired[dict[str, list[float] | None]]
    """What the optimizer and the schedule do next; older files do not say."""
    history: HistoryFacts
    epoch: int
    plateau: tuple[float, int]
    early: tuple[float, int]
    generators: list[Saved]


def history_facts(history: History) -> HistoryFacts:
    """The fields of `history`."""
    return {
        "losses": history.losses,
        "stopped": history.stopped,
        "epochs": history.epochs,
        "best_epoch": history.best_epoch,
    }


def write(path: Path, arrays: State, facts: Mapping[str, object]) -> None:
    """Write an `.npz` file of arrays and facts, whole or not at all."""
    text = json.dumps(facts).encode()
    save(arrays | {_FACTS: np.frombuffer(text, dtype=np.uint8)}, path)


def read(path: Path) -> tuple[State, Facts]:
    """The arrays and facts in a file. ValueError if it is damaged or not a checkpoint."""
    arrays = load(path)
    if _FACTS not in arrays:
        raise ValueError(f"{path} is not a checkpoint of a training")
    return arrays, json.loads(arrays.pop(_FACTS).tobytes())


def part_of(arrays: State, prefix: str) -> State:
    """The arrays whose name begins with `prefix`, without it."""
    return {name[len(prefix) :]: x for name, x in arrays.items() if name.startswith(prefix)}


def fingerprint(*arrays: NumberArray) -> int:
    """A number that differs, almost surely, if the bits or the shapes of arrays differ."""
    total = 0
    for array in arrays:
        total = zlib.crc32(repr((array.shape, array.dtype.str)).encode(), total)
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return total
