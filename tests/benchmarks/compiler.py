"""Compiled kernels against NumPy written by hand, in one process with one BLAS thread."""

from itertools import pairwise
from statistics import median
from time import perf_counter

import numpy as np

import autodiff
from autodiff import Value
from nn import MLP

from .harness import Bar, Row, seconds, speedups

SIZES = (1, 10, 20, 30, 40, 1)
BY_HAND = "NumPy by hand"


def step_by_hand(sizes, theta, x, y, lr):
    """A training step of a ReLU network as an expert writes it, MSE or cross-entropy."""
    layers, start = [], 0
    for nin, nout in pairwise(sizes):
        end = start + nin * nout
        layers.append((theta[start:end].reshape(nout, nin), theta[end : end + nout]))
        start = end + nout
    inputs = [x]
    for w, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ w.T + b, 0.0))
    w, b = layers[-1]
    out = inputs[-1] @ w.T + b
    if y.dtype.kind == "i":
        rows = np.arange(len(x))
        shifted = out - out.max(axis=1, keepdims=True)
        probability = np.exp(shifted)
        total = probability.sum(axis=1, keepdims=True)
        loss = (np.log(total[:, 0]) - shifted[rows, y]).mean()
        ct = probability / total
        ct[rows, y] -= 1.0
        ct /= len(x)
    else:
        ct = out - y
        loss = (ct * ct).mean()
        ct = ct * (2 / len(x))
    gradient = np.empty_like(theta)
    for i in range(len(layers) - 1, -1, -1):
        w, b = layers[i]
        end, start = start, start - w.size - b.size
        gradient[start : start + w.size] = (ct.T @ inputs[i]).ravel()
        gradient[start + w.size : end] = ct.sum(axis=0)
        if i:
            ct = (ct @ w) * (inputs[i] > 0)
    theta -= lr * gradient
    return loss


def against_hand(name, sizes, kernel, x, y, bar, settings):
    """The time of a compiled training step over that of one by hand, many steps a sample."""
    columns = x if x.ndim > 1 else x[:, None]
    targets = y if y.dtype.kind == "i" else y[:, None]
    kernel.value_and_grad(x, y)
    ours = np.array([parameter.data for parameter in kernel.parameters])
    theirs = ours.copy()

    def compiled():
        for _ in range(count):
            _, gradient = kernel.value_and_grad(x, y, parameters=ours)
            np.subtract(ours, 1e-9 * gradient, out=ours)

    def by_hand():
        for _ in range(count):
            step_by_hand(sizes, theirs, columns, targets, 1e-9)

    count = 1
    count = max(1, int(0.02 / seconds(compiled)))
    ratios = tuple(1 / ratio for ratio in speedups(compiled, by_hand, settings.repeats))
    return Row(name, BY_HAND, ratios, "of its time", Bar("≤", bar))


def classifier():
    """A 784-50-10 network with cross-entropy, of one example."""
    model = MLP(784, [50, 10], seed=0)

    def loss(x, label):
        logits = model(x)
        return autodiff.logsumexp(logits) - autodiff.take(logits, label)

    return autodiff.compile(loss)


def traced(count):
    """Seconds a scalar to compile `count` scalars of neurons."""
    width = 100
    w = [[Value(0.01 * i) for i in range(width)] for _ in range(count // (2 * width))]
    kernel = autodiff.compile(lambda x: sum(autodiff.dot(row, x).tanh() for row in w))
    start = perf_counter()
    kernel.value_and_grad(np.ones((1, width)))
    return (perf_counter() - start) / count


def measure(settings):
    """Yield the rows."""
    rng = np.random.default_rng(0)
    for batch, bar in ((1, 1.0), (100, 0.8), (10_000, 1.0)):
        model = MLP(1, SIZES[1:], seed=0)
        kernel = autodiff.compile(lambda x, y, model=model: (model([x]) - y) ** 2)
        x = rng.uniform(-5, 5, batch)
        name = f"training step 1-10-20-30-40-1, batch {batch:,}"
        yield against_hand(name, SIZES, kernel, x, x * x, bar, settings)
    x, y = rng.normal(size=(64, 784)), rng.integers(0, 10, 64)
    start = perf_counter()
    kernel = classifier()
    kernel.value_and_grad(x, y)
    first = perf_counter() - start
    name = "training step 784-50-10, batch 64"
    yield against_hand(name, (784, 50, 10), kernel, x, y, 1.1, settings)
    yield Row("its first call", "—", (first,), "s", Bar("≤", 5.0))
    small, large = (10**4, 10**5) if settings.quick else (10**4, 10**6)
    a, b = (median(traced(count) for _ in range(3)) for count in (small, large))
    yield Row(f"compile a scalar of {small:,}", "—", (1e6 * a,), "µs")
    yield Row(
        f"compile a scalar of {large:,}", f"one of {small:,}", (b / a,), "× its time", Bar("≤", 2.0)
    )
