"""Modes: training while training, evaluation while measuring, and afterwards as before."""

import pytest

import nn
from nn.train.engines.training_mode import in_mode
from tests.nn.trainees import Number, X, Y


class Watched(Number):
    """Keeps the mode of each call, and has a part that is never in training."""

    def __init__(self):
        super().__init__()
        self.part = Number()
        self.part.training = False
        self.modes = []

    def __call__(self, x):
        self.modes.append((self.training, self.part.training))
        return super().__call__(x)


@pytest.mark.parametrize("training", [True, False])
def test_a_mode_holds_for_all_modules_until_the_context_ends(training):
    model = Watched()

    def fail():
        with in_mode(model, training=training):
            assert [module.training for module in model.modules()] == [training] * 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (model.training, model.part.training) == (True, False)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_model_is_measured_in_evaluation_mode(engine):
    model = Watched()
    nn.fit(model, X, Y, epochs=1, validation=(X, Y), metrics=["r2"], engine=engine)
    training, measuring = (True, True), (False, False)
    if engine == "eager":
        assert model.modes == [training] * 12 + [measuring] * 36
    else:  # traces and the few examples that are compared, before and after
        assert set(model.modes) == {training, measuring}
    assert (model.training, model.part.training) == (True, False)
    model.modes.clear()
    nn.predict(model, X, engine=engine)
    assert set(model.modes) == {measuring}
    assert (model.training, model.part.training) == (True, False)
