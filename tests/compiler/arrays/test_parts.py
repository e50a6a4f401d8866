"""Rows made of others: what forward and backward pass have in common is computed once."""

import numpy as np
import pytest

import autodiff
import nn
from autodiff import ops

COMPOSED = {ops.gelu: "erfc(", ops.silu: "sigmoid(z"}


def test_every_composed_row_is_known_here():
    assert set(COMPOSED) == {row for row in ops.TABLE.values() if row.composed}


@pytest.mark.parametrize("row", COMPOSED, ids=str)
def test_a_part_that_the_derivative_needs_too_is_computed_once(row):
    model = nn.MLP(2, [3, 1], row.name, seed=0)
    kernel = autodiff.compile(model)
    x = np.random.default_rng(0).normal(size=(5, 2))
    kernel.check(x)
    forward, _, backward = kernel.source.partition("# backward")
    assert forward.count(COMPOSED[row].partition("(")[0] + "(") == 1
    assert COMPOSED[row] not in backward


@pytest.mark.parametrize("row", COMPOSED, ids=str)
def test_a_composed_row_has_the_values_and_slopes_of_the_row(row):
    kernel = autodiff.compile(row)
    points = np.array([-0.0, 0.0, 5e-324, -1e-300, 1e-8, -0.7, 3.0, -38.0, 40.0, 1e200, -1e200])
    values, slopes = kernel.value_and_grad(points, argnums=0)
    for x, value, slope in zip(points.tolist(), values, slopes, strict=True):
        assert value == pytest.approx(row(x), rel=1e-14, abs=5e-324)
        assert slope == pytest.approx(autodiff.grad(row)(x), rel=1e-14, abs=5e-324)
