"""The array program: one instruction an array, its builder, its verifier and its printer."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.compiler.access import Gather, View
from autodiff.primitive import Primitive

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Instr:
    """One array: `op` applied to the results of earlier instructions.

    `shape` leaves out the batch axis, which comes first if `is_batched`. `fact` is what the op
    needs besides: a view, a permutation, the axes of a sum, the values of a constant.
    """

    op: str | Primitive
    operands: tuple[int, ...]
    shape: Shape
    is_batched: bool
    fact: Any = None
    kind: str = "f"
    """Of its elements: f for floats, b for booleans."""


@dataclass(frozen=True)
class Program:
    """Instructions in order, and the numbers of those that are its results."""

    instrs: tuple[Instr, ...]
    results: tuple[int, ...]

    def __str__(self) -> str:
        lines = []
        for i, instr in enumerate(self.instrs):
            batch = "B×" if instr.is_batched else ""
            op = instr.op if isinstance(instr.op, str) else instr.op.name
            operands = ", ".join(f"%{operand}" for operand in instr.operands)
            fact = "" if instr.fact is None or isinstance(instr.fact, np.ndarray) else instr.fact
            lines.append(f"%{i}: {batch}{list(instr.shape)} = {op}({operands}) {fact}".rstrip())
        return "\n".join([*lines, f"return {', '.join(f'%{i}' for i in self.results)}"])


def verify(program: Program) -> None:
    """Raise AssertionError unless operands come first and shapes fit."""
    for i, instr in enumerate(program.instrs):
        assert all(0 <= operand < i for operand in instr.operands), f"%{i}: operand not before"
        operands = [program.instrs[operand] for operand in instr.operands]
        if isinstance(instr.op, Primitive):
            shapes = [operand.shape for operand in operands]
            assert np.broadcast_shapes(*shapes) == instr.shape, f"%{i}: {shapes} → {instr.shape}"
        if instr.op in ("view", "gather"):
            assert instr.shape == instr.fact.shape, f"%{i}: shape"
            (source,) = operands
            assert 0 <= instr.fact.positions().max(initial=0) < max(1, source.shape[0]), f"%{i}"
        if instr.op not in ("broadcast", "sum_batch", "matmul_batch", "untake"):
            expected = any(operand.is_batched for operand in operands)
            assert instr.is_batched == expected or not operands, f"%{i}: batch"
    assert all(0 <= result < len(program.instrs) for result in program.results)


class Builder:
    """Makes instructions, each with its shape; equal ones once."""

    def __init__(self, instrs: Iterable[Instr] = ()) -> None:
        self.instrs = list(instrs)
        self._known: dict[Any, int] = {}
        for i, instr in enumerate(self.instrs):
            key = (instr.op, instr.operands, instr.shape, instr.is_batched, _key(instr.fact))
            self._known[key] = i

    def program(self, results: Sequence[int]) -> tuple[Program, dict[int, int]]:
        """The instructions on which `results` depend, and their numbers there by those here."""
        live = set(results)
        for i in range(len(self.instrs) - 1, -1, -1):
            if i in live:
                live.update(self.instrs[i].operands)
        order = sorted(live)
        number = {old: new for new, old in enumerate(order)}
        instrs = []
        for old in order:
            instr = self.instrs[old]
            operands = tuple(number[operand] for operand in instr.operands)
            instrs.append(
                Instr(instr.op, operands, instr.shape, instr.is_batched, instr.fact, instr.kind)
            )
        return Program(tuple(instrs), tuple(number[result] for result in results)), number

    def _add(self, op: Any, operands: tuple[int, ...], shape: Shape, **facts: Any) -> int:
        is_batched = facts.pop("is_batched", None)
        if is_batched is None:
            is_batched = any(self.instrs[operand].is_batched for operand in operands)
        fact = facts.pop("fact", None)
        key = (op, operands, shape, is_batched, _key(fact))
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = len(self.instrs)
            self.instrs.append(Instr(op, operands, shape, is_batched, fact, **facts))
        return known

    def shape(self, i: int) -> Shape:
        """The shape of an instruction's array, without the batch axis."""
        return self.instrs[i].shape

    def leaf(self, name: str, size: int, is_batched: bool) -> int:
        """An array that the caller gives."""
        return self._add("leaf", (), (size,), is_batched=is_batched, fact=name)

    def constant(self, values: npt.ArrayLike) -> int:
        """An array known now; a scalar if all its elements are equal."""
        array = np.asarray(values, dtype=float)
        if array.size and (array == array.flat[0]).all() and not np.signbit(array).any():
            array = np.full((1,) * array.ndim, array.flat[0])
        return self._add("constant", (), array.shape, is_batched=False, fact=array)

    def fetch(self, source: int, positions: npt.NDArray[np.intp]) -> int:
        """The elements of a flat array at `positions`, of their shape: a view if there is one."""
        size = self.instrs[source].shape[0]
        if positions.size == size and (positions.ravel() == np.arange(size)).all():
            return self.reshape(source, positions.shape)
        instr = self.instrs[source]
        if instr.op == "constant":
            return self.constant(instr.fact[positions if size > 1 else positions * 0])
        if positions.size and (positions == positions.flat[0]).all():
            positions = positions.flat[:1].reshape((1,) * positions.ndim)
        access = View.of(positions) or Gather(positions)
        op = "view" if isinstance(access, View) else "gather"
        return self._add(op, (source,), positions.shape, fact=access, kind=instr.kind)

    def reshape(self, i: int, shape: Shape) -> int:
        """The same elements in another shape."""
        if self.shape(i) == shape:
            return i
        return self._add("reshape", (i,), shape, kind=self.instrs[i].kind)

    def transpose(self, i: int) -> int:
        """The last two axes exchanged."""
        instr = self.instrs[i]
        if instr.op == "transpose":
            return instr.operands[0]
        *outer, rows, columns = instr.shape
        return self._add("transpose", (i,), (*outer, columns, rows))

    def apply(self, row: Primitive, operands: Sequence[int], kind: str = "f") -> int:
        """An elementwise op, its operands broadcast."""
        shape = np.broadcast_shapes(*[self.shape(i) for i in operands])
        return self._add(row, tuple(operands), shape, kind=kind)

    def reduce(self, row: Primitive, i: int) -> int:
        """A reduction of the last axis."""
        return self._add("reduce", (i,), self.shape(i)[:-1], fact=row)

    def matmul(self, a: int, b: int) -> int:
        """a @ b over the last two axes, of three if the matrices are stacked."""
        *outer, rows, _ = self.shape(a)
        return self._add("matmul", (a, b), (*outer, rows, self.shape(b)[-1]))

    def matmul_batch(self, a: int, b: int) -> int:
        """aᵀ @ b, summed over the batch: what the batch gives to unbatched matrices."""
        *outer, _, rows = self.shape(a)
        shape = (*outer, rows, self.shape(b)[-1])
        return self._add("matmul_batch", (a, b), shape, is_batched=False)

    def sum(self, i: int, axes: tuple[int, ...]) -> int:
        """The sum over axes, counted from the first after the batch's."""
        shape = tuple(size for axis, size in enumerate(self.shape(i)) if axis not in axes)
        return self._add("sum", (i,), shape, fact=axes) if axes else i

    def sum_batch(self, i: int) -> int:
        """The sum over the batch."""
        return self._add("sum_batch", (i,), self.shape(i), is_batched=False)

    def broadcast(self, i: int, shape: Shape, is_batched: bool = False) -> int:
        """Repeated along axes of size 1, and along the batch if `is_batched`."""
        instr = self.instrs[i]
        is_batched = is_batched or instr.is_batched
        if instr.shape == shape and instr.is_batched == is_batched:
            return i
        return self._add("broadcast", (i,), shape, kind=instr.kind, is_batched=is_batched)

    def take(self, source: int, table: npt.NDArray[np.intp], index: int) -> int:
        """Element `table[lane, index]` of a flat array, each lane's index known at run time."""
        return self._add("take", (source, index), (len(table),), fact=Gather(table))

    def untake(self, ct: int, index: int, table: Gather, size: int, is_batched: bool) -> int:
        """A flat array of zeros to which each lane is added where `take` has read it."""
        return self._add("untake", (ct, index), (size,), fact=table, is_batched=is_batched)

    def scatter(self, parts: Sequence[tuple[int, Any]], size: int) -> int:
        """A flat array of zeros to which each part is added at the places of its access."""
        if len(parts) == 1 and parts[0][1] is None:
            return parts[0][0]
        operands = tuple(i for i, _ in parts)
        return self._add("scatter", operands, (size,), fact=tuple(access for _, access in parts))

    def concatenate(self, operands: Sequence[int]) -> int:
        """Flat arrays one behind the other."""
        if len(operands) == 1:
            return operands[0]
        size = sum(self.shape(i)[0] for i in operands)
        kind = self.instrs[operands[0]].kind
        return self._add("concatenate", tuple(operands), (size,), kind=kind)


def _key(fact: Any) -> Any:
    if isinstance(fact, np.ndarray):
        return (fact.shape, fact.tobytes())
    return fact
