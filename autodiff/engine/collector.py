"""Pauses of Python's garbage collector, while a million small objects are made."""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_pauses: dict[object, tuple[int, bool]] = {}
"""The thread of each pause, and whether the collector was on when it began."""
_is_wanted = False
"""True if the last pause to end has to switch the collector on."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """A context without garbage collection, in every thread.

    Graphs and traces are a million small objects without reference cycles, which the collector
    would search in vain.
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
    """In a child process, end the pauses of threads that do not exist there."""
    here = threading.get_ident()
    _resume([pause for pause, (thread, _) in _pauses.items() if thread != here])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_resume_absent)
