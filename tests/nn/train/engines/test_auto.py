"""Falling back: a call that a kernel refuses is repeated on Values, and nothing is lost."""

import warnings

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value, take
from nn import SGD
from nn.train.engines.compiled import CompiledEngine
from tests.nn.meanings import ROWS, TARGETS, Weighted
from tests.nn.trainees import Number, X, Y
from tests.support.values import data

OPTIONS = {"epochs": 5, "batch_size": 8, "validation": (ROWS[:9], TARGETS[:9]), "progress": False}


class Dropping(Weighted):
    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3, seed=3)

    def __call__(self, x):
        return super().__call__(self.dropout(x))


def broken_after(monkeypatch, method, count, error):
    """The kernel's method fails from its call number `count` on."""
    calls, whole = [], getattr(CompiledEngine, method)

    def breaking(self, *args):
        calls.append(args)
        if len(calls) >= count:
            raise error
        return whole(self, *args)

    monkeypatch.setattr(CompiledEngine, method, breaking)


@pytest.mark.parametrize("make", [Weighted, Dropping])
@pytest.mark.parametrize("method", ["loss", "evaluate", "predictions", "_flat"])
@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("error", [autodiff.TraceError("here"), IndexError("here")])
def test_falling_back_at_any_step_loses_nothing(monkeypatch, make, method, count, error):
    def run(engine):
        model = make()
        adam = nn.Adam(model.parameters(), lr=0.05)
        history = nn.fit(
            model, ROWS, TARGETS, optimizer=adam, metrics=["r2"], early_stopping=2,
            engine=engine, **OPTIONS,
        )  # fmt: skip
        state = [x for array in adam.state_dict().values() for x in np.ravel(array)]
        drawn = [model.dropout.rng.random()] if make is Dropping else []
        curves = [x for column in history.epochs.values() for x in column]
        return [*data(model), *history.losses, *curves, *state, *drawn, history.best_epoch or 0]

    expected = run("eager")
    broken_after(monkeypatch, method, count, error)
    message = f"fit: running on Values, .*{type(error).__name__}: here. Pass engine='eager' if"
    with pytest.warns(RuntimeWarning, match=message) as caught:
        found = run("auto")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    np.testing.assert_allclose(found, expected, rtol=1e-8)


def test_the_compiled_engine_raises_what_a_kernel_refuses(monkeypatch):
    broken_after(monkeypatch, "loss", 3, IndexError("here"))
    with pytest.raises(IndexError, match="here"):
        nn.fit(Weighted(), ROWS, TARGETS, engine="compiled", **OPTIONS)


def test_an_interruption_does_not_fall_back(monkeypatch):
    broken_after(monkeypatch, "loss", 2, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        nn.fit(Weighted(), ROWS, TARGETS, **OPTIONS)


def test_an_error_of_the_user_in_a_later_step_is_shown_as_on_values(monkeypatch):
    class Table(nn.Module):
        def __init__(self):
            self.rows = [Value(float(k)) for k in range(3)]

        def __call__(self, x):
            if isinstance(x[0], int) and x[0] < 0:
                raise LookupError("row below 0")
            return take(self.rows, x[0])

    x = np.zeros((90, 1), dtype=int)
    x[40], x[50] = 2, -1

    def run(engine):
        with pytest.raises(LookupError) as caught:
            nn.fit(Table(), x, 0.0 * x[:, 0], batch_size=1, epochs=1, engine=engine)
        return caught.value

    assert [str(run(engine)) for engine in ("eager", "auto")] == ["row below 0"] * 2
    assert run("auto").__context__ is None


def test_a_model_that_never_works_raises_its_own_error_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="MLP takes 3 inputs, got 1") as caught:
            nn.fit(nn.MLP(3, [1], seed=0), X, Y)
    assert caught.value.__context__ is None


def test_integers_in_training_and_floats_in_validation_are_compared_anew():
    class Typed(Number):
        """Means another thing for integers, on Values; a kernel knows indices and floats."""

        def __call__(self, x):
            if self.training:
                return self.w * x[0]
            return self.w * x[0] + (1.0 if isinstance(x[0], float) else 0.0)

    x = np.arange(12)[:, None]
    found = []
    for engine in ("eager", "auto"):
        model = Typed(0.5)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = nn.fit(
                model, x, Y, epochs=2, optimizer=SGD([model.w], lr=1e-3), engine=engine,
                validation=(x + 0.5, Y), progress=False,
            )  # fmt: skip
        found.append(data(model) + history.epochs["validation_loss"])
    np.testing.assert_allclose(found[1], found[0], rtol=1e-9)
    assert "the loss in evaluation mode of example 0" in str(caught[0].message)


def test_training_resumes_on_the_engine_of_the_checkpoint(monkeypatch, tmp_path):
    def run(epochs, **options):
        model = Dropping()
        history = nn.fit(
            model, ROWS, TARGETS, epochs=epochs, batch_size=8, progress=False,
            checkpoint=tmp_path / "run.npz", **options,
        )  # fmt: skip
        return data(model), history.losses

    with monkeypatch.context() as patch:
        broken_after(patch, "loss", 1, IndexError("here"))
        with pytest.warns(RuntimeWarning, match="IndexError"):
            whole = run(6)
        with pytest.warns(RuntimeWarning, match="IndexError"):
            run(3)
    with pytest.warns(RuntimeWarning, match="the checkpoint was trained on Values"):
        assert run(6, resume=True) == whole
    with pytest.raises(ValueError, match="the engine differs: eager, here compiled"):
        run(6, resume=True, engine="compiled")


def test_a_failed_compilation_leaves_the_model_as_it_was():
    class Lazy(Weighted):
        """Makes its scale at the first call, from a generator, and branches on data."""

        def __init__(self):
            super().__init__()
            self.rng, self.scale = np.random.default_rng(7), None

        def __call__(self, x):
            if self.scale is None:
                self.scale = self.rng.normal()
            out = super().__call__(x) * self.scale
            return out if out > 0 else out * 0.5

    found = []
    for engine in ("eager", "auto"):
        model = Lazy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nn.fit(model, ROWS, TARGETS, epochs=1, engine=engine, progress=False)
        found.append([*data(model), model.scale, model.rng.random()])
    assert found[0] == found[1]
