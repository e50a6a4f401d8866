"""`fit` and `predict`: what is learned, when training stops, what it leaves behind."""

import gc
import signal
import threading
from math import inf, isfinite, nan

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value, mean
from nn import MLP, SGD, Module
from nn.progress import Silent

X = np.linspace(-1, 1, 12)
Y = X * X


class Seen(Silent):
    """Calls `then(iteration)` after each iteration; keeps what it was told."""

    def __init__(self, then=lambda iteration: None):
        self.told, self.then = [], then

    def __call__(self, *told):
        self.told.append(told)
        self.then(told[0])


class Number(Module):
    """Whose output is its one parameter, whatever the input."""

    def __init__(self, start=0.0):
        self.w = Value(start)

    def __call__(self, x):
        return self.w * 1.0


def data(model):
    return [p.data for p in model.parameters()]


def grads(model):
    return [p.grad for p in model.parameters()]


def absolute(predictions, targets):
    """Mean absolute error over predictions that are lists."""
    rows = zip(predictions, targets, strict=True)
    return mean([abs(p - t) for ps, ts in rows for p, t in zip(ps, ts, strict=True)])


def scripted(losses):
    """A loss that takes these values one after the other, with gradient 0."""
    values = iter(losses)
    return lambda predictions, targets: predictions[0] * 0.0 + next(values)


@pytest.mark.parametrize("batch_size", [None, 5])
def test_the_loss_falls(batch_size):
    model = MLP(1, [5, 1], "tanh", seed=0)
    before = nn.mse(nn.predict(model, X), Y)
    adam = nn.Adam(model.parameters(), lr=0.05)
    history = nn.fit(model, X, Y, optimizer=adam, iterations=150, batch_size=batch_size)
    assert nn.mse(nn.predict(model, X), Y) < 0.2 * before
    assert (len(history.losses), history.stopped) == (150, "iterations")
    assert {type(value) for value in history.losses} == {float}


def test_an_iteration_is_one_step_on_the_loss_before_it():
    model, same = MLP(1, [2, 1], seed=0), MLP(1, [2, 1], seed=0)
    optimizer = SGD(same.parameters(), lr=0.1)
    losses = []
    for _ in range(3):
        same.zero_grad()
        root = nn.mse([same([x]) for x in X.tolist()], Y.tolist())
        root.backward()
        optimizer.step()
        losses.append(root.data)
    model.parameters()[0].grad = 99.0
    history = nn.fit(model, X, Y, optimizer=SGD(model.parameters(), lr=0.1), iterations=3)
    assert history.losses == losses
    assert data(model) == data(same)


def test_adam_at_a_hundredth_is_the_default():
    one, two = (MLP(1, [2, 1], seed=0) for _ in range(2))
    nn.fit(one, X, Y, iterations=4)
    nn.fit(two, X, Y, iterations=4, optimizer=nn.Adam(two.parameters(), lr=0.01))
    assert data(one) == data(two)


def test_a_batch_is_drawn_without_replacement_with_its_targets():
    class Echo(Number):
        def __call__(self, x):
            return self.w * 0.0 + x[0]

    batches = []

    def loss(predictions, targets):
        batches.append([p.data for p in predictions])
        assert targets == [[x, 2 * x] for x in batches[-1]]
        return mean(predictions)

    y = np.column_stack([X, 2 * X])
    nn.fit(Echo(), X, y, loss=loss, iterations=20, batch_size=5)
    assert {len(set(batch)) for batch in batches} == {5}
    assert set().union(*batches) == set(X.tolist())
    assert len({frozenset(batch) for batch in batches}) > 10

    batches.clear()
    nn.fit(Echo(), X, y, loss=loss, iterations=2)
    assert batches == [X.tolist()] * 2, "all examples come in their order"


def test_a_seed_fixes_the_batches():
    def trained(seed):
        model = MLP(1, [3, 1], seed=0)
        options = {} if seed is None else {"seed": seed}
        history = nn.fit(model, X, Y, iterations=10, batch_size=3, **options)
        return [x.hex() for x in data(model) + history.losses]

    assert trained(1) == trained(1) != trained(2)
    assert trained(None) == trained(0)


@pytest.mark.parametrize(
    ("losses", "tolerance", "patience", "iterations"),
    [
        ([9, 8, 7, 7, 7, 7, 7], 0, 3, 6),
        ([9, 8, 7, 7, 7, 6, 6, 6, 6, 6], 0, 3, 9),
        ([5, 9, 9, 4, 9, 9, 9, 9], 0, 3, 7),
        ([5, 5, 5], 0, 1, 2),
        ([9, 8.9, 8.8, 8.7, 8.6], 0.5, 3, 4),
        ([9, 8, 7, 6.5, 6, 5, 4], 0.5, 2, 5),  # a gain of exactly the tolerance is none
        ([9, 8, 7, 6, 5, 5], 0.5, 1, 6),
    ],
)
def test_training_stops_after_patience_iterations_without_gain(
    losses, tolerance, patience, iterations
):
    options = {"iterations": len(losses), "tolerance": tolerance, "patience": patience}
    history = nn.fit(Number(), X, Y, loss=scripted(losses), **options)
    assert history.losses == losses[:iterations]
    assert history.stopped == "converged"


def test_patience_is_a_hundred():
    history = nn.fit(Number(), X, Y, loss=scripted([1.0] * 200), iterations=200, tolerance=0.0)
    assert (len(history.losses), history.stopped) == (101, "converged")


@pytest.mark.parametrize(("tolerance", "losses"), [(None, [5, 5, 5, 5]), (0.5, [5, 4, 3, 2])])
def test_training_goes_on_without_a_tolerance_or_with_gains(tolerance, losses):
    options = {"iterations": 4, "tolerance": tolerance, "patience": 1}
    history = nn.fit(Number(), X, Y, loss=scripted(losses), **options)
    assert (history.losses, history.stopped) == (losses, "iterations")


@pytest.mark.parametrize("bad", [inf, -inf, nan])
def test_a_loss_that_is_not_finite_raises_with_the_parameters_of_the_iteration_before(bad):
    model = Number(1.0)
    after = []
    values = iter([1.0, 1.0, bad])

    def loss(predictions, targets):
        return predictions[0] * predictions[0] * next(values)

    optimizer = SGD(model.parameters(), lr=0.25)
    message = f"the loss is {bad} at iteration 3; a lower learning rate than 0.25 may help"
    with pytest.raises(FloatingPointError, match=message):
        nn.fit(
            model,
            X,
            Y,
            loss=loss,
            optimizer=optimizer,
            progress=Seen(lambda _: after.append(data(model))),
        )
    assert after == [[0.5], [0.25]]
    assert data(model) == [0.25]


def test_progress_is_told_every_iteration_and_loss():
    seen = Seen()
    history = nn.fit(Number(), X, Y, iterations=3, progress=seen)
    assert seen.told == [(i, 3, loss) for i, loss in enumerate(history.losses, start=1)]


def test_a_thousand_iterations_are_the_default():
    seen = interrupt_at(1)
    nn.fit(Number(), X, Y, progress=seen)
    assert seen.told[0][1] == 1000


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_no_iterations_leave_the_model_alone(engine):
    model = Number(3.0)
    assert nn.fit(model, X, Y, iterations=0, engine=engine) == nn.History([], "iterations")
    assert data(model) == [3.0]


@pytest.mark.parametrize(
    ("x", "y", "options", "message"),
    [
        (X, Y[1:], {}, "12 examples in x, 11 in y"),
        (X, Y, {"batch_size": 0}, "batch_size must be in 1 … 12, got 0"),
        (X, Y, {"batch_size": 13}, "batch_size must be in 1 … 12, got 13"),
        (X, Y, {"iterations": -1}, "iterations -1 or patience 100 is too small"),
        (X, Y, {"patience": 0}, "patience 0 is too small"),
        (1.0, Y, {}, r"x must have shape \(n,\) or \(n, inputs\), got \(\)"),
        (X, 1.0, {}, r"y must have shape \(n,\) or \(n, outputs\), got \(\)"),
        (X.reshape(2, 2, 3), Y, {}, r"got \(2, 2, 3\)"),
        (X, Y.reshape(2, 2, 3), {}, r"got \(2, 2, 3\)"),
        (X.reshape(6, 2), Y[:6], {}, "MLP takes 1 inputs, got 2"),
        (X[:6], Y.reshape(6, 2), {}, "mse of 6 predictions and 12 targets"),
    ],
)
def test_sizes_that_do_not_fit_are_named(x, y, options, message):
    model = MLP(1, [1], seed=0)
    before = data(model)
    with pytest.raises(ValueError, match=message):
        nn.fit(model, x, y, **options)
    assert data(model) == before


@pytest.mark.parametrize("batch_size", [1, 12])
def test_the_ends_of_batch_size_are_inside(batch_size):
    assert len(nn.fit(Number(), X, Y, iterations=2, batch_size=batch_size).losses) == 2


@pytest.mark.parametrize("y", [[[1.0, 2.0], [3.0, 4.0]], np.array([[1, 2], [3, 4]])])
def test_examples_may_have_several_inputs_and_outputs(y):
    model = MLP(2, [3, 2], "tanh", seed=0)
    history = nn.fit(model, [[0.0, 1.0], [1.0, 0.0]], y, iterations=200)
    assert history.losses[-1] < 0.01 * history.losses[0]


# On arrays


def pair(**options):
    """The history and the model of each engine, from the same start."""
    for engine in ("eager", "compiled"):
        model = MLP(2, [4, 2], "tanh", seed=0)
        yield nn.fit(model, X.reshape(6, 2), XY, engine=engine, **options), model


XY = np.column_stack([Y[:6], -Y[6:]])


@pytest.mark.parametrize("options", [{}, {"batch_size": 4, "seed": 3}, {"loss": absolute}])
def test_the_compiled_engine_trains_as_the_eager_one(options):
    (eager, on_values), (compiled, on_arrays) = pair(iterations=30, **options)
    np.testing.assert_allclose(compiled.losses, eager.losses, rtol=1e-9)
    np.testing.assert_allclose(data(on_arrays), data(on_values), rtol=1e-7)
    np.testing.assert_allclose(grads(on_arrays), grads(on_values), rtol=1e-6, atol=1e-9)
    assert {type(value) for value in compiled.losses + data(on_arrays)} == {float}


def test_the_compiled_engine_trains_only_what_the_optimizer_has():
    model = MLP(1, [3, 1], "tanh", seed=0)
    before, last = data(model), model.layers[1].parameters()
    nn.fit(model, X, Y, optimizer=SGD(last[::-1], lr=0.1), iterations=5, engine="compiled")
    changed = [p for p, start in zip(model.parameters(), before, strict=True) if p.data != start]
    assert changed == last


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_what_diverges_keeps_the_parameters_of_the_last_finite_loss(engine):
    model = Number(1.0)
    sgd = SGD(model.parameters(), lr=1e200)
    with pytest.raises(FloatingPointError, match="the loss is inf at iteration 2"):
        nn.fit(model, X, 0 * Y, optimizer=sgd, engine=engine)
    assert data(model) == [-2e200]
    with pytest.raises(FloatingPointError, match="the loss is nan at iteration 1"):
        nn.fit(Number(nan), X, Y, engine=engine)


def test_ctrl_c_keeps_what_was_learned_on_arrays(handler):
    model, same = Number(), Number()
    options = {"engine": "compiled"}
    history = nn.fit(model, X, Y, iterations=50, progress=interrupt_at(4), **options)
    assert (len(history.losses), history.stopped) == (4, "interrupted")
    nn.fit(same, X, Y, iterations=4, **options)
    assert data(model) == data(same) != [0.0]


def branching(predictions, targets):
    return predictions[0] if predictions[0] > 0 else -predictions[0]


def total(predictions, targets):
    return predictions[0] * 0.0 + sum(predictions)


class Unused(Number):
    def __init__(self):
        super().__init__()
        self.idle = Value(1.0)


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (Number(), {"engine": "jit"}, ValueError, "engine must be eager or compiled, got 'jit'"),
        (
            Number(1.0),
            {"loss": total},
            ValueError,
            "of 8 examples is 8, the mean of their losses 1;",
        ),
        (Number(), {"loss": branching}, autodiff.TraceError, "test_training.py"),
        (Unused(), {}, ValueError, "the loss does not depend on 1 parameters"),
        (Number(), {"loss": lambda p, t: 1.0}, TypeError, "Value"),
    ],
)
def test_what_the_compiled_engine_cannot_do_is_named(model, options, error, message):
    before = data(model)
    with pytest.raises(error, match=message):
        nn.fit(model, X, Y, **{"engine": "compiled"} | options)
    assert data(model) == before


# predict


@pytest.mark.parametrize(
    ("nin", "nouts", "x", "shape"),
    [
        (1, [1], X, (12,)),
        (1, [1], X.reshape(-1, 1), (12,)),
        (1, [2], X.tolist(), (12, 2)),
        (2, [1], X.reshape(6, 2), (6,)),
        (2, [3], X.reshape(6, 2).tolist(), (6, 3)),
        (2, [2], X[:2].reshape(1, 2), (1, 2)),
    ],
)
def test_predict_has_a_row_an_example(nin, nouts, x, shape):
    model = MLP(nin, nouts, [None], seed=0)
    found = nn.predict(model, x)
    assert (found.shape, found.dtype) == (shape, float)
    rows = np.reshape(x, (shape[0], -1)).tolist()
    outputs = [model(row) for row in rows]
    expected = [[v.data for v in out] if isinstance(out, list) else out.data for out in outputs]
    assert found.tolist() == expected


def test_a_model_sees_lists_of_floats():
    given = []

    class Watched(Number):
        def __call__(self, x):
            given.append(x)
            return self.w

    nn.predict(Watched(), [1, 2])
    nn.predict(Watched(), np.array([[True, False]]))
    assert given == [[1.0], [2.0], [1.0, 0.0]]
    assert {(type(row), type(x)) for row in given for x in row} == {(list, float)}


def test_predict_records_no_graph():
    recorded = []

    class Watched(Number):
        def __call__(self, x):
            recorded.append((self.w * 1.0).operands)
            return self.w

    nn.predict(Watched(), X)
    assert recorded == [()] * 12


@pytest.mark.parametrize("use", [nn.predict, lambda m, x: nn.fit(m, x, x)])
def test_no_examples_are_refused_in_our_words(use):
    with pytest.raises(ValueError, match="example"):
        use(Number(), [])


def test_a_loss_that_is_no_value_is_refused():
    with pytest.raises(TypeError, match="Value"):
        nn.fit(Number(), X, Y, loss=lambda predictions, targets: 1.0)


# Ctrl-C, threads, the collector


@pytest.fixture
def handler():
    """A handler of SIGINT that only counts, in place while the test runs."""
    calls = []
    mine = lambda *_: calls.append(1)  # noqa: E731 - compared by identity below
    before = signal.signal(signal.SIGINT, mine)
    yield mine, calls
    signal.signal(signal.SIGINT, before)


def interrupt_at(iteration, times=1):
    def then(now):
        for _ in range(times * (now == iteration)):
            signal.raise_signal(signal.SIGINT)

    return Seen(then)


def test_ctrl_c_stops_after_the_iteration_and_keeps_what_was_learned(handler):
    model, same = Number(), Number()
    history = nn.fit(model, X, Y, iterations=50, progress=interrupt_at(4))
    assert (len(history.losses), history.stopped) == (4, "interrupted")
    nn.fit(same, X, Y, iterations=4)
    assert data(model) == data(same)
    assert (signal.getsignal(signal.SIGINT), handler[1]) == (handler[0], [])


def test_ctrl_c_within_an_iteration_lets_it_finish(handler):
    model = Number()

    def loss(predictions, targets):
        if len(seen.told) == 2:
            signal.raise_signal(signal.SIGINT)
        return nn.mse(predictions, targets)

    seen = Seen()
    history = nn.fit(model, X, Y, loss=loss, iterations=50, progress=seen)
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
