"""A checkpoint: all that training needs to go on with the same bits, in one file.

It holds numbers, and the names of parameters and of states, but of no class: an optimizer or a
schedule fits if its state has the same keys, shapes and kinds of numbers and if, from the saved
state, it does the same next.
"""

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from autodiff.checks import brief
from nn.module import Module
from nn.train.arrays import State
from nn.train.engines.auto import AutoEngine
from nn.train.engines.eager import EagerEngine
from nn.train.engines.snapshot import generators
from nn.train.history import History
from nn.train.loop.archive import Facts, fingerprint, history_facts, part_of, read, write
from nn.train.loop.batches import Examples
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
            "history": history_facts(training.history),
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
            states = self._generator_states(training, facts["generators"])
        except ValueError as error:
            raise ValueError(f"{self.path} does not fit this training: {error}") from None
        for rng, state in states:
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
                about = (
                    "" if name.endswith("examples") else f": {_brief(there)}, here {_brief(here)}"
                )
                raise ValueError(f"the {name} differ{'' if name.endswith('s') else 's'}{about}")
        self._require_same_parameters(training, arrays)
        states = {name: part_of(arrays, f"{name}.") for name in ("optimizer", "schedule")}
        parts = _stateful(training)
        for name, there in states.items():
            here = parts[name].state_dict() if name in parts else {}
            reason = difference(there, here)
            if reason is not None:
                raise ValueError(f"the {name} differs: {reason}")
        for name, step in _next(training, states).items():
            if not is_alike(facts.get("next", {}).get(name), step):
                raise ValueError(f"the {name} differs: from the same state it goes on otherwise")

    def _require_same_parameters(self, training: Training[B], arrays: State) -> None:
        """Raise ValueError if the optimizer here does not train the saved parameters."""
        ours, theirs = training.descent.optimizer.parameters, arrays["theta"].tolist()
        if len(ours) != len(theirs):
            raise ValueError(f"the optimizer differs: {len(theirs)} parameters, here {len(ours)}")
        data = dict(zip(self.model.parameters(), arrays["model"].tolist(), strict=True))
        if any(data.get(p, x) != x for p, x in zip(ours, theirs, strict=True)):
            raise ValueError("the parameters of the optimizer, or their order, differ")

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

    def _generator_states(
        self, training: Training[B], saved: list[Saved]
    ) -> list[tuple[np.random.Generator, Mapping[str, object]]]:
        """The saved states beside the generators here. ValueError if they do not fit."""
        rngs = self._generators(training)
        if len(rngs) != len(saved):
            raise ValueError(f"the random generators differ: {len(saved)}, here {len(rngs)}")
        return [(rng, generator_state(rng, state)) for rng, state in zip(rngs, saved, strict=True)]

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


def _brief(fact: object) -> str:
    """A fact in an error message; of the names of parameters only how many."""
    return f"{len(fact)} parameters" if isinstance(fact, list) else str(fact)


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
