"""Rewrites of elementwise instructions: each gives a simpler one of the same value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodiff import ops
from autodiff.array import spelling
from autodiff.primitive import Primitive
from autodiff.reduction import Reduction

if TYPE_CHECKING:
    from autodiff.compiler.builder import Builder

Rule = Callable[..., int | None]
"""Given the builder and the operands, the simpler instruction, or None."""


def simplify(builder: Builder, row: Primitive, operands: Sequence[int]) -> int | None:
    """A simpler instruction of the same value, or None."""
    instrs = [builder.instrs[i] for i in operands]
    if all(instr.op == "constant" for instr in instrs):
        arrays = [instr.fact for instr in instrs]
        if isinstance(row, Reduction):
            arrays = np.split(np.stack(np.broadcast_arrays(*arrays)), max(1, row.sequences))
        with np.errstate(all="ignore"):
            return builder.constant(spelling(row)(*arrays))
    rule = _RULES.get(row)
    return rule(builder, *operands) if rule else None


def operands_of(builder: Builder, i: int, row: Primitive) -> tuple[int, ...] | None:
    """The operands of `i` if it is a `row`."""
    instr = builder.instrs[i]
    return instr.operands if instr.op is row else None


def _neg(builder: Builder, x: int) -> int | None:
    if inner := operands_of(builder, x, ops.neg):  # -(-x) → x
        return inner[0]
    if inner := operands_of(builder, x, ops.mul):  # -(c x) → (-c) x
        for c, y in (inner, inner[::-1]):
            if builder.instrs[c].op == "constant":
                return builder.apply(ops.mul, [builder.apply(ops.neg, [c]), y])
    return None


def _add(builder: Builder, x: int, y: int) -> int | None:
    if inner := operands_of(builder, y, ops.neg):  # x + -y → x - y
        return builder.apply(ops.sub, [x, inner[0]])
    if inner := operands_of(builder, x, ops.neg):  # -x + y → y - x
        return builder.apply(ops.sub, [y, inner[0]])
    return None


def _sub(builder: Builder, x: int, y: int) -> int | None:
    if inner := operands_of(builder, y, ops.neg):  # x - -y → x + y
        return builder.apply(ops.add, [x, inner[0]])
    return None


def _mul(builder: Builder, x: int, y: int) -> int | None:
    for c, z in ((x, y), (y, x)):
        only = builder.only(c)
        if only is not None and builder.shape(z) == np.broadcast_shapes(
            builder.shape(c), builder.shape(z)
        ):
            if only == 1.0:  # 1 x → x
                return z
            if only == -1.0:  # -1 x → -x
                return builder.apply(ops.neg, [z])
        inner = operands_of(builder, z, ops.mul)
        if builder.instrs[c].op == "constant" and inner:
            for d, w in (inner, inner[::-1]):
                if builder.instrs[d].op == "constant":  # c (d w) → (c d) w
                    return builder.apply(ops.mul, [builder.apply(ops.mul, [c, d]), w])
        if inner := operands_of(builder, z, ops.neg):  # x -y → -(x y)
            return builder.apply(ops.neg, [builder.apply(ops.mul, [c, inner[0]])])
    return None


def _div(builder: Builder, x: int, y: int) -> int | None:
    only = builder.only(y)
    if only is not None and math.frexp(only)[0] == 0.5 and math.isfinite(1 / only):
        # x / 2ⁿ → x 2⁻ⁿ, which is exact
        return builder.apply(ops.mul, [x, builder.constant(np.full(builder.shape(y), 1 / only))])
    if inner := operands_of(builder, x, ops.neg):  # -x / y → -(x / y)
        return builder.apply(ops.neg, [builder.apply(ops.div, [inner[0], y])])
    return None


def _where(builder: Builder, condition: int, x: int, y: int) -> int | None:
    only = builder.only(condition)
    if only is None:
        return None
    shape = np.broadcast_shapes(*[builder.shape(i) for i in (condition, x, y)])
    is_batched = any(builder.instrs[i].is_batched for i in (x, y))
    return builder.broadcast(x if only else y, shape, is_batched)


_RULES: dict[Primitive, Rule] = {
    ops.neg: _neg, ops.add: _add, ops.sub: _sub, ops.mul: _mul, ops.div: _div, ops.where: _where,
}  # fmt: skip
