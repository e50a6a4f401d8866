"""Where each array of a program lives: in memory of its own, or at its place in another's."""

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import View
from autodiff.compiler.arrays.ops import (
    CONCATENATE,
    CONSTANT,
    LEAF,
    MATMUL,
    SCATTER,
    SUM,
    SUM_BATCH,
    VIEW,
)
from autodiff.compiler.arrays.program import Instr, Program, base
from autodiff.rows.primitive import Primitive


@dataclass(frozen=True, slots=True)
class Place:
    """A part of the array of another instruction, which is computed there."""

    whole: int
    view: View
    """Of the whole array."""
    part: int = -1
    """Which operand of the whole; -1 for a view of it."""


@dataclass
class Homes:
    """What is known of a program's arrays before a line is written."""

    program: Program
    uses: Counter[int] = field(default_factory=Counter)
    users: dict[int, list[int]] = field(default_factory=dict)
    fused: set[int] = field(default_factory=set)
    """Products that are summed as they are made: a dot along the last axis, or the batch."""
    static: set[int] = field(default_factory=set)
    """What is the same for every call with one batch size."""
    places: dict[int, Place] = field(default_factory=dict)
    parts: dict[int, set[int]] = field(default_factory=dict)
    """Which operands of a whole are computed in it."""
    last: dict[int, int] = field(default_factory=dict)
    """The last instruction that reads an array, itself or through a view."""

    def __post_init__(self) -> None:
        program = self.program
        self.results = frozenset(program.results)
        self._viewed = {instr.operands[0] for instr in program.instrs if instr.op is VIEW}
        for i, instr in enumerate(program.instrs):
            for operand in instr.operands:
                self.uses[operand] += 1
                self.users.setdefault(operand, []).append(i)
            is_given = instr.op is LEAF and instr.leaf != "seed"
            if not is_given and self.static.issuperset(instr.operands):
                self.static.add(i)
        self.uses.update(program.results)
        for i, instr in enumerate(program.instrs):
            if self._is_fused(i, instr):
                self.fused.add(i)
            read = self.users[i][0] if i in self.fused else i
            for operand in instr.operands:
                owner = self.base(operand)
                self.last[owner] = max(read, self.last.get(owner, 0))
        self.last.update(dict.fromkeys(map(self.base, program.results), len(program.instrs)))
        for i, instr in enumerate(program.instrs):
            if instr.op is SCATTER and is_disjoint(instr):
                self._scatter(i, instr)
            elif instr.op is CONCATENATE:
                self._concatenate(i, instr)
            elif instr.op is VIEW:
                self._permute(i, instr)
        for place in self.places.values():
            self.parts.setdefault(place.whole, set()).add(place.part)

    def base(self, i: int) -> int:
        """The instruction whose array holds the elements of `i`: itself, unless a view."""
        return base(self.program.instrs, i)

    def _is_fused(self, i: int, instr: Instr) -> bool:
        if instr.op is not ops.mul or self.uses[i] > 1 or i in self.results:
            return False
        made = [self.program.instrs[operand] for operand in instr.operands]
        (user,) = (self.program.instrs[user] for user in self.users[i])
        if any(x.op is CONSTANT or x.kind != "f" for x in made):
            return False
        if user.op is SUM_BATCH:
            return all(x.size == 1 and x.is_batched for x in made)
        is_last = user.op is SUM and user.axes == (len(instr.shape) - 1,)
        return is_last and all(x.shape == instr.shape for x in made)

    def _may_move(self, i: int, whole: Instr) -> bool:
        instr = self.program.instrs[i]
        return (
            i not in self.places
            and i not in self.static
            and i not in self.fused
            and (isinstance(instr.op, Primitive) or not (instr.op.is_free or instr.op.holds_parts))
            and instr.is_batched == whole.is_batched
            and instr.kind == whole.kind
        )

    def _scatter(self, i: int, instr: Instr) -> None:
        """What is only scattered, to where nothing else goes, is computed there."""
        for k, (operand, access) in enumerate(zip(instr.operands, instr.accesses, strict=True)):
            source = operand
            view = access if isinstance(access, View) else None
            made = self.program.instrs[source]
            if made.op is VIEW and self.uses[source] == 1 and made.view.is_run():
                source = made.operands[0]
                inner = self.program.instrs[source]
                if inner.size != made.size:
                    continue
                view = View.of(access.positions().reshape(inner.shape), instr.size)
            if view is not None and self.uses[source] == 1 and self._may_move(source, instr):
                self.places[source] = Place(i, view, k)

    def _concatenate(self, i: int, instr: Instr) -> None:
        """What is joined with others is computed at its place among them."""
        start = 0
        for k, operand in enumerate(instr.operands):
            made = self.program.instrs[operand]
            is_whole = operand not in self._viewed
            if self._may_move(operand, instr) and len(made.shape) == 1 and is_whole:
                self.places[operand] = Place(i, View(start, made.shape, (1,)), k)
            start += made.size

    def _permute(self, i: int, instr: Instr) -> None:
        """What is only read in another order is computed in that order."""
        (source,) = instr.operands
        made = self.program.instrs[source]
        view = instr.view
        if (
            self.uses[source] > 1
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
            self.places[source] = Place(i, inverse)


def is_disjoint(scatter: Instr) -> bool:
    """Whether no two parts of a scatter go to one place."""
    places = np.concatenate([access.positions().ravel() for access in scatter.accesses])
    return len(np.unique(places)) == len(places)


def covers(scatter: Instr) -> bool:
    """Whether the parts of a scatter, none over another, fill all of it."""
    sizes = [math.prod(access.shape) for access in scatter.accesses]
    return bool(sum(sizes) == scatter.size)


def starts(program: Program, instr: Instr) -> list[tuple[int, int]]:
    """Where each operand of a concatenation begins, and which it is."""
    sizes = [program.instrs[operand].size for operand in instr.operands]
    return list(zip(np.cumsum([0, *sizes]).tolist(), instr.operands, strict=False))
