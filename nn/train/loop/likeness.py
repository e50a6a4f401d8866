"""Whether saved parts of a training fit those here: by structure, and by what they do next."""

import copy
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np

from autodiff.pytree import Path, is_array, leaves, mapped
from nn.train.arrays import State
from nn.train.optim import Optimizer
from nn.train.schedule import Schedule
from nn.train.stateful import Stateful

S = TypeVar("S", bound=Stateful)
Saved: TypeAlias = dict[str, object]
"""The state of a random generator as JSON holds it."""

_AHEAD = (1, 2, 3, 10, 30)
"""How many epochs ahead the rates of schedules are compared."""
_SHOWN = 8
"""How many parameters of a step are compared."""


def difference(there: State, here: State) -> str | None:
    """How the structure of a saved state differs from the state here, in words; None if equal."""
    if set(there) != set(here):
        ours, theirs = sorted(set(here) - set(there)), sorted(set(there) - set(here))
        sides = [
            f"{where} {', '.join(keys)}"
            for where, keys in (("its state has", theirs), ("here it has", ours))
            if keys
        ]
        return "; ".join(sides)
    for key, array in here.items():
        saved = there[key]
        if saved.shape != array.shape:
            return f"{key} has shape {saved.shape}, here {array.shape}"
        if saved.dtype.kind != array.dtype.kind:
            return f"{key} is {saved.dtype}, here {array.dtype}"
    return None


def next_step(optimizer: Optimizer, state: State) -> list[float] | None:
    """Where a step at the rate 1 leads from `state`; None if it cannot be told.

    It is a step of a copy, from fixed parameters along a fixed gradient. Steps of chance differ
    the second time, and so cannot be told.
    """
    twin = _twin(optimizer, state)
    count = len(optimizer.parameters)
    found: list[list[float]] = []
    try:
        for _ in range(2):
            twin.load_state_dict(state)
            twin.lr = 1.0
            theta = np.linspace(-1.0, 1.0, count)
            twin.update(theta, np.linspace(1.0, 2.0, count))
            found.append(theta[:_SHOWN].tolist())
    except Exception:  # the user's own optimizer may need what is not there
        return None
    return found[0] if found[0] == found[1] else None


def next_rates(schedule: Schedule, state: State, optimizer_state: State) -> list[float] | None:
    """The rates that a schedule sets in epochs ahead of `state`; None if it cannot be told."""
    try:
        twin = copy.copy(schedule)
        twin.optimizer = _twin(schedule.optimizer, optimizer_state)
        twin.load_state_dict(state)
        return [float(twin.rate(twin.last_epoch + ahead)) for ahead in _AHEAD]
    except Exception:  # the user's own schedule may end there
        return None


def is_alike(there: list[float] | None, here: list[float] | None) -> bool:
    """Whether two steps or rates are equal to rounding, or one of them cannot be told."""
    return there is None or here is None or np.allclose(there, here, rtol=1e-9, atol=0.0)


def saved_generator(rng: np.random.Generator) -> Saved:
    """The state of a random generator, and the bits that it would give next."""
    state = {**rng.bit_generator.state}
    del state["bit_generator"]
    saved: Saved = mapped(lambda leaf: leaf.tolist() if is_array(leaf) else leaf, state)
    return saved | {"next": _next_bits(rng)}


def generator_state(rng: np.random.Generator, saved: Saved) -> Mapping[str, object]:
    """A saved state as `rng` takes it. ValueError if it is the state of another kind."""
    now = {**rng.bit_generator.state}
    kind = now.pop("bit_generator")

    def there(leaf: object) -> object:
        found = next(numbers)
        return np.array(found, dtype=leaf.dtype) if is_array(leaf) else found

    try:
        numbers = iter([_at(path, saved) for path, _ in leaves(now)])
        state: dict[str, object] = mapped(there, now) | {"bit_generator": kind}
        twin = copy.deepcopy(rng)
        twin.bit_generator.state = state
        is_same = saved.get("next", _next_bits(twin)) == _next_bits(twin)
    except (KeyError, TypeError, ValueError, OverflowError):
        is_same = False
    if not is_same or saved.get("bit_generator", kind) != kind:
        raise ValueError("the kind of a random generator differs")
    return state


def _at(path: Path, tree: Saved) -> object:
    found: Any = tree
    for key in path:
        found = found[key]
    return found


def _next_bits(rng: np.random.Generator) -> int:
    return int(copy.deepcopy(rng).bit_generator.random_raw())


def _twin(stateful: S, state: State) -> S:
    """A copy with a state, arrays and generators of its own."""
    twin = copy.copy(stateful)
    for name, attribute in vars(twin).items():
        if isinstance(attribute, np.random.Generator):
            vars(twin)[name] = copy.deepcopy(attribute)
    twin.load_state_dict(state)
    return twin
