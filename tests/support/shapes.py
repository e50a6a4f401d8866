"""Programs with boundaries, prefixes and irregular sums, as users write them one scalar at a time.

Each is a function of the size that makes a `Program`, and has a bar in `BARS`.
"""

import cmath
import math
import random
from itertools import pairwise

from autodiff import Value, ops
from tests.support.programs import Program, numbers, vector


def heat(cells, steps):
    """The heat equation with fixed ends."""
    k = Value(0.2)

    def f(u):
        for _ in range(steps):
            inside = [u[i] + k * (u[i - 1] - 2 * u[i] + u[i + 1]) for i in range(1, cells - 1)]
            u = [u[0], *inside, u[-1]]
        return sum(v * v for v in u)

    return Program(f, numbers((cells,)))


def walls(side, steps):
    """Heat in a square whose walls keep their temperature."""
    k = Value(0.2)

    def f(u):
        u = [list(row) for row in u]
        for _ in range(steps):
            new = [list(row) for row in u]
            for i in range(1, side - 1):
                for j in range(1, side - 1):
                    around = u[i - 1][j] + u[i + 1][j] + u[i][j - 1] + u[i][j + 1]
                    new[i][j] = u[i][j] + k * (around - 4 * u[i][j])
            u = new
        return sum(v * v for row in u for v in row)

    return Program(f, numbers((side, side)))


def springs(count, steps):
    """A chain of nonlinear springs between two fixed ends."""
    k, h = Value(0.7), Value(0.1)

    def f(x):
        x, v = list(x), [0.0] * count
        for _ in range(steps):
            ends = [0.0, *x, 0.0]
            stretch = [b - a for a, b in pairwise(ends)]
            pull = [k * s + 0.1 * s * s * s for s in stretch]
            v = [w + h * (b - a) for w, a, b in zip(v, pull, pull[1:], strict=False)]
            x = [a + h * w for a, w in zip(x, v, strict=True)]
        return sum(a * a for a in x)

    return Program(f, numbers((count,)))


def edit_distance(n, reduce=ops.minimum):
    gap = Value(0.8)

    def f(x, y):
        d = [[0.0] * (n + 1) for _ in range(n + 1)]
        for i in range(n + 1):
            d[i][0] = i * gap
            d[0][i] = i * gap
        for i in range(1, n + 1):
            for j in range(1, n + 1):
                cost = (x[i - 1] - y[j - 1]) ** 2
                d[i][j] = reduce(d[i - 1][j] + gap, d[i][j - 1] + gap, d[i - 1][j - 1] + cost)
        return d[n][n]

    return Program(f, numbers((n,), (n,)))


def soft_edit_distance(n):
    return edit_distance(n, lambda *xs: -ops.logsumexp([-x for x in xs]))


def prefix_sums(n):
    s = Value(0.9)

    def f(x):
        total, found = 0.0, []
        for a in x:
            total = total + a
            found.append(total)
        return sum((s * a) ** 2 for a in found)

    return Program(f, numbers((n,)))


def causal_averages(steps, width):
    w = vector(random.Random(0), width)

    def f(x):
        found = []
        for t in range(steps):
            means = [sum(x[u][j] for u in range(t + 1)) / (t + 1) for j in range(width)]
            found.append(ops.tanh(sum(a * m for a, m in zip(w, means, strict=True))))
        return sum(found)

    return Program(f, numbers((steps, width)))


def zeros_and_ones(n):
    rng = random.Random(1)
    matrix = [[float(rng.random() < 0.3) for _ in range(n)] for _ in range(n)]
    s = Value(0.9)

    def f(x):
        found = [sum(a * b for a, b in zip(row, x, strict=True)) for row in matrix]
        return sum((s * a) ** 2 for a in found)

    return Program(f, numbers((n,)))


def fft(n):
    """The energy of a spectrum, weighted, by the radix-2 transform of complex numbers as pairs."""
    s = Value(0.9)

    def transform(x):
        if len(x) == 1:
            return x
        even, odd = transform(x[::2]), transform(x[1::2])
        turned = []
        for k, (a, b) in enumerate(odd):
            w = cmath.exp(-2j * math.pi * k / len(x))
            turned.append((w.real * a - w.imag * b, w.real * b + w.imag * a))
        pairs = list(zip(even, turned, strict=True))
        plus = [(a + c, b + d) for (a, b), (c, d) in pairs]
        return plus + [(a - c, b - d) for (a, b), (c, d) in pairs]

    def f(x):
        found = transform([(s * a, s * 0.0) for a in x])
        return sum((a * a + b * b) * (k + 1) for k, (a, b) in enumerate(found)) / n

    return Program(f, numbers((n,)))


def graph_net(nodes, width, layers):
    """Each node takes the mean of its neighbors, of which nodes have different numbers."""
    rng = random.Random(2)
    others = [sorted(rng.sample(range(nodes), rng.randint(1, 4))) for _ in range(nodes)]
    own = [[vector(rng, width) for _ in range(width)] for _ in range(layers)]
    from_others = [[vector(rng, width) for _ in range(width)] for _ in range(layers)]

    def dot(row, x):
        return sum(a * b for a, b in zip(row, x, strict=True))

    def f(x):
        for mine, theirs in zip(own, from_others, strict=True):
            new = []
            for i in range(nodes):
                found = [sum(x[j][d] for j in others[i]) / len(others[i]) for d in range(width)]
                rows = zip(mine, theirs, strict=True)
                new.append([ops.tanh(dot(a, x[i]) + dot(b, found)) for a, b in rows])
            x = new
        return sum(a * a for row in x for a in row)

    return Program(f, numbers((nodes, width)))


def padded_cnn(side, channels):
    """Two convolutions of 3 × 3 with 0.0 around the picture."""
    rng = random.Random(3)
    kernels = [
        [[vector(rng, 9) for _ in range(into)] for _ in range(out)]
        for into, out in ((1, channels), (channels, 1))
    ]

    def convolved(planes, kernel):
        def at(plane, i, j):
            return plane[i][j] if 0 <= i < side and 0 <= j < side else 0.0

        near = [(di, dj) for di in (-1, 0, 1) for dj in (-1, 0, 1)]

        def pixel(weights, i, j):
            return sum(
                w * at(plane, i + di, j + dj)
                for ws, plane in zip(weights, planes, strict=True)
                for w, (di, dj) in zip(ws, near, strict=True)
            )

        return [
            [[ops.relu(pixel(weights, i, j)) for j in range(side)] for i in range(side)]
            for weights in kernel
        ]

    def f(picture):
        planes = [picture]
        for kernel in kernels:
            planes = convolved(planes, kernel)
        return sum(a * a for plane in planes for row in plane for a in row)

    return Program(f, numbers((side, side)))


def sorting_network(n):
    """Odd-even transposition: neighbors are exchanged where they are out of order."""
    s = Value(0.9)

    def f(x):
        x = [s * a for a in x]
        for turn in range(n):
            for i in range(turn % 2, n - 1, 2):
                x[i], x[i + 1] = ops.minimum(x[i], x[i + 1]), ops.maximum(x[i], x[i + 1])
        return sum((k + 1) * a for k, a in enumerate(x))

    return Program(f, numbers((n,)))


def option_tree(n):
    """The price of an option on a recombining tree."""
    up, down, p, r = Value(1.1), Value(0.9), Value(0.6), Value(0.99)

    def f(price):
        v = [ops.relu(price[0] * up**j * down ** (n - j) - 0.1) for j in range(n + 1)]
        for m in range(n, 0, -1):
            v = [r * (p * v[j + 1] + (1 - p) * v[j]) for j in range(m)]
        return v[0]

    return Program(f, numbers((1,)))


BARS = {
    "heat_64_40": (lambda: heat(64, 40), 500), "edit_24": (lambda: edit_distance(24), 1500),
    "prefix_300": (lambda: prefix_sums(300), 40), "fft_64": (lambda: fft(64), 250),
    "graph_net": (lambda: graph_net(12, 6, 2), 100), "padded_cnn": (lambda: padded_cnn(8, 4), 120),
    "averages_32": (lambda: causal_averages(32, 4), 50),
    "zeros_and_ones_30": (lambda: zeros_and_ones(30), 30),
    "heat_10_4": (lambda: heat(10, 4), 60), "walls_8_4": (lambda: walls(8, 4), 100),
    "springs_8_5": (lambda: springs(8, 5), 320),
    "soft_edit_8": (lambda: soft_edit_distance(8), 450),
    "sorting_8": (lambda: sorting_network(8), 300),
    "option_8": (lambda: option_tree(8), 300),
}  # fmt: skip
"""For each program the most array instructions it may have, forward and backward."""
