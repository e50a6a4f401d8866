"""`Dispatch`: from the arguments of a call to the specialization that computes it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arguments import describe
from autodiff.compiler.numpy.function import Function
from autodiff.compiler.numpy.runtime import Step
from autodiff.compiler.scalars.tracer import trace_error
from autodiff.compiler.specialization import Specialization
from autodiff.engine import modes
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


class CacheInfo(NamedTuple):
    """How often a call found its specialization, how often one was made, how many are kept."""

    hits: int
    misses: int
    size: int


class Bound(NamedTuple):
    """What a call for a gradient found out, for the next one with arrays like its own."""

    made: Specialization
    order: Order
    function: Function
    is_fresh: bool
    """Whether the gradient is an array that no later step writes over."""
    steps: dict[tuple[int, float], Step]
    """The steps of this thread that wait for a call."""
    key: tuple[int, float]
    """The size of the batch, and 1 over it."""
    forms: tuple[tuple[tuple[int, ...], Any], ...]
    """The shape, and the type if it is another, in which the step takes each array."""


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
        self._local = threading.local()

    def info(self) -> CacheInfo:
        """How the specializations were used."""
        return CacheInfo(self.hits, self.misses, len(self._entries))

    def __call__(self, args: tuple[Any, ...]) -> Call:
        """The call with these arguments. ValueError if their batches differ in size."""
        if modes.switched and modes.recorder():
            raise trace_error("a derivative of a kernel", "take derivatives of the outer kernel")
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

    def flat(self, order: Order, given: npt.ArrayLike, name: str) -> Array:
        """A flat array in the kernel's order of parameters, in the specialization's order."""
        array = np.asarray(given, dtype=self._dtype)
        size = len(self.parameters)
        if array.shape != (size,):
            raise ValueError(f"{name} has shape {array.shape}, the kernel has {size} parameters")
        return order.chosen(array)

    def theta(self, made: Specialization, order: Order, given: npt.ArrayLike | None) -> Array:
        """The parameters of a specialization, as they are now or as they are given."""
        if given is None:
            return np.array([parameter._primal for parameter in made.parameters], self._dtype)
        return self.flat(order, given, "parameters")

    def step(self, args: tuple[Any, ...]) -> tuple[Bound, list[Array]]:
        """The step for these arguments, and their arrays as it takes them."""
        calls: dict[Any, Bound] = self._local.__dict__
        form: tuple[Any, ...] | None = None
        for x in args:
            if type(x) is not np.ndarray:
                break
        else:
            form = tuple([(x.shape, x.dtype) for x in args])
        known = None if modes.switched and modes.recorder() else calls.get(form)
        if known is not None:  # most calls are like an earlier one: no questions asked
            self.hits += 1
            self.latest = known.made
            arrays = [
                x.reshape(shape) if dtype is None else x.reshape(shape).astype(dtype)
                for x, (shape, dtype) in zip(args, known.forms, strict=True)
            ]
            if known.made.indices:
                known.made.check_indices(arrays)
            return known, arrays
        call = self(args)
        made, leaves = call.made, call.arrays
        made.check_scalar()
        function = made.function("grad")
        key = call.batch, 1.0 / max(call.batch, 1)
        bound = Bound(made, call.order, function, function.fresh[1], function.kept, key, ())
        # Objects may be other numbers at the next call, or Values: these are looked at each time.
        if form is not None and not any(x.dtype.hasobject for x in args):
            forms = [
                (leaf.shape, None if leaf.dtype == x.dtype else leaf.dtype)
                for leaf, x in zip(leaves, args, strict=True)
            ]
            if len(calls) >= SPECIALIZATIONS:
                calls.clear()
            calls[form] = bound._replace(forms=tuple(forms))
        return bound, leaves
