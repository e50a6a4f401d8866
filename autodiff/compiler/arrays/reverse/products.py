"""A cotangent times a partial, as the operands of the partial allow it."""

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.ops import SUM
from autodiff.compiler.arrays.program import base
from autodiff.compiler.arrays.reverse.operands import ArrayOperand, Slope
from autodiff.rows.primitive import Primitive, declare

MASKED = declare(
    Primitive(
        "masked",
        lambda partial, ct, zero: ct * partial if partial else zero,
        (
            lambda partial, ct, zero, out: ops.where((partial > 0) | (partial < 0), ct, 0.0),
            lambda partial, ct, zero, out: partial,
            None,
        ),
        "np.where({0} != 0, {0} * {1}, {2})",
        (),
        "masked",
        selects=True,
    ),
    is_inner=True,
)
"""ct times partial, and 0 where the partial is 0, whatever ct is there."""


def product(builder: Builder, ct: int, partial: Slope, *, selects: bool) -> int:
    """ct times partial; if the row selects, 0 where the operand was not selected."""
    i = partial.index if isinstance(partial, ArrayOperand) else builder.beside(ct, float(partial))
    zero = builder.beside(ct, 0.0)
    if not selects:
        return _times(builder, ct, i)
    if builder.is_known(i):
        known = builder.instrs[i].values
        if set(np.unique(known)) <= {0.0, 1.0}:
            return builder.apply(ops.where, [builder.constant(known == 0.0), zero, ct])
    return _selected(builder, ct, i, zero)


def _times(builder: Builder, ct: int, partial: int) -> int:
    """ct times partial, by the shortest way that over- and underflows where that does."""
    instr = builder.instrs[partial]
    match instr.op, instr.operands:
        case ops.neg, (x,):
            return builder.apply(ops.neg, [_times(builder, ct, x)])
        case ops.div, (x, y) if builder.only(x) == 1.0:  # ct (1 / y) → ct / y
            return builder.apply(ops.div, [ct, y])
        case ops.div, (x, y) if builder.is_moderate(x) or _is_share(builder, x, y):
            # ct (x / y) → (ct / y) x, which shares the quotient
            return builder.apply(ops.mul, [builder.apply(ops.div, [ct, y]), x])
        case ops.mul, (x, y) if builder.is_moderate(x):  # a constant goes first
            return builder.apply(ops.mul, [builder.apply(ops.mul, [ct, x]), y])
    return builder.apply(ops.mul, [ct, partial])


def _is_share(builder: Builder, x: int, y: int) -> bool:
    """Whether x is n / y for a y that is a sum of numbers like n, none of them negative.

    Then x is at most 1, and a product with it may be reordered: what is larger than it before
    the product over- and underflows nowhere else.
    """
    inner = builder.operands_of(x, ops.div)
    if inner is None or inner[1] != y:
        return False
    instrs = builder.instrs
    total, terms = instrs[base(instrs, y)], base(instrs, inner[0])
    is_sum = total.op is SUM and base(instrs, total.operands[0]) == terms
    return is_sum and builder.is_unsigned(terms)


def _selected(builder: Builder, ct: int, partial: int, zero: int) -> int:
    """ct times partial, 0 where the partial is 0, without a product where it is 0 or 1."""
    instr = builder.instrs[partial]
    match instr.op, instr.operands:
        case ops.where, (condition, x, y) if (builder.only(x), builder.only(y)) == (1.0, 0.0):
            return builder.apply(ops.mul, [ct, condition])
        case ops.where, (condition, x, y) if (builder.only(x), builder.only(y)) == (0.0, 1.0):
            return builder.apply(ops.where, [condition, zero, ct])
        case ops.sub, (_, lost) if builder.instrs[lost].op is ops.less_equal:
            passed = builder.apply(ops.greater, builder.instrs[lost].operands)
            return builder.apply(ops.mul, [ct, passed])  # 1 - (out ≤ 0) → out > 0
        case ops.div, (won, count):  # a share of a tie
            return _selected(builder, builder.apply(ops.div, [ct, count]), won, zero)
    return builder.apply(MASKED, [partial, ct, zero])
