"""Switches that hold for one thread and one task: `no_grad`, `detect_anomaly`, `tracing`."""

import functools
import inspect
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar
from weakref import ReferenceType, ref

from autodiff.engine.graph import Node
from autodiff.rows.primitive import Primitive

F = TypeVar("F", bound=Callable[..., object])


class _Entry:
    """The entry of a mode; it lives as long as a context, or a copy of one, holds it."""

    __slots__ = ("__weakref__", "before")

    def __init__(self, before: "_Entry | None") -> None:
        self.before = before


# A task may keep a copy of its creator's context after the creator has left a mode, so an entry
# counts until nothing holds it. Each change is one step for threads, signals and forks.
Entries = set[ReferenceType[_Entry]]


def _change(entries: Entries, last: ContextVar[_Entry | None], change: int) -> None:
    before = last.get()
    if change > 0:
        entry = _Entry(before)
        entries.add(ref(entry, entries.discard))
        last.set(entry)
    elif before is not None:
        last.set(before.before)


switched: Entries = set()
"""The modes entered, in any thread; while there are none, ops skip the check."""
_last_mode: ContextVar[_Entry | None] = ContextVar("last_mode", default=None)


def _count(change: int) -> None:
    _change(switched, _last_mode, change)


class _Mode(ContextDecorator):
    """A context, or a decorator, for the current thread and asyncio task; may be nested."""

    inside: ContextVar[int]
    """How often this thread and task are inside it."""

    def __enter__(self) -> None:
        before, last = self.inside.get(), _last_mode.get()
        try:
            _count(1)
            self.inside.set(before + 1)
        except BaseException:  # Ctrl-C: the body does not run, nor does __exit__
            self.inside.set(before)
            _last_mode.set(last)
            raise

    def __exit__(self, *exception: object) -> None:
        self.inside.set(max(self.inside.get() - 1, 0))
        _count(-1)

    def __call__(self, function: F) -> F:
        """`function`, whose calls run inside the context."""
        name = type(self).__name__
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{name}: {function.__name__} is a generator; use `with` inside it")
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def decorated(*args: object, **options: object) -> object:
            with self:
                return await function(*args, **options)

        return decorated  # type: ignore[return-value]


class no_grad(_Mode):
    """A context, or a decorator, in which ops compute but record no graph.

    Their results are leaves. Holds for the current thread and asyncio task, and for tasks that
    this one makes inside; may be nested. Decorates functions and coroutine functions; TypeError for
    a generator function, whose caller would run inside the context as well, as it would where a
    `with` block spans a `yield`.
    """

    inside = ContextVar("no_grad", default=0)


class detect_anomaly(_Mode):
    """A context, or a decorator, in which the first nan or inf raises AnomalyError.

    Every result of an op on Values is checked and, going backward, every cotangent. The
    message names the op, its operands with their labels, and the line of the user's code that
    made the node. A backward pass that raises has changed no gradient. Holds for the current
    thread and asyncio task, as `no_grad`; kernels are not checked. Inside it, ops take about
    five times as long.
    """

    inside = ContextVar("detect_anomaly", default=0)


class Recorder(Protocol):
    """Takes over where a number would leave its graph while a function is traced."""

    own: set[Node]
    """The leaves made while the function is traced."""

    def refuse(self, value: Any, what: str) -> None:
        """Raise unless `value` is one of its own: a kernel would freeze today's number."""

    def compare(self, row: Primitive, x: object, y: object) -> Any:
        """The comparison as a part of the program."""

    def apply(self, row: Primitive, arguments: Sequence[object]) -> Any:
        """The op on Values and numbers as a part of the program."""


_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_own: ContextVar[set[Node] | None] = ContextVar("own", default=None)
_records_nodes: ContextVar[bool] = ContextVar("records_nodes", default=True)


class tracing:
    """A context in which `recorder` takes over ops and comparisons, and refuses data of Values.

    A surrounding `no_grad` is not in force: the function is traced, not its call.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __enter__(self) -> None:
        self._before = _recorder.get(), _own.get(), _records_nodes.get(), no_grad.inside.get()
        self._set(self.recorder, self.recorder.own, False, 0)
        _count(1)
        _count_derivatives(1)

    def __exit__(self, *exception: object) -> None:
        _count_derivatives(-1)
        _count(-1)
        self._set(*self._before)

    def _set(
        self, recorder: Recorder | None, own: set[Node] | None, records_nodes: bool, inside: int
    ) -> None:
        _recorder.set(recorder)
        _own.set(own)
        _records_nodes.set(records_nodes)
        no_grad.inside.set(inside)


def recorder() -> Recorder | None:
    """The recorder of the numbers of Values here; None outside `tracing`."""
    return _recorder.get()


def recorder_of_ops() -> Recorder | None:
    """The recorder of ops on Values here; None outside `tracing` and inside `recording`."""
    return None if _records_nodes.get() else _recorder.get()


deriving: Entries = set()
"""The derivatives and traces under way, in any thread; while there are none, no leaf is noted."""
_last_derivative: ContextVar[_Entry | None] = ContextVar("last_derivative", default=None)


class recording:
    """A context in which ops make nodes, even inside `no_grad` and `tracing`.

    It gives the set of the leaves made inside it.
    """

    def __enter__(self) -> set[Node]:
        self._before = no_grad.inside.get(), _own.get(), _records_nodes.get()
        self._leaves: set[Node] = set()
        no_grad.inside.set(0)
        _own.set(self._leaves)
        _records_nodes.set(True)
        _count_derivatives(1)
        return self._leaves

    def __exit__(self, *exception: object) -> None:
        _count_derivatives(-1)
        inside, outer, records_nodes = self._before
        no_grad.inside.set(inside)
        _own.set(outer)
        _records_nodes.set(records_nodes)
        if outer is not None:
            outer |= self._leaves


def _count_derivatives(change: int) -> None:
    _change(deriving, _last_derivative, change)


def note(leaf: Node) -> None:
    """Count `leaf` among those made while a function is recorded here."""
    own = _own.get()
    if own is not None:
        own.add(leaf)


def is_recording() -> bool:
    """True where ops record the graph: outside `no_grad`."""
    return no_grad.inside.get() == 0


def is_watching() -> bool:
    """True where ops look for nan and inf: inside `detect_anomaly`."""
    return detect_anomaly.inside.get() > 0
