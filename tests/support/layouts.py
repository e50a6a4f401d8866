"""Random programs over arrays of scalars: windows, triangles, grids of dots, tables, recurrences.

Each step makes an array of earlier ones, element by element, as users write it in loops.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np

import autodiff
from autodiff import Value, ops
from tests.support.programs import BINARY, UNARY

REDUCTIONS = [
    sum, ops.sum, ops.mean, ops.logsumexp, lambda xs: ops.maximum(*xs),
    lambda xs: ops.minimum(*xs), lambda xs: ops.prod(xs[:4]), lambda xs: sum(x * x for x in xs),
]  # fmt: skip


def boxed(items, shape=None):
    """Scalars as an array of objects."""
    items = list(items)
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(shape or -1)


def each(f, *arrays):
    arrays = np.broadcast_arrays(*arrays)
    rows = zip(*[array.ravel() for array in arrays], strict=True)
    return boxed([f(*row) for row in rows], arrays[0].shape)


def dot(w, x, b=None):
    products = (wi * xi for wi, xi in zip(w, x, strict=False))
    return sum(products) if b is None else sum(products, b)


class Layout:
    """The program of a seed: `f(x, table, k)` of a row, a matrix, and two indices below 3."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = np.random.default_rng(seed)
        self.rows, self.columns = (int(n) for n in rng.integers(1, 6, 2))
        self.w = boxed(map(Value, rng.normal(size=self.rows * self.columns) * 0.7))
        self.w = self.w.reshape(self.rows, self.columns)
        self.b = boxed(map(Value, rng.normal(size=self.rows) * 0.7))
        self.t = boxed(map(Value, rng.normal(size=6) * 0.7), (3, 2))
        self.parameters = [*self.w.flat, *self.b, *self.t.flat]

    def arguments(self, rng: np.random.Generator, batch: int) -> tuple[Any, ...]:
        x = rng.normal(size=(batch, self.columns)) * 0.8
        table = rng.normal(size=(batch, self.rows, self.columns)) * 0.8
        return x, table, rng.integers(0, 3, (batch, 2))

    def pool(self, x: Any, table: Any, k: Any) -> list[Any]:
        """All arrays that the steps make, of 40 elements at most."""
        rng = random.Random(self.seed)
        pool = [x, self.b, self.w, *[table] * rng.randrange(2)]
        for step in rng.choices(STEPS, k=rng.randrange(1, 10)):
            a, b = (pool[-1] if rng.random() < 0.4 else rng.choice(pool) for _ in range(2))
            made = step(self, rng, a, b, k)
            pool.append(made if made.size <= 40 else made.ravel()[:: made.size // 30])
        return pool

    def value(self, x: Any, table: Any, k: Any) -> Any:
        """One number of some of the arrays."""
        pool = self.pool(x, table, k)
        rng = random.Random(self.seed)
        parts = [pool[-1].ravel(), rng.choice(pool).ravel()]
        return sum(rng.choice(REDUCTIONS)([ops.tanh(x) for x in part]) for part in parts)

    def structure(self, x: Any, table: Any, k: Any) -> list[Any]:
        """Some of the arrays, one of them twice, parameters, arguments and constants."""
        pool = self.pool(x, table, k)
        some = random.Random(self.seed).choice(pool)
        return [*pool[-1].flat, *some.flat, *pool[-1].flat, self.b[0], x[-1], 1.0]


def mapped(self, rng, a, b, k):
    return each(rng.choice(UNARY), a)


def combined(self, rng, a, b, k):
    a, b = a.ravel(), b.ravel()
    n = min(len(a), len(b))
    return each(rng.choice(BINARY), a[:n], b[-n:])


def outer(self, rng, a, b, k):
    """All pairs, or those of a triangle."""
    a, b = a.ravel()[:5], b.ravel()[:5]
    cut = rng.choice([0, 5])
    pair = rng.choice(BINARY)
    return boxed([pair(x, y) for i, x in enumerate(a) for j, y in enumerate(b) if j <= i + cut])


def picked(self, rng, a, b, k):
    """A view: every so many, backwards, repeated, transposed, permuted, or at random."""
    flat = a.ravel()
    chosen = rng.sample(range(len(flat)), len(flat))
    view = rng.choice([
        flat[rng.randrange(len(flat)) :: rng.randrange(1, 4)], flat[::-1], np.repeat(a, 2, 0),
        np.tile(flat, 2), a.T, flat[chosen], flat[[chosen[0], *chosen[:3], chosen[0]]],
    ])  # fmt: skip
    return each(rng.choice(UNARY), view)


def joined(self, rng, a, b, k):
    return each(rng.choice(UNARY), boxed([*a.flat, *b.flat, 1.0]))


def reduced(self, rng, a, b, k):
    """Reductions of windows, or of ever longer parts."""
    flat, reduce = a.ravel()[:7], rng.choice(REDUCTIONS)
    width, start = rng.randrange(1, 4), rng.randrange(2)
    ends = range(1, len(flat) + 1)
    return boxed([reduce(list(flat[start * max(0, end - width) : end])) for end in ends])


def grid(self, rng, a, b, k):
    """Dots of rows with rows: all, a triangle, or some."""
    a, b = (np.atleast_2d(x)[:5] for x in (a, b))
    keep = rng.choice([lambda i, j: True, lambda i, j: j <= i, lambda i, j: (i * j) % 3 != 2])
    cells = [(i, j) for i in range(len(a)) for j in range(len(b)) if keep(i, j)]
    return boxed([dot(a[i], b[j]) / a.shape[1] for i, j in cells])


def layer(self, rng, a, b, k):
    """Neurons with the same weights each time; their results, and what they are made of."""
    x, activation = a.ravel()[: self.columns], rng.choice([ops.relu, ops.abs, ops.tanh, ops.sign])
    sums = [dot(w, x, b) for w, b in zip(self.w, self.b, strict=True)]
    return boxed([*map(activation, sums), *sums[: rng.randrange(2)]])


def recurrence(self, rng, a, b, k):
    h = list(self.b)
    for x in a.ravel()[:4]:
        h = [(0.5 * dot(w, h) + b * x).tanh() for w, b in zip(self.w, self.b, strict=True)]
    return boxed(h)


def chosen(self, rng, a, b, k):
    """Rows of a table, and elements of an array, at indices; an index as a number."""
    found = [x for row in (autodiff.take(self.t.tolist(), i) for i in k) for x in row]
    three = np.resize(a.ravel(), 3)
    return boxed([*found, *[autodiff.take(list(three), i) for i in k], k[0] * three[0]])


def attention(self, rng, a, b, k):
    rows = [row[: self.columns] for row in np.atleast_2d(a)[:4]]
    keys: list[Any] = []
    found: list[Any] = []
    for row in rows:
        keys.append([dot(w, row) for w in self.w])
        exps = [ops.exp(ops.tanh(dot(keys[-1], key))) for key in keys]
        mixed = [dot(exps, [r[j] for r in rows]) for j in range(len(row))]
        found += [x / sum(exps) for x in mixed]
    return boxed(found)


STEPS: list[Callable[..., Any]] = [
    mapped, combined, outer, picked, joined, reduced, grid, layer, recurrence, chosen, attention,
]  # fmt: skip
