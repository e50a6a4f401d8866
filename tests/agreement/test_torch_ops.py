"""Every row of the op table against PyTorch: values, gradients and second derivatives.

At the edges PyTorch is met as well, but for what `DIFFERENCES` lists.
"""

from math import inf, isnan

import numpy as np
import pytest

from autodiff import hessian
from autodiff.checking.expressions import arranged
from tests.conventions import LIBRARIES, rows
from tests.op_table import README
from tests.support import peers
from tests.support.samples import EDGES, ROWS, backward, count, edges, grid, has_partial

torch = pytest.importorskip("torch", reason="the torch extra is not installed")

LIBRARY = peers.pytorch()
every_row_of_ours = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
CONSTANT = {"leaky_relu": [0.01], "elu": [1.0]}  # PyTorch does not differentiate by these operands
TINY = 1e-307  # below the normal numbers PyTorch may flush to zero


def at_an_end(x, low, high):
    return x in (low, high) and low <= high


# Where values or slopes differ on purpose: operands → whether they may.
DIFFERENCES = {
    "abs": isnan,  # the slope of nan is nan, in PyTorch 0
    "elu": isnan,  # likewise; in PyTorch 1
    "sign": isnan,  # sign(nan) is nan, as in NumPy; in PyTorch 0
    "log": lambda x: x < 0,  # no slope where there is no value; in PyTorch 1 / x
    "log1p": lambda x: x < -1,  # likewise
    "clip": at_an_end,  # the subgradient of least norm, 0; in PyTorch 1
    # No slope at the origin; elsewhere no square over- or underflows, and the limit at infinity
    "atan2": lambda y, x: max(abs(x), abs(y)) in (0.0, 1e-200, 1e200, inf),
    # Shares of operands that are equal and so large that no digit of log 2 is left
    "logsumexp": lambda *xs: abs(max(xs)) == 1e200 and xs.count(max(xs)) > 1,
}


def operands_of(row):
    """How many operands PyTorch differentiates by, or takes as they are."""
    return 1 if row.name in CONSTANT else count(row)


def columns(row, table):
    return [
        torch.tensor(column, dtype=torch.float64, requires_grad=has_partial(row, i))
        for i, column in enumerate(zip(*table, strict=True))
    ]


def applied(row, tensors):
    arguments = [*tensors, *CONSTANT.get(row.name, [])]
    return getattr(LIBRARY, row.name)(*arranged(row, arguments))


def value_and_slopes(row, table):
    tensors = columns(row, table)
    out = applied(row, tensors)
    out.sum().backward()
    free = [
        x.grad if x.grad is not None else torch.zeros_like(x) for x in tensors if x.requires_grad
    ]
    return torch.stack([out.detach(), *free], dim=1).numpy()


def ours(row, table):
    constant = CONSTANT.get(row.name, [])
    return np.array([backward(row, (*xs, *constant))[: 1 + len(xs)] for xs in table])


def is_equal(mine, theirs, rtol):
    both_tiny = (abs(mine) < TINY) & (abs(theirs) < TINY)
    return np.isclose(mine, theirs, rtol=rtol, atol=0, equal_nan=True) | both_tiny


@every_row_of_ours
def test_values_and_gradients_are_pytorchs(row):
    n = operands_of(row)
    table = list(dict.fromkeys(xs[:n] for xs in grid(row)))
    assert is_equal(ours(row, table), value_and_slopes(row, table), 1e-12).all()


@every_row_of_ours
def test_values_and_gradients_at_edges_and_ties_are_pytorchs_with_the_listed_exceptions(row):
    n = operands_of(row)
    table = list(dict.fromkeys([*(xs[:n] for xs in edges(row)), *((x,) * n for x in EDGES)]))
    equal = is_equal(ours(row, table), value_and_slopes(row, table), 1e-12).all(axis=1)
    may_differ = DIFFERENCES.get(row.name, lambda *xs: False)
    assert [
        xs for xs, same in zip(table, equal, strict=True) if not (same or may_differ(*xs))
    ] == []
    assert equal.all() == (row.name not in DIFFERENCES), "a difference that is none"


@every_row_of_ours
def test_second_derivatives_are_pytorchs(row):
    n, constant = operands_of(row), CONSTANT.get(row.name, [])
    table = list(dict.fromkeys(xs[:n] for xs in grid(row)))[:40]
    tensors = columns(row, table)
    free = [i for i in range(n) if has_partial(row, i)]
    by = [tensors[i] for i in free]
    gradient = torch.autograd.grad(
        applied(row, tensors).sum(), by, create_graph=True, materialize_grads=True
    )
    theirs = [
        torch.autograd.grad(slope.sum(), by, retain_graph=True, materialize_grads=True)
        if slope.requires_grad
        else [torch.zeros_like(x) for x in by]
        for slope in gradient
    ]
    theirs = np.array([[column.numpy(force=True) for column in line] for line in theirs])
    for k, xs in enumerate(table):

        def f(inputs, xs=xs):
            every = list(xs)
            for i, x in zip(free, inputs, strict=True):
                every[i] = x
            return row(*arranged(row, [*every, *constant]))

        mine = np.array(hessian(f)([xs[i] for i in free]))
        np.testing.assert_allclose(mine, theirs[:, :, k], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("name", ["PyTorch", "JAX", "HIPS autograd"])
def test_the_readme_says_what_other_libraries_give(name):
    try:
        library = LIBRARIES[name]()
    except ImportError:
        pytest.skip(f"{name} is not installed")
    table = rows(README.read_text(encoding="utf-8"))
    column = list(LIBRARIES).index(name)
    said = {row[:2]: row.slopes[column] for row in table}
    assert said == {row[:2]: row.measured(library) for row in table}
