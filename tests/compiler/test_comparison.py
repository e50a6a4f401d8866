import numpy as np
import pytest

from autodiff import GradcheckError
from autodiff.compiler import Kernel

from .programs import is_close

X = np.array([1.0, 2.0, 3.0])
Y = np.array([4.0, 5.0, 7.0])


def test_check_finds_a_difference():
    calls = []

    def f(x):
        calls.append(1)
        return x * len(calls)

    with pytest.raises(GradcheckError, match="example 0"):
        Kernel(f).check(X)


def test_check_looks_at_the_second_derivative(w):
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
