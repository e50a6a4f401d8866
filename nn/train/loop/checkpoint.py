"""A checkpoint: all that training needs to go on with the same bits, in one file.

It holds numbers, and the names of parameters and of states, but of no class: an optimizer or a
schedule fits if its state has the same keys, shapes and kinds of numbers and if, from the saved
state, it does the same next.
"""

import json
import zlib
from collections.abc import Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import NotRequired, TypedDict, TypeVar

import numpy as np

from autodiff.checks import brief
from nn.module import Module
from nn.train.arrays import NumberArray, State
from nn.train.engines.auto import AutoEngine
from nn.train.engines.eager import EagerEngine
from nn.train.engines.snapshot import generators
from nn.train.files import load, save
from nn.train.history import History, Stopped
from nn.train.loop.examples import Examples
from nn.train.loop.likeness import (
    Saved,
    difference,
    generator_state,
    is_alike,
    next_rates,
    next_step,
    saved_generator,
)
from nn.train.loop.training import Training
from nn.train.stateful import Stateful

B = TypeVar("B", bound=Sized)

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


@dataclass(frozen=True)
class Checkpoint:
    """A training on disk, written after every `every` epochs."""

    path: Path
    every: int
    model: Module
    engine: EagerEngine | AutoEngine
    examples: Examples

    def keep(self, training: Training[B]) -> None:
        """Save the training if it is time."""
        if training.epoch % self.every == 0:
            self.save(training)

    def save(self, training: Training[B]) -> None:
        """Write the file whole or not at all: a crash leaves the one before."""
        self.engine.give()
        arrays: State = {
            "model": np.array([parameter.data for parameter in self.model.parameters()]),
            "theta": self.engine.theta,
            "frozen": training.descent.frozen,
        }
        if training.best is not None:
            arrays["best"] = training.best
        states = {name: part.state_dict() for name, part in _stateful(training).items()}
        for name, state in states.items():
            arrays |= {f"{name}.{key}": array for key, array in state.items()}
        facts: Facts = {
            "identity": self._identity(training),
            "next": _next(training, states),
            "history": _history_facts(training.history),
            "epoch": training.epoch,
            "plateau": (training.plateau.least, training.plateau.since),
            "early": (training.early.least, training.early.since),
            "generators": [saved_generator(rng) for rng in self._generators(training)],
        }
        write(self.path, arrays, facts)

    def resume(self, training: Training[B]) -> None:
        """Go on from the checkpoint if there is one.

        Raises ValueError, nothing changed, if it is damaged or of another training.
        """
        if not self.path.exists():
            return
        arrays, facts = read(self.path)
        if facts["identity"].get("engine") == "eager":
            self.engine.resume_as("eager")
        try:
            self._require_same(training, arrays, facts)
            pairs = list(zip(self._generators(training), facts["generators"], strict=True))
            states = [generator_state(rng, saved) for rng, saved in pairs]
        except ValueError as error:
            raise ValueError(f"{self.path} is of another training, with {error}") from None
        for (rng, _), state in zip(pairs, states, strict=True):
            rng.bit_generator.state = state
        for name, part in _stateful(training).items():
            part.load_state_dict(part_of(arrays, f"{name}."))
        for parameter, data in zip(self.model.parameters(), arrays["model"].tolist(), strict=True):
            parameter.data = data
        self.engine.theta = arrays["theta"].astype(float)
        _load(training, arrays, facts)

    def _require_same(self, training: Training[B], arrays: State, facts: Facts) -> None:
        """Raise ValueError, saying what is another, if the training here is not the saved one."""
        for name, here in self._identity(training).items():
            there = facts["identity"].get(name)
            if there != here:
                about = "" if name.endswith(("model", "examples")) else f": {there}, here {here}"
                raise ValueError(f"another {name}{about}")
        states = {name: part_of(arrays, f"{name}.") for name in ("optimizer", "schedule")}
        parts = _stateful(training)
        for name, there in states.items():
            here = parts[name].state_dict() if name in parts else {}
            reason = difference(there, here)
            if reason is not None:
                raise ValueError(f"another {name}: {reason}")
        for name, step in _next(training, states).items():
            if not is_alike(facts.get("next", {}).get(name), step):
                raise ValueError(f"another {name}: from the same state it goes on otherwise")

    def _identity(self, training: Training[B]) -> dict[str, object]:
        train, validation = self.examples.train, self.examples.validation
        return {
            "model": [name for name, _ in self.model.named_parameters()],
            "engine": self.engine.name,
            "batch_size": self.examples.batch_size,
            "seed": training.plan.seed,
            "training examples": fingerprint(*train),
            "validation examples": validation and fingerprint(*validation),
        }

    def _generators(self, training: Training[B]) -> list[np.random.Generator]:
        return [training.rng, *generators(self.model)]


def checkpoint_path(path: object) -> Path:
    """The path that the argument of `fit` describes."""
    if not isinstance(path, str | Path) and not hasattr(path, "__fspath__"):
        raise TypeError(f"fit: checkpoint must be the path of an .npz file, got {brief(path)}")
    found = Path(path)
    if found.suffix != ".npz" or not found.parent.is_dir():
        raise ValueError(
            f"fit: checkpoint must be an .npz file in a folder that exists, got {found}"
        )
    return found


def _stateful(training: Training[B]) -> dict[str, Stateful]:
    """The parts of a training that have a state of their own."""
    descent = training.descent
    parts: dict[str, Stateful] = {"optimizer": descent.optimizer}
    return parts if descent.schedule is None else parts | {"schedule": descent.schedule}


def _next(training: Training[B], states: Mapping[str, State]) -> dict[str, list[float] | None]:
    """What the optimizer and the schedule here do next, from these states."""
    descent, state = training.descent, states["optimizer"]
    steps = {"optimizer": next_step(descent.optimizer, state)}
    if descent.schedule is not None:
        steps["schedule"] = next_rates(descent.schedule, states["schedule"], state)
    return steps


def _history_facts(history: History) -> HistoryFacts:
    return {
        "losses": history.losses,
        "stopped": history.stopped,
        "epochs": history.epochs,
        "best_epoch": history.best_epoch,
    }


def _load(training: Training[B], arrays: State, facts: Facts) -> None:
    """Set the state of the loop to the saved one."""
    best = arrays.get("best")
    training.best = None if best is None else best.astype(float)
    everything_moves = np.zeros(len(training.descent.frozen), dtype=bool)  # as in older files
    training.descent.frozen = arrays.get("frozen", everything_moves).astype(bool)
    training.history = History(**facts["history"])
    training.epoch = facts["epoch"]
    training.plateau.least, training.plateau.since = facts["plateau"]
    training.early.least, training.early.since = facts["early"]


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
