"""`Dropout`: what is dropped, when, by which random numbers, and what a kernel makes of it."""

import numpy as np
import pytest

import autodiff
import nn
from autodiff import TraceError, Value
from nn import Dropout, Linear, Sequential, uniforms
from tests.support.values import data


def test_in_training_numbers_are_dropped_or_scaled_up():
    out = np.array(Dropout(0.25, seed=0)([2.0] * 10_000))
    assert set(out) == {0.0, 2.0 / 0.75}
    assert np.mean(out == 0.0) == pytest.approx(0.25, abs=0.02)
    assert out.mean() == pytest.approx(2.0, rel=0.02)


def test_each_call_drops_others_and_a_seed_fixes_them():
    first = Dropout(0.5, seed=0)
    drawn = [first([1.0] * 50), first([1.0] * 50)]
    assert drawn[0] != drawn[1]
    again = Dropout(0.5, rng=np.random.default_rng(0))
    assert [again([1.0] * 50), again([1.0] * 50)] == drawn


def test_after_eval_nothing_is_dropped_and_nothing_drawn():
    dropout = Dropout(0.5, seed=0)
    state = dropout.rng.bit_generator.state
    assert dropout.eval()([1.0, (2.0, 3.0)]) == [1.0, [2.0, 3.0]]
    assert dropout.rng.bit_generator.state == state
    assert 0.0 in dropout.train()([1.0] * 50)


@pytest.mark.parametrize(("p", "expected"), [(0, [1.0, 2.0]), (1, [0.0, 0.0])])
def test_probabilities_0_and_1_drop_nothing_and_everything(p, expected):
    assert data(Dropout(p)([Value(1.0), Value(2.0)])) == expected


def test_nested_numbers_keep_their_places_and_kept_ones_have_gradients():
    xs = [[Value(1.0), Value(2.0)], [Value(3.0)]]
    with uniforms([0.4, 0.6, 0.5]):
        out = Dropout(0.5)(xs)
    assert [data(row) for row in out] == [[0.0, 4.0], [6.0]]
    autodiff.sum([v for row in out for v in row]).backward()
    assert [[v.grad for v in row] for row in xs] == [[0.0, 2.0], [2.0]]
    with uniforms(iter([0.9])):
        assert Dropout(0.5)(Value(3.0)).data == 6.0


def test_uniforms_are_used_up_in_the_order_of_calls_and_must_suffice():
    first, second = Dropout(0.5), Dropout(0.1)
    numbers = (u for u in (0.4, 0.6, 0.05, 0.2, 0.9))
    with uniforms(numbers):
        assert first([1.0, 1.0]) == [0.0, 2.0]
        assert second([0.9, 0.9]) == [0.0, pytest.approx(1.0)]
        with pytest.raises(ValueError, match=r"nn.uniforms: Dropout needs more numbers"):
            first([1.0, 1.0])
    before = first.rng.bit_generator.state
    first([1.0])
    assert first.rng.bit_generator.state != before  # its own again


MODEL = Sequential(Linear(2, 8, seed=0), Dropout(0.5, seed=0), Linear(8, 1, seed=1))
X = np.random.default_rng(0).normal(size=(3, 2))


def test_a_kernel_in_training_is_refused_as_its_zeros_would_be_frozen():
    kernel = autodiff.compile(lambda x: MODEL.train()(list(x))[0])
    with pytest.raises(TraceError, match=r"call eval\(\) on the model, or make them an argument"):
        kernel(X)


def test_a_kernel_that_drops_nothing_needs_no_random_numbers():
    kernel = autodiff.compile(lambda x: Dropout(0.0)(list(x)))
    np.testing.assert_array_equal(np.transpose(kernel(X)), X)


def test_a_kernel_after_eval_is_the_model_without_dropout():
    kernel = autodiff.compile(lambda x: MODEL.eval()(list(x))[0])
    kernel.check(X)
    expected = [MODEL.eval()(x)[0].data for x in X]
    np.testing.assert_allclose(kernel(X), expected, rtol=1e-13)


def test_a_kernel_takes_the_random_numbers_as_an_argument():
    def f(x, u):
        with uniforms(u):
            return MODEL.train()(list(x))[0]

    kernel = autodiff.compile(f)
    u = np.random.default_rng(1).random((3, 8))
    kernel.check(X, u)
    expected = [f(x, row).data for x, row in zip(X, u, strict=True)]
    np.testing.assert_allclose(kernel(X, u), expected, rtol=1e-13)
    assert np.abs(kernel(X, u) - kernel(X, 1 - u)).max() > 0.01


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_probability_is_between_0_and_1(p):
    with pytest.raises(ValueError, match=r"^p must be at least 0 and at most 1, got"):
        Dropout(p)


def test_repr_shows_the_probability():
    assert repr(nn.Dropout(0.25)) == "Dropout(0.25)"
