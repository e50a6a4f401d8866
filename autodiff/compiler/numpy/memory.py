"""Who computes into whose array, decided before any text is written.

A result has an array of its own, or is computed in its slot, a part of another array, or is
written over an operand that nothing reads any more.
"""

import math
from dataclasses import dataclass

import numpy as np

from autodiff.compiler.arrays.layout import Access, View
from autodiff.compiler.arrays.ops import CONCATENATE, COPY, MATMUL, SCATTER, VIEW
from autodiff.compiler.arrays.program import Instr, Program
from autodiff.compiler.numpy.liveness import Liveness
from autodiff.rows.primitive import Primitive

LARGE = 8192
"""Above this many elements, copying costs more than the views that it would save."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The part of another instruction's array in which an instruction is computed."""

    whole: int
    view: View
    """Where it lies in the whole array."""
    operand: int = -1
    """Which operand of the whole; -1 if the whole is a view, in whose order it is computed."""


class Memory:
    """The arrays of a program, and who computes into which."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.live = Liveness(program)
        self.batch_last = has_rows_alone(program)
        """Whether arrays are (n, batch): their parts, also those before a 1, are in one piece."""
        self.disjoint: set[int] = set()
        """Scatters no two parts of which overlap."""
        self.slots: dict[int, Slot] = {}
        self.held: dict[int, set[int]] = {}
        """For each whole, its operands that are computed in it."""
        self.over: dict[int, int] = {}
        """For each result that is written over an operand, that operand."""
        self._owners: dict[int, int] = {}
        """For each array that may be overwritten, the first instruction in its memory."""
        self._until = dict(self.live.last)
        """For each owner, the last instruction that reads what is in its memory now."""
        for i, instr in enumerate(program.instrs):
            self._find_slots(i, instr)
        for slot in self.slots.values():
            self.held.setdefault(slot.whole, set()).add(slot.operand)
        for i, instr in enumerate(program.instrs):
            self._find_owner(i, instr)

    def _find_slots(self, i: int, instr: Instr) -> None:
        if instr.op is SCATTER and is_disjoint(instr):
            self.disjoint.add(i)
            self._scatter(i, instr)
        elif instr.op is CONCATENATE:
            self._concatenate(i, instr)
        elif instr.op is VIEW:
            self._permute(i, instr)

    def _may_move(self, i: int, whole: Instr) -> bool:
        instr = self.program.instrs[i]
        return (
            i not in self.slots
            and i not in self.live.static
            and i not in self.live.fused
            and not _stays(instr)
            and instr.is_batched == whole.is_batched
            and instr.kind == whole.kind
        )

    def _scatter(self, i: int, instr: Instr) -> None:
        """Compute what only a scatter reads where the scatter would put it."""
        uses = self.live.uses
        for k, (operand, access) in enumerate(zip(instr.operands, instr.accesses, strict=True)):
            source: int = operand
            view: Access | None = access
            made = self.program.instrs[source]
            if made.op is VIEW and uses[source] == 1 and made.view.is_run():
                source = made.operands[0]
                inner = self.program.instrs[source]
                if inner.size != made.size:
                    continue
                view = View.of(access.positions().reshape(inner.shape), instr.size)
            if isinstance(view, View) and uses[source] == 1 and self._may_move(source, instr):
                self.slots[source] = Slot(i, view, k)

    def _concatenate(self, i: int, instr: Instr) -> None:
        """Compute the operands of a concatenation at their places in it."""
        for k, (start, operand) in enumerate(starts(self.program, instr)):
            made = self.program.instrs[operand]
            is_whole = operand not in self.live.viewed
            if self._may_move(operand, instr) and len(made.shape) == 1 and is_whole:
                self.slots[operand] = Slot(i, View(start, made.shape, (1,)), k)

    def _permute(self, i: int, instr: Instr) -> None:
        """Compute a result in the order in which it is read, if only one view reads it."""
        (source,) = instr.operands
        made = self.program.instrs[source]
        view = instr.view
        if (
            self.live.uses[source] > 1
            or view.is_run()
            or sorted(view.squeezed(), key=lambda axis: axis[1])[0][1] != 1
            or not view.is_permutation(made.size)
            or not self._may_move(source, instr)
            or not (isinstance(made.op, Primitive) or made.op is MATMUL)
        ):
            return
        back = np.empty(made.size, dtype=np.intp)
        back[view.positions().reshape(-1)] = np.arange(made.size)
        inverse = View.of(back.reshape(made.shape), made.size)
        if inverse is not None:
            self.slots[source] = Slot(i, inverse)

    def is_ordered(self, i: int) -> bool:
        """Whether `i` copies a view in whose order its source is computed: no copy is needed."""
        instr = self.program.instrs[i]
        slot = self.slots.get(self.live.base(instr.operands[0])) if instr.op is COPY else None
        return slot is not None and slot.whole == instr.operands[0]

    def _find_owner(self, i: int, instr: Instr) -> None:
        """Compute `i` over an operand if that is possible, else in an array of its own."""
        is_held = i in self.slots or i in self.live.fused
        if is_held or self.is_ordered(i) or (_stays(instr) and not self._may_reuse(i)):
            return
        for operand in _overwritable(instr):
            if self._may_overwrite(i, operand):
                owner = self._owners[i] = self._owners[self.live.base(operand)]
                self._until[owner] = self._until.get(i, i)
                self.over[i] = operand
                return
        self._owners[i] = i

    def _may_reuse(self, i: int) -> bool:
        """Whether a scatter's array, made once, has no zeros that each step counts on."""
        return self.is_filled(i) and not self.is_fresh(i)

    def zeroes(self, i: int) -> bool:
        """Whether `i`, where(mask, 0, kept), is written as zeros over `kept`, or a copy of it."""
        instr = self.program.instrs[i]
        if not (isinstance(instr.op, Primitive) and instr.op.chooses):
            return False
        _, zero, kept = instr.operands
        value, made = self.live.numbers.get(zero), self.program.instrs[kept]
        is_zero = isinstance(value, float) and value == 0 and math.copysign(1, value) > 0
        return is_zero and (made.shape, made.is_batched) == (instr.shape, instr.is_batched)

    def _may_overwrite(self, i: int, operand: int) -> bool:
        """Whether `i` is the last to read an operand's memory, and fills it."""
        instr, made = self.program.instrs[i], self.program.instrs[operand]
        array = self.live.base(operand)
        owner = self._owners.get(array)
        return (
            owner is not None
            and self._until[owner] == i
            and array not in self.live.static
            and (made.shape, made.is_batched, made.kind)
            == (instr.shape, instr.is_batched, instr.kind)
            and (made.op is not VIEW or made.view.is_run())
            and self.program.instrs[owner].size == made.size
            and all(
                other == operand or self._owners.get(self.live.base(other)) != owner
                for other in instr.operands
            )
        )

    def is_filled(self, i: int) -> bool:
        """Whether the parts of a scatter, none over another, fill all of it."""
        return i in self.disjoint and covers(self.program.instrs[i])

    def is_fresh(self, i: int) -> bool:
        """Whether each step makes the array of `i` anew: a large result, which so is not copied."""
        is_large = self.program.instrs[i].size >= LARGE and i in self.live.results
        return is_large and i not in self.live.static and self.is_filled(i)

    def is_copied(self, i: int) -> bool:
        """Whether each step copies a leaf to where its views, made once, look."""
        return self.program.instrs[i].size < LARGE and i in self.live.viewed

    def has_batch_last(self, instr: Instr) -> bool:
        """Whether the batch is the last axis of an array."""
        return instr.is_batched and self.batch_last

    def axis(self, instr: Instr) -> int:
        """The first axis of an array that is not that of the batch."""
        return int(instr.is_batched and not self.batch_last)

    def is_one_piece(self, i: int, may_turn: bool = True) -> bool:
        """Whether an array, or its transpose if that may be, is contiguous."""
        instrs = self.program.instrs
        array = self.live.base(i)
        slot = self.slots.get(array)
        if slot is not None and i != slot.whole:
            whole = instrs[slot.whole]
            is_filled = slot.view.is_permutation(whole.size) or not self.axis(whole)
            return i == array and slot.view.is_run() and is_filled
        if i == array or slot is not None:
            return True
        view = instrs[i].view
        if view.is_turned and may_turn:
            view = view.transposed()
        is_whole = instrs[array].size == instrs[i].size or not self.axis(instrs[array])
        return view.is_run() and is_whole


def _overwritable(instr: Instr) -> tuple[int, ...]:
    """The operands over which a result may be written."""
    if isinstance(instr.op, Primitive):
        return instr.operands
    return instr.operands[: int(instr.op.writes_over)]


def _stays(instr: Instr) -> bool:
    """Whether a result has no slot: it is given, or holds the slots of others."""
    row = instr.op
    return not isinstance(row, Primitive) and (row.is_free or row.holds_parts)


def has_rows_alone(program: Program) -> bool:
    """Whether no array of an example has more than one axis."""
    return all(
        (not instr.is_batched or len(instr.shape) == 1)
        and (isinstance(instr.op, Primitive) or instr.op.may_have_batch_last)
        for instr in program.instrs
    )


def is_disjoint(scatter: Instr) -> bool:
    """Whether no two parts of a scatter overlap."""
    positions = np.concatenate([access.positions().ravel() for access in scatter.accesses])
    return len(np.unique(positions)) == len(positions)


def covers(scatter: Instr) -> bool:
    """Whether the parts of a scatter, none over another, fill all of it."""
    sizes = [math.prod(access.shape) for access in scatter.accesses]
    return bool(sum(sizes) == scatter.size)


def starts(program: Program, instr: Instr) -> list[tuple[int, int]]:
    """The start of each operand of a concatenation, and its number."""
    sizes = [program.instrs[operand].size for operand in instr.operands]
    return list(zip(np.cumsum([0, *sizes]).tolist(), instr.operands, strict=False))
