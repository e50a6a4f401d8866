"""Models and losses that mean more than their arithmetic: modes, masks, lists, state."""

from typing import NamedTuple

import numpy as np

import autodiff
import nn
from autodiff import Value, exp, maximum, mean, no_grad, sigmoid, where
from nn import MLP, Linear, Module, mse

ROWS = np.random.default_rng(0).normal(size=(40, 3)).round(2)
COUNTS = np.arange(40) % 4
TARGETS = ROWS @ [1.0, -2.0, 0.5] + 0.3


class Weighted(Module):
    """A number for each row: weights times inputs."""

    def __init__(self):
        self.w = [Value(0.3), Value(-0.7), Value(0.2)]
        self.b = Value(0.1)

    def __call__(self, x):
        return sum((w * xi for w, xi in zip(self.w, x, strict=True)), self.b)


class Appending(Weighted):
    """Its input is a list that grows by the 1 of the bias."""

    def __call__(self, x):
        longer = x + [1.0]  # noqa: RUF005 (what another sequence would not do)
        return sum(w * xi for w, xi in zip([*self.w, self.b], longer, strict=True))


class Concatenating(Weighted):
    """A list of hidden numbers and a list of inputs, one behind the other."""

    def __call__(self, x):
        h = [w * xi for w, xi in zip(self.w, x, strict=True)]
        return sum(h + x) * self.b


class Frozen(Module):
    """A layer that does not learn under one that does."""

    def __init__(self):
        self.body, self.head = Linear(3, 4, seed=0), Linear(4, 1, seed=1)

    def __call__(self, x):
        with no_grad():
            hidden = [h.tanh() for h in self.body(x)]
        return self.head(hidden)[0]


class Gate(Weighted):
    """Slopes go around a gate that is computed under `no_grad`."""

    def __call__(self, x):
        with no_grad():
            gate = sigmoid(self.b * x[0])
        return super().__call__(x) * gate


class Detached(Weighted):
    """The straight-through estimator: the value of a sign, the slope of the number."""

    def __call__(self, x):
        out = super().__call__(x)
        return out + (where(out > 0, 1.0, -1.0) - out).detach()


class Pair(NamedTuple):
    """Two outputs by name."""

    low: object
    high: object


class Named(Weighted):
    def __call__(self, x):
        out = super().__call__(x)
        return Pair(out - 1.0, out + 1.0)


class Keyed(Weighted):
    def __call__(self, x):
        out = super().__call__(x)
        return {"out": out, "inputs": x}


class Rounding(Weighted):
    """Reads the number of a parameter through `round`."""

    def __call__(self, x):
        return super().__call__(x) * round(self.b * 10)


class Lying(Weighted):
    """Does something else on tracers than on Values: what no kernel may be trusted with."""

    def __init__(self, modes=(True, False), slope=1.0, value=0.0):
        super().__init__()
        self.lies = modes, slope, value

    def __call__(self, x):
        out = super().__call__(x)
        modes, slope, value = self.lies
        if isinstance(x[0], float) or self.training not in modes:
            return out
        return out * slope + value


class Counting(Weighted):
    """Its output depends on how often it was called."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return super().__call__(x) / self.calls


class Averaging(Weighted):
    """Subtracts in evaluation what it has seen of inputs in training."""

    def __init__(self):
        super().__init__()
        self.seen = [0.0]

    def __call__(self, x):
        if self.training:
            self.seen[0] = 0.9 * self.seen[0] + 0.1 * x[0]
            return super().__call__(x)
        return super().__call__([x[0] - self.seen[0], *x[1:]])


class Noisy(Weighted):
    """Draws from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng(5)

    def __call__(self, x):
        return super().__call__(x) + self.rng.normal()


def each(term):
    """The mean of `term` over pairs of a prediction and a target."""
    return lambda ps, ts: mean([term(p, t) for p, t in zip(ps, ts, strict=True)])


def counted(ps, ts):
    """Only where the count of an example is not 0."""
    return mean([where(k, (p - 1.0) ** 2, 0.0) for p, k in zip(ps, ts, strict=True)])


def summed_from_a_value(ps, ts):
    return sum(((p - t) ** 2 for p, t in zip(ps, ts, strict=True)), Value(0.0)) / len(ps)


def summed(ps, ts):
    return autodiff.sum([(p - t) ** 2 for p, t in zip(ps, ts, strict=True)])


def row_by_row(ps, ts):
    """Predictions and targets are lists, which are equal in length with a number behind both."""
    zero, one = [0.0], [1.0]
    rows = [zip(p + zero, t + one, strict=True) for p, t in zip(ps, ts, strict=True)]
    return mean([sum((a - b) ** 2 for a, b in row) for row in rows])


def with_inputs(p, t):
    return (p["out"] - t) ** 2 + sum(p["inputs"] + [p["out"] * 0.1])


TEMPERATURE = Value(2.0)

MEANINGS = {
    "sum of conditions": (Weighted, each(lambda p, t: ((p > 0) + (p < t)) * (p - t) ** 2), TARGETS),
    "function of a condition": (Weighted, each(lambda p, t: exp(p > 0) * p * p), TARGETS),
    "product with a condition": (Weighted, each(lambda p, t: (p > t) * (p - t) ** 2), TARGETS),
    "count as a condition": (Weighted, counted, COUNTS),
    "count as a factor": (Weighted, each(lambda p, k: k * (p - 1.0) ** 2), COUNTS),
    "mask": (Weighted, each(lambda p, k: where(k > 2, 0.0, p * p)), COUNTS),
    "frozen body": (Frozen, mse, TARGETS),
    "gate": (Gate, mse, TARGETS),
    "straight through": (Detached, mse, TARGETS),
    "detached target": (Weighted, each(lambda p, t: (p - (0.9 * p + t).detach()) ** 2), TARGETS),
    "sum that begins with a Value": (Weighted, summed_from_a_value, TARGETS),
    "temperature": (Weighted, each(lambda p, t: (p / TEMPERATURE - t) ** 2), TARGETS),
    "huber": (Weighted, each(lambda p, t: maximum(abs(p - t) - 0.5, 0.0) ** 2), TARGETS),
    "list that grows": (Appending, mse, TARGETS),
    "two lists": (Concatenating, mse, TARGETS),
    "named tuple": (Named, each(lambda p, t: (p.low - t) ** 2 + (p.high - t) ** 2), TARGETS),
    "dict": (Keyed, each(lambda p, t: (p["out"] - t) ** 2), TARGETS),
    "dict with the inputs": (Keyed, each(with_inputs), TARGETS),
    "number that is read": (Rounding, mse, TARGETS),
    "counter": (Counting, mse, TARGETS),
    "running mean": (Averaging, mse, TARGETS),
    "noise": (Noisy, mse, TARGETS),
    "sum over examples": (Weighted, summed, TARGETS),
    "lists of targets": (lambda: MLP(3, [4, 3], "tanh", seed=0), row_by_row, ROWS[:, ::-1].copy()),
}
"""Model, loss and targets by what they mean."""


def fitted(model, engine, **options):
    """Fit two epochs on the engine."""
    options = {"epochs": 2, "batch_size": 8, "progress": False} | options
    return nn.fit(model, ROWS, TARGETS, engine=engine, **options)
