"""Trust: a kernel is compared with eager execution, and a difference is told or avoided."""

import warnings

import numpy as np
import pytest

import nn
from autodiff import Value
from nn.train.engines.trust import DiffersError, require_equal, spread
from tests.nn.meanings import MEANINGS, ROWS, TARGETS, Averaging, Counting, Noisy, Weighted
from tests.nn.trainees import Number
from tests.support.values import data

# What users write, on both engines


def trained(name, engine):
    """The parameters and losses after training, and the warnings."""
    make, loss, y = MEANINGS[name]
    model = make()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = nn.fit(
            model, ROWS, y, loss=loss, epochs=3, batch_size=7, validation=(ROWS[:9], y[:9]),
            optimizer=nn.SGD(model.parameters(), lr=0.05), engine=engine, progress=False,
        )  # fmt: skip
    found = data(model) + history.losses + history.epochs["validation_loss"]
    return found, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("name", MEANINGS)
def test_auto_trains_as_on_values_and_warns_where_it_falls_back(name):
    expected, _ = trained(name, "eager")
    found, said = trained(name, "auto")
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)
    assert not said or "fit: running on Values" in said[0]


@pytest.mark.parametrize("make", [model for model, *_ in MEANINGS.values()])
def test_predictions_are_those_on_values(make):
    eager, auto = make(), make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            expected = nn.predict(eager, ROWS, engine="eager")
        except TypeError as error:
            with pytest.raises(TypeError, match=f"^{error}$"):
                nn.predict(auto, ROWS)
            return
        found = nn.predict(auto, ROWS)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Counting, "a call changes calls of the model, which later calls read"),
        (Averaging, "a call changes seen of the model"),
        (Noisy, "on Values the same call gives other numbers each time"),
    ],
)
def test_a_change_that_later_calls_read_is_named_and_undone(make, message):
    model, same = make(), make()
    with pytest.raises(DiffersError, match=message):
        nn.fit(model, ROWS, TARGETS, iterations=2, engine="compiled")
    for key, attribute in vars(same).items():
        if isinstance(attribute, int | float):
            assert vars(model)[key] == attribute
    if make is Noisy:
        assert model.rng.random() == same.rng.random()
    if make is Averaging:
        assert model.seen == [0.0]


class Keeping(Weighted):
    """Keeps what it computed, and what it made at the first call; no later call reads the first."""

    def __init__(self):
        super().__init__()
        self.latest = self.made = None

    def __call__(self, x):
        self.made = self.made or [Value(1.0)]
        self.latest = super().__call__(x) * self.made[0]
        return self.latest


def test_attributes_that_no_call_reads_are_compiled_and_hold_no_tracer_afterwards():
    model, same = Keeping(), Weighted()
    nn.fit(model, ROWS, TARGETS, iterations=3, engine="compiled")
    nn.fit(same, ROWS, TARGETS, iterations=3, engine="compiled")
    assert data(model)[:4] == pytest.approx(data(same))
    assert isinstance(model.latest, Value)
    nn.predict(model, ROWS, engine="compiled")
    assert isinstance(model.latest, Value)


# The comparison


def one(eager, compiled, x=None, model=None):
    """Compare two lists of numbers as those of a model of one parameter."""
    require_equal(
        model or Number(1.0),
        eager if callable(eager) else lambda x: [np.array(eager)],
        lambda found: [np.array(compiled)],
        np.array([0.3, 1.0]) if x is None else x,
        [lambda place, ours, theirs: f"number {place} is {ours}, compiled {theirs}"],
    )


@pytest.mark.parametrize(
    ("eager", "compiled"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-9]),
        ([1.0, 0.0], [1.0, 1e-13]),
        ([np.nan, np.inf, -np.inf], [np.nan, np.inf, -np.inf]),
        ([], []),
        ([0.0], [-0.0]),
    ],
)
def test_numbers_that_agree_to_rounding_are_equal(eager, compiled):
    one(eager, compiled)


@pytest.mark.parametrize(
    ("eager", "compiled", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-8], "number 1 is 2, compiled 2.00000001"),
        ([1.0, 1e-6], [1.0, 1.00001e-6], "number 1 is 1e-06, compiled 1.00001e-06"),
        ([1.0, 0.0], [1.0, 1e-9], "number 1 is 0, compiled 1e-09"),
        ([np.nan], [1.0], "number 0 is nan, compiled 1"),
        ([1.0], [np.nan], "number 0 is 1, compiled nan"),
        ([np.inf], [-np.inf], "number 0 is inf, compiled -inf"),
        ([5.0, 1.0], [5.0 + 1e-6, 2.0], "number 1 is 1, compiled 2"),
        ([1.0], [1.0, 1.0], "there are 1 numbers on Values, 2 compiled"),
    ],
)
def test_numbers_that_differ_are_named_the_worst_first(eager, compiled, message):
    with pytest.raises(DiffersError, match=f"^{message}$"):
        one(eager, compiled)


def test_differences_that_rounding_explains_are_allowed():
    model = Number(1 / 3)

    def cancelled(x):  # 1/3 + 1 - 4/3 is some units in the last place of 1
        return [np.array([model.w.data + 1.0 - 4 / 3])]

    one(cancelled, [2e-16], model=model)
    assert data(model) == [1 / 3]
    with pytest.raises(DiffersError):
        one(cancelled, [1e-12], model=model)
    assert data(model) == [1 / 3]


def test_a_kink_that_rounding_crosses_is_allowed_and_a_mask_is_not():
    def slope(x):
        return [np.array([1.0 if x[0] > 0.3 else -1.0])]

    one(slope, [1.0], x=np.array([0.3, 1.0]))
    with pytest.raises(DiffersError, match="number 0 is -1, compiled 1"):
        one(lambda x: [np.array([1.0 if x[0] > 1.0 else -1.0])], [1.0], x=np.array([1.0, 0.3]))


def test_integers_stay_integers_while_last_digits_move():
    kinds = []

    def watched(x):
        kinds.append(x.dtype.kind)
        return [np.array([1.0])]

    with pytest.raises(DiffersError):
        one(watched, [2.0], x=np.array([1, 2]))
    assert set(kinds) == {"i"}


def test_a_model_that_refuses_moved_inputs_is_compared_without_them():
    def strict(x):
        if x[0] != 0.3:
            raise ValueError
        return [np.array([1.0])]

    with pytest.raises(DiffersError, match="number 0 is 1, compiled 2"):
        one(strict, [2.0])


def test_eager_errors_come_first_and_unchanged():
    def fail(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        one(fail, [2.0])


# Which examples


def test_examples_are_the_ends_the_extremes_and_the_classes():
    x, y = np.zeros((100, 2)), np.full(100, 3)
    x[40, 1], x[71, 0], y[55], y[56] = 5.0, -1.0, 9, 4
    chosen = spread(12, x, y).tolist()
    assert len(chosen) == len(set(chosen)) == 12
    assert {0, 99, 40, 71, 55, 56} <= set(chosen)
    assert spread(12, x, y).tolist() == chosen
    assert len(spread(2, x, y)) == 2
    assert {55, 56} <= set(spread(8, np.zeros((100, 1)), np.where(y == 4, -0.5, y)).tolist())
    assert sorted(spread(200, x[:9], y[:9]).tolist()) == list(range(9))
    assert spread(4, x[:1]).tolist() == [0]


def test_a_class_that_comes_last_is_compared():
    y = np.repeat(np.arange(10), 10)
    assert len({int(y[row]) for row in spread(32, np.zeros((100, 1)), y)}) == 10


def test_a_mask_that_is_set_once_is_compared():
    x = np.random.default_rng(0).normal(size=(500, 3))
    x[:, 1] = 0.0
    x[333, 1] = 1.0
    assert 333 in spread(16, x, x[:, 0])
