"""The first call of a kernel, from the trace to the loaded program: how long, and how it grows."""

import numpy as np

import autodiff
from autodiff import Value
from tests.benchmarks.harness import Bar, Row, seconds
from tests.benchmarks.irregular import LEAVES, in_scalars, random_graph
from tests.benchmarks.training import CLASSIFIER, SIZES, classification, regression


def first_call(make, sizes, x, y):
    """Seconds of the first call of a kernel that was just made."""
    _, kernel = make(sizes)
    return seconds(lambda: kernel.value_and_grad(x, y))


def compile_scalars(count):
    """Seconds a scalar of a first call that traces `count` of them, in layers of loops."""
    width = 100
    w = [[Value(0.01 * i) for i in range(width)] for _ in range(count // (3 * width))]

    def f(x):  # a scalar each for the weight, the product and the sum
        return sum(sum(a * b for a, b in zip(row, x, strict=True)).tanh() for row in w)

    kernel = autodiff.compile(f)
    x = np.ones((1, width))
    return seconds(lambda: kernel.value_and_grad(x)) / count


def compile_irregular(count):
    """Seconds a scalar of a first call that traces a random graph of `count` of them."""
    nodes = random_graph(count)
    kernel = autodiff.compile(in_scalars(nodes, [Value(0.5) for _ in range(LEAVES)]))
    x = np.full((1, LEAVES), 0.5)
    return seconds(lambda: kernel.value_and_grad(x)) / count


def measure(settings):
    """Yield the rows."""
    rng = np.random.default_rng(0)
    times = range(3 if settings.quick else 7)
    x = rng.uniform(-5, 5, 100)
    taken = tuple(first_call(regression, SIZES, x, x * x) for _ in times)
    yield Row("first call, 1-10-20-30-40-1", "—", taken, "s", Bar("≤", 0.5))
    x, y = rng.normal(size=(64, CLASSIFIER[0])), rng.integers(0, CLASSIFIER[-1], 64)
    taken = tuple(first_call(classification, CLASSIFIER, x, y) for _ in times)
    yield Row("first call, 784-50-10", "—", taken, "s", Bar("≤", 5.0))
    small, large = (10**4, 10**5) if settings.quick else (10**4, 10**6)
    pairs = [(compile_scalars(small), compile_scalars(large)) for _ in times]
    microseconds = tuple(1e6 * taken for taken, _ in pairs)
    yield Row(f"a scalar of a trace of {small:,}", "—", microseconds, "µs")
    yield Row(
        f"a scalar of a trace of {large:,}",
        f"one of {small:,}",
        tuple(b / a for a, b in pairs),
        "× its time",
        Bar("≤", 2.0),
    )
    taken = tuple(1e6 * compile_irregular(small) for _ in times)
    yield Row(f"a scalar of a random graph of {small:,}", "—", taken, "µs")
