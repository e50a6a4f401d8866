"""Random stencils, tables, trees and exchanges: kernels equal eager execution."""

import random

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.compiler import Kernel


def smooth(rng):
    return rng.choice([lambda x: x, ops.tanh, ops.sin, lambda x: 0.5 * x * x, lambda x: 0.9 * x])


def line(rng, p):
    """A stencil on a line, with borders of several kinds."""
    cells, steps, reach = rng.randrange(5, 12), rng.randrange(1, 5), rng.randrange(1, 3)
    borders = [rng.choice(["kept", "zero", "copied", "constant", "leaf"]) for _ in range(2 * reach)]
    weights = [rng.choice([1.0, -1.0, 2.0, 0.0, -0.5, p[0], p[1]]) for _ in range(2 * reach + 1)]
    bend = smooth(rng)

    def f(u):
        u = list(u)
        for _ in range(steps):
            new = [
                bend(u[i] + p[0] * sum(w * u[i + d - reach] for d, w in enumerate(weights)))
                for i in range(reach, cells - reach)
            ]
            ends = [
                {"kept": old, "zero": 0.0, "copied": near, "constant": 0.3, "leaf": p[2]}[border]
                for border, old, near in zip(
                    borders,
                    u[:reach] + u[-reach:],
                    [new[0]] * reach + [new[-1]] * reach,
                    strict=True,
                )
            ]
            u = ends[:reach] + new + ends[reach:]
        return sum(v * v for v in u)

    return f, (cells,)


def grid(rng, p):
    """A stencil in a rectangle."""
    rows, columns, steps = rng.randrange(3, 6), rng.randrange(3, 7), rng.randrange(1, 4)
    wall, bend = rng.choice(["kept", "zero", "clamped"]), smooth(rng)

    def f(u):
        u = [list(row) for row in u]

        def at(i, j):
            if wall == "clamped":
                return u[min(max(i, 0), rows - 1)][min(max(j, 0), columns - 1)]
            return u[i][j] if 0 <= i < rows and 0 <= j < columns else 0.0

        def cell(i, j):
            if wall == "kept" and (i in (0, rows - 1) or j in (0, columns - 1)):
                return u[i][j]
            around = at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + p[1] * at(i, j + 1)
            return bend(u[i][j] + p[0] * (around - 4 * u[i][j]))

        for _ in range(steps):
            u = [[cell(i, j) for j in range(columns)] for i in range(rows)]
        return sum(v * v for row in u for v in row)

    return f, (rows, columns)


def table(rng, p):
    """A table filled from corner to corner, maybe only near its diagonal."""
    n, width = rng.randrange(3, 7), rng.randrange(2, 8)
    reduce = rng.choice([ops.minimum, lambda *v: ops.logsumexp(list(v)), lambda *v: 0.4 * sum(v)])

    def f(x):
        found = {}
        for i in range(n):
            for j in range(max(0, i - width), min(n, i + width)):
                before = [(i - 1, j), (i, j - 1), (i - 1, j - 1)]
                ways = [
                    found[at] + (p[1] if at[0] == i or at[1] == j else x[i] * x[j])
                    for at in before
                    if at in found
                ]
                found[i, j] = reduce(*ways) if len(ways) > 1 else (*ways, p[0] * x[0])[0]
        return found[n - 1, n - 1]

    return f, (n,)


def sums(rng, p):
    """Running sums, some of them of running sums."""
    n, bend = rng.randrange(4, 12), smooth(rng)

    def f(x):
        total = double = out = 0.0
        for i, a in enumerate(x):
            total = total + (a if n % 3 else p[1] * a * x[i - 1])
            double = double + bend(total)
            out = out + bend(p[2] * total / (i + 1)) + p[0] * double
        return out

    return f, (n,)


def exchanges(rng, p):
    """Numbers of which random pairs meet."""
    n = rng.randrange(4, 10)
    steps = [(*rng.sample(range(n), 2), rng.randrange(4)) for _ in range(25)]

    def f(x):
        v = [p[0] * a for a in x]
        for i, j, way in steps:
            a, b = v[i], v[j]
            v[i], v[j] = [
                lambda a, b: (ops.minimum(a, b), ops.maximum(a, b)),
                lambda a, b: (a + p[1] * b, a - p[1] * b),
                lambda a, b: (ops.tanh(a) * p[2], b + a),
                lambda a, b: (a, b * p[2]),
            ][way](a, b)
        return sum((k + 1) * ops.tanh(a) for k, a in enumerate(v))

    return f, (n,)


CASES = [(make, seed) for make in (line, grid, table, sums, exchanges) for seed in range(8)]
CASES.append((line, 54))  # a product among sums that have a term more


@pytest.mark.parametrize(("make", "seed"), CASES)
def test_random_shapes_equal_eager_execution(make, seed):
    rng = random.Random(seed)
    f, shape = make(rng, [Value(rng.uniform(0.2, 0.9)) for _ in range(3)])
    x = np.random.default_rng(seed).normal(size=(3, *shape)) * 0.7
    kernel = Kernel(f)
    kernel.check(x)
    values, gradient = kernel.value_and_grad(x, argnums=0)
    for b in range(3):
        leaves = np.vectorize(Value, otypes=[object])(x[b])
        root = f(leaves)
        root.backward()
        np.testing.assert_allclose(values[b], root.data, rtol=1e-10)
        exact = [leaf.grad for leaf in leaves.flat]
        np.testing.assert_allclose(gradient[b].reshape(-1), exact, rtol=1e-8, atol=1e-10)
