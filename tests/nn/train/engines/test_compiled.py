"""The compiled engine: its comparisons, Values that change, Dropout, and later warnings."""

import warnings

import numpy as np
import pytest

import nn
from autodiff import Value, mean
from nn import MLP, SGD
from nn.train.engines.compiled import CompiledEngine
from nn.train.engines.trust import DiffersError
from tests.nn.meanings import MEANINGS, ROWS, TARGETS, Lying, Weighted, each, fitted
from tests.nn.trainees import Number, Seen, X, Y
from tests.support.values import data

XX, YY = ROWS[:, :2], ROWS[:, 1:]


@pytest.mark.parametrize(
    "name", ["list that grows", "two lists", "dict with the inputs", "lists of targets"]
)
def test_models_and_losses_see_lists(name):
    make, loss, y = MEANINGS[name]
    found = []
    for engine in ("eager", "compiled"):
        model = make()
        nn.fit(model, ROWS, y, loss=loss, epochs=2, engine=engine)
        found.append(data(model))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)


def test_measurements_are_compared_with_the_parameters_at_that_time():
    def bent():
        model = Lying(modes=[False], slope=1.01)
        for parameter in model.parameters():
            parameter.data = 0.0  # at first all outputs are 0, bent or not
        return model

    for options in ({"validation": (ROWS, TARGETS)}, {"metrics": ["r2"]}):
        with pytest.raises(DiffersError):
            fitted(bent(), "compiled", **options)


def test_outputs_for_integers_and_for_floats_are_compared():
    class Typed(Weighted):
        """Means another thing for floats, on Values; a kernel knows indices and floats."""

        def __call__(self, x):
            out = super().__call__(x)
            return out + 1.0 if isinstance(x[0], float) and not self.training else out

    x = np.arange(120).reshape(40, 3) % 7
    with pytest.raises(DiffersError, match="output 0 of row 0"):
        nn.fit(
            Typed(), x, TARGETS, loss=lambda ps, ts: nn.mse(ps, ts) * 0.0, epochs=1,
            validation=(x + 0.5, TARGETS), metrics=["r2"], engine="compiled",
        )  # fmt: skip


# Numbers and Values that change meanwhile


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_values_that_are_not_trained_are_read_at_every_step(engine):
    temperature = Value(1.0)

    def cool(step):
        temperature.data = 1.0 / step

    def run(progress, temperature):
        model = Weighted()
        nn.fit(
            model, ROWS, TARGETS, loss=each(lambda p, t: (p / temperature - t) ** 2), epochs=4,
            optimizer=SGD(model.parameters(), lr=0.01), engine=engine, progress=progress,
            validation=(ROWS, TARGETS),
        )  # fmt: skip
        return data(model)

    changed = run(Seen(cool), temperature)
    assert temperature.data == 0.25
    # The same by hand, on Values
    model, rng = Weighted(), np.random.default_rng(0)
    for epoch in range(1, 5):
        order, hot = rng.permutation(40), 1.0 / max(1, epoch - 1)
        for batch in (order[:32], order[32:]):
            model.zero_grad()
            predictions = [model(row) for row in ROWS[batch].tolist()]
            pairs = zip(predictions, TARGETS[batch].tolist(), strict=True)
            mean([(p / hot - t) ** 2 for p, t in pairs]).backward()
            SGD(model.parameters(), lr=0.01).step()
    assert changed == pytest.approx(data(model), rel=1e-9)


@pytest.mark.parametrize("what", ["loss", "model", "evaluation"])
def test_a_number_that_changes_during_training_is_found_at_the_end(what):
    scale = {"loss": 1.0, "model": 1.0, "evaluation": 1.0}

    class Scaled(Weighted):
        def __call__(self, x):
            factor = scale["model"] * (1.0 if self.training else scale["evaluation"])
            return super().__call__(x) * factor

    def change(step):
        scale[what] = 1.0 + 1e-6

    message = (
        "the loss after training is not the loss that was trained: .* It may be that it reads "
        "something that has changed meanwhile: .* Train with engine='eager'"
    )
    with pytest.warns(RuntimeWarning, match=message):
        fitted(
            Scaled(), "auto", loss=each(lambda p, t: scale["loss"] * (p - t) ** 2),
            validation=(ROWS, TARGETS), progress=Seen(change),
        )  # fmt: skip


def test_a_loss_that_fails_after_training_is_a_warning_and_the_history_is_kept():
    is_over = []

    def loss(predictions, targets):
        if is_over:
            raise ZeroDivisionError("mine")
        return nn.mse(predictions, targets)

    with pytest.warns(RuntimeWarning, match="ZeroDivisionError: mine"):
        history = fitted(Weighted(), "auto", loss=loss, progress=Seen(is_over.append))
    assert len(history.losses) == 10


def test_without_a_step_nothing_is_compared_at_the_end():
    calls = []

    class Watched(Number):
        def __call__(self, x):
            calls.append(x)
            return super().__call__(x)

    model = Watched()
    engine = CompiledEngine(model, nn.mse, X[:, None], Y, model.parameters())
    calls.clear()
    engine.check()
    assert not calls


# Dropout


class Twice(nn.Module):
    """Two Dropouts with generators of their own, and one that shares that of the first."""

    def __init__(self):
        self.first, self.second = nn.Linear(2, 5, seed=1), nn.Linear(5, 2, seed=2)
        self.drops = [nn.Dropout(0.5, seed=3), nn.Dropout(0.25, seed=4)]
        self.drops.append(nn.Dropout(0.1, rng=self.drops[0].rng))

    def __call__(self, x):
        a, b, c = self.drops
        return c(self.second(b(a(self.first(x)))))


def test_dropout_draws_the_same_numbers_on_both_engines():
    found = []
    for engine in ("eager", "compiled"):
        model = Twice()
        history = nn.fit(model, XX, YY, epochs=3, batch_size=8, engine=engine, progress=False)
        found.append(data(model) + history.losses)
        found.append([drop.rng.random() for drop in model.drops])
    np.testing.assert_allclose(found[2], found[0], rtol=1e-9)
    assert found[3] == found[1]


def test_our_own_models_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for activation in ("relu", "tanh", "gelu"):
            for loss in (nn.mse, nn.mae, nn.huber):
                model = MLP(2, [8, 8, 2], activation, seed=1)
                nn.fit(model, XX, YY, loss=loss, epochs=20, validation=0.2, metrics=["r2"])
                nn.predict(model, XX)


def test_measuring_records_no_graph():
    recorded = []

    class Watched(Weighted):
        def __call__(self, x):
            out = super().__call__(x)
            if isinstance(out, Value) and not self.training:
                recorded.append(out.operands)
            return out

    fitted(Watched(), "compiled", validation=(ROWS, TARGETS), metrics=["r2"])
    assert recorded
    assert not any(recorded)
