"""Schedules: the rates they set, and that they go on from a saved state."""

import math

import pytest

from autodiff import Value
from nn import SGD, CosineAnnealingLR, ExponentialLR, ReduceLROnPlateau, Schedule, StepLR


def optimizer(lr=0.8):
    return SGD([Value(1.0)], lr=lr)


def rates(make, steps, lr=0.8):
    """The rate of every epoch, from the first."""
    o = optimizer(lr)
    schedule = make(o)
    found = [o.lr]
    for _ in range(steps):
        schedule.step()
        found.append(o.lr)
    return found


def test_step_cuts_the_rate_every_few_epochs():
    found = rates(lambda o: StepLR(o, 2, gamma=0.5), 5)
    assert found == [0.8, 0.8, 0.4, 0.4, 0.2, 0.2]


def test_exponential_cuts_the_rate_every_epoch():
    assert rates(lambda o: ExponentialLR(o, 0.5), 3) == [0.8, 0.4, 0.2, 0.1]


def test_cosine_falls_to_its_least_and_rises_again():
    found = rates(lambda o: CosineAnnealingLR(o, 4, eta_min=0.2), 8)
    low = 0.5 - 0.3 * math.sqrt(0.5)
    assert found == pytest.approx([0.8, 1 - low, 0.5, low, 0.2, low, 0.5, 1 - low, 0.8])


def test_warm_up_is_linear_and_ends_where_the_cosine_begins():
    found = rates(lambda o: CosineAnnealingLR(o, 2, warmup=3), 5)
    assert found == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.4, 0.0])


@pytest.mark.parametrize(
    ("options", "metrics", "expected"),
    [
        ({"patience": 1}, [1, 1, 1, 1, 1], [8, 8, 4, 4, 2]),
        ({"patience": 0}, [5, 4, 3, 3, 2], [8, 8, 8, 4, 4]),
        ({"patience": 0, "mode": "max"}, [1, 2, 3, 3, 2], [8, 8, 8, 4, 2]),
        ({"patience": 0, "cooldown": 2}, [1, 1, 1, 1, 1], [8, 4, 4, 4, 2]),
        ({"patience": 0, "min_lr": 3}, [1, 1, 1, 1, 1], [8, 4, 3, 3, 3]),
        ({"patience": 0, "eps": 4}, [1, 1, 1], [8, 8, 8]),
        # 0.96 is not better than 1 by a tenth, 0.8 is.
        ({"patience": 0, "threshold": 0.1}, [1, 0.96, 0.8], [8, 4, 4]),
        ({"patience": 0, "threshold": 1, "threshold_mode": "abs"}, [9, 8.5, 7], [8, 4, 4]),
        ({"patience": 0}, [1, math.nan, math.nan], [8, 4, 2]),
    ],
)
def test_a_plateau_cuts_the_rate(options, metrics, expected):
    o = optimizer(8.0)
    schedule = ReduceLROnPlateau(o, factor=0.5, **options)
    found = []
    for metric in metrics:
        schedule.step(metric)
        found.append(o.lr)
    assert found == expected


MAKERS = [
    lambda o: StepLR(o, 3),
    lambda o: ExponentialLR(o, 0.9),
    lambda o: CosineAnnealingLR(o, 10, 0.01, warmup=4),
    lambda o: ReduceLROnPlateau(o, patience=1, cooldown=1, factor=0.7),
]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("at", [0, 3, 7])
def test_a_schedule_goes_on_from_a_saved_state(make, at):
    metrics = [5.0, 4.0, 4.5, 4.2, 4.1, 4.4, 3.0, 3.5, 3.6, 3.7, 3.8, 3.9]

    def run(o, schedule, part):
        found = []
        for metric in part:
            schedule.step(metric)
            found.append(o.lr)
        return found

    o = optimizer()
    whole = make(o)
    run(o, whole, metrics[:at])
    saved = o.state_dict(), whole.state_dict()
    lr, rest = o.lr, run(o, whole, metrics[at:])

    other = optimizer(lr=0.123)
    other.load_state_dict(saved[0])  # its rate is that of the epoch, not the base
    resumed = make(other)
    resumed.load_state_dict(saved[1])
    assert other.lr == lr
    assert run(other, resumed, metrics[at:]) == rest


def test_a_custom_schedule_defines_rate():
    class Halves(Schedule):
        def rate(self, epoch):
            return self.base_lr / (epoch + 1)

    assert rates(Halves, 3, lr=6.0) == [6.0, 3.0, 2.0, 1.5]
    with pytest.raises(NotImplementedError):
        Schedule(optimizer())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: StepLR(o, 0), "step_size must be a positive integer, got 0"),
        (lambda o: StepLR(o, True), "step_size must be a positive integer, got True"),
        (lambda o: StepLR(o, 2.5), "step_size must be a positive integer, got 2.5"),
        (lambda o: StepLR(o, 2, -1), "gamma must be at least 0, got -1"),
        (lambda o: ExponentialLR(o, math.nan), "gamma must be at least 0, got nan"),
        (lambda o: CosineAnnealingLR(o, 0), "T_max must be a positive integer, got 0"),
        (lambda o: CosineAnnealingLR(o, 9, warmup=-1), "warmup must be an integer of at least 0"),
        (lambda o: CosineAnnealingLR(o, 9, -1), "eta_min must be at least 0"),
        (lambda o: ReduceLROnPlateau(o, "least"), "mode must be 'min' or 'max', got 'least'"),
        (
            lambda o: ReduceLROnPlateau(o, threshold_mode="x"),
            "threshold_mode must be 'rel' or 'abs'",
        ),
        (lambda o: ReduceLROnPlateau(o, factor=1.0), "factor must be at least 0 and below 1"),
        (lambda o: ReduceLROnPlateau(o, patience=-1), "patience must be an integer"),
    ],
)
def test_options_out_of_range_are_named(make, message):
    o = optimizer()
    with pytest.raises((TypeError, ValueError), match=message):
        make(o)
    assert o.lr == 0.8


def test_a_schedule_is_of_an_optimizer():
    with pytest.raises(TypeError, match="StepLR: optimizer must be an optimizer, got "):
        StepLR(Value(1.0), 3)


def test_a_plateau_needs_its_metric():
    schedule = ReduceLROnPlateau(optimizer())
    with pytest.raises(TypeError, match="takes the metric that it watches"):
        schedule.step()


def test_the_state_of_another_schedule_is_refused():
    state = StepLR(optimizer(), 3).state_dict()
    with pytest.raises(ValueError, match=r"CosineAnnealingLR\.load_state_dict: missing 'T_max'"):
        CosineAnnealingLR(optimizer(), 3).load_state_dict(state)
