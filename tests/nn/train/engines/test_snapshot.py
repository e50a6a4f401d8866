"""Snapshots: what a call changes in a model, by name, and how it is undone."""

import numpy as np
import pytest

import nn
from autodiff import Value
from nn.train.engines.snapshot import Snapshot, generators, rehearsal
from tests.nn.trainees import Number


class Full(Number):
    def __init__(self):
        super().__init__()
        self.count, self.rate, self.name = 1, 0.5, "a"
        self.inner = [Number(), {"deep": [1.0, 2.0]}]
        self.array, self.table = np.zeros(3), np.array([Value(0.0), 1.0], dtype=object)
        self.number, self.large = np.array(1.0), np.zeros(2**17 + 1)
        self.rng = np.random.default_rng(0)


def add(model):
    model.count += 1


CHANGES = {
    "count": add,
    "new": lambda model: setattr(model, "new", 1),
    "rate": lambda model: delattr(model, "rate"),
    "w": lambda model: setattr(model, "w", Value(0.0)),
    "inner": lambda model: model.inner.append(0),
    "inner.1.deep": lambda model: model.inner[1]["deep"].__setitem__(0, 3.0),
    "inner.0.w": lambda model: setattr(model.inner[0], "w", None),
    "array": lambda model: model.array.__setitem__(1, 1.0),
    "number": lambda model: model.number.fill(2.0),
    "rate ": lambda model: setattr(model, "rate", np.array([0.5, 0.5])),
    "array ": lambda model: setattr(model, "array", 0.0),
    "table": lambda model: model.table.__setitem__(0, 1.0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_and_undone(name):
    model = Full()
    before = Snapshot(model)
    assert before.changed() is None
    kept = dict(vars(model))
    CHANGES[name](model)
    assert before.changed() == name.strip()
    before.restore()
    assert before.changed() is None
    assert vars(model).keys() == kept.keys()
    assert all(vars(model)[key] is kept[key] for key in kept)
    assert model.inner[1]["deep"] == [1.0, 2.0]
    assert model.array.tolist() == [0.0] * 3


def test_equal_numbers_and_the_data_of_values_are_not_changes():
    model = Full()
    before = Snapshot(model)
    model.rate, model.name, model.w.data = float("0.5"), "".join("a"), 7.0
    assert before.changed() is None
    before.restore()
    assert model.w.data == 7.0


def test_large_arrays_are_not_copied():
    model = Full()
    before = Snapshot(model)
    model.large[0] = 1.0
    assert before.changed() is None
    model.large = np.zeros(2)
    assert before.changed() == "large"


def test_a_module_that_holds_itself_is_kept_once():
    model = Full()
    model.me, model.inner = model, [model, nn.Sequential(model)]
    before = Snapshot(model)
    add(model)
    assert before.changed() == "count"


def test_a_rehearsal_puts_generators_back_and_after_an_error_attributes_too():
    model = Full()
    first = np.random.default_rng(0).random()
    with rehearsal(model):
        model.rng.random(9)
        add(model)
    assert (model.count, model.rng.random()) == (2, first)

    def fail():
        with rehearsal(model):
            add(model)
            model.rng.random(9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert model.count == 2
    assert model.rng.random() == np.random.default_rng(0).random(2)[1]


def test_generators_are_found_once():
    model = Full()
    model.inner[0].rng = model.rng
    assert generators(model) == [model.rng]
