"""`Builder`: makes the instructions of an array program, equal ones once, in simplest form."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.arrays.layout import (
    ANY,
    Gather,
    Positions,
    Shape,
    View,
    common_shape,
    contiguous,
    periods,
)
from autodiff.compiler.arrays.program import KEEPS_KIND, Instr, Program, casts_booleans
from autodiff.compiler.arrays.rewrite import operands_of, simplify
from autodiff.rows.primitive import Primitive


class Builder:
    """The instructions so far. A method that makes one returns its number."""

    def __init__(self, instrs: Iterable[Instr] = ()) -> None:
        self.instrs = list(instrs)
        self._known = {_key(instr): i for i, instr in enumerate(self.instrs)}
        self.unsigned: list[bool] = []
        """Of the instructions so far for which it was asked: see `is_unsigned`."""

    def program(self, results: Sequence[int]) -> tuple[Program, dict[int, int]]:
        """The instructions on which `results` depend, and their numbers there by those here."""
        live = set(results)
        for i in range(len(self.instrs) - 1, -1, -1):
            if i in live:
                live.update(self.instrs[i].operands)
        number = {old: new for new, old in enumerate(sorted(live))}
        instrs = []
        for old in number:
            instr = self.instrs[old]
            operands = tuple(number[operand] for operand in instr.operands)
            instrs.append(
                Instr(instr.op, operands, instr.shape, instr.is_batched, instr.fact, instr.kind)
            )
        return Program(tuple(instrs), tuple(number[result] for result in results)), number

    def _add(
        self,
        op: str | Primitive,
        operands: tuple[int, ...],
        shape: Shape,
        is_batched: bool | None = None,
        fact: Any = None,
        kind: str = "f",
    ) -> int:
        if isinstance(op, str) and op not in KEEPS_KIND:
            operands = tuple([self.number(operand) for operand in operands])
        if is_batched is None:
            is_batched = any(self.instrs[operand].is_batched for operand in operands)
        instr = Instr(op, operands, shape, is_batched, fact, kind)
        known = self._known.setdefault(_key(instr), len(self.instrs))
        if known == len(self.instrs):
            self.instrs.append(instr)
        return known

    def shape(self, i: int) -> Shape:
        """The shape of an instruction's array, without the batch axis."""
        return self.instrs[i].shape

    # Arrays that are there

    def leaf(self, name: str, size: int, is_batched: bool, kind: str = "f") -> int:
        """An array that the caller gives."""
        return self._add("leaf", (), (size,), is_batched, name, kind)

    def constant(self, values: npt.ArrayLike) -> int:
        """An array known now; of one element if all its elements are the same."""
        array = np.asarray(values)
        array = array.astype(bool if array.dtype.kind == "b" else float)
        bits = np.ascontiguousarray(array).reshape(-1).view(f"V{array.itemsize}")
        if array.size and (bits == bits[0]).all():
            array = array.reshape(-1)[:1].reshape((1,) * array.ndim)
        return self.known(array)

    def known(self, array: npt.NDArray[Any]) -> int:
        """An array known now, with all its elements."""
        kind = "b" if array.dtype.kind == "b" else "f"
        return self._add("constant", (), array.shape, False, array, kind)

    def only(self, i: int) -> float | None:
        """The element of a constant of one; None for anything else."""
        instr = self.instrs[i]
        is_one = instr.op == "constant" and instr.size == 1
        return float(instr.fact.flat[0]) if is_one else None

    def cast(self, i: int) -> int:
        """Integers or booleans as floats."""
        instr = self.instrs[i]
        if instr.op == "constant":
            return self.known(instr.fact.astype(float))
        if instr.op == "view":  # what is read in several ways is cast once
            return self.view(self.cast(instr.operands[0]), instr.fact)
        return self._add("cast", (i,), instr.shape)

    # A condition is a number for whatever computes, and a number a condition for what chooses.

    def number(self, i: int) -> int:
        """The array as numbers: 1.0 and 0.0 for booleans."""
        return self.cast(i) if self.instrs[i].kind == "b" else i

    def condition(self, i: int) -> int:
        """The array as booleans: where a number is not 0."""
        is_known = self.instrs[i].kind == "b"
        return i if is_known else self.apply(ops.not_equal, [i, self.constant([0.0])])

    # The same elements elsewhere

    def place(self, i: int) -> tuple[int, Positions]:
        """The array, no view, that holds the elements of `i`, and where."""
        instr = self.instrs[i]
        if instr.op == "view":
            return instr.operands[0], instr.fact.positions()
        return i, np.arange(instr.size).reshape(instr.shape)

    def view(self, i: int, view: View) -> int:
        """A view of an array that is none."""
        instr = self.instrs[i]
        if view.is_whole(instr.shape):
            return i
        return self._add("view", (i,), view.shape, fact=view, kind=instr.kind)

    def fetch(self, source: int, positions: Positions) -> int:
        """The elements at `positions`, in their shape: a view if there is one, else a gather.

        Where the position is `ANY`, any element.
        """
        if self.instrs[source].op == "view":
            source, places = self.place(source)
            positions = np.where(positions >= 0, places.reshape(-1)[positions], ANY)
        instr = self.instrs[source]
        if instr.op == "constant":
            return self.known(instr.fact.reshape(-1)[positions * (instr.size > 1)])
        view = View.of(positions, instr.size)
        if view is not None:
            return self.view(source, view)
        copied = self._copied(source, positions)
        if copied is not None:
            return copied
        gather = Gather(np.maximum(positions, 0))
        return self._add("gather", (source,), gather.shape, fact=gather, kind=instr.kind)

    def _copied(self, source: int, positions: Positions) -> int | None:
        """The elements at `positions` by a view of more axes, copied; None if there is none."""
        shape, flat = positions.shape, positions.reshape(-1)
        blocks = periods(flat) if (flat >= 0).all() else None
        if blocks is None:
            return None
        finer = common_shape([blocks, contiguous(shape)], flat.size)
        view = finer and View.of(flat.reshape(finer), self.instrs[source].size)
        if not view:
            return None
        i = self.view(source, view)
        return self.reshape(self._add("copy", (i,), view.shape, kind=self.instrs[i].kind), shape)

    def narrowed(self, i: int) -> int:
        """Without the repetitions of a view or constant, which NumPy's broadcasting makes."""
        instr = self.instrs[i]
        if instr.op == "constant":
            return self.constant(instr.fact)
        return self.view(instr.operands[0], instr.fact.narrowed()) if instr.op == "view" else i

    def reshape(self, i: int, shape: Shape) -> int:
        """The same elements in another shape; a copy where no view has it."""
        if self.shape(i) == shape:
            return i
        instr = self.instrs[i]
        if instr.op == "constant":
            return self.known(instr.fact.reshape(shape))
        if instr.op != "view":
            return self.view(i, View(0, shape, contiguous(shape)))
        source, places = self.place(i)
        view = View.of(places.reshape(shape), self.instrs[source].size)
        if view is not None:
            return self.view(source, view)
        return self.reshape(self._add("copy", (i,), instr.shape, kind=instr.kind), shape)

    def transpose(self, i: int) -> int:
        """The last two axes exchanged."""
        instr = self.instrs[i]
        match instr.op:
            case "view":
                return self.view(instr.operands[0], instr.fact.transposed())
            case "matmul_batch":  # (aᵀ b)ᵀ → bᵀ a
                a, b = instr.operands
                return self.matmul_batch(b, a)
            case "constant":
                return self.known(np.swapaxes(instr.fact, -1, -2))
        return self.view(i, View(0, instr.shape, contiguous(instr.shape)).transposed())

    def broadcast(self, i: int, shape: Shape, is_batched: bool = False) -> int:
        """Repeated along axes of size 1, and along the batch if `is_batched`."""
        if self.shape(i) != shape:
            source, places = self.place(i)
            if self.instrs[source].op == "constant":
                i = self.known(np.broadcast_to(self.instrs[source].fact, shape))
            else:
                i = self.fetch(source, np.broadcast_to(places, shape))
        if is_batched and not self.instrs[i].is_batched:
            i = self._add("broadcast", (i,), shape, True, kind=self.instrs[i].kind)
        return i

    def concatenate(self, operands: Sequence[int]) -> int:
        """Flattened arrays one behind the other."""
        if len(operands) == 1:
            return operands[0]
        operands = [self.number(i) for i in operands]
        size = sum(self.instrs[i].size for i in operands)
        return self._add(
            "concatenate", tuple(operands), (size,), kind=self.instrs[operands[0]].kind
        )

    def scatter(self, parts: Sequence[tuple[int, Any]], shape: Shape) -> int:
        """An array of zeros to which each part is added at the places of its access."""
        ((first, access), *others) = parts
        size = math.prod(shape)
        if not others and isinstance(access, View) and access.is_permutation(size):
            back = np.empty(size, dtype=np.intp)
            back[access.positions().reshape(-1)] = np.arange(size)
            return self.fetch(first, back.reshape(shape))
        accesses = tuple(access for _, access in parts)
        return self._add("scatter", tuple(i for i, _ in parts), shape, fact=accesses)

    # What computes

    def apply(self, row: Primitive, operands: Sequence[int]) -> int:
        """An elementwise op, its operands broadcast."""
        operands = self._as_read(row, operands)
        simple = simplify(self, row, operands)
        if simple is not None:
            return simple
        shape = np.broadcast_shapes(*[self.shape(i) for i in operands])
        return self._add(row, tuple(operands), shape, kind="b" if row.is_predicate else "f")

    def _as_read(self, row: Primitive, operands: Sequence[int]) -> list[int]:
        """The operands as a row reads them: conditions as booleans, others as numbers."""
        if casts_booleans(row, [self.instrs[i].kind for i in operands]):
            return list(operands)
        return [
            self.condition(i) if k in row.conditions else self.number(i)
            for k, i in enumerate(operands)
        ]

    def reduce(self, row: Primitive, i: int) -> int:
        """A reduction of the last axis."""
        return self._add("reduce", (i,), self.shape(i)[:-1], fact=row)

    def logsumexp(self, i: int) -> int:
        """The reduction of that name, its exponentials and their sum arrays of their own.

        So the backward pass, which is a softmax, has them.
        """
        top = self._add("top", (i,), (*self.shape(i)[:-1], 1))
        total = self.sum(
            self.apply(ops.exp, [self.apply(ops.sub, [i, top])]), (len(self.shape(i)) - 1,)
        )
        return self.apply(
            ops.add, [self.apply(ops.log, [total]), self.reshape(top, self.shape(total))]
        )

    def matmul(self, a: int, b: int) -> int:
        """a @ b over the last two axes, of more if the matrices are stacked."""
        return self._add("matmul", (a, b), (*self.shape(a)[:-1], self.shape(b)[-1]))

    def matmul_batch(self, a: int, b: int) -> int:
        """aᵀ @ b, summed over the batch: what the batch gives to unbatched matrices."""
        *outer, columns = self.shape(a)
        return self._add("matmul_batch", (a, b), (*outer[:-1], columns, self.shape(b)[-1]), False)

    def sum(self, i: int, axes: tuple[int, ...]) -> int:
        """The sum over axes, counted from the first after the batch's."""
        if not axes:
            return i
        instr = self.instrs[i]
        if inner := operands_of(self, i, ops.neg):  # Σ -x → -Σ x
            return self.apply(ops.neg, [self.sum(inner[0], axes)])
        shape = tuple(size for axis, size in enumerate(instr.shape) if axis not in axes)
        if all(instr.shape[axis] == 1 for axis in axes):
            return self.reshape(i, shape)
        return self._add("sum", (i,), shape, fact=axes)

    def sum_batch(self, i: int) -> int:
        """The sum over the batch."""
        if inner := operands_of(self, i, ops.neg):
            return self.apply(ops.neg, [self.sum_batch(inner[0])])
        return self._add("sum_batch", (i,), self.shape(i), False)

    # What indices choose at run time

    def rows(self, matrix: int, index: int) -> int:
        """The rows of an unbatched matrix at `index`."""
        return self._add("rows", (matrix, index), (*self.shape(index), self.shape(matrix)[-1]))

    def add_rows(self, ct: int, index: int, shape: Shape) -> int:
        """A matrix of zeros to which each row is added where `rows` has read it."""
        return self._add("add_rows", (ct, index), shape, False)

    def take(self, source: int, table: Gather, index: int) -> int:
        """The element at `table.places[lane, index[lane]]`, for each lane."""
        return self._add("take", (source, index), self.shape(index), fact=table)

    def untake(self, ct: int, table: Gather, index: int, shape: Shape, is_batched: bool) -> int:
        """An array of zeros to which each lane is added where `take` has read it."""
        return self._add("untake", (ct, index), shape, is_batched, table)


def _key(instr: Instr) -> Any:
    fact = instr.fact
    if isinstance(fact, np.ndarray):
        fact = fact.shape, fact.tobytes()
    return instr.op, instr.operands, instr.shape, instr.is_batched, fact, instr.kind
