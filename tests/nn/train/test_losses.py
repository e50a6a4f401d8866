"""Losses: their formulas, their slopes, extreme logits, compiled, and what they refuse."""

import math

import numpy as np
import pytest

import autodiff
from autodiff import TraceError, Value, gradcheck, mean
from nn import (
    MLP,
    binary_cross_entropy,
    cross_entropy,
    hinge,
    huber,
    kl_divergence,
    mae,
    mse,
)

V = Value
ELEMENTWISE = [mse, mae, huber, hinge, binary_cross_entropy]


@pytest.mark.parametrize(
    ("predictions", "targets", "expected"),
    [
        (3, 1, 4.0),
        ([1.0, 2.0], [0.0, 5.0], 5.0),
        ((1.0, 2.0), np.array([0.0, 5.0]), 5.0),
        (np.array([[1.0, 2.0], [3.0, 4.0]]), [[1, 2], [3, 8]], 4.0),
        ([[1.0], [2.0]], [1.0, 4.0], 2.0),
        (np.float64(3), np.array(1.0), 4.0),
        (iter([1.0, 3.0]), (x for x in [1.0, 1.0]), 2.0),
        ([math.inf], [0.0], math.inf),
    ],
)
def test_mse_of_numbers_is_a_number(predictions, targets, expected):
    found = mse(predictions, targets)
    assert isinstance(found, float)
    assert found == expected


@pytest.mark.parametrize(
    ("predictions", "targets", "expected"),
    [
        (V(3.0), 1.0, 4.0),
        (3.0, V(1.0), 4.0),
        ([V(1.0), 2.0], [0.0, V(5.0)], 5.0),
        ([[V(1.0), V(2.0)], [V(3.0), V(4.0)]], np.array([[1.0, 2.0], [3.0, 8.0]]), 4.0),
        (np.array([V(1.0), V(2.0)]), [0.0, 5.0], 5.0),
    ],
)
def test_mse_with_a_value_is_a_value(predictions, targets, expected):
    found = mse(predictions, targets)
    assert isinstance(found, Value)
    assert found.data == expected


def test_the_gradient_is_twice_the_mean_difference():
    predictions, targets = [V(1.0), V(2.0)], [V(0.0), V(5.0)]
    mse(predictions, targets).backward()
    assert [v.grad for v in predictions + targets] == [1.0, -3.0, -1.0, 3.0]
    gradcheck(mse, ([0.3, [1.2, -0.7]], [1.0, 2.0, 3.0]))


def test_mse_is_the_mean_of_squares():
    xs, ys = [V(0.3), V(-1.7)], [V(2.0), V(0.1)]
    assert mse(xs, ys).data == mean([(x - y) ** 2 for x, y in zip(xs, ys, strict=True)]).data


@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        ([1.0, 2.0], [1.0], "mse of 2 predictions and 1 targets"),
        ([1.0], [[1.0, 2.0], [3.0]], "mse of 1 predictions and 3 targets"),
        (1.0, [], "mse of 1 predictions and 0 targets"),
        ([], [], "mse of no predictions"),
    ],
)
def test_sizes_that_differ_are_named(predictions, targets, message):
    with pytest.raises(ValueError, match=message):
        mse(predictions, targets)


def test_overflow_is_silent_for_arrays_as_for_floats():
    assert mse([1e200], [0.0]) == math.inf
    assert mse(np.array([1e200]), np.array([0.0])) == math.inf


def test_text_is_not_a_number():
    with pytest.raises(TypeError):
        mse("a", "b")


# Formulas, by hand


@pytest.mark.parametrize(
    ("loss", "predictions", "targets", "expected"),
    [
        (mse, [3.0, -1.0], [1.0, -1.5], [4.0, 0.25]),
        (mae, [3.0, -1.0], [1.0, -1.5], [2.0, 0.5]),
        (huber, [3.0, -1.0, 0.0], [1.0, -1.5, 1.0], [1.5, 0.125, 0.5]),
        (lambda *a, **o: huber(*a, delta=0.5, **o), [3.0, 0.25], [1.0, 0.0], [0.875, 0.03125]),
        (hinge, [0.25, -2.0, 3.0, 1.0], [1, 1, 1, -1], [0.75, 3.0, 0.0, 2.0]),
        (binary_cross_entropy, [0.0, math.log(3)], [0.3, 1], [math.log(2), math.log(4 / 3)]),
        (cross_entropy, [[0.0, 0.0], [0.0, math.log(3)]], [0, 1],
         [math.log(2), math.log(4 / 3)]),
        (kl_divergence, [[0.0, 0.0], [0.0, math.log(3)]], [[1.0, 0.0], [0.25, 0.75]],
         [math.log(2), 0.0]),
    ],
)  # fmt: skip
def test_the_terms_their_sum_and_their_mean(loss, predictions, targets, expected):
    assert loss(predictions, targets, reduction="none") == pytest.approx(expected, abs=1e-15)
    assert loss(predictions, targets, reduction="sum") == pytest.approx(sum(expected))
    assert loss(predictions, targets) == pytest.approx(sum(expected) / len(expected))


def test_terms_are_nested_as_the_predictions_are():
    predictions = [[V(1.0), V(2.0)], (V(3.0),)]
    terms = mse(predictions, [1, 1, 1], reduction="none")
    assert [[t.data for t in row] for row in terms] == [[0.0, 1.0], [4.0]]
    assert mse(np.array([[1.0], [2.0]]), [0, 0], reduction="none") == [[1.0], [4.0]]
    assert mae(2.0, 0.5, reduction="none") == 1.5


def test_one_row_of_logits_has_one_target():
    logits = [V(0.3), V(-0.7), V(1.1)]
    one = cross_entropy(logits, 1)
    assert one.data == cross_entropy([logits], [1]).data
    assert cross_entropy(logits, np.int64(1), reduction="none").data == one.data
    assert cross_entropy(np.array([logits]), np.array([1])).data == one.data
    p = [0.2, 0.3, 0.5]
    assert kl_divergence(logits, p).data == kl_divergence([logits], [p]).data
    assert kl_divergence(logits, p, reduction="none").data == kl_divergence(logits, p).data


def test_the_divergence_is_zero_where_the_probabilities_are_predicted_and_positive_elsewhere():
    p = np.array([0.1, 0.2, 0.7])
    assert kl_divergence(np.log(p), p) == pytest.approx(0.0, abs=1e-15)
    assert kl_divergence(np.log(p) + 5, p) == pytest.approx(0.0, abs=1e-14)
    assert kl_divergence([0.0, 0.0, 0.0], p) == pytest.approx((p * np.log(3 * p)).sum())


def test_a_certain_class_makes_the_divergence_the_cross_entropy():
    logits = [0.5, -1.5, 2.0]
    assert kl_divergence(logits, [0, 1, 0]) == pytest.approx(cross_entropy(logits, 1))


# Slopes


@pytest.mark.parametrize(
    ("loss", "predictions", "targets"),
    [
        *[(loss, [0.3, -1.7, 2.4], [1, -1, 1]) for loss in (mse, mae, huber, hinge)],
        (binary_cross_entropy, [0.3, -1.7, 2.4], [1, 0, 0.25]),
        (cross_entropy, [[0.3, -1.7, 2.4], [0.1, 0.2, 0.3]], [0, 2]),
        (kl_divergence, [[0.3, -1.7, 2.4], [0.1, 0.2, 0.3]], [[0.2, 0.3, 0.5], [0.0, 1.0, 0.0]]),
    ],
)
@pytest.mark.parametrize("order", [1, 2])
def test_slopes_are_those_of_finite_differences(loss, predictions, targets, order):
    report = gradcheck(lambda p: loss(p, targets), (predictions,), order=order)
    assert not report.kinks


def test_the_slope_of_huber_is_bounded_by_delta():
    predictions = [V(1e9), V(-1e9), V(2.0), V(0.5)]
    huber(predictions, [0.0] * 4, delta=2.0, reduction="sum").backward()
    assert [p.grad for p in predictions] == [2.0, -2.0, 2.0, 0.5]


def test_probabilities_may_be_learned_as_well():
    p = [V(0.25), V(0.75)]
    kl_divergence([0.0, 0.0], p).backward()
    # d/dt of t (log t - log q)
    assert [v.grad for v in p] == pytest.approx([math.log(0.5) + 1, math.log(1.5) + 1])


# Extreme logits


def test_sure_predictions_cost_nothing_or_their_logit():
    logits = [V(1000.0), V(-1000.0), V(1000.0), V(-1000.0)]
    terms = binary_cross_entropy(logits, [1, 0, 0, 1], reduction="none")
    assert [t.data for t in terms] == [0.0, 0.0, 1000.0, 1000.0]
    autodiff.sum(terms).backward()
    assert [v.grad for v in logits] == [0.0, 0.0, 1.0, -1.0]

    row = [V(1000.0), V(-1000.0)]
    terms = [cross_entropy(row, 0), cross_entropy(row, 1), kl_divergence(row, [0.5, 0.5])]
    assert [t.data for t in terms] == [0.0, 2000.0, pytest.approx(1000 - math.log(2))]
    terms[1].backward()
    assert [v.grad for v in row] == [1.0, -1.0]


def test_small_costs_keep_their_digits():
    tiny = math.log1p(math.exp(-40))
    assert binary_cross_entropy([-40.0, 40.0], [0, 1], reduction="none") == [tiny, tiny]


def test_an_impossible_class_other_than_the_target_costs_nothing():
    assert cross_entropy([0.0, -math.inf], 0) == 0.0
    assert kl_divergence([0.0, -math.inf], [1, 0]) == 0.0
    assert cross_entropy([0.0, -math.inf], 1) == math.inf


# Compiled


@pytest.mark.parametrize(
    ("loss", "y"),
    [
        *[(loss, np.array([1, -1, 1, 1.0])) for loss in (mse, mae, huber, hinge)],
        (binary_cross_entropy, np.array([1, 0, 0.5, 1])),
        (cross_entropy, np.array([0, 2, 1, 2])),
        (kl_divergence, np.array([[0.2, 0.3, 0.5], [1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]])),
    ],
)
def test_a_kernel_of_one_example_is_the_loss_of_one_example(loss, y):
    model = MLP(2, [4, 1 if loss in ELEMENTWISE else 3], "tanh", seed=0)
    kernel = autodiff.compile(lambda x, y: loss([model(x)], [y]))
    x = np.random.default_rng(0).normal(size=(4, 2))
    kernel.check(x, y)
    value, _ = kernel.value_and_grad(x, y)
    assert value == pytest.approx(loss([model(row) for row in x], y).data, rel=1e-13)


def test_a_traced_class_must_be_an_integer():
    model = MLP(1, [2], seed=0)
    kernel = autodiff.compile(lambda x, y: cross_entropy([model(x)], [y]))
    with pytest.raises(TraceError, match="pass an array of integers"):
        kernel(np.ones((2, 1)), np.array([0.0, 1.0]))


# Wrong input


@pytest.mark.parametrize("loss", [*ELEMENTWISE, cross_entropy, kl_divergence])
def test_an_unknown_reduction_is_named(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__}: reduction must be .* got 'average'"):
        loss([1.0], [1.0], reduction="average")


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        *[(lambda f=f: f([1.0, 2.0], [1.0]), ValueError,
           f"{f.__name__} of 2 predictions and 1 targets") for f in ELEMENTWISE],
        *[(lambda f=f: f([], []), ValueError, f"{f.__name__} of no predictions")
          for f in (*ELEMENTWISE, cross_entropy)],
        *[(lambda f=f: f([1.0], [None]), TypeError, f"{f.__name__} of numbers, got None")
          for f in ELEMENTWISE],
        (lambda: huber([1.0], [1.0], delta=0), ValueError, "delta must be positive, got 0"),
        (lambda: huber([1.0], [1.0], delta=-1), ValueError, "delta must be positive, got -1"),
        (lambda: hinge([1.0], [0]), ValueError, "target must be -1 or 1, got 0"),
        (lambda: binary_cross_entropy([1.0], [-1]), ValueError, "a probability, 0 … 1, got -1"),
        (lambda: cross_entropy([1.0, 2.0], 2), IndexError, "a class index in 0 … 1, got 2"),
        (lambda: cross_entropy([[1.0, 2.0]], [-1]), IndexError, "a class index in 0 … 1, got -1"),
        (lambda: cross_entropy([1.0, 2.0], 1.0), TypeError, "an integer class index, got 1.0"),
        (lambda: cross_entropy([1.0, 2.0], True), TypeError, "an integer class index, got True"),
        (lambda: cross_entropy([1.0, 2.0], V(1)), TypeError, "an integer class index, got Value"),
        (lambda: cross_entropy([[1.0, 2.0]], [[1]]), TypeError, r"class index, got \[1\]"),
        (lambda: cross_entropy([[1.0, 2.0]], [1, 0]), ValueError,
         "1 rows of logits and 2 targets"),
        (lambda: cross_entropy(V(1.0), 0), TypeError, "a row of logits for each target"),
        (lambda: cross_entropy([V(1.0)], [0]), TypeError, "there is binary_cross_entropy"),
        (lambda: cross_entropy([[[1.0]]], [0]), ValueError, "a list of numbers, got"),
        (lambda: cross_entropy([[]], [0]), ValueError, r"a list of numbers, got \[\]"),
        (lambda: kl_divergence([1.0, 2.0], [1.0]), ValueError, "a row of 2 probabilities, got"),
        (lambda: kl_divergence([1.0, 2.0], 1), ValueError, "a row of 2 probabilities, got 1"),
        (lambda: kl_divergence([1.0, 2.0], [0.5, 0.4]), ValueError, "must sum to 1, got 0.9"),
        (lambda: kl_divergence([1.0, 2.0], [1.5, -0.5]), ValueError, "0 … 1, got 1.5"),
        (lambda: kl_divergence([[1.0, 2.0]], [[0, 1], [1, 0]]), ValueError,
         "1 rows of logits and 2 targets"),
    ],
)  # fmt: skip
def test_wrong_input_is_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
