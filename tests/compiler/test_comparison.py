"""A kernel compared with eager execution: what differs is named, and nothing is changed."""

import numpy as np
import pytest

import autodiff
from autodiff import GradcheckError, Value
from autodiff.compiler import Kernel
from tests.support.eager import is_close

X = np.array([1.0, 2.0, 3.0])
Y = np.array([4.0, 5.0, 7.0])


def test_check_finds_a_difference():
    calls = []

    def f(x):
        calls.append(1)
        return x * len(calls)

    with pytest.raises(GradcheckError, match="example 0"):
        Kernel(f).check(X)


def test_check_compares_second_derivatives(w):
    kernel = Kernel(lambda x: w**3 * x)
    kernel.check(X)
    hvp = kernel.hvp
    kernel.hvp = lambda *args, vector: hvp(*args, vector=vector) * (1 + 1e-6)
    with pytest.raises(GradcheckError, match="Hessian times a vector"):
        kernel.check(X)


def test_check_leaves_grads_alone(line, w):
    w.grad = 7.0
    line.check(X, Y)
    assert w.grad == 7.0


def test_check_takes_functions_that_call_methods():
    kernel = Kernel(lambda x: x.relu() + x.exp())
    assert is_close(kernel(X), X + np.exp(X))
    kernel.check(X)


def test_a_float_may_be_a_condition(w):
    Kernel(lambda x: autodiff.where(x, w * x, w)).check(np.array([0.0, 2.0]))


def test_single_precision_is_compared_as_such(w):
    kernel = Kernel(lambda x: x * w, dtype=np.float32)
    kernel.check(np.array([0.1, 0.2]))
    with pytest.raises(GradcheckError, match="rtol=1e-12"):
        kernel.check(np.array([0.1, 0.2]), rtol=1e-12)


def test_a_difference_is_shown_also_beside_nan(w):
    calls = []

    def f(x):
        calls.append(1)
        return [autodiff.log(x), x * (1 if len(calls) == 1 else 2)]

    with pytest.raises(GradcheckError, match=r"the kernel gives -1.0, eager -2.0"):
        Kernel(f).check(np.array([-1.0]))


def test_a_hessian_of_zero_may_be_rounding():
    w = [Value(0.5), Value(0.3), Value(0.8)]

    def f(x):
        tops = [autodiff.maximum(*w[:k]) for k in (1, 2, 3)]
        sums = [autodiff.logsumexp(tops[: k + 1]) for k in range(3)]
        return autodiff.tanh(sums[-1] - sums[0]) * x

    Kernel(f).check(np.array([1.0, -0.5]))


@pytest.mark.parametrize(
    "f",
    [
        lambda w: autodiff.tanh(autodiff.logsumexp([autodiff.maximum(*w)] * 2) - w[0]),
        lambda w: autodiff.stop_gradient(autodiff.logsumexp([w[0], w[0]])) * w[0] / w[0],
    ],
)
def test_derivatives_of_zero_may_be_rounding(f):
    w = [Value(1.287), Value(-0.573)]
    Kernel(lambda x: f(w) + 0.0 * x).check(np.array([-1.349]))
