"""Measuring: metrics by name, and the parameters that the user's own metrics see."""

import numpy as np
import pytest

from nn.metrics import accuracy, r2
from nn.train.loop.batches import examples_of
from nn.train.loop.measuring import Measuring, lent, metrics_of
from tests.nn.trainees import X, Y


class Engine:
    def __init__(self):
        self.calls = []

    def give(self):
        self.calls.append("give")

    def take(self):
        self.calls.append("take")

    def evaluate(self, x, y):
        return float(len(x))

    def predictions(self, x):
        return np.zeros(len(x))


def test_figures_are_metrics_on_both_sets_and_the_loss_of_one():
    engine = Engine()
    examples = examples_of(X, Y, 0.25, None, seed=0, counts_epochs=False)

    def size(predictions, targets):
        engine.calls.append("size")
        return len(targets)

    measure = Measuring(engine, examples, metrics_of(["r2", size]))
    assert list(measure()) == ["r2", "size", "validation_loss", "validation_r2", "validation_size"]
    assert measure()["validation_loss"] == measure()["validation_size"] == 3.0
    assert engine.calls[:6] == ["give", "size", "take"] * 2, "and none for r2"
    assert Measuring(engine, examples, {})() == {"validation_loss": 3.0}


def test_metrics_are_named_by_their_functions():
    class Callable:
        def __call__(self, predictions, targets):
            return 0.0

    named = metrics_of(["accuracy", r2, Callable()])
    assert list(named) == ["accuracy", "r2", "Callable"]
    assert named["accuracy"] is accuracy
    for name in ("loss", "lr"):
        with pytest.raises(ValueError, match="or one is named loss or lr"):
            metrics_of([type("f", (Callable,), {"__name__": name})()])


def test_parameters_are_taken_back_after_an_error():
    engine = Engine()

    def fail():
        with lent(engine):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert engine.calls == ["give", "take"]
