"""The array program: one instruction per array, its verifier and its printer."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from autodiff.compiler.arrays.layout import Access, Gather, Shape, View
from autodiff.compiler.arrays.ops import CAST, CONSTANT, GATHER, LEAF, VIEW, ArrayOp, Fact, Values
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


@dataclass(frozen=True, eq=False, slots=True)
class Instr:
    """One array: `op` applied to the results of earlier instructions.

    `shape` leaves out the batch axis, which comes first if `is_batched`. `fact` is what the op
    needs besides; the properties below return it as what it is for the op.
    """

    op: ArrayOp | Primitive
    operands: tuple[int, ...]
    shape: Shape
    is_batched: bool
    fact: Fact = None
    kind: str = "f"
    """The kind of the elements: f for floats, b for booleans, i for integers."""

    @property
    def size(self) -> int:
        """The number of elements per example."""
        return math.prod(self.shape)

    @property
    def name(self) -> str:
        """The name of the op."""
        return self.op.name

    @property
    def leaf(self) -> str:
        """The name of a leaf; "" for any other instruction."""
        return str(self.fact) if self.op is LEAF else ""

    @property
    def values(self) -> Values:
        """The elements of a constant."""
        assert isinstance(self.fact, np.ndarray)
        return self.fact

    @property
    def view(self) -> View:
        """Where a view reads its operand."""
        assert isinstance(self.fact, View)
        return self.fact

    @property
    def gather(self) -> Gather:
        """Where a gather reads its operand, or where each lane of a `take` may."""
        assert isinstance(self.fact, Gather)
        return self.fact

    @property
    def accesses(self) -> tuple[Access, ...]:
        """Where a scatter puts each operand."""
        assert isinstance(self.fact, tuple)
        return tuple(access for access in self.fact if not isinstance(access, int))

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes that a sum runs along, counted from the first behind the batch's."""
        assert isinstance(self.fact, tuple)
        return tuple(axis for axis in self.fact if isinstance(axis, int))

    @property
    def is_reversed(self) -> bool:
        """Whether a cumulative sum begins at the end."""
        assert isinstance(self.fact, bool)
        return self.fact

    @property
    def row(self) -> Primitive:
        """The scalar row whose slopes are refined."""
        assert isinstance(self.fact, Primitive)
        return self.fact

    @property
    def reduction(self) -> Reduction:
        """The scalar row that reduces the last axis."""
        assert isinstance(self.fact, Reduction)
        return self.fact


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
            fact: object = instr.fact
            if isinstance(fact, np.ndarray):
                fact = fact.ravel()[0] if fact.size == 1 else f"{fact.size} numbers"
            shown = "" if fact is None else f" {fact}"
            lines.append(f"%{i}: {batch}{list(instr.shape)} = {instr.name}({operands}){shown}")
        return "\n".join([*lines, f"return {', '.join(f'%{i}' for i in self.results)}"])

    @property
    def calls(self) -> int:
        """The number of instructions that compute or copy something."""
        return sum(isinstance(x.op, Primitive) or not x.op.is_free for x in self.instrs)


def base(instrs: Sequence[Instr], i: int) -> int:
    """The instruction whose array holds the elements of `i`: itself, unless a view."""
    return instrs[i].operands[0] if instrs[i].op is VIEW else i


def verify(program: Program) -> None:
    """Raise AssertionError unless operands come first, and shapes, kinds and facts fit."""
    for i, instr in enumerate(program.instrs):
        assert all(0 <= operand < i for operand in instr.operands), f"%{i}: operand not before"
        operands = [program.instrs[operand] for operand in instr.operands]
        if operands and (isinstance(instr.op, Primitive) or not instr.op.changes_batch):
            assert instr.is_batched == any(x.is_batched for x in operands), f"%{i}: batch"
        if isinstance(instr.op, Primitive):
            _verify_elementwise(i, instr, operands)
        else:
            _verify_row(i, instr, instr.op, operands)
    assert all(0 <= result < len(program.instrs) for result in program.results)


def _verify_elementwise(i: int, instr: Instr, operands: list[Instr]) -> None:
    row = instr.op
    assert isinstance(row, Primitive)
    assert instr.fact is None, f"%{i}: fact"
    shape = np.broadcast_shapes(*[operand.shape for operand in operands])
    assert shape == instr.shape, f"%{i}: {instr.shape}, expected {shape}"
    for operand in operands:
        # NumPy aligns axes from the last; the batch must meet the batch.
        same_rank = len(operand.shape) == len(instr.shape)
        assert same_rank or not operand.is_batched, f"%{i}: rank"
    kinds = [operand.kind for operand in operands]
    are_read = casts_booleans(row, kinds) or all(
        (kind == "b") == (k in row.conditions) for k, kind in enumerate(kinds)
    )
    assert are_read, f"%{i}: kinds of operands"
    assert (instr.kind == "b") == row.is_predicate, f"%{i}: kinds of the result"


def _verify_row(i: int, instr: Instr, row: ArrayOp, operands: list[Instr]) -> None:
    assert isinstance(instr.fact, row.fact), f"%{i}: fact {instr.fact}"
    if row in (VIEW, GATHER):
        assert operands[0].op is not VIEW, f"%{i}: a view of a view"
    if row.shape:
        shape = row.shape(instr.fact, operands)
        assert shape == instr.shape, f"%{i}: {instr.shape}, expected {shape}"
    assert row.needs(instr.fact, operands), f"%{i}: {row.name} of {[x.shape for x in operands]}"
    is_read = row.reads_conditions or all(operand.kind != "b" for operand in operands)
    assert is_read, f"%{i}: kinds of operands"
    if operands:
        expected = "f" if row is CAST else operands[0].kind
        assert instr.kind == expected, f"%{i}: kinds of the result"
    assert row is not CONSTANT or instr.kind == instr.values.dtype.kind, f"%{i}: kinds"


def casts_booleans(row: Primitive, kinds: Iterable[str]) -> bool:
    """Whether NumPy reads booleans among such operands as numbers: in a ufunc, beside floats."""
    return bool(row.ufunc) and "f" in kinds
