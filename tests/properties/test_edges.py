"""Kernel and eager execution at 0, -0, inf, nan, huge and tiny, for every row of the table."""

from collections.abc import Callable
from itertools import product
from math import inf, nan
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff import Value, ops
from autodiff.rows.primitive import Primitive
from autodiff.testing import OPS

EDGES = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan, 1e200, -1e200, 1e-200]
FEW = [0.0, -0.0, -1.0, inf, nan, 1e200]
FEWEST = [0.0, 2.0, inf, -1e150]

GUARDS: dict[str, Callable[[Any, Any], Any]] = {
    "plain": lambda out, x: out,
    "where": lambda out, x: ops.where(x > 0.5, out, x),
    "where not": lambda out, x: ops.where(x > 0.5, 3.0, out),
    "clip": lambda out, x: ops.clip(out, -1.5, 2.5),
    "maximum": lambda out, x: ops.maximum(out, 0.5),
    "compared": lambda out, x: ops.where(out > 0.5, x, 2 * x),
}


def called(row: Primitive, xs: list[Any]) -> Any:
    """A row on operands, the first of which is a condition if that is wanted."""
    if row is ops.where:
        return row(xs[0] > 0.5, *xs[1:])
    if row is ops.take:
        return row(xs, 1)
    if row is ops.dot:
        return row(xs[: len(xs) // 2], xs[len(xs) // 2 :])
    if row.arity is None:
        return row(*xs) if row in (ops.maximum, ops.minimum) else row(xs)
    return row(*xs)


def points(row: Primitive) -> np.ndarray[Any, Any]:
    """Every combination of edges for the operands of a row, fewer where these are many."""
    size = {ops.dot: 4, ops.take: 2}.get(row, row.arity or 2)
    return np.array(list(product({1: EDGES, 2: EDGES, 3: FEW}.get(size, FEWEST), repeat=size)))


def same(found: Any, expected: Any) -> Any:
    """Where numbers are equal to rounding, nan with nan, each inf with itself."""
    with np.errstate(all="ignore"):
        near = np.abs(found - expected) <= 1e-11 * np.abs(expected) + 1e-300
    return (
        (near & np.isfinite(expected))
        | (found == expected)
        | (np.isnan(found) & np.isnan(expected))
    )


def told(rows: np.ndarray[Any, Any], found: Any, expected: Any) -> str:
    wrong = ~same(found, expected).reshape(len(rows), -1).all(1)
    some = zip(*(np.asarray(x)[wrong] for x in (rows, found, expected)), strict=True)
    lines = [f"at {x.tolist()}: {f} for {e}" for x, f, e in some]
    return "\n".join([f"{len(lines)} of {len(rows)}", *lines[:8]])


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("row", OPS, ids=lambda row: row.name)
def test_values_and_slopes_at_edges_are_those_of_eager_execution(
    row: Primitive, guard: str
) -> None:
    rows = points(row)

    def f(x: Any) -> Any:
        return GUARDS[guard](called(row, list(x)), x[0])

    kernel = autodiff.compile(f)
    values, slopes = kernel.value_and_grad(rows, argnums=0)
    expected, gradients = [], []
    for x in rows:
        inputs = [Value(t) for t in x]
        root = f(inputs)
        root.backward()
        expected.append(root.data)
        gradients.append([v.grad for v in inputs])
    whole, slope = np.array(expected), np.array(gradients)
    assert same(values, whole).all(), told(rows, values, whole)
    assert same(kernel(rows), whole).all(), told(rows, kernel(rows), whole)
    assert same(slopes, slope).all(), told(rows, slopes, slope)


@pytest.mark.parametrize("guard", ["plain", "where", "clip"])
@pytest.mark.parametrize("row", OPS, ids=lambda row: row.name)
def test_second_derivatives_at_edges_are_those_of_eager_execution(
    row: Primitive, guard: str
) -> None:
    rows = points(row)[:: 1 if row.arity == 1 else 3]
    parameters = [Value(1.0) for _ in range(rows.shape[1])]

    def f(t: Any, *given: Any) -> Any:
        return GUARDS[guard](called(row, list(given or parameters)), t)

    kernel = autodiff.compile(f)
    t = np.array([1.0])
    kernel(t)
    units = np.eye(len(kernel.parameters))
    found, forward, backward = [], [], []
    for x in rows:
        for p, data in zip(parameters, x, strict=True):
            p.data = data
        found.append([kernel.hvp(t, vector=unit) for unit in units])
        forward.append([_pushed(f, parameters, kernel.parameters, unit) for unit in units])
        backward.append([_pulled(f, kernel.parameters, unit) for unit in units])
    made, pushed, pulled = np.array(found), np.array(forward), np.array(backward)
    # 0 · inf arises on one way and not on the other: then neither is the right one.
    made = np.where(same(pushed, pulled), made, pushed)
    if row.refined:  # of which eager execution subtracts numbers near 1, and has no small ones
        made = np.where(np.abs(made - pushed) < 1e-16, pushed, made)
    assert same(made, pushed).all(), told(rows, made, pushed)


def _pushed(f: Any, parameters: list[Value], order: list[Value], unit: Any) -> list[float]:
    """The Hessian by `parameters` times a vector that is, as the result, in another order."""
    along = dict(zip(order, unit.tolist(), strict=True))
    given = tuple(p.data for p in parameters)
    tangents = tuple(along.get(p, 0.0) for p in parameters)
    found = autodiff.hvp(lambda *xs: f(Value(1.0), *xs), given, tangents)
    each = dict(zip(parameters, found if len(given) > 1 else [found], strict=True))
    return [float(getattr(each[p], "data", each[p])) for p in order]


def _pulled(f: Any, order: list[Value], unit: Any) -> list[float]:
    """The same by two sweeps back."""
    for p in order:
        p.grad = 0.0
    slopes = autodiff.backward(f(Value(1.0)), as_graph=True)
    along = [slopes[p] for p, u in zip(order, unit, strict=True) if u and p in slopes]
    if along:
        along[0].backward()
    return [p.grad for p in order]
