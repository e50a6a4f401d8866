"""The sign of a zero, where a division, a power, a root, a logarithm or an angle tells it."""

from itertools import product

import numpy as np
import pytest

import autodiff
from autodiff import Value, atan2, dot, exp, log, mean, ops, sin, sqrt, where
from autodiff.compiler import Kernel

w = Value(-1.0)


def angle(x):
    return atan2(x, -1.0)


def used_twice(x, y):
    return 1 / x + angle(x + y)


TELLING = {
    "x + 0": lambda x, y: 1 / (x + 0.0),
    "0 + x": lambda x, y: angle(0.0 + x),
    "x + -0": lambda x, y: angle(x + -0.0),
    "x - 0": lambda x, y: 1 / (x - 0.0),
    "x - -0": lambda x, y: 1 / (x - (-0.0)),
    "a sum of one": lambda x, y: 1 / autodiff.sum([x]),
    "a loop": lambda x, y: 1 / sum([x, y]),
    "x + y": lambda x, y: 1 / (x + y),
    "x - y": lambda x, y: 1 / (x - y),
    "-x - y": lambda x, y: angle(-x - y),
    "-(0 + x)": lambda x, y: angle(-(0.0 + x)),
    "y - (0 + x)": lambda x, y: angle(y - (0.0 + x)),
    "terms of one pack": lambda x, y: angle(x - y - x - y),
    "products": lambda x, y: angle(x * w + y * w),
    "products from 0": lambda x, y: angle(sum([x * y, x]) - y),
    "a dot": lambda x, y: angle(dot([x, y], [w, w])),
    "a mean": lambda x, y: angle(mean([x, y])),
    "a power": lambda x, y: (x + 0.0) ** -3.0,
    "behind a power": lambda x, y: 1 / (x + 0.0) ** 3.0,
    "behind a sine": lambda x, y: angle(sin(3.0 * (x + 0.0))),
    "behind a choice": lambda x, y: angle(where(x > 1, y, x + 0.0)),
    "the slope of a root": lambda x, y: sqrt(x + 0.0),
    "the slope of a logarithm": lambda x, y: log(x + 0.0),
    "used twice": lambda x, y: used_twice(x + y + 0.0, y),
    "lanes": lambda x, y: autodiff.sum([angle(a + b) for a, b in ((x, 0.0), (y, x), (0.0, y))]),
}


@pytest.mark.parametrize("case", TELLING)
def test_zeros_have_the_sign_of_eager_execution(case):
    f = TELLING[case]
    x, y = np.array(list(product([0.0, -0.0, 1.5, -1.5], repeat=2))).T
    kernel = Kernel(f)
    kernel(x, y)
    kernel._latest.may_differ = False  # the kernel does without
    values, slopes = kernel.value_and_grad(x, y, argnums=(0, 1))
    for b in range(len(x)):
        leaves = Value(x[b]), Value(y[b])
        root = f(*leaves)
        root.backward()
        expected = [root.data, *[leaf.grad for leaf in leaves]]
        np.testing.assert_allclose([values[b], slopes[0][b], slopes[1][b]], expected, 1e-12)


UNTOLD = {
    "no division": (lambda x, y: (x + 0.0) * y, 0),
    "a softmax": (lambda x, y: exp(x) / sum([exp(x), exp(y)]), 1),
    "a square": (lambda x, y: 1 / sum([x * x, y * y]), 1),
    "a number beside": (lambda x, y: 1 / (x + y + 1.0), 2),
    "a choice of exponentials": (lambda x, y: 1 / sum([where(x > 0, exp(y), 0.0), exp(x)]), 1),
}


@pytest.mark.parametrize("case", UNTOLD)
def test_elsewhere_nothing_is_added(case):
    f, additions = UNTOLD[case]
    kernel = Kernel(f)
    kernel(np.zeros(2), np.zeros(2))
    instrs = kernel._latest.function("call").program.instrs
    assert [instr.op for instr in instrs].count(ops.add) == additions
