"""Large batches in blocks: the same means and gradients, and less memory."""

import math
import tracemalloc

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value
from autodiff.compiler.numpy import blocks, function

RNG = np.random.default_rng(0)


@pytest.fixture
def in_twos(monkeypatch):
    """Blocks of two examples, for every batch of more than one."""
    monkeypatch.setattr(function, "block_size", lambda *_: 2)
    monkeypatch.setattr(function, "LEAST", 1)
    monkeypatch.setattr(blocks, "LEAST", 1)


def losses():
    model, table = nn.MLP(2, [3, 1], "gelu", seed=0), nn.Embedding(40, 2, seed=0)
    w = Value(0.7)
    return {
        "a network": (lambda x: (model(x) - 1.0) ** 2, RNG.normal(size=(7, 2))),
        "rows of a table": (lambda i: (model(table(i)) - w) ** 2, RNG.integers(0, 40, 7)),
        "the same for all": (lambda x: w * w, RNG.normal(size=7)),
        "a part for all": (lambda x: (w * x - 1.0) ** 2 + w * w, RNG.normal(size=8)),
        "no number": (lambda x: autodiff.maximum(w * x, 0.0).sqrt(), np.array([1.0, 0, 4, 9, 2])),
        "inf": (lambda x: (w * x).exp(), np.array([1.0, 2.0, 1e3, 0.5])),
        "nan": (lambda x: (w * x).log(), np.array([1.0, 2.0, -1.0, 0.5])),
    }


@pytest.mark.parametrize("name", losses())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blocks_give_the_mean_and_gradient_of_the_whole(name, dtype, in_twos, monkeypatch):
    f, x = losses()[name]
    value, gradient = autodiff.compile(f, dtype=dtype).value_and_grad(x)
    monkeypatch.setattr(function, "block_size", lambda *_: 0)
    expected, slopes = autodiff.compile(f, dtype=dtype).value_and_grad(x)
    rtol = 1e-13 if dtype is np.float64 else 1e-5
    assert np.allclose(value, expected, rtol=rtol, equal_nan=True)
    assert gradient.dtype == slopes.dtype
    assert np.allclose(gradient, slopes, rtol=rtol, atol=rtol * 1e-3, equal_nan=True)


def test_results_belong_to_the_caller(in_twos):
    w = Value(2.0)
    kernel = autodiff.compile(lambda x: (w * x - 1.0) ** 2)
    _, first = kernel.value_and_grad(np.arange(5.0))
    kept = first.copy()
    kernel.value_and_grad(np.arange(5.0) + 1.0)
    assert (first == kept).all()


@pytest.mark.parametrize("batch", [0, 1, 7, 8, 9, 40])
@pytest.mark.parametrize("size", [0, 2, 3, 8])
def test_blocks_cover_the_batch_once(batch, size):
    found = [range(batch)[block] for block in blocks.blocks(batch, size)]
    assert [i for block in found for i in block] == list(range(batch))
    is_cut = size and batch >= blocks.LEAST * size
    assert len(found) == (math.ceil(batch / size) if is_cut else min(batch, 1))


def test_many_parameters_are_not_added_up_once_a_block():
    few, many = nn.MLP(1, [8, 8, 1], seed=0), nn.MLP(500, [200, 1], seed=0)
    kernels = [autodiff.compile(lambda x, model=model: model(x)) for model in (few, many)]
    for kernel, width in zip(kernels, (1, 500), strict=True):
        kernel.value_and_grad(np.zeros((1, width)))
    small, large = [blocks.block_size(kernel.program, float) for kernel in kernels]
    assert small > 0
    assert large == 0


def test_a_large_batch_takes_the_memory_of_a_block():
    model = nn.MLP(1, [20, 20, 1], seed=0)
    peaks = []
    for count in (1, 4):
        kernel = autodiff.compile(lambda x: model([x]) ** 2)
        kernel.value_and_grad(np.zeros(1))
        batch = count * blocks.LEAST * blocks.block_size(kernel.program, float)
        x = RNG.normal(size=batch)
        tracemalloc.start()
        kernel.value_and_grad(x)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_programs_of_many_small_arrays_run_whole():
    def f(x):
        total = x[0]
        for _ in range(600):
            total = total.sin() + x[1]
        return total

    kernel = autodiff.compile(f)
    kernel(np.ones((2, 2)))
    program = kernel._latest.function("grad", (0,)).program
    assert program.calls > 1000
    assert blocks.block_size(program, float) == 0
