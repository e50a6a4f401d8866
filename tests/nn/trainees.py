"""Small models and losses that the tests of training share, and a progress that they can script."""

import signal

import numpy as np

from autodiff import Value, mean
from nn import Module, Silent

X = np.linspace(-1, 1, 12)
Y = X * X


class Seen(Silent):
    """Calls `then(number)` after each step; keeps the steps that it was told."""

    def __init__(self, then=lambda number: None):
        self.told, self.then = [], then

    def __call__(self, step):
        self.told.append(step)
        self.then(step.number)


class Number(Module):
    """Whose output is its one parameter, whatever the input."""

    def __init__(self, start=0.0):
        self.w = Value(start)

    def __call__(self, x):
        return self.w * 1.0


def absolute(predictions, targets):
    """Mean absolute error over predictions that are lists."""
    rows = zip(predictions, targets, strict=True)
    return mean([abs(p - t) for ps, ts in rows for p, t in zip(ps, ts, strict=True)])


def scripted(losses):
    """A loss that takes these values one after the other, with gradient 0."""
    values = iter(losses)
    return lambda predictions, targets: predictions[0] * 0.0 + next(values)


def interrupt_at(iteration, times=1):
    def then(now):
        for _ in range(times * (now == iteration)):
            signal.raise_signal(signal.SIGINT)

    return Seen(then)


def branching(predictions, targets):
    return predictions[0] if predictions[0] > 0 else -predictions[0]


def total(predictions, targets):
    return predictions[0] * 0.0 + sum(predictions)


class Unused(Number):
    def __init__(self):
        super().__init__()
        self.idle = Value(1.0)
