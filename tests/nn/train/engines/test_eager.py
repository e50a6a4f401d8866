"""The engines: both train alike, and what cannot be compiled is named."""

from contextlib import nullcontext
from math import nan

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value
from nn import MLP, SGD
from nn.train.engines.compiled import CompiledEngine
from nn.train.engines.eager import EagerEngine
from tests.nn.trainees import Number, Unused, X, Y, absolute, branching, total
from tests.support.values import data, grads


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
def test_divergence_keeps_the_parameters_of_the_last_finite_loss(engine):
    model = Number(1.0)
    sgd = SGD(model.parameters(), lr=1e200)
    with pytest.raises(FloatingPointError, match="the loss is inf at iteration 2"):
        nn.fit(model, X, 0 * Y, optimizer=sgd, engine=engine)
    assert data(model) == [-2e200]
    with pytest.raises(FloatingPointError, match="the loss is nan at iteration 1"):
        nn.fit(Number(nan), X, Y, engine=engine)


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (
            Number(1.0),
            {"loss": total},
            ValueError,
            "of 12 examples is 12, the mean of their losses 1",
        ),
        (Number(), {"loss": branching}, autodiff.TraceError, "trainees.py"),
        (Number(), {"loss": lambda p, t: 1.0}, TypeError, "Value"),
    ],
)
def test_the_compiled_engine_names_its_limits(model, options, error, message):
    before = data(model)
    with pytest.raises(error, match=message):
        nn.fit(model, X, Y, **{"engine": "compiled"} | options)
    assert data(model) == before


def test_a_parameter_that_the_loss_does_not_reach_stays():
    model = Unused()
    nn.fit(model, X, Y, iterations=3, engine="compiled")
    assert data(model)[1] == 1.0
    assert data(model)[0] != 0.0
    assert grads(model)[1] == 0.0


def test_parameters_in_another_order_train_alike():
    found = []
    for engine in ("eager", "compiled"):
        model = MLP(2, [4, 2], "tanh", seed=0)
        adam = nn.Adam(model.parameters()[::-1][:9], lr=0.05)
        history = nn.fit(
            model, X.reshape(6, 2), XY, optimizer=adam, epochs=5, batch_size=4, engine=engine,
            validation=(X.reshape(6, 2)[:2], XY[:2]), metrics=["r2"],
        )  # fmt: skip
        found.append(np.concatenate([data(model), *history.epochs.values()]))
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("kind", [EagerEngine, CompiledEngine])
def test_other_examples_are_evaluated_with_the_parameters_of_now(kind):
    model = MLP(2, [3, 2], "tanh", seed=0)
    engine = kind(model, nn.mse, X.reshape(6, 2), XY, model.parameters())
    assert engine.theta.tolist() == data(model)
    x, y = np.random.default_rng(0).normal(size=(2, 4, 2))
    for _ in range(2):
        engine.loss(np.arange(6))
        engine.update(lambda theta, gradient: np.subtract(theta, gradient, out=theta))
        value, outputs = engine.evaluate(x, y), engine.predictions(x)
        engine.give()
        np.testing.assert_allclose(outputs, nn.predict(model, x), rtol=1e-12)
        assert value == pytest.approx(nn.mse(nn.predict(model, x), y), rel=1e-12)


def test_a_loss_that_changes_during_training_is_found():
    weight = [1.0]

    def loss(predictions, targets):
        return weight[0] * nn.mse(predictions, targets)

    def then(step):
        weight[0] = 0.5

    with pytest.warns(RuntimeWarning, match="reads something that has changed") as caught:
        nn.fit(Number(), X, Y, loss=loss, iterations=3, progress=Changing(then))
    assert caught[0].filename == __file__


class Changing(nn.Silent):
    def __init__(self, then):
        self.then = then

    def __call__(self, step):
        self.then(step)


class Modal(nn.Module):
    """Has a parameter that only evaluation reaches."""

    def __init__(self):
        self.w, self.v = autodiff.Value(1.0), autodiff.Value(0.5)

    def __call__(self, x):
        return self.w * 1.0 if self.training else self.w + self.v


def test_a_parameter_that_only_evaluation_reaches_counts_there():
    found = []
    for engine in ("eager", "compiled"):
        model = Modal()
        sgd = SGD([model.w], lr=0.1)
        history = nn.fit(
            model, X, 0 * X, optimizer=sgd, epochs=3, batch_size=12, validation=(X, 0 * X),
            metrics=["r2"], engine=engine,
        )  # fmt: skip
        found.append(history.epochs)
        assert data(model) == pytest.approx([0.8**3, 0.5])
        expected = [(0.8**k + 0.5) ** 2 for k in (1, 2, 3)]
        assert history.epochs["validation_loss"] == pytest.approx(expected)
    assert found[0].keys() == found[1].keys()


# Dropout


class Dropping(nn.Module):
    def __init__(self, p=0.5):
        self.first, self.second = nn.Linear(2, 6, seed=1), nn.Linear(6, 2, seed=2)
        self.dropout = nn.Dropout(p, seed=3)

    def __call__(self, x):
        return self.second(self.dropout(self.first(x)))


def test_dropout_drops_anew_in_every_step_and_not_when_measured():
    model = Dropping()
    sgd = SGD(model.parameters(), lr=0.0)
    history = nn.fit(
        model, X.reshape(6, 2), XY, optimizer=sgd, epochs=200, batch_size=6, engine="compiled",
        validation=(X.reshape(6, 2), XY),
    )  # fmt: skip
    assert len(set(history.losses)) == 200
    assert len(set(history.epochs["validation_loss"])) == 1
    # E (w m h)² / p-scaled: the mean of the noisy losses is above the loss without noise.
    assert np.mean(history.losses) > 1.2 * history.epochs["validation_loss"][0]


def test_dropout_drops_the_share_p():
    class Mask(Number):
        def __init__(self):
            super().__init__(1.0)
            self.dropout = nn.Dropout(0.25, seed=0)

        def __call__(self, x):
            return self.dropout(self.w)

    def kept(predictions, targets):
        return autodiff.mean(predictions)

    x = np.zeros(2000)
    model = Mask()
    sgd = SGD(model.parameters(), lr=0.0)
    history = nn.fit(model, x, x, loss=kept, optimizer=sgd, iterations=3, engine="compiled")
    for loss in history.losses:  # a mean of 2000 zeros and 4/3
        assert loss == pytest.approx(1.0, abs=0.05)
        assert loss * 2000 / (4 / 3) == pytest.approx(round(loss * 2000 / (4 / 3)))


def test_dropout_goes_on_with_the_same_bits(tmp_path):
    def run(epochs, resume=False):
        model = Dropping()
        history = nn.fit(
            model, X.reshape(6, 2), XY, epochs=epochs, batch_size=4, engine="compiled",
            checkpoint=tmp_path / "run.npz", resume=resume,
        )  # fmt: skip
        return data(model), history

    whole = run(6)
    run(3)
    assert run(6, resume=True) == whole


def test_dropout_of_nothing_changes_neither_engine():
    eager, compiled = (
        nn.fit(Dropping(p=0.0), X.reshape(6, 2), XY, epochs=3, engine=engine)
        for engine in ("eager", "compiled")
    )
    np.testing.assert_allclose(compiled.losses, eager.losses, rtol=1e-9)


def test_a_loss_that_is_undefined_for_one_example_is_trained_on_values():
    x = np.random.default_rng(0).normal(size=(40, 1))
    y = (x[:, 0] > 0) * 1.0

    def masked_mean(predictions, mask):
        pairs = zip(predictions, mask, strict=True)
        return sum(p * p * m for p, m in pairs) / sum(mask)

    def losses(engine):
        model = nn.MLP(1, [1], seed=0)
        return nn.fit(
            model, x, y, loss=masked_mean, iterations=2, progress=False, engine=engine
        ).losses

    with pytest.warns(RuntimeWarning, match="not a mean over the examples"):
        assert losses("auto") == losses("eager")


class Slope(nn.Module):
    def __init__(self):
        self.n = nn.MLP(1, [4, 1], "tanh", seed=0)

    def __call__(self, x):
        return autodiff.grad(lambda q: self.n([q]))(x[0])


def test_a_model_of_derivatives_is_trained_on_values():
    x = np.random.default_rng(0).normal(size=(12, 1))
    found = []
    for engine in ("auto", "eager"):
        with pytest.warns(RuntimeWarning, match="grad") if engine == "auto" else nullcontext():
            history = nn.fit(
                Slope(), x, x[:, 0], iterations=2, validation=0.25, progress=False, engine=engine
            )
        found.append(history.losses)
    assert found[0] == found[1]


class Doubling(nn.Module):
    def __init__(self):
        self.a = Value(0.1)

    def __call__(self, x):
        x[0] *= 2
        return self.a * x[0]


def test_a_model_may_change_the_row_that_it_is_given():
    x = np.random.default_rng(0).normal(size=(10, 2))
    found = [
        nn.fit(Doubling(), x, x[:, 0], iterations=5, progress=False, engine=engine).losses
        for engine in ("compiled", "eager")
    ]
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_a_loss_of_single_numbers_is_told_that_it_gets_lists():
    engine = EagerEngine(Number(), lambda p, y: (p - y) ** 2, X, Y, [])
    with pytest.raises(TypeError) as caught:
        engine.loss(np.arange(2))
    assert "a list of predictions and a list of targets" in caught.value.__notes__[0]
