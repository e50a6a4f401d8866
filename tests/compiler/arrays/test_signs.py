import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather


def unsigned(builder, x):
    """Arrays made of x, and whether none of their elements is negative or -0.0."""
    e = builder.apply(ops.exp, [x])
    s = builder.apply(ops.sin, [x])
    column = np.array([0, 2, 1])
    index = builder.leaf("index", 3, True, "i")
    condition = builder.apply(ops.less, [x, s])
    return [
        (x, False), (e, True), (s, False), (builder.apply(ops.mul, [s, s]), True),
        (builder.apply(ops.mul, [e, s]), False), (builder.apply(ops.div, [e, e]), True),
        (builder.fetch(e, column), True), (builder.fetch(s, column), False),
        (builder.sum(e, (0,)), True), (builder.take(e, Gather(np.arange(3)[None]), index), True),
        (builder.cast(index), False), (builder.logsumexp(e), False),
        (builder.reduce(ops.maximum, e), True), (builder.reduce(ops.maximum, s), False),
        (builder.constant([0.0, 2.0]), True), (builder.constant([-0.0, 2.0]), False),
        (builder.apply(ops.where, [condition, e, builder.constant([0.0])]), True),
        (builder.apply(ops.where, [condition, e, s]), False),
    ]  # fmt: skip


def test_numbers_that_are_never_negative_are_known():
    builder = Builder()
    for i, expected in unsigned(builder, builder.leaf("x", 3, True)):
        assert builder.is_unsigned(i) == expected, builder.instrs[i]
