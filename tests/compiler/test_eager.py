"""Where infinities meet zeros: kernels give what eager execution gives."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.eager import evaluate
from tests.support.eager import check_derivatives, leaves_of

# Products are exact and do not overflow, so that BLAS may fuse them with sums.
EXTREMES = [0.0, -0.0, 1.0, -1.0, 0.5, inf, -inf, nan, 2.0**300, -(2.0**300), 2.0**-600]
extreme = st.sampled_from(EXTREMES)


def same(found, expected):
    # Parts of a gradient may cancel: what is left is small beside them, and only rounding.
    size = np.abs(expected)[np.isfinite(expected)].max(initial=0.0)
    return np.allclose(found, expected, rtol=1e-12, atol=1e-15 * size, equal_nan=True)


def net(w, x):
    hidden = [autodiff.relu(w[2 * k] * x[0] + w[2 * k + 1] * x[1]) for k in range(2)]
    return w[4] * hidden[0] + w[5] * hidden[1]


def ragged(w, x):
    return autodiff.sum([autodiff.dot(w[:n], [x[0], x[1], x[0]][:n]) for n in (1, 2, 3)])


def guarded(w, x):
    return autodiff.where(x[0] > 0, autodiff.log(x[0]) * w[0], w[1] * x[1])


def chosen(w, x):
    return autodiff.maximum(w[0] * x[0], w[1] * x[1]) + autodiff.clip(w[2] * x[0], -1.0, 1.0)


def compared(w, x):
    # The first dot must not read x[1], whose infinity would decide the comparison.
    short, long = autodiff.dot(w[:1], x[:1]), autodiff.dot(w[1:3], x)
    return autodiff.where(short > 0, w[3], w[4]) + 0.0 * w[5] + long * 0.0


def softmax(w, x):
    exps = [(wi * x[0]).exp() for wi in w[:3]]
    return -autodiff.take([e / sum(exps) for e in exps], 1).log() + x[1] * w[3]


def five_of_six(w, x):
    grid = [autodiff.dot(w[2 * i : 2 * i + 2], c) for i in range(3) for c in (x, x[::-1])]
    return autodiff.sum([d * d for d in grid[:-1]])


def alone(w, x):
    # The slope of each of these is nan where its only operand is nan or infinite.
    return autodiff.logsumexp([w[0] * x[0]]) + autodiff.maximum(w[1]) * 0.5 + autodiff.minimum(x[1])


PROGRAMS = [net, ragged, guarded, chosen, compared, softmax, alone, five_of_six]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda f: f.__name__)
@given(st.lists(extreme, min_size=6, max_size=6), st.lists(extreme, min_size=4, max_size=4))
def test_kernels_equal_eager_execution_on_extremes(program, weights, inputs):
    w = [Value(x) for x in weights]
    kernel = Kernel(lambda x: program(w, list(x)))
    x = np.array(inputs).reshape(2, 2)
    values, by_input = kernel.value_and_grad(x, argnums=0)
    mean, gradient = kernel.value_and_grad(x)
    order = [w.index(p) for p in kernel.parameters]
    expected, expected_gradient = [], np.zeros(len(order))
    for b, row in enumerate(x):
        root, parameters, leaves = leaves_of(program, weights, row)
        expected.append(root.data)
        with np.errstate(all="ignore"):
            expected_gradient = expected_gradient + [parameters[k].grad for k in order]
        assert same(by_input[b], [leaf.grad for leaf in leaves])
    with np.errstate(all="ignore"):
        assert same(values, expected)
        assert same(kernel(x), expected)
        assert same(mean, np.mean(expected))
        assert same(gradient, expected_gradient / 2)


@pytest.mark.parametrize("bad", [inf, -inf, nan])
def test_a_shorter_dot_does_not_see_what_lies_beyond_its_end(bad):
    w = [[Value(0.1 * i + j) for j in range(4)] for i in range(2)]
    kernel = Kernel(lambda x: [autodiff.dot(w[n - 3][:n], x[:n]) for n in (3, 4)])
    x = np.array([[1.0, 2.0, 3.0, bad]])
    first, second = kernel(x)
    assert same(first, [sum(p.data * t for p, t in zip(w[0][:3], x[0], strict=False))])
    assert not np.isfinite(second).any()


def test_a_cut_relu_sends_nothing_to_an_infinite_input():
    w, v = Value(-1.0), Value(2.0)
    kernel = Kernel(lambda x: v * (w * x).relu())
    _, gradient = kernel.value_and_grad(np.array([inf, 3.0]))
    assert dict(zip(kernel.parameters, gradient, strict=True)) == {w: 0.0, v: 0.0}


def test_second_derivatives_are_those_of_eager_execution_too():
    w, v = Value(-1.0), Value(2.0)
    kernel = Kernel(lambda x: v * (w * x).relu() + w * w * w)
    kernel(np.array([inf]))
    vector = [1.0 if parameter is w else 10.0 for parameter in kernel.parameters]
    product = kernel.hvp(np.array([inf]), vector=vector)
    assert dict(zip(kernel.parameters, product, strict=True)) == {w: -6.0, v: 0.0}


def test_a_second_derivative_that_is_finite_where_the_value_is_nan_is_that_of_eager_execution():
    w, v = Value(nan), Value(2.0)
    kernel = Kernel(lambda x: v * (w * x).relu())
    kernel(np.array([1.0, 2.0]))
    vector = [1.0 if parameter is w else 0.0 for parameter in kernel.parameters]
    product = kernel.hvp(np.array([1.0, 2.0]), vector=vector)
    assert dict(zip(kernel.parameters, product, strict=True)) == {w: 0.0, v: 1.5}


def test_a_slope_may_choose_where_the_program_does_not():
    # The slope of atan2 is cut where an operand is infinite, so a product of the Hessian is.
    f = lambda w, x: w[0] * autodiff.atan2(w[0], x[0]) + w[1]  # noqa: E731
    kernel = check_derivatives(f, [2.0, 1.0], [[0.5], [inf], [-inf]], [1.0, 0.5])
    assert np.isfinite(kernel.hvp(np.array([[inf]]), vector=[1.0, 0.5])).all()


def test_a_known_structure_is_evaluated_as_it_was_traced():
    w = Value(3.0)
    kernel = Kernel(lambda x, k: [w * x, autodiff.take([x, w], k), autodiff.where(x > 0, 1.0, w)])
    kernel(np.array([2.0]), np.array([1]))
    traced = kernel._latest.analyzed.traced
    x, k = (item.leaf for item in traced.inputs)
    found = evaluate(traced.scalars, traced.results, [w], {x: [Value(-2.0)], k: [1]})
    assert [v.data for v in found] == [-6.0, 3.0, 3.0]


def test_a_condition_of_the_fall_back_is_data():
    w = Value(3.0)
    kernel = Kernel(lambda x, m: [autodiff.where(m, w * x, 2.0), (m > 0) & (x > 0), (m > 0) ^ True])
    kernel(np.ones(1), np.ones(1))
    traced = kernel._latest.analyzed.traced
    x, m = (item.leaf for item in traced.inputs)
    for mask, expected in ((Value(0.0), [2.0, False, True]), (Value(-0.5), [6.0, False, True]),
                           (Value(1.0), [6.0, True, False])):  # fmt: skip
        found = evaluate(traced.scalars, traced.results, [w], {x: [Value(2.0)], m: [mask]})
        assert [y.data if isinstance(y, Value) else y for y in found] == expected
