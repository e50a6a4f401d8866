"""Switches that hold for one thread and one task: `no_grad`."""

import threading
from contextlib import ContextDecorator
from contextvars import ContextVar, Token

_recording = ContextVar("recording", default=True)
_lock = threading.Lock()

switched = 0
"""How many modes are entered, in whatever thread: while it is 0, ops ask no further."""


class no_grad(ContextDecorator):
    """A context, or a decorator, in which ops compute but record no graph.

    Their results are leaves. Holds for the current thread and asyncio task; may be nested.
    """

    def __init__(self) -> None:
        self._tokens: list[Token[bool]] = []

    def _recreate_cm(self) -> "no_grad":  # a decorated function enters a context of its own
        return no_grad()

    def __enter__(self) -> None:
        global switched
        self._tokens.append(_recording.set(False))
        with _lock:
            switched += 1

    def __exit__(self, *exception: object) -> None:
        global switched
        with _lock:
            switched -= 1
        _recording.reset(self._tokens.pop())


def is_recording() -> bool:
    """Whether ops record the graph here: True outside `no_grad`."""
    return _recording.get()
