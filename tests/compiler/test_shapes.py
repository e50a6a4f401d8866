"""Programs with boundaries, prefixes and irregular sums: equal to Values, and few arrays."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.compiler import Kernel
from tests.support.golden import recorded
from tests.support.shapes import BARS, fft, heat, prefix_sums, soft_edit_distance, walls

GOLDEN = Path(__file__).parent / "golden"


def compiled(program, batch=2):
    kernel = Kernel(program.f)
    args = program.arguments(np.random.default_rng(batch), batch)
    kernel.value_and_grad(*args)
    return kernel, args


@pytest.mark.parametrize("name", BARS)
def test_kernels_equal_eager_execution_and_are_few_instructions(name):
    make, bar = BARS[name]
    kernel, args = compiled(make())
    kernel.check(*args)
    assert kernel.program.calls <= bar


@pytest.mark.parametrize("make", [heat, walls], ids=["heat", "walls"])
def test_each_step_adds_as_many_packs_and_instructions(make):
    counts = []
    for steps in (3, 6, 9):
        kernel, _ = compiled(make(8, steps))
        counts.append((len(kernel._latest.analyzed.packs.packs), kernel.program.calls))
    first, second, third = np.array(counts)
    assert (third - second == second - first).all()


@pytest.mark.parametrize("make", [prefix_sums, soft_edit_distance, fft])
@pytest.mark.parametrize("batch", [1, 5])
def test_other_sizes_and_batches_are_equal_too(make, batch):
    kernel, args = compiled(make(4), batch)
    kernel.check(*args)


@pytest.mark.parametrize("name", ["heat", "prefix_sums"])
def test_source_is_as_recorded(name):
    make = {"heat": lambda: heat(6, 2), "prefix_sums": lambda: prefix_sums(5)}[name]
    source = compiled(make())[0].source
    assert source == recorded(GOLDEN / f"{name}.txt", source)


def test_a_product_beside_sums_keeps_the_sign_of_its_zero():
    k = Value(0.5)

    def f(x):
        found = [sum([a, k * b]) for a, b in pairwise(x[:5])] + [k * x[5]]
        return sum(ops.atan2(a, -1.0) for a in found)

    kernel = Kernel(f)
    x = np.array([[0.0, 1.0, 2.0, 3.0, 4.0, -0.0], [0.0, 1.0, 2.0, 3.0, 4.0, 0.0]])
    assert kernel(x)[0] < kernel(x)[1] - 6
    kernel.check(x)
