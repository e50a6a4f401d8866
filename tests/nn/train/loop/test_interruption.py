"""Ctrl-C: it stops after an iteration, and handlers and collector are put back."""

import gc
import signal
import threading
from math import isfinite

import pytest

import nn
from tests.nn.trainees import Number, Seen, X, Y, interrupt_at
from tests.support.values import data


@pytest.fixture
def handler():
    """A handler of SIGINT that only counts, in place while the test runs."""
    calls = []
    mine = lambda *_: calls.append(1)  # noqa: E731 - compared by identity below
    before = signal.signal(signal.SIGINT, mine)
    yield mine, calls
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_stops_after_the_iteration_and_keeps_what_was_learned(handler):
    model, same = Number(), Number()
    history = nn.fit(model, X, Y, iterations=50, batch_size=4, progress=interrupt_at(4))
    assert (len(history.losses), history.stopped) == (4, "interrupted")
    assert len(history.epochs["loss"]) == 1, "and none for the one that was cut"
    nn.fit(same, X, Y, iterations=4, batch_size=4)
    assert data(model) == data(same)
    assert (signal.getsignal(signal.SIGINT), handler[1]) == (handler[0], [])


def test_ctrl_c_within_an_iteration_lets_it_finish(handler):
    model = Number()

    def loss(predictions, targets):
        if len(seen.told) == 2:
            signal.raise_signal(signal.SIGINT)
        return nn.mse(predictions, targets)

    seen = Seen()
    history = nn.fit(model, X, Y, loss=loss, iterations=50, progress=seen, engine="eager")
    assert len(seen.told) == len(history.losses) == 3


def test_a_second_ctrl_c_raises_at_once(handler):
    model = Number()
    with pytest.raises(KeyboardInterrupt):
        nn.fit(model, X, Y, iterations=50, progress=interrupt_at(4, times=2))
    assert all(map(isfinite, data(model)))
    assert signal.getsignal(signal.SIGINT) is handler[0]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("is_enabled", [True, False])
def test_handler_and_collector_are_put_back_after_an_error(handler, error, is_enabled):
    during = []

    def then(iteration):
        during.append((gc.isenabled(), signal.getsignal(signal.SIGINT) is handler[0]))
        raise error

    (gc.enable if is_enabled else gc.disable)()
    try:
        with pytest.raises(error):
            nn.fit(Number(), X, Y, progress=Seen(then))
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable()
    assert during == [(False, False)]
    assert signal.getsignal(signal.SIGINT) is handler[0]


def test_another_thread_trains_too(handler):
    model = Number()
    histories = []
    thread = threading.Thread(target=lambda: histories.append(nn.fit(model, X, Y, iterations=5)))
    thread.start()
    thread.join()
    assert len(histories[0].losses) == 5
    assert data(model) != [0.0]
    assert signal.getsignal(signal.SIGINT) is handler[0]


def test_ctrl_c_keeps_what_was_learned_on_arrays(handler):
    model, same = Number(), Number()
    options = {"engine": "compiled"}
    history = nn.fit(model, X, Y, iterations=50, progress=interrupt_at(4), **options)
    assert (len(history.losses), history.stopped) == (4, "interrupted")
    nn.fit(same, X, Y, iterations=4, **options)
    assert data(model) == data(same) != [0.0]


def test_ctrl_c_while_an_epoch_is_recorded_keeps_the_epoch(handler):
    def pressing(predictions, targets):
        signal.raise_signal(signal.SIGINT)
        return 0.0

    history = nn.fit(Number(), X, Y, epochs=9, metrics=[pressing], progress=False)
    assert (history.stopped, len(history.losses)) == ("interrupted", 1)
    assert history.epochs["pressing"] == [0.0]
