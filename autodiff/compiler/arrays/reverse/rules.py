"""The adjoint of each array op: what it does to the cotangent of its result."""

from collections.abc import Callable

import numpy as np

from autodiff.compiler.arrays.ops import (
    ADD_ROWS,
    BROADCAST,
    CAST,
    CONCATENATE,
    CONSTANT,
    COPY,
    CUMSUM,
    GATHER,
    LEAF,
    MATMUL,
    MATMUL_BATCH,
    REDUCE,
    REFINE,
    ROWS,
    SCATTER,
    SUM,
    SUM_BATCH,
    TAKE,
    TOP,
    UNTAKE,
    VIEW,
    ArrayOp,
)
from autodiff.compiler.arrays.reverse.elementwise import reduction
from autodiff.compiler.arrays.reverse.step import Step

Rule = Callable[[Step], None]


def _nothing(step: Step) -> None:
    """No cotangent flows back."""


def _same(step: Step) -> None:
    """The operand has the cotangent of the result, summed where it was repeated."""
    step.give(0, step.ct)


def _at_places(step: Step) -> None:
    access = step.instr.view if step.instr.op is VIEW else step.instr.gather
    step.cotangents.give_at(step.instr.operands[0], step.ct, access)


def _concatenate(step: Step) -> None:
    builder, start = step.builder, 0
    for k, operand in enumerate(step.instr.operands):
        size = step.operand(k).size
        if step.depends(operand):
            part = builder.fetch(step.ct, np.arange(start, start + size))
            step.cotangents.names.setdefault(part, operand)
            step.give(k, builder.reshape(part, builder.shape(operand)))
        start += size


def _scatter(step: Step) -> None:
    for k, access in enumerate(step.instr.accesses):
        step.give(k, step.builder.fetch(step.ct, access.positions()))


def _matmul(step: Step) -> None:
    builder, ct = step.builder, step.ct
    a, b = step.instr.operands
    if step.depends(a) and not _gives_inputs(step):
        step.give(0, builder.matmul(ct, builder.transpose(b)))
    if not step.depends(b):
        return
    if step.operand(0).is_batched and not step.operand(1).is_batched:
        ct = builder.broadcast(ct, builder.shape(ct), is_batched=True)
        step.give(1, builder.matmul_batch(a, ct))
    else:
        step.give(1, builder.matmul(builder.transpose(a), ct))


def _gives_inputs(step: Step) -> bool:
    """Whether the operand is inputs with a 1 behind them; gives them theirs, dropping the 1's."""
    builder = step.builder
    _, b = step.instr.operands
    weights = builder.transpose(b)
    if step.operand(0).op is not CONCATENATE or builder.instrs[weights].op is not VIEW:
        return False
    inputs, *others = step.operand(0).operands
    if not step.depends(inputs) or any(map(step.depends, others)):
        return False
    matrix, places = builder.place(weights)
    kept = builder.fetch(matrix, places[:, : builder.instrs[inputs].size])
    found = builder.matmul(step.ct, kept)
    step.cotangents.give(inputs, builder.reshape(found, builder.shape(inputs)))
    return True


def _matmul_batch(step: Step) -> None:
    a, b = step.instr.operands
    step.give(0, step.builder.matmul(b, step.builder.transpose(step.ct)))
    step.give(1, step.builder.matmul(a, step.ct))


def _sum(step: Step) -> None:
    axes = step.instr.axes
    kept = tuple(1 if axis in axes else n for axis, n in enumerate(step.operand(0).shape))
    step.give(0, step.builder.reshape(step.ct, kept))


def _cumsum(step: Step) -> None:
    """An element is in the sums from it on, in the direction of the sums."""
    step.give(0, step.builder.cumsum(step.ct, is_reversed=not step.instr.is_reversed))


def _rows(step: Step) -> None:
    index = step.instr.operands[1]
    step.give(0, step.builder.add_rows(step.ct, index, step.operand(0).shape))


def _add_rows(step: Step) -> None:
    step.give(0, step.builder.rows(step.ct, step.instr.operands[1]))


def _take(step: Step) -> None:
    index, source = step.instr.operands[1], step.operand(0)
    table = step.instr.gather
    step.give(0, step.builder.untake(step.ct, table, index, source.shape, source.is_batched))


def _untake(step: Step) -> None:
    step.give(0, step.builder.take(step.ct, step.instr.gather, step.instr.operands[1]))


RULES: dict[ArrayOp, Rule] = {
    LEAF: _nothing,
    CONSTANT: _nothing,
    CAST: _nothing,
    VIEW: _at_places,
    GATHER: _at_places,
    COPY: _same,
    BROADCAST: _same,
    CONCATENATE: _concatenate,
    SCATTER: _scatter,
    MATMUL: _matmul,
    MATMUL_BATCH: _matmul_batch,
    SUM: _sum,
    SUM_BATCH: _same,
    CUMSUM: _cumsum,
    REDUCE: reduction,
    TOP: _nothing,
    REFINE: _same,  # whose slope is that of the textbook's
    ROWS: _rows,
    ADD_ROWS: _add_rows,
    TAKE: _take,
    UNTAKE: _untake,
}
