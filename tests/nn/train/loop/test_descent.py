"""A descent: clipping, the schedule, and what weight decay leaves alone."""

import numpy as np
import pytest

import nn
from autodiff import Value
from nn import SGD, Adagrad, Adam, AdamW, RMSprop, StepLR
from nn.train.loop.descent import Descent
from tests.nn.meanings import ROWS, TARGETS, Frozen
from tests.nn.trainees import Unused, X, Y
from tests.support.values import data

DECAYING = [
    lambda ps: AdamW(ps, lr=0.1, weight_decay=0.1),
    lambda ps: Adam(ps, lr=0.1, weight_decay=0.1),
    lambda ps: SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.1),
    lambda ps: RMSprop(ps, lr=0.1, weight_decay=0.1),
    lambda ps: Adagrad(ps, lr=0.1, weight_decay=0.1),
]


@pytest.mark.parametrize("make", DECAYING)
@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_weight_decay_does_not_move_what_the_loss_does_not_reach(make, engine):
    unused = Unused()
    nn.fit(unused, X, Y, optimizer=make(unused.parameters()), iterations=5, engine=engine)
    assert unused.idle.data == 1.0
    assert unused.w.data != 0.0

    frozen = Frozen()  # a body under no_grad
    before = data(frozen.body)
    optimizer = make(frozen.parameters())
    nn.fit(frozen, ROWS, TARGETS, optimizer=optimizer, epochs=2, engine=engine)
    assert data(frozen.body) == before
    assert data(frozen.head) != data(Frozen().head)


def test_weight_decay_does_not_move_what_the_optimizer_does_not_have():
    model = nn.MLP(1, [3, 1], "tanh", seed=0)
    first, last = model.layers
    before = data(first)
    nn.fit(model, X, Y, optimizer=AdamW(last.parameters(), weight_decay=0.5), iterations=5)
    assert data(first) == before


@pytest.mark.parametrize("make", DECAYING)
def test_a_parameter_decays_from_its_first_gradient_on_as_if_training_began_then(make):
    late, alone = [Value(2.0), Value(3.0)], [Value(3.0)]
    descent, same = Descent(make(late)), Descent(make(alone))
    theta, lonely = np.array([2.0, 3.0]), np.array([3.0])
    descent.step(theta, np.array([1.0, 0.0]))
    assert theta[1] == 3.0
    for slope in (0.5, 0.0, 0.25):
        descent.step(theta, np.array([0.0, slope]))
        same.step(lonely, np.array([slope]))
    assert descent.frozen.tolist() == [False, False]
    if "Adam" not in type(descent.optimizer).__name__:  # Adam counts the steps of all parameters
        assert theta[1] == lonely[0]
    assert theta[1] != 3.0


def test_an_optimizer_that_fails_leaves_frozen_parameters_as_they_are():
    class Failing(SGD):
        def update(self, theta, gradient):
            raise ZeroDivisionError

    theta = np.array([2.0, 3.0])
    with pytest.raises(ZeroDivisionError):
        Descent(Failing([Value(2.0), Value(3.0)])).step(theta, np.array([1.0, 0.0]))
    assert theta.tolist() == [2.0, 3.0]


def test_a_schedule_steps_per_epoch_or_per_iteration():
    found = {}
    for per in ("epoch", "iteration"):
        sgd = SGD([Value(1.0)], lr=0.8)
        descent = Descent(sgd, StepLR(sgd, 1, gamma=0.5), per=per)
        descent.step(np.ones(1), np.ones(1))
        found[per] = [sgd.lr, descent.figures()]
        descent.end_epoch(1.0)
        found[per].append(sgd.lr)
    assert found == {"epoch": [0.8, {"lr": 0.8}, 0.4], "iteration": [0.4, {}, 0.4]}
