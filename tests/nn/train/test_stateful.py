"""`Stateful`: a state goes out and comes back whole, or not at all."""

import numpy as np
import pytest

from nn.train.stateful import Stateful


class Counter(Stateful):
    links = ("owner",)

    def __init__(self, size=2):
        self.owner = object()
        self.mode = "up"
        self.steps, self.rate, self.is_on, self.pair = 3, 0.1, True, (0.5, 0.25)
        self._sums = np.arange(float(size))


def test_numbers_tuples_and_arrays_are_the_state():
    counter = Counter()
    state = counter.state_dict()
    assert list(state) == ["steps", "rate", "is_on", "pair", "sums"]
    assert all(isinstance(array, np.ndarray) for array in state.values())
    counter._sums += 1
    assert state["sums"].tolist() == [0.0, 1.0]


def test_a_state_comes_back_in_the_types_it_had():
    counter, other = Counter(), Counter()
    counter.steps, counter.rate, counter.is_on, counter.pair = 7, 0.3, False, (1.0, 2.0)
    counter._sums += 5
    state = counter.state_dict()
    other.load_state_dict(state)
    assert (other.steps, other.rate, other.is_on, other.pair) == (7, 0.3, False, (1.0, 2.0))
    assert [type(v) for v in (other.steps, other.rate, other.is_on, other.pair)] == [
        int, float, bool, tuple,
    ]  # fmt: skip
    other._sums += 1
    assert state["sums"].tolist() == [5.0, 6.0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("pair"), "Counter.load_state_dict: missing 'pair'; is it the state of"),
        (lambda s: s.update(mean=1.0), "unexpected 'mean'"),
        (
            lambda s: s.update(sums=np.zeros(3)),
            r"sums is float64 of shape \(3,\), must be .*2,",
        ),
        (lambda s: s.update(rate=[0.1]), r"rate is float64 of shape \(1,\), must be .*\(\)"),
        (lambda s: s.update(rate="fast"), "rate is <U4"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message):
    counter, state = Counter(), Counter().state_dict()
    state["steps"] = np.array(9)
    change(state)
    with pytest.raises(ValueError, match=message):
        counter.load_state_dict(state)
    assert counter.steps == 3


def test_an_attribute_that_cannot_be_saved_is_named():
    counter = Counter()
    counter.history = {"loss": []}
    with pytest.raises(TypeError, match=r"Counter.history is a dict, .* name it in `links`"):
        counter.state_dict()
