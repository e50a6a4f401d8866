"""Results that hide a nan: padding times infinity made it, and a condition read it."""

from collections.abc import Collection, Sequence
from functools import reduce

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.ops import CONSTANT
from autodiff.compiler.arrays.program import Instr
from autodiff.rows.arrays import spelling
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


def doubtful(
    builder: Builder, results: Sequence[int], sources: Collection[int]
) -> list[int | None]:
    """For each result, an array of 0 where it can be trusted, else nan; None if it always can.

    `sources` are arrays in which a nan may be wrong. A result hides it if a row makes a number
    of it, as a condition does; otherwise the result is nan too.
    """
    if not sources:
        return [None] * len(results)
    ordered = sorted(set(sources))
    hidden = _hidden(builder, ordered)
    doubts: dict[int, int | None] = {0: None}
    for found in [hidden[result] for result in results]:
        if found not in doubts:
            doubts[found] = _doubt(builder, [x for k, x in enumerate(ordered) if found >> k & 1])
    return [doubts[hidden[result]] for result in results]


def _doubt(builder: Builder, sources: Sequence[int]) -> int:
    """0, or nan where a source has one."""
    parts = []
    for source in sources:
        shape = builder.shape(source)
        zero = builder.beside(source, 0.0)
        nothing = builder.apply(ops.clip, [source, zero, zero])  # 0 for inf too, but nan for nan
        parts.append(builder.reshape(builder.sum(nothing, tuple(range(len(shape)))), (1,)))
    total = reduce(lambda x, y: builder.apply(ops.add, [x, y]), parts)
    return builder.apply(ops.abs, [total])


def _hidden(builder: Builder, sources: Sequence[int]) -> list[int]:
    """For each array a bit for each source that it depends on through a row that hides a nan."""
    bit = {source: 1 << k for k, source in enumerate(sources)}
    origin: list[int] = []
    hidden: list[int] = []
    for i, instr in enumerate(builder.instrs):
        origin.append(bit.get(i, 0))
        hidden.append(0)
        for k, operand in enumerate(instr.operands):
            origin[i] |= origin[operand]
            hidden[i] |= hidden[operand]
            if origin[operand] and _hides(builder, instr, k):
                hidden[i] |= origin[operand]
    return hidden


def _hides(builder: Builder, instr: Instr, k: int) -> bool:
    """Whether an instruction may give a wrong number where operand k is nan."""
    row = instr.op
    if not isinstance(row, Primitive) or isinstance(row, Reduction):
        return False
    if not row.hides_nan:
        return row.partials[k] is None
    operands = [builder.instrs[operand] for operand in instr.operands]
    if any(x.op is not CONSTANT for j, x in enumerate(operands) if j != k):
        return True
    arrays = [np.full(1, np.nan) if j == k else x.values for j, x in enumerate(operands)]
    with np.errstate(all="ignore"):
        return not np.isnan(spelling(row)(*arrays)).all()
