"""Memory with the collector off: what a training step allocates is freed when it ends."""

import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

import autodiff
from autodiff import (
    AnomalyError,
    Value,
    backward,
    custom_op,
    detect_anomaly,
    grad,
    hvp,
    no_grad,
    ops,
)
from nn import MLP, SGD, mse

STEPS, BYTES = 200, 1_000


def growth(step, steps=STEPS):
    """The bytes that stay behind each step, once every cache and Python's free lists are full."""
    for _ in range(steps // 2):
        step()
    tracemalloc.start()
    try:
        step()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(steps):
            step()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / steps


def network(*sizes):
    model = MLP(1, sizes, activation="tanh", seed=0)
    return model, SGD(model.parameters(), lr=0.01)


def eager(*sizes):
    model, optimizer = network(*sizes or (4, 4, 1))

    def step():
        optimizer.zero_grad()
        loss = mse([model([x]) for x in (0.1, 0.2)], [1.0, 2.0])
        loss.backward()
        optimizer.step()
        with no_grad():
            model([0.3])

    return step


def of_derivatives():
    """The loss holds a derivative of the network."""
    model, optimizer = network(2, 1)

    def step():
        optimizer.zero_grad()
        slope = grad(lambda x: model([x]))(0.2)
        loss = (slope - 1.0) ** 2 + hvp(lambda x: x * x * slope, (0.3,), (1.0,))
        backward(slope, as_graph=True)
        loss.backward()
        optimizer.step()

    return step


def watched():
    step = eager(2, 1)

    def inside():
        with detect_anomaly():
            step()

    return inside


def compiled():
    model, optimizer = network(4, 4, 1)
    kernel = autodiff.compile(lambda x, y: (model([x]) - y) ** 2)
    x = np.linspace(0.0, 1.0, 8)

    def step():
        optimizer.zero_grad()
        kernel.backward(x, x * x)
        optimizer.step()

    return step


@pytest.mark.usefixtures("collector_off")
@pytest.mark.parametrize("make", [eager, of_derivatives, watched, compiled])
def test_training_steps_leave_less_than_a_kilobyte_each(make):
    assert growth(make()) < BYTES


@pytest.mark.usefixtures("collector_off")
def test_a_leak_would_be_seen():
    kept = []
    assert growth(lambda: kept.append(Value(1.0) * 2 + bytearray(1000).count(1)), 50) > 300
    step = eager()
    assert growth(lambda: kept.append((step(), bytearray(BYTES))), 50) > BYTES


@pytest.mark.usefixtures("collector_off")
def test_errors_leave_nothing_behind():
    def fails():
        with suppress(TypeError):
            grad(lambda x: [x, ops.exp(x)])(1.0)
        with suppress(ValueError):
            custom_op("exp", ops.exp, lambda x, out: out)
        with suppress(AnomalyError), detect_anomaly():
            grad(ops.log)(0.0)

    assert growth(fails) < BYTES
