"""`Dispatch`: from the arguments of a call to the specialization that computes it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arguments import describe
from autodiff.compiler.specialization import Specialization
from autodiff.engine.value import Value

Array = npt.NDArray[Any]

SPECIALIZATIONS = 64
"""How many structures of arguments a kernel remembers."""


@dataclass(frozen=True, eq=False, slots=True)
class Order:
    """Where the parameters of a specialization stand among those of its kernel."""

    indices: npt.NDArray[np.intp]
    is_ascending: bool
    """Whether they are the kernel's first parameters, in its order."""

    def chosen(self, flat: Array) -> Array:
        """A flat array of the kernel's parameters → of the specialization's."""
        is_same = self.is_ascending and len(self.indices) == len(flat)
        return flat if is_same else flat[self.indices]

    def spread(self, flat: Array, size: int) -> Array:
        """A flat array of the specialization's parameters → of the kernel's `size`, else 0."""
        if self.is_ascending and len(self.indices) == size:
            return flat
        ordered = np.zeros(size, flat.dtype)
        ordered[self.indices] = flat
        return ordered


@dataclass(eq=False, slots=True)
class Entry:
    """A specialization that a kernel remembers."""

    made: Specialization
    order: Order
    latest_use: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """A call: its specialization, and its arguments as arrays of shape (batch, size)."""

    made: Specialization
    order: Order
    arrays: list[Array]
    batch: int


class Dispatch:
    """The specializations of a function; each is made at the first call that needs it."""

    def __init__(self, f: Callable[..., Any], is_batched: bool, dtype: np.dtype[Any]) -> None:
        self._f = f
        self._is_batched = is_batched
        self._dtype = dtype
        self._entries: dict[tuple[Any, ...], Entry] = {}
        self._uses = count(1)
        self.parameters: dict[Value, None] = {}
        """The leaf Values that the function has reached so far, in order; none is ever removed."""
        self.latest: Specialization | None = None
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __call__(self, args: tuple[Any, ...]) -> Call:
        """The call with these arguments. ValueError if their batches differ in size."""
        given: list[Array] = []
        specs = tuple([describe(arg, given, self._is_batched) for arg in args])
        batch = self._batch_size(given)
        entry = self._entry(specs)
        made = self.latest = entry.made
        arrays = [
            np.ascontiguousarray(
                np.broadcast_to(x, (batch,)) if self._is_batched and not x.ndim else x,
                int if item.leaf.is_index else self._dtype,
            ).reshape(batch, item.leaf.size)
            for x, item in zip(given, made.inputs, strict=True)
        ]
        made.check_indices(arrays)
        return Call(made, entry.order, arrays, batch)

    def _batch_size(self, arrays: list[Array]) -> int:
        if not self._is_batched:
            return 1
        sizes = {len(array) for array in arrays if array.ndim}
        if len(sizes) > 1:
            shown = ", ".join(map(str, sorted(sizes)))
            raise ValueError(f"the arguments have different batch sizes: {shown}")
        return sizes.pop() if sizes else 1

    def _entry(self, specs: tuple[Any, ...]) -> Entry:
        # Without a lock: whoever comes here while the function is traced, on another thread, in
        # a handler or in a forked process, traces it as well, and the first one is kept.
        entry = self._entries.get(specs)
        if entry is None:
            self.misses += 1
            entry = self._entries.setdefault(specs, self._made(specs))
        else:
            self.hits += 1
        entry.latest_use = next(self._uses)
        if len(self._entries) > SPECIALIZATIONS:
            oldest = min(list(self._entries.items()), key=lambda item: item[1].latest_use)
            self._entries.pop(oldest[0], None)
        return entry

    def _made(self, specs: tuple[Any, ...]) -> Entry:
        """A new specialization; the kernel learns its parameters."""
        made = Specialization(self._f, specs, self._dtype)
        for parameter in made.parameters:
            self.parameters.setdefault(parameter)
        place = {parameter: k for k, parameter in enumerate(list(self.parameters))}
        indices = [place[parameter] for parameter in made.parameters]
        is_ascending = indices == list(range(len(indices)))
        return Entry(made, Order(np.array(indices, dtype=np.intp), is_ascending))
