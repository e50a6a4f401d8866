"""`Reached`: the elements of arrays that are sent a cotangent, as their readers say."""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Access, Gather, View, contiguous
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.arrays.reverse.masks import Literal, Literals, Mask, Masks

Change = Callable[[int], int]
"""A mask of a result → the mask that it means for an operand."""


class _Part(NamedTuple):
    """Elements of an array that one reader reaches, among those that `access` reads."""

    static: int | None
    literals: Callable[[], Literals] | None
    access: Access | None


_Clause = tuple[Literals, Access | None]


class Reached:
    """The parts of the arrays in `asked`; parts of others are dropped."""

    def __init__(self, builder: Builder, asked: Collection[int]) -> None:
        self.builder = builder
        self.masks = Masks(builder)
        self.asked = asked
        self._parts: dict[int, list[_Part]] = {}

    def __contains__(self, i: int) -> bool:
        return i in self._parts

    def give(
        self,
        i: int,
        mask: Mask,
        change: Change | None = None,
        access: Access | None = None,
        choice: Callable[[], Literals] | None = None,
    ) -> None:
        """Add the elements of `i` that a reader reaches: its own mask, changed, and its choice."""
        if i not in self.asked:
            return
        target = self.builder.instrs[i]
        shape = target.shape if access is None else access.shape

        def fitted(literal: Literal, change: Change | None) -> Literal:
            read, holds = literal
            made = self.builder.instrs[read]
            if made.size > 1 or target.is_batched < made.is_batched:
                read, holds = self.masks.holding(read, holds), True
            read = change(read) if change else read
            return self.masks.fitted(read, shape, target.is_batched), holds

        def literals() -> Literals:
            chosen = [fitted(literal, None) for literal in (choice() if choice else ())]
            return (*(fitted(literal, change) for literal in mask.literals), *chosen)

        static = None if mask.static is None else fitted((mask.static, True), change)[0]
        is_sure = not mask.literals and choice is None
        self._parts.setdefault(i, []).append(_Part(static, None if is_sure else literals, access))

    def total(self, i: int) -> Mask:
        """The elements of `i` that some part reaches; its parts are forgotten."""
        instr, parts = self.builder.instrs[i], self._parts.pop(i)
        sure = [part for part in parts if part.literals is None]
        if any(part.static is None and part.access is None for part in sure):
            return Mask()
        reached, surely = self._hits(instr, parts), self._hits(instr, sure)
        static = None if reached.all() else self.builder.constant(reached)
        return Mask(static, () if (reached == surely).all() else self._either(instr, parts))

    def _hits(self, instr: Instr, parts: Sequence[_Part]) -> npt.NDArray[np.bool_]:
        """The elements that some part reaches, as far as is known now."""
        hits = np.zeros(instr.size, dtype=bool)
        for part in parts:
            if part.access is None:
                places = np.arange(instr.size).reshape(instr.shape)
            else:
                places = part.access.positions()
            if part.static is not None:
                places = places[np.broadcast_to(self.masks.values(part.static), places.shape)]
            hits[places] = True
        return hits.reshape(instr.shape)

    def _either(self, instr: Instr, parts: Sequence[_Part]) -> Literals:
        """What holds where some part reaches an element."""
        clauses: list[_Clause] = []
        for part in parts:
            if part.literals is not None:
                clauses.append((part.literals(), part.access))
            else:
                known = self.builder.constant([True]) if part.static is None else part.static
                clauses.append((((known, True),), part.access))
        if not all(access is None or self._is_even(literals) for literals, access in clauses):
            return ((self._scattered(instr, clauses), True),)
        ones = (1,) * len(instr.shape)
        return self.masks.any_of(
            literals
            if access is None
            else tuple((self.builder.reshape(i, ones), holds) for i, holds in literals)
            for literals, access in clauses
        )

    def _is_even(self, literals: Literals) -> bool:
        """Whether each literal is one element for all, which only a call tells."""
        builder = self.builder
        return all(builder.instrs[i].size == 1 and not builder.is_known(i) for i, _ in literals)

    def _scattered(self, instr: Instr, clauses: Sequence[_Clause]) -> int:
        """Where the number of parts that reach an element is not 0."""
        builder = self.builder
        whole = View(0, instr.shape, contiguous(instr.shape))
        parts = []
        for literals, access in clauses:
            count = self.masks.count(self.masks.all_of(literals))
            place = access or whole
            positions = place.positions()
            if len(np.unique(positions)) < positions.size:  # a view that reads an element twice
                place = Gather(positions)
            parts.append((builder.broadcast(count, place.shape, instr.is_batched), place))
        return self.masks.positive(builder.scatter(parts, instr.shape))
