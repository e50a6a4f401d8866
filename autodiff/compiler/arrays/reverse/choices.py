"""The choices of rows with a guard, and the rows that may have an infinite partial."""

from functools import partial

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.program import Instr, base
from autodiff.compiler.arrays.reverse.masks import Literals, Mask, Masks
from autodiff.compiler.arrays.reverse.operands import ArrayOperand, Slope
from autodiff.compiler.arrays.reverse.readers import Reached
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


def elementwise(reached: Reached, i: int, row: Primitive, mask: Mask) -> None:
    """Give the operands of a scalar row the elements that are reached, if a guard chooses them."""
    builder, masks = reached.builder, reached.masks
    operands = builder.instrs[i].operands
    partials = row.partials * (len(operands) if isinstance(row, Reduction) else 1)
    conditions = [x for x, p in zip(operands, partials, strict=True) if p is None]
    is_known = any(map(builder.is_known, conditions))
    for k, operand in enumerate(operands):
        if partials[k] is None or operand not in reached.asked:
            continue
        if not row.guards:
            reached.give(operand, mask)
        elif is_known:
            slope = _slope_of(builder, i, k)
            reached.give(operand, _without_unchosen(masks, mask, slope))
        else:
            reached.give(operand, mask, choice=partial(_chosen, reached, i, k))


def _chosen(reached: Reached, i: int, k: int) -> Literals:
    """Where operand k of `i` is chosen."""
    return choice(reached.masks, _slope_of(reached.builder, i, k))


def _slope_of(builder: Builder, i: int, k: int) -> Slope:
    """d `i` / d operand k, for a scalar row."""
    instr = builder.instrs[i]
    row = instr.op
    assert isinstance(row, Primitive)
    out, operands = ArrayOperand(builder, i), [ArrayOperand(builder, x) for x in instr.operands]
    found: Slope
    if isinstance(row, Reduction):
        found = row.partials_at(operands, out)[k]
    else:
        partial = row.partials[k]
        assert partial is not None
        found = partial(*operands, out)
    return found


def reduced_slope(builder: Builder, i: int) -> Slope:
    """d `i` / d its operand, for a reduction of the last axis whose partials are alike."""
    instr = builder.instrs[i]
    out = ArrayOperand(builder, builder.reshape(i, (*instr.shape, 1)))
    found: Slope
    (found,) = instr.reduction.partials_at([ArrayOperand(builder, instr.operands[0])], out)
    return found


def _without_unchosen(masks: Masks, mask: Mask, slope: Slope) -> Mask:
    """The mask without elements that are known not to be chosen."""
    builder = masks.builder
    if not isinstance(slope, ArrayOperand):
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
    if not isinstance(slope, ArrayOperand):
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
    """Whether an array may be infinite: it holds results of a row with a singular partial."""
    row = builder.instrs[base(builder.instrs, i)].op
    return isinstance(row, Primitive) and row.singular


def is_singular(builder: Builder, instr: Instr) -> bool:
    """Whether a partial may be infinite: that of 1 / x by x, or of w · (1 / x) by w."""
    if not isinstance(instr.op, Primitive) or instr.op.selects:
        return False
    return instr.op.singular or any(may_be_infinite(builder, x) for x in instr.operands)
