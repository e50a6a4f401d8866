"""A checkpoint: all that training needs to go on with the same bits, in one file."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nn.train.files import State, load, save

_FACTS = "facts"
"""The array that holds what is no array, as JSON in UTF-8; it keeps every bit of a float."""


def write(path: Path, arrays: State, facts: dict[str, Any]) -> None:
    """Write the `.npz` file whole or not at all: a crash leaves the one before."""
    text = json.dumps(facts).encode()
    save(arrays | {_FACTS: np.frombuffer(text, dtype=np.uint8)}, path)


def read(path: Path) -> tuple[State, dict[str, Any]]:
    """What `write` wrote. ValueError for a file that is damaged or something else."""
    arrays = load(path)
    if _FACTS not in arrays:
        raise ValueError(f"{path} is no checkpoint of a training")
    return arrays, json.loads(arrays.pop(_FACTS).tobytes())


def part(arrays: State, prefix: str) -> State:
    """The arrays whose name begins with `prefix`, without it."""
    return {name[len(prefix) :]: x for name, x in arrays.items() if name.startswith(prefix)}


def fingerprint(*arrays: npt.NDArray[Any]) -> int:
    """A number that differs, almost surely, if the bits or the shapes of arrays differ."""
    total = 0
    for array in arrays:
        total = zlib.crc32(repr((array.shape, array.dtype.str)).encode(), total)
        total = zlib.crc32(np.ascontiguousarray(array).data, total)
    return total
