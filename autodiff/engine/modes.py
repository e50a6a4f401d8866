"""Switches that hold for one thread and one task: `no_grad`, `detect_anomaly`, `tracing`."""

import functools
import gc
import inspect
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar
from weakref import ReferenceType, ref

from autodiff.rows.primitive import Primitive

F = TypeVar("F", bound=Callable[..., Any])


class _Entry:
    """That a mode was entered, for as long as a context, or a copy of it, says so."""

    __slots__ = ("__weakref__", "before")

    def __init__(self, before: "_Entry | None") -> None:
        self.before = before


# A task may keep a copy of its creator's context after the creator has left a mode, so that an
# entry counts until nothing holds it. Each change is one step for threads, signals and forks.
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
"""The modes that are entered, in whatever thread: while there are none, ops ask no further."""
_last_mode: ContextVar[_Entry | None] = ContextVar("last_mode", default=None)


def _count(change: int) -> None:
    _change(switched, _last_mode, change)


class _Mode(ContextDecorator):
    """A context, or a decorator, for the current thread and asyncio task; may be nested."""

    inside: ContextVar[int]
    """How often it is entered here."""

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
        async def decorated(*args: Any, **options: Any) -> Any:
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

    It is looked for in the result of every op on Values and, going backward, in every
    cotangent. The message names the op, its operands with their labels, and the line of the
    user's code that made the node. A backward pass that raises has changed no gradient. Holds
    for the current thread and asyncio task, as `no_grad`; kernels are not looked into. Inside
    it, ops take some five times as long.
    """

    inside = ContextVar("detect_anomaly", default=0)


class Recorder(Protocol):
    """What takes over where a number would leave its graph while a function is traced."""

    own: set[Any]
    """The leaves made while the function is traced."""

    def refuse(self, value: Any, what: str) -> None:
        """Raise, as today's number would be frozen, unless `value` is one of its own."""

    def compare(self, row: Primitive, x: Any, y: Any) -> Any:
        """The comparison as a part of the program."""

    def apply(self, row: Primitive, arguments: Sequence[Any]) -> Any:
        """The op on Values and numbers as a part of the program."""


_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)
_own: ContextVar[set[Any] | None] = ContextVar("own", default=None)
_records_nodes: ContextVar[bool] = ContextVar("records_nodes", default=True)


class tracing:
    """A context in which `recorder` takes over ops and comparisons, and refuses data of Values.

    A surrounding `no_grad` is not in force: what is traced is a function, not its call.
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
        self, recorder: Recorder | None, own: set[Any] | None, records_nodes: bool, inside: int
    ) -> None:
        _recorder.set(recorder)
        _own.set(own)
        _records_nodes.set(records_nodes)
        no_grad.inside.set(inside)


def recorder() -> Recorder | None:
    """What records the numbers of Values here; None outside `tracing`."""
    return _recorder.get()


def recorder_of_ops() -> Recorder | None:
    """What records ops on Values here; None outside `tracing`, and inside `recording`."""
    return None if _records_nodes.get() else _recorder.get()


deriving: Entries = set()
"""The derivatives and traces that are recorded, in whatever thread: while there are none, no leaf
is noted."""
_last_derivative: ContextVar[_Entry | None] = ContextVar("last_derivative", default=None)


class recording:
    """A context in which ops make nodes, even inside `no_grad` and `tracing`.

    It is the set of leaves made in it.
    """

    def __enter__(self) -> set[Any]:
        self._before = no_grad.inside.get(), _own.get(), _records_nodes.get()
        self._leaves: set[Any] = set()
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


def note(leaf: Any) -> None:
    """Count `leaf` among those made while a function is recorded here."""
    own = _own.get()
    if own is not None:
        own.add(leaf)


def is_recording() -> bool:
    """Whether ops record the graph here: True outside `no_grad`."""
    return no_grad.inside.get() == 0


def is_watching() -> bool:
    """Whether ops look for nan and inf here: True inside `detect_anomaly`."""
    return detect_anomaly.inside.get() > 0


_pauses: dict[object, tuple[int, bool]] = {}
"""The thread of each pause of the collector, and whether it was on at its beginning."""
_is_wanted = False
"""Whether the last pause to end has to switch the collector on."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """A context without garbage collection, in every thread.

    Graphs and traces are a million small objects without reference cycles: the collector would
    only search them in vain.
    """
    pause = object()
    try:
        was_enabled = gc.isenabled()
        _pauses[pause] = threading.get_ident(), was_enabled
        if was_enabled:  # else another thread has paused it, and may just be switching it on
            gc.disable()
        yield
    finally:
        _resume([pause])


def _resume(pauses: list[object]) -> None:
    """End `pauses`; the last one that ends switches the collector on, if it was on at first."""
    global _is_wanted
    for pause in pauses:
        if _pauses.get(pause, (0, False))[1]:
            _is_wanted = True
        _pauses.pop(pause, None)
    if _is_wanted and not _pauses:
        _is_wanted = False
        gc.enable()


def _resume_absent() -> None:
    """In a child process, end the pauses of threads that are not there."""
    here = threading.get_ident()
    _resume([pause for pause, (thread, _) in _pauses.items() if thread != here])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_resume_absent)
