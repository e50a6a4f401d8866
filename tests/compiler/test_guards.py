"""Kernels of random functions with guards, poles and infinities equal eager execution."""

import random
from math import inf, nan

import pytest

import autodiff
from autodiff import ops
from tests.support.eager import check_derivatives

WEIGHTS, INPUTS = 4, 3
PLACES = [0.0, 1.0, -1.0, 2.0, 0.5, -2.0, 4.0, 0.25, 3.0]


class Recipe:
    """A function of weights and inputs, made of a seed; each part of it is computed once."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.made = {}
        self.root = self.node(self.rng.randint(2, 5))
        far = [inf, -inf, nan] if self.rng.random() < 0.4 else []
        self.weights = self.rng.choices(PLACES, k=WEIGHTS)
        batch = self.rng.choice([1, 3, 17])
        self.rows = [self.rng.choices(PLACES + far, k=INPUTS) for _ in range(batch)]
        self.vector = self.rng.choices([0.0, 1.0, -1.0, 2.0], k=WEIGHTS)

    def __call__(self, w, x):
        found = {}

        def at(node):
            if node not in found:
                f, operands = self.made[node]
                found[node] = f(w, x, *map(at, operands))
            return found[node]

        return at(self.root)

    def node(self, depth):
        """A new part of the function, at most so deep."""
        if not depth:
            k, t = self.rng.randrange(WEIGHTS), self.rng.choice([1.0, 2.0, 0.5])
            leaves = [lambda w, x: w[k], lambda w, x: x[k % INPUTS], lambda w, x: w[k] + t]
            made = self.rng.choice(leaves), []
        else:
            operands = [self.node(self.rng.randrange(depth)) for _ in range(2)]
            f = self.rng.choice(CHOICES)
            made = f(self.rng), [self.node(depth - 1), *operands]
        self.made[len(self.made)] = made
        return len(self.made) - 1


def plain(f):
    """A choice that draws nothing."""
    return lambda rng: lambda w, x, a, b, c: f(a, b, c)


def drawn(f):
    """A choice that depends on a number."""

    def choose(rng):
        t = rng.choice([0.0, 1.0, -1.0, 0.5])
        return lambda w, x, a, b, c: f(w, x, a, b, c, t)

    return choose


def ragged(w, *terms):
    """Sums of one, two, three and four terms, no product of which is in two of them."""
    rows = [[w[(n + k) % WEIGHTS] for k in range(n)] for n in range(1, len(terms) + 1)]
    return [autodiff.dot(row, list(terms[: len(row)])) for row in rows]


def softmax(w, x, a):
    scores = [autodiff.dot(w[i : i + 2], [a, x[i]]) for i in range(3)]
    exps = [autodiff.exp(s - autodiff.maximum(*scores)) for s in scores]
    total = autodiff.sum(exps)
    return autodiff.sum([ops.div(e, total) * t for e, t in zip(exps, x, strict=True)])


def normalized(w, x, a):
    h = [autodiff.dot(w[i : i + 2], [a, x[i]]) for i in range(3)]
    norm = autodiff.sqrt(autodiff.sum([t * t for t in h]))
    return autodiff.sum([autodiff.where(t > 0.0, ops.div(t, norm), 0.0) for t in h])


CHOICES = [
    plain(lambda a, b, c: a + b),
    plain(lambda a, b, c: a * b),
    plain(lambda a, b, c: ops.div(a, b)),
    plain(lambda a, b, c: autodiff.sqrt(a)),
    plain(lambda a, b, c: autodiff.log(abs(a))),
    plain(lambda a, b, c: autodiff.exp(a)),
    plain(lambda a, b, c: ops.pow(a, -0.7)),
    plain(lambda a, b, c: autodiff.atan2(a, b)),
    plain(lambda a, b, c: autodiff.relu(a)),
    plain(lambda a, b, c: autodiff.clip(a, 0.0, 5.0)),
    plain(autodiff.clip),
    plain(autodiff.maximum),
    plain(lambda a, b, c: autodiff.minimum(a, b)),
    drawn(lambda w, x, a, b, c, t: (a - t) * (a - t)),
    drawn(lambda w, x, a, b, c, t: autodiff.where(a > t, b, c)),
    drawn(lambda w, x, a, b, c, t: autodiff.where(c > t, a, b)),
    drawn(lambda w, x, a, b, c, t: autodiff.where((b > t) & (c > a), w[0] * w[1], a)),
    drawn(lambda w, x, a, b, c, t: autodiff.maximum(a, t)),
    drawn(lambda w, x, a, b, c, t: autodiff.sum(ragged(w, *x, a))),
    drawn(
        lambda w, x, a, b, c, t: autodiff.sum(
            [autodiff.where(d > t, x[1], c) for d in ragged(w, x[0], a, x[2], b)]
        )
    ),
    drawn(
        lambda w, x, a, b, c, t: autodiff.sum(
            [autodiff.where(d > t, autodiff.sqrt(d), 0.0) for d in ragged(w, x[0], a, x[2], b)]
        )
    ),
    drawn(lambda w, x, a, b, c, t: softmax(w, x, a)),
    drawn(lambda w, x, a, b, c, t: normalized(w, x, a)),
]


@pytest.mark.parametrize("seed", range(150))
def test_every_derivative_equals_that_of_eager_execution(seed):
    recipe = Recipe(seed)
    check_derivatives(recipe, recipe.weights, recipe.rows, recipe.vector, tolerance=1e-9)
