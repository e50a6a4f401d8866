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


def is_unsigned(instrs: Sequence[Instr], i: int, known: list[bool]) -> bool:
    """Whether no element of instruction `i` is negative or -0.0.

    `known` holds the answer for the first instructions, and receives it for those up to `i`.
    """
    for instr in instrs[len(known) : i + 1]:
        known.append(_is_unsigned(instr, known))
    return known[i]


def _is_unsigned(instr: Instr, known: Sequence[bool]) -> bool:
    if instr.kind != "f":  # conditions and indices
        return True
    if instr.op is CONSTANT:
        return not np.signbit(instr.values).any()
    row = instr.reduction if instr.op is REDUCE else instr.op
    are_unsigned = all(known[operand] for operand in instr.operands)
    if isinstance(row, Primitive):
        return row.gives_unsigned(instr.operands, are_unsigned)
    return row.keeps_unsigned and are_unsigned
