"""Random expressions over the whole op table: all ways to evaluate and differentiate agree."""

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_allclose

from autodiff import Value, toposort
from autodiff.testing import assert_gradients, expressions
from tests.support.process import printed_under_any_hash_seed

steadily = settings(derandomize=True, deadline=None, database=None, max_examples=100)


def gradient(expression, times=1):
    """By every input, after that many backward passes."""
    values = [Value(x) for x in expression.point]
    root = expression(*values)
    for _ in range(times):
        root.backward()
    return [value.grad for value in values]


@steadily
@given(expressions())
def test_derivatives_agree_with_differences(expression):
    assert_gradients(expression, expression.point)


@steadily
@given(expressions())
def test_values_and_floats_give_the_same_results(expression):
    assert expression(*map(Value, expression.point)).data == expression(*expression.point)


@steadily
@given(expressions())
def test_arrays_and_floats_give_the_same_results(expression):
    columns = [x + np.array([0.0, 1e-3, -1e-3]) for x in expression.point]
    on_floats = [expression(*map(float, point)) for point in zip(*columns, strict=True)]
    assert_allclose(expression(*columns), on_floats, rtol=1e-9, atol=1e-9)


@steadily
@given(expressions())
def test_second_backward_doubles_leaves_and_nothing_else(expression):
    root = expression(*map(Value, expression.point))
    nodes = toposort(root)
    passes = []
    for _ in range(2):
        root.backward()
        passes.append([node.grad for node in nodes])
    for node, first, second in zip(nodes, *passes, strict=True):
        assert second == (first if node.operands else pytest.approx(2 * first, rel=1e-12))


SCRIPT = """
from hypothesis import given
from tests.test_expressions import expressions, gradient, steadily

@steadily
@given(expressions())
def show(expression):
    print(expression, [x.hex() for x in gradient(expression)])

show()
"""


def test_gradient_bits_do_not_depend_on_the_hash_seed():
    assert printed_under_any_hash_seed(SCRIPT).count("Expression at") >= 100
