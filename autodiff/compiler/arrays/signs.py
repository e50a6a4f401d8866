"""Facts about the elements of arrays: their signs and sizes, as far as the rows tell."""

from collections.abc import Sequence

import numpy as np

from autodiff.compiler.arrays.ops import CONSTANT, REDUCE
from autodiff.compiler.arrays.program import Instr
from autodiff.rows.primitive import Primitive


def is_moderate(instr: Instr) -> bool:
    """Whether it is a constant, 0 or of a size near 1, so that products may be reordered with it.

    Without it a product of numbers up to 1e289 does not overflow, and one of numbers down to
    1e-289 keeps its digits.
    """
    if instr.op is not CONSTANT:
        return False
    sizes = np.abs(instr.values)
    return bool(((sizes == 0) | ((sizes >= 2.0**-64) & (sizes <= 2.0**64))).all())


def mark_unsigned(instrs: Sequence[Instr], known: list[bool]) -> None:
    """Extend `known`: for each instruction, whether no element is negative or -0.0."""
    for instr in instrs[len(known) :]:
        known.append(_is_unsigned(instr, known))


def _is_unsigned(instr: Instr, known: Sequence[bool]) -> bool:
    if instr.kind != "f":  # conditions and indices
        return True
    if instr.op is CONSTANT:
        return not np.signbit(instr.values).any()
    row = instr.reduction if instr.op is REDUCE else instr.op
    keeps = row.keeps_unsigned and all(known[operand] for operand in instr.operands)
    if not isinstance(row, Primitive):
        return keeps
    is_square = row.bilinear and len(instr.operands) == 2 and len(set(instr.operands)) == 1
    return keeps or row.unsigned or is_square
