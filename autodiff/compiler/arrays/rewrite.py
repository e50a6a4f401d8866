"""Rewrites of elementwise instructions: each gives a simpler one of the same value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.program import Instr, base
from autodiff.rows.arrays import spelling
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction

if TYPE_CHECKING:
    from autodiff.compiler.arrays.builder import Builder

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


def is_moderate(builder: Builder, i: int) -> bool:
    """Whether `i` is a constant, 0 or of a size near 1, so that products may be reordered with it.

    Without it a product of numbers up to 1e289 does not overflow, and one of numbers down to
    1e-289 keeps its digits.
    """
    instr = builder.instrs[i]
    if instr.op != "constant":
        return False
    sizes = np.abs(instr.fact)
    return bool(((sizes == 0) | ((sizes >= 2.0**-64) & (sizes <= 2.0**64))).all())


def is_unsigned(builder: Builder, i: int) -> bool:
    """Whether no element of `i` is negative or -0.0, as far as the rows tell."""
    known = builder.unsigned
    for instr in builder.instrs[len(known) : i + 1]:
        known.append(_is_unsigned(instr, known))
    return known[i]


def _is_unsigned(instr: Instr, known: Sequence[bool]) -> bool:
    if instr.kind != "f":  # conditions and indices
        return True
    match instr.op:
        case "constant":
            return not np.signbit(instr.fact).any()
        case "leaf" | "cast":
            return False
        case "reduce":
            row = instr.fact
        case Primitive():
            row = instr.op
        case _:  # the same numbers elsewhere, or sums of them, or of their products
            return all(known[operand] for operand in instr.operands)
    is_square = row is ops.mul and len(set(instr.operands)) == 1
    keeps = row.keeps_unsigned and all(known[operand] for operand in instr.operands)
    return row.unsigned or is_square or keeps


def is_share(builder: Builder, x: int, y: int) -> bool:
    """Whether x is n / y for a y that is a sum of numbers like n, none of them negative.

    Then x is at most 1, and a product with it may be reordered: what is larger than it before
    the product over- and underflows nowhere else.
    """
    inner = operands_of(builder, x, ops.div)
    if inner is None or inner[1] != y:
        return False
    total = builder.instrs[base(builder.instrs, y)]
    terms = base(builder.instrs, inner[0])
    return (
        total.op == "sum"
        and base(builder.instrs, total.operands[0]) == terms
        and is_unsigned(builder, terms)
    )


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
        if is_moderate(builder, c) and inner:
            for d, w in (inner, inner[::-1]):
                if is_moderate(builder, d):  # c (d w) → (c d) w
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


def _pow(builder: Builder, x: int, y: int) -> int | None:
    """√x for x^½: what `np.power` makes of it, though not at -inf and -0.0, as `power` does."""
    if builder.only(y) != 0.5:
        return None
    if is_unsigned(builder, x):
        return builder.apply(ops.sqrt, [x])
    root = builder.apply(ops.sqrt, [builder.apply(ops.add, [x, builder.constant([0.0])])])
    infinite = builder.apply(ops.equal, [x, builder.constant([-math.inf])])
    return builder.apply(ops.where, [infinite, builder.constant([math.inf]), root])


def _less(builder: Builder, x: int, y: int) -> int | None:
    only = builder.only(y)
    if only is None or only > 0 or not is_unsigned(builder, x):
        return None
    return builder.constant(np.zeros(builder.shape(x), bool))  # |x| < 0 → False


def _where(builder: Builder, condition: int, x: int, y: int) -> int | None:
    only = builder.only(condition)
    if only is None:
        return None
    shape = np.broadcast_shapes(*[builder.shape(i) for i in (condition, x, y)])
    is_batched = any(builder.instrs[i].is_batched for i in (x, y))
    return builder.broadcast(x if only else y, shape, is_batched)


_RULES: dict[Primitive, Rule] = {
    ops.neg: _neg, ops.add: _add, ops.sub: _sub, ops.mul: _mul, ops.div: _div, ops.where: _where,
    ops.pow: _pow, ops.less: _less,
}  # fmt: skip
