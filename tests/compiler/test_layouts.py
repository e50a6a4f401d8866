"""Kernels of random layouts are eager execution: values, gradients, second derivatives."""

import re
from functools import partial

import numpy as np
import pytest

from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.lowering import contract
from autodiff.compiler.numpy import memory, runtime
from tests.compiler.reading import Poisoned, unbound_names
from tests.support.eager import is_close
from tests.support.layouts import Layout, boxed
from tests.support.values import arrays


def leaves(args, b):
    """What eager execution sees of example b."""
    *arrays, k = args
    return [boxed(map(Value, x[b].ravel().tolist()), x.shape[1:]) for x in arrays] + [k[b]]


def eager(layout, args):
    """The values, the mean's gradient by the parameters, and the values' by the arrays."""
    values, total, by_array = [], 0.0, [np.zeros(x.shape) for x in args[:2]]
    for b in range(len(args[0])):
        for parameter in layout.parameters:
            parameter.grad = 0.0
        given = leaves(args, b)
        root = layout.value(*given)
        root.backward()
        values.append(root.data)
        total = total + np.array([parameter.grad for parameter in layout.parameters])
        for found, array in zip(by_array, given, strict=False):
            found[b] = np.reshape([x.grad for x in array.flat], array.shape)
    return np.array(values), total / len(values), by_array


is_near = partial(is_close, tolerance=1e-9, least=1e-3)


def slope(gradient, theta, vector, h):
    return (gradient(theta + h * vector) - gradient(theta - h * vector)) / (2 * h)


def check(seed):
    rng = np.random.default_rng(seed)
    layout = Layout(seed)
    kernel = Kernel(layout.value)
    args = layout.arguments(rng, 3)
    before = [x.copy() for x in args]
    values, gradient, by_array = eager(layout, args)
    value, found = kernel.value_and_grad(*args)
    first = found.copy()
    at = [layout.parameters.index(p) for p in kernel.parameters]
    assert is_near(value, np.mean(values))
    assert is_near(found, gradient[at])
    assert is_near(kernel(*args), values)
    for array, expected in zip(
        kernel.value_and_grad(*args, argnums=(0, 1))[1], by_array, strict=True
    ):
        assert is_near(array, expected)
    for batch in (0, 1):
        other = layout.arguments(rng, batch)
        assert kernel(*other).shape == (batch,)
        _, slopes = kernel.value_and_grad(*other)
        if batch:
            assert is_near(slopes, eager(layout, other)[1][at])
    assert np.array_equal(found, first, equal_nan=True)
    theta, vector = np.array([p.data for p in kernel.parameters]), rng.normal(size=len(at))
    product = kernel.hvp(*args, vector=vector)
    by_theta = lambda theta: kernel.value_and_grad(*args, parameters=theta)[1]  # noqa: E731
    differences = [slope(by_theta, theta, vector, h) for h in (1e-5, 2e-5)]
    if is_near(*differences, tolerance=1e-6):  # no kink is near
        assert is_near(product, differences[0], tolerance=2e-5)
    rough = Kernel(layout.value, dtype=np.float32).value_and_grad(*args)[1]
    assert is_near(rough, first, tolerance=5e-3)
    assert all(np.array_equal(x, y) for x, y in zip(args, before, strict=True))
    for function in kernel._latest._functions.values():
        bound = re.findall(r"^    (\w+) = ", function.source, re.MULTILINE)
        assert len(bound) == len(set(bound))
        assert unbound_names(function.source) == []


def check_structure(seed):
    layout = Layout(seed)
    kernel = Kernel(layout.structure)
    for batch in (3, 0, 1):
        args = layout.arguments(np.random.default_rng(seed), batch)
        results = kernel(*args)
        for b in range(batch):
            expected = arrays(layout.structure(*leaves(args, b)))
            assert is_near([x[b] for x in results], expected)
        kept = [x.copy() for x in results]
        for k, x in enumerate(results):
            assert np.array_equal(x, kept[k], equal_nan=True)  # no result is another's memory
            x[...] = 7.0
        assert all(map(np.array_equal, kernel(*args), kept, [True] * len(kept)))


@pytest.mark.parametrize("block", range(10))
def test_random_layouts_equal_eager_execution(block):
    for seed in range(15 * block, 15 * block + 15):
        check(seed)
        check_structure(seed)


@pytest.mark.parametrize("least", [1, 8])
def test_random_layouts_with_large_arrays_equal_eager_execution(least, monkeypatch):
    monkeypatch.setattr(memory, "LARGE", least)
    monkeypatch.setitem(runtime.NAMESPACE, "np", Poisoned())
    for seed in range(30 * least, 30 * least + 30):
        check(seed)
        check_structure(seed)


def test_random_layouts_with_lanes_apart_equal_eager_execution(monkeypatch):
    monkeypatch.setattr(contract, "bands", lambda counts: [[k] for k in range(len(counts))[::-1]])
    for seed in range(40):
        check(seed)
        check_structure(seed)
