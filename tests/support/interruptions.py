"""What comes in the middle: a call at any opcode of some functions, and a child of a fork."""

import functools
import os
import signal
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

can_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def at_opcode(position, interrupt, call, codes):
    """Run `call`, and `interrupt` before its opcode number `position` in `codes`.

    It comes behind the call if that has fewer. Returns how many there were, outside `interrupt`.
    """
    count = 0

    def trace(frame, event, argument):
        nonlocal count
        if frame.f_code not in codes:
            return None
        frame.f_trace = trace  # Python 3.13 asks for it first
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event == "opcode":
            if count == position:
                interrupt()
            count += 1
        return trace

    before = sys.gettrace()
    sys._getframe().f_trace_opcodes = True  # Python 3.12 asks for it before settrace
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
        trace = None  # it refers to itself, and to whatever `interrupt` does
    if count <= position:
        interrupt()
    return count


def opcodes(call, codes):
    """How many opcodes of `codes` run in `call`."""
    count = at_opcode(-1, None, call, codes)
    assert count > 0
    return count


@contextmanager
def amid(call, position, codes):
    """Another thread is inside `call`, before its opcode number `position` in `codes`."""
    inside, done = threading.Event(), threading.Event()

    def stop():
        inside.set()
        done.wait(60)

    with ThreadPoolExecutor(1) as pool:
        called = pool.submit(at_opcode, position, stop, call, codes)
        assert inside.wait(60)
        try:
            yield
        finally:
            done.set()
        called.result()


def codes_of(*parts):
    """The code objects of functions, and of the functions and methods of classes and modules."""
    found = set()
    for part in parts:
        part = part.fget if isinstance(part, property) else getattr(part, "__wrapped__", part)
        if hasattr(part, "__code__"):
            found.add(part.__code__)
        elif hasattr(part, "__dict__"):
            name = getattr(part, "__module__", part.__name__)
            own = [x for x in vars(part).values() if getattr(x, "__module__", name) == name]
            found |= codes_of(*[x for x in own if callable(x) or isinstance(x, property)])
    return found


def finishes(test):
    """`test`, which fails instead of hanging."""

    @functools.wraps(test)
    def limited(*args, **options):
        raised = []

        def run():
            try:
                test(*args, **options)
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), "it hangs"
        for error in raised:
            raise error

    return limited


def passes_in_child(check, seconds=30):
    """Whether `check()` returns True in a forked child, within so many seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if check() is True else 1
        finally:
            os._exit(code)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False
