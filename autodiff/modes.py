"""Switches that hold for one thread and one task: `no_grad`, `detect_anomaly`, `tracing`."""

import functools
import gc
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol, TypeVar

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

    def refuse(self, what: str) -> NoReturn:
        """Raise: today's number would become a constant of the program."""

    def compare(self, compare: Callable[[Any, Any], bool], x: Any, y: Any) -> Any:
        """The comparison as a part of the program."""


_recorder: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


class tracing:
    """A context in which `recorder` takes over the comparisons and refuses the data of Values."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.outer: Recorder | None = None

    def __enter__(self) -> None:
        self.outer = _recorder.get()
        _recorder.set(self.recorder)
        _count(1)

    def __exit__(self, *exception: object) -> None:
        _count(-1)
        _recorder.set(self.outer)


def recorder() -> Recorder | None:
    """What records the numbers of Values here; None outside `tracing`."""
    return _recorder.get()


deriving = 0
"""How many derivatives are being recorded, in whatever thread: while 0, leaves are not noted."""
_own: ContextVar[set[Any] | None] = ContextVar("own", default=None)


class recording:
    """A context in which ops record, even inside `no_grad`; it is the set of leaves made in it."""

    def __enter__(self) -> set[Any]:
        self._before = no_grad.inside.get(), _own.get()
        self._leaves: set[Any] = set()
        no_grad.inside.set(0)
        _own.set(self._leaves)
        _count_derivatives(1)
        return self._leaves

    def __exit__(self, *exception: object) -> None:
        _count_derivatives(-1)
        inside, outer = self._before
        no_grad.inside.set(inside)
        _own.set(outer)
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
