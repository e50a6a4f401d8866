"""Switches that hold for one thread and one task: `no_grad`, `detect_anomaly`, `tracing`."""

import functools
import gc
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_lock = threading.Lock()

switched = 0
"""How many modes are entered, in whatever thread: while it is 0, ops ask no further."""


def _count(change: int) -> None:
    global switched
    with _lock:
        switched += change


class _Mode(ContextDecorator):
    """A context, or a decorator, for the current thread and asyncio task; may be nested."""

    inside: ContextVar[int]
    """How often it is entered here."""

    def __enter__(self) -> None:
        self.inside.set(self.inside.get() + 1)
        _count(1)

    def __exit__(self, *exception: object) -> None:
        _count(-1)
        self.inside.set(self.inside.get() - 1)

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

    Their results are leaves. Holds for the current thread and asyncio task; may be nested.
    Decorates functions and coroutine functions; TypeError for a generator function, whose caller
    would run inside the context as well, as it would where a `with` block spans a `yield`.
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

    def compare(self, compare: Callable[[Any, Any], bool], x: Any, y: Any) -> Any:
        """The comparison as a part of the program."""

    def apply(self, row: Any, arguments: Sequence[Any]) -> Any:
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


deriving = 0
"""How many derivatives or traces are recorded, in whatever thread: while 0, no leaf is noted."""


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
    global deriving
    with _lock:
        deriving += change


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


@contextmanager
def collector_paused() -> Iterator[None]:
    """A context without garbage collection, in every thread.

    Graphs and traces are a million small objects without reference cycles: the collector would
    only search them in vain.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
