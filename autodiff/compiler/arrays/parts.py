"""Rows that are made of others, taken apart: parts that derivatives need too are computed once."""

from collections.abc import Sequence

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.arrays.reverse.operands import ArrayOperand
from autodiff.rows.primitive import Primitive


def taken_apart(instrs: Sequence[Instr]) -> tuple[Builder, list[int]]:
    """The instructions with the parts of `composed` rows for these rows, and their new numbers."""
    builder, new = Builder(), list[int]()
    for instr in instrs:
        operands = [new[i] for i in instr.operands]
        row = instr.op
        if isinstance(row, Primitive) and row.composed is not None:
            made: ArrayOperand = row.composed(*[ArrayOperand(builder, i) for i in operands])
            new.append(made.index)
        else:
            moved = Instr(
                row, tuple(operands), instr.shape, instr.is_batched, instr.fact, instr.kind
            )
            new.append(builder.enter(moved))
    return builder, new
