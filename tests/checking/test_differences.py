"""Difference quotients: their limits, and their own estimates of the error."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff.checking.differences import differentiate


def difference(f, x, **options):
    ((found, _),) = differentiate(lambda offset: [f(x + offset)], [f(x)], abs(x), **options)
    return found


rates = st.integers(-20, 20).map(lambda n: n / 10)


@given(st.floats(-3, 3), rates, rates)
def test_the_error_bounds_the_distance_to_the_derivative(x, a, b):
    found = difference(lambda x: math.exp(a * x) * math.sin(b * x), x)
    exact = math.exp(a * x) * (a * math.sin(b * x) + b * math.cos(b * x))
    assert abs(found.slope - exact) <= found.error
    # Near a zero of the slope the error is small beside how the slope changes, not beside it.
    assert found.error <= 1e-6 * (
        abs(exact) + math.exp(abs(a * x)) * (abs(a) + abs(b)) ** 2 + 1e-300
    )
    assert not found.is_kink


def test_each_number_settles_at_its_own_step():
    calls = []

    def f(offset):
        calls.append(offset)
        return [3 * offset, math.sin(1e4 * offset), 2.0]

    (line, wave, constant) = [d for d, _ in differentiate(f, f(0.0), 0.0)]
    assert (line.slope, constant.slope) == (pytest.approx(3, rel=1e-12), 0.0)
    assert wave.slope == pytest.approx(1e4, rel=1e-8)
    assert len(calls) > 5, "the wave needs a smaller step than the first"


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
@pytest.mark.parametrize("center", [0.0, 0.5, 1.0])
def test_a_jump_is_a_kink_whatever_the_value_at_it(scale, center):
    def step(x):
        return scale * (center if x == 0 else float(x > 0)) + 2 * scale * x

    assert difference(step, 0.0).is_kink
    assert not difference(step, 0.1).is_kink


@pytest.mark.parametrize(
    "f", [lambda x: math.sin(1e13 * x), math.cbrt, lambda x: 1e8 + 1e-9 * (x > 0)]
)
def test_differences_that_never_settle_are_not_a_jump(f):
    assert not difference(f, 0.0).is_kink


def test_the_bend_is_the_steepest_slope_to_a_first_step():
    ((_, bend),) = differentiate(lambda t: [t * t], [0.0], 0.0, 0.25)
    assert bend == 0.25
    ((_, bend),) = differentiate(lambda t: [math.inf * t], [0.0], 0.0)
    assert bend == 0.0


def test_steps_grow_with_the_size_of_the_point_and_shrink_sixteenfold():
    steps = []

    def f(offset):
        steps.append(abs(offset))
        return [math.cbrt(offset)]

    differentiate(f, [0.0], 8.0, 0.5)
    assert steps[:4] == [4.0, 2.0, 2.0, 4.0]
    assert steps[4:8] == [0.25, 0.125, 0.125, 0.25]


def test_the_noise_grows_with_the_rounding_of_f():
    fine, coarse = (difference(lambda x: 3 * x, 1.0, epsilon=e) for e in (2.0**-52, 2.0**-23))
    assert coarse.noise == pytest.approx(2.0**29 * fine.noise)
