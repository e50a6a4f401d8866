"""`Snapshot`: the attributes of a model as they were, to see and to undo what a call changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import is_
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nn.module import Module

_LARGE = 2**20
"""Arrays of more bytes are data, which are not copied."""
_PARTS = (Module, dict, list, tuple, np.ndarray, np.random.Generator)

Named: TypeAlias = dict[str, object]
Container: TypeAlias = Named | list[object] | npt.NDArray[np.generic]


class Snapshot:
    """The attributes of a model, of the modules in it and of the containers among them.

    Data of Values and large arrays are not kept; the state of random generators is.
    """

    def __init__(self, model: Module) -> None:
        self._copies: list[tuple[str, Container, Container]] = []
        self._states: list[tuple[np.random.Generator, Mapping[str, object]]] = []
        self._keep("", model, set())

    def _keep(self, path: str, part: object, seen: set[int]) -> None:
        if id(part) in seen:
            return
        seen.add(id(part))
        if isinstance(part, np.random.Generator):
            self._states.append((part, part.bit_generator.state))
            return
        container = vars(part) if isinstance(part, Module) else part
        if isinstance(container, np.ndarray) and container.nbytes > _LARGE:
            return
        if isinstance(container, dict | list | np.ndarray):
            self._copies.append((path, container, container.copy()))
        if isinstance(container, np.ndarray) and container.dtype != object:
            return
        for name, item in _items(container):
            if isinstance(item, _PARTS):
                self._keep(f"{path}.{name}" if path else name, item, seen)

    def changed(self) -> str | None:
        """The path of an attribute that has changed, the first; None if there is none."""
        for path, now, before in self._copies:
            name = _changed(now, before)
            if name is not None:
                return f"{path}.{name}".strip(".")
        return None

    def restore(self) -> None:
        """Make the attributes what they were."""
        for _, now, before in self._copies:
            if _changed(now, before) is None:
                continue
            if isinstance(now, dict) and isinstance(before, dict):
                now.clear()
                now.update(before)
            elif isinstance(now, list):
                now[:] = before
            elif isinstance(now, np.ndarray) and isinstance(before, np.ndarray):
                now[...] = before

    def rewind(self) -> None:
        """Bring the generators back to where they were."""
        for rng, state in self._states:
            rng.bit_generator.state = state


@contextmanager
def rehearsal(model: Module) -> Iterator[Snapshot]:
    """A context that puts random generators back, and all attributes if it raises.

    It gives a snapshot of what was there before.
    """
    before = Snapshot(model)
    try:
        yield before
    except BaseException:
        before.restore()
        raise
    finally:
        before.rewind()


def generators(module: Module) -> list[np.random.Generator]:
    """The random generators among the attributes of a module and the modules in it, each once."""
    attributes = (x for inner in module.modules() for x in vars(inner).values())
    found = {id(x): x for x in attributes if isinstance(x, np.random.Generator)}
    return list(found.values())


def _items(container: object) -> list[tuple[str, object]]:
    """The items of a container with their names; none if no item can hold anything."""
    named = container if isinstance(container, dict) else None
    items = _flat(container if named is None else list(named.values()))
    if not any(issubclass(kind, _PARTS) for kind in set(map(type, items))):
        return []
    names: Iterable[object] = range(len(items)) if named is None else named
    return list(zip(map(str, names), items, strict=True))


def _changed(now: Container, before: Container) -> str | None:
    """The key of an item that has changed, "" where items have none; None if all are the same."""
    if isinstance(now, dict) and isinstance(before, dict):
        if list(now) == list(before) and all(map(is_, now.values(), before.values())):
            return None
        names = [key for key in now if key not in before or not _same(now[key], before[key])]
        names += [key for key in before if key not in now]
        return str(names[0]) if names else None
    if isinstance(now, np.ndarray) and isinstance(before, np.ndarray) and now.dtype != object:
        return None if now.tobytes() == before.tobytes() else ""
    new, old = _flat(now), _flat(before)
    if len(new) == len(old) and (all(map(is_, new, old)) or all(map(_same, new, old))):
        return None
    return ""


def _flat(items: object) -> Sequence[object]:
    if isinstance(items, np.ndarray):
        flat: list[object] = items.ravel().tolist()
        return flat
    return items if isinstance(items, list | tuple) else []


def _same(new: object, old: object) -> bool:
    if new is old:
        return True
    return type(new) is type(old) and isinstance(new, int | float | str) and bool(new == old)
