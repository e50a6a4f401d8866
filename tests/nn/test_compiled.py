"""The compiled engine: what it compares, what it reads anew, what it draws, what it says later."""

import warnings

import numpy as np
import pytest

import nn
from autodiff import Value, mean
from nn import MLP, SGD
from nn.compiled import Compiled
from nn.trust import DiffersError
from tests.nn.meanings import ROWS, TARGETS, Frozen, Weighted, each
from tests.nn.trainees import Number, Seen, X, Y, data, grads

XX, YY = ROWS[:, :2], ROWS[:, 1:]


class Lying(Weighted):
    """Does something else on tracers than on Values: what no kernel may be trusted with."""

    def __init__(self, modes=(True, False), slope=1.0, value=0.0):
        super().__init__()
        self.lies = modes, slope, value

    def __call__(self, x):
        out = super().__call__(x)
        modes, slope, value = self.lies
        if isinstance(x[0], float) or self.training not in modes:
            return out
        return out * slope + value


def fitted(model, engine, **options):
    options = {"epochs": 2, "batch_size": 8, "progress": False} | options
    return nn.fit(model, ROWS, TARGETS, engine=engine, **options)


@pytest.mark.parametrize(
    ("options", "fit_options", "message"),
    [
        ({"value": 1e-6}, {}, r"the loss of example \d+ is [\d.e-]+ on Values, [\d.e-]+ compiled"),
        ({"modes": [False], "value": 1e-6}, {"validation": (ROWS[:9], TARGETS[:9])},
         r"the loss in evaluation mode of example \d is [\d.e-]+ on Values, [\d.e-]+ compiled"),
        ({"modes": [False], "slope": 1.01}, {"metrics": ["r2"]},
         r"output 0 of row \d+ is [\d.e-]+ on Values, [\d.e-]+ compiled"),
    ],
)  # fmt: skip
def test_a_kernel_that_differs_is_refused_in_the_mode_in_which_it_runs(
    options, fit_options, message
):
    with pytest.raises(DiffersError, match=message):
        fitted(Lying(**options), "compiled", **fit_options)
    model, same = Lying(**options), Lying(**options)
    with pytest.warns(RuntimeWarning, match=f"fit: running on Values, .*{message}") as caught:
        history = fitted(model, "auto", **fit_options)
    assert caught[0].filename == __file__
    expected = fitted(same, "eager", **fit_options)
    np.testing.assert_allclose(data(model), data(same), rtol=1e-9)
    for name, column in expected.epochs.items():
        np.testing.assert_allclose(history.epochs[name], column, rtol=1e-9)


def test_a_gradient_that_differs_is_refused_by_the_name_of_its_parameter():
    class Bent(Frozen):
        """Whose value is right and whose slope is not, on tracers."""

        def __call__(self, x):
            if not isinstance(x[0], float):
                hidden = [h.tanh() for h in self.body(x)]
                return self.head(hidden)[0]
            return super().__call__(x)

    message = r"the gradient by the parameter body.neurons.\d.w.\d is 0 on Values, [\d.e-]+ comp"
    with pytest.raises(DiffersError, match=message):
        fitted(Bent(), "compiled")
    model = Bent()
    with pytest.warns(RuntimeWarning, match=message):
        fitted(model, "auto")
    assert [p.data for p in model.body.parameters()] == data(Frozen().body)


def test_a_comparison_keeps_gradients():
    model = Weighted()
    for k, parameter in enumerate(model.parameters()):
        parameter.grad = float(k)
    Compiled(model, nn.mse, ROWS, TARGETS, model.parameters())
    assert grads(model) == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(("sizes", "compared"), [([4, 1], 32), ([64, 64, 1], 2)])
def test_large_models_are_compared_on_fewer_examples_and_small_ones_on_many(sizes, compared):
    x = np.random.default_rng(0).normal(size=(50, 3))

    def loss(predictions, targets):
        sizes_seen.append(len(predictions))
        return nn.mse(predictions, targets)

    sizes_seen = []
    model = MLP(3, sizes, "tanh", seed=0)
    Compiled(model, loss, x, x[:, 0], model.parameters())
    assert max(sizes_seen) == compared


def test_examples_whose_loss_is_not_finite_are_compared_by_it_and_the_others_by_their_gradient():
    class Inverse(Lying):
        def __call__(self, x):
            return super().__call__([1.0 / x[0], 0.0, 0.0])

    x = np.array([[1.0], [2.0], [1e-320], [4.0]])  # 1 / 1e-320 is inf
    with pytest.raises(FloatingPointError, match="the loss is inf at iteration 1"):
        nn.fit(Inverse(), x, x[:, 0], engine="compiled")
    with pytest.raises(DiffersError, match="the loss of example 0 is"):
        nn.fit(Inverse(value=1e-6), x, x[:, 0], engine="compiled")


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
        "what was trained is not the loss as it is after training: .* It may be that it reads "
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
    engine = Compiled(model, nn.mse, X[:, None], Y, model.parameters())
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


def test_dropout_draws_what_it_draws_on_values():
    found = []
    for engine in ("eager", "compiled"):
        model = Twice()
        history = nn.fit(model, XX, YY, epochs=3, batch_size=8, engine=engine, progress=False)
        found.append(data(model) + history.losses)
        found.append([drop.rng.random() for drop in model.drops])
    np.testing.assert_allclose(found[2], found[0], rtol=1e-9)
    assert found[3] == found[1]


def test_no_warning_is_given_for_models_of_ours():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for activation in ("relu", "tanh", "gelu"):
            for loss in (nn.mse, nn.mae, nn.huber):
                model = MLP(2, [8, 8, 2], activation, seed=1)
                nn.fit(model, XX, YY, loss=loss, epochs=20, validation=0.2, metrics=["r2"])
                nn.predict(model, XX)


def test_a_graph_is_not_recorded_for_what_is_measured():
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
