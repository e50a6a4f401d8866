"""Likeness: states of one structure, optimizers and schedules that go on in the same way."""

import json

import numpy as np
import pytest

from autodiff import Value
from nn import SGD, Adam, AdamW, ExponentialLR, ReduceLROnPlateau, Schedule, StepLR
from nn.train.loop.likeness import (
    difference,
    generator_state,
    is_alike,
    next_rates,
    next_step,
    saved_generator,
)


def made(kind, **options):
    return kind([Value(1.0), Value(2.0)], **options)


def test_a_structure_is_keys_shapes_and_kinds_of_numbers():
    state = {"lr": np.array(0.1), "steps": np.array(3), "mean": np.zeros(2)}
    assert difference(state, dict(state)) is None
    assert difference(state, state | {"lr": np.array(0.7)}) is None
    assert difference(state, {"lr": np.array(0.1)}) == "its state has mean, steps"
    assert difference({}, {"a": np.array(0.1)}) == "here it has a"
    assert difference(state, state | {"mean": np.zeros(3)}) == "mean has shape (2,), here (3,)"
    assert difference(state, state | {"steps": np.array(3.0)}) == "steps is int64, here float64"


@pytest.mark.parametrize("lr", [0.1, 0.0])
def test_optimizers_of_one_structure_are_told_by_their_next_step(lr):
    options = {"lr": lr, "weight_decay": 0.1}
    adam, same, adamw = (made(kind, **options) for kind in (Adam, Adam, AdamW))
    state = adam.state_dict()
    assert difference(state, adamw.state_dict()) is None
    step = next_step(adam, state)
    assert is_alike(step, next_step(same, state))
    assert not is_alike(step, next_step(adamw, state))
    assert {key: array.tolist() for key, array in adam.state_dict().items()} == {
        key: array.tolist() for key, array in state.items()
    }
    assert [p.data for p in adam.parameters] == [1.0, 2.0]


def test_a_step_of_chance_is_not_compared_and_draws_nothing():
    class Noisy(SGD):
        links = ("parameters", "rng")

        def __init__(self, parameters):
            super().__init__(parameters)
            self.rng = np.random.default_rng(0)

        def update(self, theta, gradient):
            theta += self.rng.normal(size=len(theta))

    noisy = made(Noisy)
    assert next_step(noisy, noisy.state_dict()) is None
    assert noisy.rng.random() == np.random.default_rng(0).random()
    assert is_alike(None, [1.0])


def test_schedules_of_one_structure_are_told_by_their_rates():
    class Linear(Schedule):
        def rate(self, epoch):
            return self.base_lr * (1 - epoch / 100)

    class Other(Linear):
        def rate(self, epoch):
            return self.base_lr / (1 + epoch)

    class Ending(Linear):
        def rate(self, epoch):
            return [0.1, 0.2][epoch]

    sgd = made(SGD, lr=0.1)
    state, own = Linear(sgd).state_dict(), sgd.state_dict()
    linear, other = next_rates(Linear(sgd), state, own), next_rates(Other(sgd), state, own)
    assert not is_alike(linear, other)
    assert is_alike(linear, next_rates(Linear(sgd), state, own))
    assert next_rates(Ending(sgd), state, own) is None
    assert sgd.lr == 0.1
    for kind, options in ((StepLR, {"step_size": 2}), (ExponentialLR, {"gamma": 0.5})):
        schedule = kind(sgd, **options)
        assert next_rates(schedule, schedule.state_dict(), own) is not None
    plateau = ReduceLROnPlateau(sgd)
    sgd.lr = 0.7  # the saved rate counts
    assert next_rates(plateau, plateau.state_dict(), own) == [own["lr"]] * 5


KINDS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


def generator(kind, seed):
    return np.random.Generator(getattr(np.random, kind)(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_goes_on_from_a_saved_state_in_json(kind):
    rng, other = generator(kind, 1), generator(kind, 2)
    rng.random(7)
    saved = json.loads(json.dumps(saved_generator(rng)))
    assert kind not in json.dumps(saved)
    other.bit_generator.state = generator_state(other, saved)
    assert other.random(5).tolist() == rng.random(5).tolist()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_state_of_another_kind_of_generator_is_refused(kind):
    rng, saved = generator("PCG64", 1), saved_generator(generator(kind, 1))
    with pytest.raises(ValueError, match="the kind of a random generator differs"):
        generator_state(rng, saved)
    assert rng.random() == generator("PCG64", 1).random()
