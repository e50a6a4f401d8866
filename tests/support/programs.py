"""Programs of scalars, as users write them: each a function and a maker of its arguments."""

import random
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import autodiff
from autodiff import Value, ops
from autodiff.compiler import Kernel
from nn import MLP, Neuron

SIZES = [10, 20, 30, 40, 1]


class Program(NamedTuple):
    f: Callable[..., Any]
    arguments: Callable[[np.random.Generator, int], tuple[Any, ...]]


def numbers(*shapes):
    """A maker of arguments, each normal and of a shape behind the batch axis."""
    return lambda rng, batch: tuple(rng.normal(size=(batch, *shape)) for shape in shapes)


def matrix(rng, rows, columns, scale=0.5):
    return [[Value(rng.gauss(0, scale)) for _ in range(columns)] for _ in range(rows)]


def vector(rng, size, scale=0.5):
    return matrix(rng, 1, size, scale)[0]


def linear(x, w):
    return [sum(wi * xi for wi, xi in zip(row, x, strict=True)) for row in w]


def plus(x, y):
    return [xi + yi for xi, yi in zip(x, y, strict=True)]


def mlp_module():
    model = MLP(1, SIZES, seed=3)
    return Program(lambda x, y: (model([x]) - y) ** 2, numbers((), ()))


def mlp_loops():
    rng = random.Random(3)
    sizes = [1, *SIZES]
    layers = [
        [(vector(rng, nin), Value(rng.gauss(0, 0.5))) for _ in range(nout)]
        for nin, nout in zip(sizes, SIZES, strict=False)
    ]

    def loss(x, y):
        h = [x]
        for k, neurons in enumerate(layers):
            h = [sum((wi * xi for wi, xi in zip(w, h, strict=True)), b) for w, b in neurons]
            if k < len(layers) - 1:
                h = [z.relu() for z in h]
        return (h[0] - y) ** 2

    return Program(loss, numbers((), ()))


def mlp_arrays():
    rng = random.Random(3)
    sizes = [1, *SIZES]
    layers = [
        (np.array(matrix(rng, nout, nin)), np.array(vector(rng, nout)))
        for nin, nout in zip(sizes, SIZES, strict=False)
    ]

    def loss(x, y):
        h = np.array([x], dtype=object)
        for w, b in layers[:-1]:
            h = autodiff.relu(w @ h + b)
        w, b = layers[-1]
        return ((w @ h + b)[0] - y) ** 2

    return Program(loss, numbers((), ()))


def mixed():
    model = MLP(1, SIZES, activation=["relu", "sigmoid", "tanh", "relu", None], seed=3)
    return Program(lambda x, y: (model([x]) - y) ** 2, numbers((), ()))


def chain():
    neurons = [Neuron(1, activation="tanh", seed=k) for k in range(8)]

    def loss(x, y):
        for neuron in neurons:
            x = neuron([x])
        return (x - y) ** 2

    return Program(loss, numbers((), ()))


def classifier(nin=20, nouts=(8, 5)):
    model = MLP(nin, nouts, seed=3)

    def loss(x, target):
        logits = model(x)
        return autodiff.logsumexp(logits) - autodiff.take(logits, target)

    return Program(
        loss,
        lambda rng, batch: (rng.normal(size=(batch, nin)), rng.integers(0, nouts[-1], batch)),
    )


class Sizes(NamedTuple):
    """Of a language model: the width of its stream, heads, and rows of its two embeddings."""

    width: int
    heads: int
    tokens: int
    positions: int


# No size is one of the lengths 2, 4, 8, so that no constants or shapes coincide.
SMALL = Sizes(width=6, heads=2, tokens=11, positions=8)


def norm(x):
    scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def softmax(logits):
    exps = [logit.exp() for logit in logits]
    total = sum(exps)
    return [e / total for e in exps]


def attend(p, x, keys, values, heads):
    """What x finds among the positions up to its own, which it joins."""
    query = linear(x, p["query"])
    keys.append(linear(x, p["key"]))
    values.append(linear(x, p["value"]))
    found, size = [], len(x) // heads
    for h in range(0, len(x), size):
        q = query[h : h + size]
        scores = [
            sum(qi * ki for qi, ki in zip(q, key[h : h + size], strict=True)) / size**0.5
            for key in keys
        ]
        weights = softmax(scores)
        found += [
            sum(w * value[j] for w, value in zip(weights, values, strict=True))
            for j in range(h, h + size)
        ]
    return linear(found, p["out"])


def language_shapes(sizes):
    """The shape of each matrix of the model, by name."""
    width = sizes.width
    square = (width, width)
    return {"token": (sizes.tokens, width), "position": (sizes.positions, width), "query": square,
            "key": square, "value": square, "out": square, "wide": (4 * width, width),
            "narrow": (width, 4 * width), "head": (sizes.tokens, width)}  # fmt: skip


def language_model(sizes):
    rng = random.Random(3)
    return {name: matrix(rng, *shape) for name, shape in language_shapes(sizes).items()}


def gpt(length, sizes=SMALL, p=None):
    p = p or language_model(sizes)

    def loss(tokens, following):
        keys, values, losses = [], [], []
        for i in range(length):
            x = norm(plus(autodiff.take(p["token"], tokens[i]), p["position"][i]))
            x = plus(attend(p, norm(x), keys, values, sizes.heads), x)
            hidden = [h.relu() for h in linear(norm(x), p["wide"])]
            x = plus(linear(hidden, p["narrow"]), x)
            likely = softmax(linear(x, p["head"]))
            losses.append(-autodiff.take(likely, following[i]).log())
        return sum(losses) / length

    return Program(
        loss, lambda rng, batch: tuple(rng.integers(0, sizes.tokens, (2, batch, length)))
    )


def conv():
    rng = random.Random(3)
    kernels = [(vector(rng, 3), Value(rng.gauss(0, 1))) for _ in range(4)]
    out = vector(rng, 40)

    def loss(x, y):
        features = [
            (sum(w[k] * x[t + k] for k in range(3)) + b).relu()
            for w, b in kernels
            for t in range(10)
        ]
        return (sum(w * h for w, h in zip(out, features, strict=True)) - y) ** 2

    return Program(loss, numbers((12,), ()))


def recurrent():
    rng = random.Random(3)
    into, across, bias, out = vector(rng, 4), matrix(rng, 4, 4), vector(rng, 4), vector(rng, 4)

    def loss(xs, y):
        h = [0.0] * 4
        for x in xs:
            drive = plus([w * x for w in into], bias)
            h = [autodiff.tanh(z) for z in plus(linear(h, across), drive)]
        return (sum(w * hi for w, hi in zip(out, h, strict=True)) - y) ** 2

    return Program(loss, numbers((20,), ()))


def runge_kutta():
    a, b, c, d = (Value(x) for x in (1.1, 0.4, 0.1, 0.4))

    def slope(x, y):
        return a * x - b * x * y, c * x * y - d * y

    def loss(start):
        x, y = start[0] + 5, start[1] + 5
        step = 0.1
        for _ in range(10):
            k1 = slope(x, y)
            k2 = slope(x + step / 2 * k1[0], y + step / 2 * k1[1])
            k3 = slope(x + step / 2 * k2[0], y + step / 2 * k2[1])
            k4 = slope(x + step * k3[0], y + step * k3[1])
            x, y = (
                z + step / 6 * (p + 2 * q + 2 * r + s)
                for z, p, q, r, s in zip((x, y), k1, k2, k3, k4, strict=True)
            )
        return (x - 3) ** 2 + (y - 1) ** 2

    return Program(loss, numbers((2,)))


def mixture():
    rng = random.Random(3)
    logits, means, scales = (vector(rng, 5, 1.0) for _ in range(3))

    def loss(x):
        terms = [
            logit - ((x - mean) / scale.exp()) ** 2 / 2 - scale
            for logit, mean, scale in zip(logits, means, scales, strict=True)
        ]
        return autodiff.logsumexp(logits) - autodiff.logsumexp(terms)

    return Program(loss, numbers(()))


PROGRAMS: dict[str, Callable[[], Program]] = {
    made.__name__: made
    for made in (mlp_module, mlp_loops, mlp_arrays, mixed, chain, classifier, conv, recurrent,
                 runge_kutta, mixture)
} | {f"gpt_{n}": lambda n=n: gpt(n) for n in (2, 4, 8)}  # fmt: skip


@cache
def compiled(name: str) -> tuple[Program, Kernel]:
    """The program and its kernel, traced; one for all tests, which leave the parameters alone."""
    program = PROGRAMS[name]()
    kernel = Kernel(program.f)
    kernel.value_and_grad(*program.arguments(np.random.default_rng(0), 1))
    return program, kernel


# The fuzz: random programs over the op table with layers, ragged sums, shared subexpressions.

UNARY = [
    ops.exp, ops.tanh, ops.sigmoid, ops.sin, ops.cos, ops.relu, ops.softplus, ops.silu, ops.gelu,
    ops.atan, ops.abs, ops.neg, ops.erf, ops.leaky_relu, ops.elu, ops.sign,
    lambda x: ops.sqrt(1 + x * x), lambda x: ops.log(2 + ops.tanh(x)), lambda x: x**3,
    lambda x: ops.clip(x, -1.0, 1.0), lambda x: x**2, lambda x: 2 - x, lambda x: x * 0.5,
    lambda x: 1 / (2 + x * x), lambda x: ops.where(x > 0, ops.log(x), 0.0),
    lambda x: ops.take([x, x * 2], 1),
]  # fmt: skip
BINARY = [
    ops.add, ops.sub, ops.mul, lambda x, y: ops.div(x, 2 + y * y), ops.maximum, ops.minimum,
    lambda x, y: ops.where(x > y, x, y * 2), lambda x, y: ops.atan2(x, 1 + y * y),
    lambda x, y: (1.5 + ops.tanh(x)) ** ops.tanh(y),
]  # fmt: skip
NARY = [
    ops.sum, ops.mean, ops.prod, ops.logsumexp, lambda xs: ops.maximum(*xs),
    lambda xs: ops.minimum(*xs), sum, lambda xs: ops.dot(xs, xs[::-1]),
    lambda xs: ops.dot(xs, list(range(1, len(xs) + 1))),
]  # fmt: skip


def random_program(seed):
    """A function of parameters and inputs, the same one for the same seed."""

    def f(parameters, inputs):
        rng = random.Random(seed)
        pool = [*parameters, *inputs]

        def some(count):
            return [rng.choice(pool) for _ in range(count)]

        for _ in range(rng.randrange(1, 25)):
            kind = rng.random()
            if kind < 0.35:
                pool.append(rng.choice(UNARY)(*some(1)))
            elif kind < 0.65:
                pool.append(rng.choice(BINARY)(*some(2)))
            elif kind < 0.85:
                pool.append(rng.choice(NARY)(some(rng.randrange(1, 6))))
            else:
                activation, width = rng.choice(UNARY), rng.randrange(1, 5)
                x = some(width)
                pool += [
                    activation(sum(w * xi for w, xi in zip(some(width), x, strict=True)) + b)
                    for b in some(rng.randrange(1, 5))
                ]
        return ops.tanh(0.1 * pool[-1]) + 0.1 * ops.tanh(pool[-2])

    return f
