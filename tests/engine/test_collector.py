"""Pauses of the collector: nested, overlapping, interrupted and forked."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from autodiff import collector_paused
from autodiff.engine import collector
from tests.support.interruptions import at_opcode, can_fork, codes_of, opcodes, passes_in_child


@pytest.fixture
def collector_on():
    gc.enable()
    yield
    gc.enable()


PAUSING = codes_of(collector_paused, collector._resume)


@pytest.mark.usefixtures("collector_on")
def test_the_collector_is_off_until_the_last_pause_ends():
    one, other = collector_paused(), collector_paused()
    for first, second in [(one, other), (collector_paused(), collector_paused())[::-1]]:
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert not gc.isenabled()
        second.__exit__(None, None, None)
        assert gc.isenabled()


@pytest.mark.usefixtures("collector_on")
def test_an_exception_ends_a_pause():
    with pytest.raises(ZeroDivisionError), collector_paused():
        raise ZeroDivisionError
    assert gc.isenabled()


@pytest.mark.usefixtures("collector_on")
def test_a_pause_leaves_a_collector_off_that_was():
    gc.disable()
    with collector_paused(), collector_paused():
        pass
    assert not gc.isenabled()


def paused():
    with collector_paused():
        pass


@pytest.mark.usefixtures("collector_on")
@pytest.mark.parametrize("before", [True, False])
def test_pauses_overlap_at_every_opcode(before):
    """The other one has begun before, or begins in the middle; it ends there, or afterwards."""
    for ends_there in True, False:
        for position in range(opcodes(paused, PAUSING)):
            other = collector_paused()

            def interrupt(other=other, ends_there=ends_there):
                if not before:
                    other.__enter__()
                if ends_there:
                    other.__exit__(None, None, None)

            if before:
                other.__enter__()
            at_opcode(position, interrupt, paused, PAUSING)
            if not ends_there:
                other.__exit__(None, None, None)
            assert gc.isenabled(), (ends_there, position)


@can_fork
@pytest.mark.usefixtures("collector_on")
def test_a_child_forked_in_the_pause_of_another_thread_has_a_collector():
    amid, done = threading.Event(), threading.Event()

    def pause():
        with collector_paused():
            amid.set()
            done.wait(60)

    def check():
        paused()
        return gc.isenabled()

    def check_inside():
        return not gc.isenabled()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(pause)
        assert amid.wait(60)
        try:
            assert passes_in_child(gc.isenabled)
            assert passes_in_child(check)
            with collector_paused():
                assert passes_in_child(check_inside)
        finally:
            done.set()
    assert gc.isenabled()
