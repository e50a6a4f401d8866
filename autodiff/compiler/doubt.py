"""Results that do not show a nan: padding times infinity made it, and a condition read it."""

from collections.abc import Iterable

import numpy as np

from autodiff import ops
from autodiff.array import spelling
from autodiff.compiler.builder import Builder
from autodiff.compiler.ir import Instr
from autodiff.primitive import Primitive
from autodiff.reduction import Reduction


def doubtful(builder: Builder, result: int, sources: Iterable[int]) -> int | None:
    """0 where `result` is to be trusted, else nan; None if it is, whatever the operands are.

    `sources` are arrays in which a nan may be wrong. It is if a row reads it that makes a
    number of it, such as a condition; else the result is nan too.
    """
    total = None
    for source in _hidden(builder, result, sorted(set(sources))):
        shape = builder.shape(source)
        zero = builder.constant(np.zeros((1,) * len(shape)))
        nothing = builder.apply(ops.clip, [source, zero, zero])  # of inf too, but not of nan
        part = builder.reshape(builder.sum(nothing, tuple(range(len(shape)))), (1,))
        total = part if total is None else builder.apply(ops.add, [total, part])
    return None if total is None else builder.apply(ops.abs, [total])


def _hidden(builder: Builder, result: int, sources: list[int]) -> list[int]:
    """The sources that `result` depends on through a row that may hide their nan."""
    live = {result}
    for i in range(result, -1, -1):
        if i in live:
            live.update(builder.instrs[i].operands)
    bit = {source: 1 << k for k, source in enumerate(sources)}
    origin: dict[int, int] = {}
    hidden = 0
    for i in sorted(live):
        instr = builder.instrs[i]
        origin[i] = bit.get(i, 0)
        for k, operand in enumerate(instr.operands):
            origin[i] |= origin[operand]
            if origin[operand] and _hides(builder, instr, k):
                hidden |= origin[operand]
    return [source for source in sources if hidden & bit[source]]


def _hides(builder: Builder, instr: Instr, k: int) -> bool:
    """Whether an instruction may give a wrong number where operand k is nan."""
    row = instr.op
    if not isinstance(row, Primitive) or isinstance(row, Reduction):
        return False
    if not row.hides_nan:
        return row.partials[k] is None
    operands = [builder.instrs[operand] for operand in instr.operands]
    if any(x.op != "constant" for j, x in enumerate(operands) if j != k):
        return True
    arrays = [np.full(1, np.nan) if j == k else x.fact for j, x in enumerate(operands)]
    with np.errstate(all="ignore"):
        return not np.isnan(spelling(row)(*arrays)).all()
