"""What rows with a guard choose, and which rows may have an infinite partial."""

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.program import Instr, base
from autodiff.compiler.arrays.reverse.masks import Literals, Mask, Masks
from autodiff.compiler.arrays.reverse.operands import Lanes, Slope
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


def slope_of(builder: Builder, i: int, k: int) -> Slope:
    """d `i` / d operand k, of a scalar row."""
    instr = builder.instrs[i]
    row = instr.op
    assert isinstance(row, Primitive)
    out, operands = Lanes(builder, i), [Lanes(builder, x) for x in instr.operands]
    found: Slope
    if isinstance(row, Reduction):
        found = row.partials_at(operands, out)[k]
    else:
        partial = row.partials[k]
        assert partial is not None
        found = partial(*operands, out)
    return found


def reduced_slope(builder: Builder, i: int) -> Slope:
    """d `i` / d its operand, of a reduction of the last axis whose partials are alike."""
    instr = builder.instrs[i]
    out = Lanes(builder, builder.reshape(i, (*instr.shape, 1)))
    found: Slope
    (found,) = instr.reduction.partials_at([Lanes(builder, instr.operands[0])], out)
    return found


def without_unchosen(masks: Masks, mask: Mask, slope: Slope) -> Mask:
    """The mask without elements that are known not to be chosen."""
    builder = masks.builder
    if not isinstance(slope, Lanes):
        values = np.asarray(slope)
    elif builder.is_known(slope.index):
        values = np.asarray(builder.instrs[slope.index].values)
    else:
        return mask
    chosen = builder.constant(values != 0)
    terms = [chosen] if mask.static is None else [mask.static, chosen]
    return mask._replace(static=masks.joined(ops.logical_and, terms))


def choice(masks: Masks, slope: Slope) -> Literals:
    """Where a partial is not 0."""
    builder = masks.builder
    if not isinstance(slope, Lanes):
        return () if slope else ((builder.constant([False]), True),)
    if inner := builder.operands_of(slope.index, ops.where):
        condition, *values = inner
        chosen = [builder.only(x) for x in values]
        if None not in chosen and builder.instrs[condition].kind == "b":
            if chosen[0] and not chosen[1]:
                return (masks.literal(condition, True),)
            if chosen[1] and not chosen[0]:
                return (masks.literal(condition, False),)
    return ((builder.condition(slope.index), True),)


def may_be_infinite(builder: Builder, i: int) -> bool:
    """Whether an array holds what a row makes whose partial may be infinite: so may that be."""
    row = builder.instrs[base(builder.instrs, i)].op
    return isinstance(row, Primitive) and row.singular


def is_singular(builder: Builder, instr: Instr) -> bool:
    """Whether a partial may be infinite: of 1 / x by x, and of w · (1 / x) by w."""
    if not isinstance(instr.op, Primitive) or instr.op.selects:
        return False
    return instr.op.singular or any(may_be_infinite(builder, x) for x in instr.operands)
