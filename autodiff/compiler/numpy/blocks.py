"""How a large batch is cut into blocks whose arrays stay in the cache, from one op to the next."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.program import Program
from autodiff.rows.primitive import Primitive

CACHE = 3 * 2**20
"""Bytes that all arrays of a block's examples together have; half of them are read at a time."""
LEAST = 4
"""A batch of fewer blocks is computed whole."""
SHARE = 8
"""A block computes at least so many times as many numbers as there are parameters.

Each block has a gradient of its own, which is added to that of the others.
"""
ELEMENTS = 2048
"""How many elements a call of NumPy computes at least, on average, in a block worth its calls."""


def block_size(program: Program, dtype: npt.DTypeLike) -> int:
    """How many examples are in a block; 0 where blocks would cost more than they save."""
    each = sum(
        instr.size
        for instr in program.instrs
        if instr.is_batched and (isinstance(instr.op, Primitive) or not instr.op.is_free)
    )
    parameters = sum(instr.size for instr in program.instrs if instr.leaf == "parameters")
    size = CACHE // max(1, each * np.dtype(dtype).itemsize)
    is_worth_it = each * size >= max(SHARE * parameters, ELEMENTS * program.calls)
    return size if is_worth_it else 0


def blocks(batch: int, size: int) -> Iterator[slice]:
    """The examples of each block, all but the last of one size; one block for a small batch."""
    if not size or batch < LEAST * size:
        size = max(1, batch)
    return (slice(start, min(start + size, batch)) for start in range(0, batch, size))
