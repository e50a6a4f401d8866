"""The adjoint of scalar rows on arrays: cotangents times the partials of the row."""

import math
from collections.abc import Sequence

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Access, Positions, View
from autodiff.compiler.arrays.reverse.choices import may_be_infinite
from autodiff.compiler.arrays.reverse.operands import ArrayOperand, Slope
from autodiff.compiler.arrays.reverse.products import product
from autodiff.compiler.arrays.reverse.step import Step
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


def elementwise(step: Step, row: Primitive, unreached: int | None) -> None:
    """Give each operand the cotangent times its partial, 0 at elements that are `unreached`."""
    builder, operands = step.builder, step.instr.operands
    for k, partial in enumerate(_partials(step, row)):
        if partial is None or not step.depends(operands[k]):
            continue
        if row.selects and _only(step, partial) == 0.0:
            continue
        ct = product(builder, step.ct, partial, selects=row.selects)
        if unreached is not None and _may_be_infinite(step, partial):
            # A cotangent of 0 that is not sent, times infinity, would be nan.
            ct = builder.apply(ops.where, [unreached, builder.beside(ct, 0.0), ct])
        step.give(k, ct)


def _partials(step: Step, row: Primitive) -> Sequence[Slope | None]:
    """The partial by each operand that is reached; for x·x both in the first, as 2 x."""
    operands = step.instr.operands
    terms = [_term(step, operand) for operand in operands]
    out = ArrayOperand(step.builder, step.i)
    if isinstance(row, Reduction):
        return list(row.partials_at(terms, out))
    if row.refined and isinstance(terms[0], ArrayOperand):
        return [_refined(step.builder, row, terms[0], out)]
    partials = [
        None if partial is None or not step.depends(operand) else partial(*terms, out)
        for partial, operand in zip(row.partials, operands, strict=True)
    ]
    if row.bilinear and operands[0] == operands[1]:
        first = partials[0]
        assert first is not None
        return [2.0 * first, None]
    return partials


def _refined(builder: Builder, row: Primitive, x: ArrayOperand, out: ArrayOperand) -> Slope:
    """The partial of a textbook, computed anew where it has lost digits."""
    (partial,) = row.textbook
    slope: ArrayOperand = partial(x, out)
    return ArrayOperand(builder, builder.refine(slope.index, row, x.index))


def _term(step: Step, operand: int) -> Slope:
    """An operand of a partial: a number where it is one, else an array."""
    only = step.builder.only(operand)
    return ArrayOperand(step.builder, operand) if only is None else only


def _only(step: Step, partial: Slope) -> float | None:
    """The number that a partial is everywhere, if it is known."""
    return step.builder.only(partial.index) if isinstance(partial, ArrayOperand) else float(partial)


def _may_be_infinite(step: Step, partial: Slope) -> bool:
    """Whether a partial may be infinite: not if it is a number, or an operand that is not."""
    if not isinstance(partial, ArrayOperand) or _only(step, partial) is not None:
        return False
    is_operand = partial.index in step.instr.operands
    return not is_operand or may_be_infinite(step.builder, partial.index)


def reduction(step: Step) -> None:
    """d reduce(x) / d x: of all x at once, or its partials on the columns as an array each."""
    builder, row = step.builder, step.instr.reduction
    (source,) = step.instr.operands
    shape = builder.shape(source)
    if row.by_element:
        every = (*shape[:-1], 1)
        out = ArrayOperand(builder, builder.reshape(step.i, every))
        (partial,) = row.partials_at([ArrayOperand(builder, source)], out)
        ct = builder.reshape(step.ct, every)
        step.give(0, product(builder, ct, partial, selects=row.selects))
        return
    places = np.arange(math.prod(shape)).reshape(shape)
    columns: list[Positions] = [places[..., k] for k in range(shape[-1])]
    lanes = [ArrayOperand(builder, builder.fetch(source, column)) for column in columns]
    partials = row.partials_at(lanes, ArrayOperand(builder, step.i))
    parts: list[tuple[int, Access]] = []
    for column, partial in zip(columns, partials, strict=True):
        ct = product(builder, step.ct, partial, selects=row.selects)
        view = View.of(column, places.size)
        assert view is not None
        parts.append((builder.broadcast(ct, column.shape, step.operand(0).is_batched), view))
    step.give(0, builder.scatter(parts, shape))
