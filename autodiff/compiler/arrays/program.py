"""The array program: one instruction an array, its verifier and its printer."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.compiler.arrays.layout import Shape
from autodiff.rows.primitive import Primitive

OPS = {
    "leaf": "an array that the caller gives; fact: its name",
    "constant": "an array known now; fact: its elements",
    "cast": "integers or booleans as floats",
    "view": "elements of an array that is no view; fact: the View",
    "gather": "elements of an array that is no view; fact: the Gather",
    "copy": "the elements of a view, one behind the other",
    "broadcast": "repeated along the batch",
    "matmul": "products over the last two axes; a batch of rows times one matrix",
    "matmul_batch": "aᵀ @ b, summed over the batch",
    "sum": "the sum over axes; fact: which",
    "sum_batch": "the sum over the batch",
    "reduce": "a reduction of the last axis; fact: its row of the op table",
    "top": "the largest along the last axis, within the finite numbers, as a constant",
    "concatenate": "flattened arrays one behind the other",
    "scatter": "zeros, to which each operand is added at its places; fact: an access each",
    "rows": "rows of a matrix, by indices known at run time",
    "add_rows": "zeros, to which each operand's row is added where `rows` has read it",
    "take": "an element for each lane, by indices known at run time; fact: where each may be",
    "untake": "zeros, to which each lane is added where `take` has read it",
}
"""What is no row of the op table."""

KEEPS_KIND = frozenset({"cast", "view", "gather", "copy", "broadcast"})
"""What moves elements of any kind, or is for them; all else reads numbers."""
_CHANGES_BATCH = frozenset({"broadcast", "sum_batch", "matmul_batch", "add_rows", "untake"})


@dataclass(frozen=True, eq=False, slots=True)
class Instr:
    """One array: `op` applied to the results of earlier instructions.

    `shape` leaves out the batch axis, which comes first if `is_batched`. `fact` is what the op
    needs besides: a view, the axes of a sum, the values of a constant.
    """

    op: str | Primitive
    operands: tuple[int, ...]
    shape: Shape
    is_batched: bool
    fact: Any = None
    kind: str = "f"
    """Of its elements: f for floats, b for booleans, i for integers."""

    @property
    def size(self) -> int:
        """How many elements an example has."""
        return math.prod(self.shape)

    @property
    def name(self) -> str:
        """Of the op."""
        return self.op if isinstance(self.op, str) else self.op.name


@dataclass(frozen=True)
class Program:
    """Instructions in order, and the numbers of those that are its results."""

    instrs: tuple[Instr, ...]
    results: tuple[int, ...]

    def __str__(self) -> str:
        lines = []
        for i, instr in enumerate(self.instrs):
            batch = "B×" if instr.is_batched else ""
            operands = ", ".join(f"%{operand}" for operand in instr.operands)
            fact = instr.fact
            if isinstance(fact, np.ndarray):
                fact = fact.ravel()[0] if fact.size == 1 else f"{fact.size} numbers"
            shown = "" if fact is None else f" {fact}"
            lines.append(f"%{i}: {batch}{list(instr.shape)} = {instr.name}({operands}){shown}")
        return "\n".join([*lines, f"return {', '.join(f'%{i}' for i in self.results)}"])

    @property
    def calls(self) -> int:
        """How many instructions compute: neither given, nor known, nor views."""
        return sum(instr.op not in ("leaf", "constant", "view") for instr in self.instrs)


def base(instrs: Sequence[Instr], i: int) -> int:
    """The instruction whose array holds the elements of `i`: itself, unless a view."""
    return instrs[i].operands[0] if instrs[i].op == "view" else i


def verify(program: Program) -> None:
    """Raise AssertionError unless operands come first, and shapes and kinds fit."""
    for i, instr in enumerate(program.instrs):
        assert isinstance(instr.op, Primitive) or instr.op in OPS, f"%{i}: no op {instr.op}"
        assert all(0 <= operand < i for operand in instr.operands), f"%{i}: operand not before"
        operands = [program.instrs[operand] for operand in instr.operands]
        expected = any(operand.is_batched for operand in operands)
        if operands and instr.op not in _CHANGES_BATCH:
            assert instr.is_batched == expected, f"%{i}: batch"
        shape = _shape(instr, operands)
        assert shape is None or shape == instr.shape, f"%{i}: {instr.shape}, expected {shape}"
        for operand in operands if isinstance(instr.op, Primitive) else ():
            # NumPy aligns axes from the last; the batch must meet the batch.
            same_rank = len(operand.shape) == len(instr.shape)
            assert same_rank or not operand.is_batched, f"%{i}: rank"
        assert _fits(instr, [operand.kind for operand in operands]), f"%{i}: kinds"
    assert all(0 <= result < len(program.instrs) for result in program.results)


def casts_booleans(row: Primitive, kinds: Iterable[str]) -> bool:
    """Whether NumPy reads booleans among such operands as numbers: in a ufunc, beside floats."""
    return bool(row.ufunc) and "f" in kinds


def _fits(instr: Instr, kinds: list[str]) -> bool:
    """Whether the kinds of operands and result are those that the op reads and gives."""
    if not isinstance(instr.op, Primitive):
        return instr.op in KEEPS_KIND or "b" not in kinds
    row = instr.op
    are_read = casts_booleans(row, kinds) or all(
        (kind == "b") == (k in row.conditions) for k, kind in enumerate(kinds)
    )
    return are_read and (instr.kind == "b") == row.is_predicate


def _shape(instr: Instr, operands: list[Instr]) -> Shape | None:
    """The shape that an instruction must have; None where its fact alone says."""
    if isinstance(instr.op, Primitive):
        return np.broadcast_shapes(*[operand.shape for operand in operands])
    match instr.op:
        case "view" | "gather":
            (source,) = operands
            assert source.op != "view", "a view of a view"
            assert 0 <= instr.fact.positions().max(initial=0) < max(1, source.size), "out of bounds"
            return tuple(instr.fact.shape)
        case "copy" | "cast" | "broadcast" | "sum_batch":
            return operands[0].shape
        case "matmul":
            a, b = operands
            assert a.shape[-1] == b.shape[-2], f"{a.shape} @ {b.shape}"
            if len(a.shape) == 1:
                assert not b.is_batched, "the matrix of a batch of rows is one"
            return (*a.shape[:-1], b.shape[-1])
        case "matmul_batch":
            a, b = operands
            assert a.is_batched, "a batch to sum over"
            assert b.is_batched, "a batch to sum over"
            rows = a.shape if len(a.shape) == 1 else (*a.shape[:-2], a.shape[-1])
            return (*rows, b.shape[-1])
        case "sum":
            axes = enumerate(operands[0].shape)
            return tuple(size for axis, size in axes if axis not in instr.fact)
        case "reduce":
            return operands[0].shape[:-1]
        case "top":
            return (*operands[0].shape[:-1], 1)
        case "concatenate":
            return (sum(operand.size for operand in operands),)
        case "rows":
            return (*operands[1].shape, operands[0].shape[-1])
        case "take":
            return operands[1].shape
    return None
