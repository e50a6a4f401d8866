"""Where a result is not finite, the examples concerned are evaluated by themselves, no others."""

from math import inf, isfinite, nan

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.eager import Examples, mended, summed
from tests.support.eager import check_derivatives

W = [0.5, -1.0, 2.0]


@pytest.fixture
def evaluated(monkeypatch):
    """The examples that are evaluated by themselves, as they come."""
    seen = []
    for name in ("values", "gradient", "product"):
        method = getattr(Examples, name)

        def counted(self, b, *args, method=method):
            seen.append(b)
            return method(self, b, *args)

        monkeypatch.setattr(Examples, name, counted)
    return seen


def ragged_relu(w, x):
    dots = [autodiff.dot([w[(n + k) % 3] for k in range(n)], x[:n]) for n in (1, 2, 3)]
    return autodiff.sum([d.relu() * d for d in dots])


def made(batch, *bad):
    """A kernel of the function, and inputs of which some are infinite at the end."""
    w = [Value(t) for t in W]
    x = np.random.default_rng(0).normal(size=(batch, 3))
    x[list(bad), 2] = inf
    return Kernel(lambda x: ragged_relu(w, list(x))), x


@pytest.mark.parametrize("batch", [1, 2, 3, 8, 17, 100])
def test_only_the_examples_concerned_are_evaluated_again(batch, evaluated):
    bad = sorted({0, batch // 2, batch - 1})
    kernel, x = made(batch, *bad)
    calls = {
        "values": lambda: kernel(x),
        "gradient": lambda: kernel.value_and_grad(x),
        "slopes": lambda: kernel.value_and_grad(x, argnums=0),
        "product": lambda: kernel.hvp(x, vector=[1.0, 2.0, 3.0]),
    }
    for call in calls.values():
        evaluated.clear()
        call()
        assert evaluated == bad


@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("batch", [1, 2, 5, 17])
def test_results_of_all_other_examples_are_added(batch, dtype):
    _, x = made(batch, 0, batch - 1)
    tolerance = 1e-11 if dtype is float else 1e-5
    check_derivatives(ragged_relu, W, x, [1.0, 2.0, 3.0], dtype=dtype, tolerance=tolerance)


def test_results_have_the_type_of_the_kernel():
    w = [Value(t) for t in W]
    kernel = Kernel(lambda x: ragged_relu(w, list(x)), dtype=np.float32)
    x = np.array([[1.0, 2.0, inf], [0.1, 0.2, 0.3]])
    assert kernel(x).dtype == np.float32
    each, slopes = kernel.value_and_grad(x, argnums=0)
    _, gradient = kernel.value_and_grad(x)
    product = kernel.hvp(x, vector=[1.0, 2.0, 3.0])
    assert {y.dtype for y in (each, slopes, gradient, product)} == {np.dtype(np.float32)}


def test_a_loss_that_is_reported_stops_at_the_first_that_is_not_finite(evaluated):
    kernel, x = made(100, 3, 50, 70)
    x[3, 2] = -inf  # there the kernel has a nan, and eager execution none
    value, _ = kernel._value_and_grad((x,), None, exact=False)
    assert not isfinite(value)
    full, _ = kernel.value_and_grad(x)
    assert not isfinite(full)
    kernel, x = made(100, *range(100))
    evaluated.clear()
    assert not isfinite(kernel._value_and_grad((x,), None, exact=False)[0])
    assert len(evaluated) < 10


def test_a_finite_loss_is_reported_as_it_is(evaluated):
    w, v = Value(-1.0), Value(2.0)
    kernel = Kernel(lambda x: v * (w * x).relu() + w * v)
    x = np.array([1.0, -2.0, inf, 3.0])  # a cut relu sends nothing to w
    expected, gradient = kernel.value_and_grad(x)
    assert evaluated == [2]
    found, slopes = kernel._value_and_grad((x,), None, exact=False)
    assert (found, slopes.tolist()) == (expected, gradient.tolist())
    assert isfinite(found)


def test_a_gradient_that_is_not_finite_ends_it_too(evaluated):
    w = Value(0.0)
    kernel = Kernel(lambda x: autodiff.sqrt(w * x).relu())
    x = np.linspace(1.0, 2.0, 50)
    value, slopes = kernel._value_and_grad((x,), None, exact=False)
    assert value == 0.0
    assert np.isfinite(slopes).all() == np.isfinite(kernel.value_and_grad(x)[1]).all()
    u = Value(1.0)
    kernel = Kernel(lambda x: (autodiff.sqrt(w * x) + u).relu())
    evaluated.clear()
    value, slopes = kernel._value_and_grad((x,), None, exact=False)
    assert (value, len(evaluated)) == (pytest.approx(1.0), 1)
    assert not np.isfinite(slopes).all()


def test_a_function_of_parameters_alone_is_evaluated_once(evaluated):
    w, v = Value(0.0), Value(3.0)
    kernel = Kernel(lambda x: autodiff.sqrt(w).relu() + v)
    value, gradient = kernel.value_and_grad(np.ones(5))
    assert evaluated == [0]
    assert value == 3.0
    assert dict(zip(kernel.parameters, gradient.tolist(), strict=True)) == {w: 0.0, v: 1.0}


def test_programs_without_a_choice_may_send_nothing_as_well():
    w = Value(2.0)
    compared = Kernel(lambda x: (autodiff.exp(x[0]) > 1.0) * x[1] * w + autodiff.exp(x[1]))
    slopes = compared.value_and_grad(np.array([[1000.0, 0.0]]), argnums=0)[1]
    assert slopes.tolist() == [[0.0, 3.0]]
    taken = Kernel(lambda x, k: autodiff.take([autodiff.exp(t) * w for t in x], k))
    slopes = taken.value_and_grad(np.array([[1000.0, 0.0]]), np.array([1]), argnums=0)[1]
    assert slopes.tolist() == [[0.0, 2.0]]


def test_the_slope_by_integers_is_that_of_numbers():
    w = Value(-1.0)
    kernel = Kernel(lambda x, n: (w * x).relu() + autodiff.take([x, w], n) * 0.0 + n * w)
    x, n = np.array([inf, 3.0]), np.array([1, 1])
    _, (_, by_n) = kernel.value_and_grad(x, n, argnums=(0, 1))
    assert by_n.tolist() == [-1.0, -1.0]


def test_parts_are_few_and_of_few_sizes():
    sizes, bad = [], 700

    def of_part(start, stop):
        sizes.append(stop - start)
        return [np.array(nan if start <= bad < stop else float(stop - start))]

    (total,) = summed(1000, of_part, lambda b: [np.array(0.5)])
    assert total == 999.5
    assert len(sizes) < 40
    assert len(set(sizes)) < 5
    assert summed(1, None, lambda b: [np.array(2.0)]) == [2.0]


def test_rows_of_results_without_a_batch_are_one_each():
    found = mended(
        [np.array([1.0]), np.array([[nan, 1.0], [2.0, 3.0]])], 2, lambda b: [5.0, [6, 7]]
    )
    assert [x.tolist() for x in found] == [[[5.0], [1.0]], [[6.0, 7.0], [2.0, 3.0]]]
