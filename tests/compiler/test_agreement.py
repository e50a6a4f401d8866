"""Kernels of random expressions over the whole table: eager's values and gradients, and checked."""

import numpy as np
from hypothesis import given, settings
from numpy.testing import assert_allclose

import autodiff
from autodiff import Value, gradcheck
from autodiff.testing import expressions
from tests.compiler.reading import unbound_names

OFFSETS = np.array([0.0, 1e-3, -1e-3])[:, None]


@settings(derandomize=True, deadline=None, database=None, max_examples=100)
@given(expressions(max_ops=12))
def test_kernels_of_expressions_are_eager_execution(expression):
    kernel = autodiff.compile(lambda x: expression(*x))
    x = np.array(expression.point) + OFFSETS
    values, gradient = kernel.value_and_grad(x, argnums=0)
    assert unbound_names(kernel.source) == []
    for example, value, slopes in zip(x, values, gradient, strict=True):
        inputs = [Value(t) for t in example]
        root = expression(*inputs)
        root.backward()
        assert_allclose(value, root.data, rtol=1e-11, atol=1e-12)
        assert_allclose(slopes, [v.grad for v in inputs], rtol=1e-9, atol=1e-11)


@settings(derandomize=True, deadline=None, database=None, max_examples=40)
@given(expressions())
def test_second_derivatives_of_kernels_by_parameters_are_those_of_differences(expression):
    parameters = [Value(x) for x in expression.point]
    kernel = autodiff.compile(lambda x: expression(*parameters) * x)
    assert gradcheck(kernel, (np.array([0.5, -2.0]),), order=2)
