"""Which elements eager execution sends a cotangent to: none crosses to what was not chosen.

That is a fact of the program, whatever the cotangents are: one of 0 is sent like any other. It
matters where a partial may be infinite, since 0 times that is nan, and is found by a sweep back
in which each instruction says what it reaches of its operands. The answer may be too wide.
"""

from collections.abc import Callable, Sequence, Set
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather, Shape, View, contiguous
from autodiff.compiler.arrays.masks import NOT, Literal, Literals, Mask, Masks
from autodiff.compiler.arrays.operands import Lanes
from autodiff.compiler.arrays.program import Instr, base
from autodiff.rows.primitive import Domain, Primitive
from autodiff.rows.reduction import Reduction

Change = Callable[[int], int]


class _Part(NamedTuple):
    """What one reader reaches of an array, or of what `access` reads of it."""

    static: int | None
    literals: Callable[[], Literals] | None
    access: Any


def unreached(builder: Builder, results: Sequence[int], crossed: Set[int]) -> dict[int, int]:
    """For rows with a partial that may be infinite, the elements that no cotangent is sent to.

    `crossed` are the instructions that depend on what is differentiated by. A row is left out
    if all its elements are reached, or if they read nothing else than those that are.
    """
    return _Reach(builder, crossed).run(results)


class _Reach:
    def __init__(self, builder: Builder, crossed: Set[int]) -> None:
        self.builder = builder
        self.masks = Masks(builder)
        self.parts: dict[int, list[_Part]] = {}
        self.asked: set[int] = set()
        """Rows whose partial may be infinite, and what depends on their results."""
        for i in sorted(crossed):
            instr = builder.instrs[i]
            if _is_singular(self.builder, instr) or not self.asked.isdisjoint(instr.operands):
                self.asked.add(i)

    def run(self, results: Sequence[int]) -> dict[int, int]:
        found = {}
        for result in results:
            self._give(result, Mask())
        for i in range(max(results, default=-1), -1, -1):
            if i not in self.parts:
                continue
            instr = self.builder.instrs[i]
            mask = self._total(instr, self.parts.pop(i))
            if _is_singular(self.builder, instr):
                missed = self._missed(instr, mask)
                if missed is not None:
                    found[i] = missed
            self._through(i, instr, mask)
        return found

    def _missed(self, instr: Instr, mask: Mask) -> int | None:
        terms = [self.masks.holding(i, not holds) for i, holds in mask.literals]
        if mask.static is not None and self._reads_more(instr, mask.static):
            terms.append(self.builder.apply(NOT, [mask.static]))
        return self.masks.joined(ops.logical_or, terms) if terms else None

    def _reads_more(self, instr: Instr, static: int) -> bool:
        """Whether elements not reached read something else that may be an edge of a domain."""
        assert isinstance(instr.op, Primitive)
        reached = np.broadcast_to(self.masks.fact(static), instr.shape)
        for operand, domain in zip(instr.operands, instr.op.domain, strict=False):
            if domain != Domain():
                places = np.broadcast_to(self.builder.place(operand)[1], instr.shape)
                if np.setdiff1d(places[~reached], places[reached]).size:
                    return True
        return False

    # Parts that meet

    def _give(
        self,
        i: int,
        mask: Mask,
        change: Change | None = None,
        access: Any = None,
        choice: Callable[[], Literals] | None = None,
    ) -> None:
        """Add what a reader reaches of `i`: its own mask, after `change`, and its choice."""
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
        self.parts.setdefault(i, []).append(_Part(static, None if is_sure else literals, access))

    def _total(self, instr: Instr, parts: Sequence[_Part]) -> Mask:
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
                places = places[np.broadcast_to(self.masks.fact(part.static), places.shape)]
            hits[places] = True
        return hits.reshape(instr.shape)

    def _either(self, instr: Instr, parts: Sequence[_Part]) -> Literals:
        """What holds where some part reaches an element."""
        clauses: list[tuple[Literals, Any]] = []
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
        """Whether one element, not known now, says it for all."""
        instrs = [self.builder.instrs[i] for i, _ in literals]
        return all(instr.size == 1 and instr.op != "constant" for instr in instrs)

    def _scattered(self, instr: Instr, clauses: Sequence[tuple[Literals, Any]]) -> int:
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

    # What each op reaches of its operands

    def _through(self, i: int, instr: Instr, mask: Mask) -> None:
        operands, shape = instr.operands, instr.shape
        fitted = self.masks.fitted
        match instr.op:
            case Primitive():
                self._elementwise(i, instr, instr.op, mask)
            case "view":
                self._give(operands[0], mask, access=instr.fact.narrowed())
            case "gather":
                self._give(operands[0], mask, access=instr.fact)
            case "copy" | "cast" | "broadcast" | "sum_batch":
                self._give(operands[0], mask)
            case "sum":
                self._give(operands[0], mask, lambda x: self._opened(x, instr.fact))
            case "reduce":
                self._reduction(i, instr, instr.fact, mask)
            case "matmul":
                row = (*shape[:-2], 1, shape[-1])
                self._give(operands[0], mask, lambda x: fitted(x, (*shape[:-1], 1)))
                self._give(operands[1], mask, lambda x: fitted(x, row))
            case "matmul_batch":
                self._matmul_batch(instr, mask)
            case "concatenate":
                start = 0
                for operand in operands:
                    part = np.arange(start, start + self.builder.instrs[operand].size)
                    start += len(part)
                    self._give(operand, mask, self._picking(operand, shape, part))
            case "scatter":
                for operand, access in zip(operands, instr.fact, strict=True):
                    self._give(operand, mask, self._picking(operand, shape, access.positions()))
            case _:  # which of them an index chooses is not asked
                for operand in operands:
                    self._give(operand, mask, lambda x: fitted(x, (1,) * len(shape)))

    def _opened(self, i: int, axes: Sequence[int]) -> int:
        """With axes of one element put in."""
        sizes = list(self.builder.shape(i))
        for axis in sorted(axes):
            sizes.insert(axis, 1)
        return self.builder.reshape(i, tuple(sizes))

    def _picking(self, operand: int, shape: Shape, places: npt.NDArray[np.intp]) -> Change:
        """What a mask of `shape` says of an operand whose elements went to `places`."""
        builder = self.builder

        def picked(x: int) -> int:
            if builder.instrs[x].size == 1:
                return x
            found = builder.fetch(builder.broadcast(x, shape), places)
            return builder.reshape(found, builder.shape(operand))

        return picked

    def _matmul_batch(self, instr: Instr, mask: Mask) -> None:
        left, right = instr.operands
        *outer, rows, columns = instr.shape
        is_row = len(self.builder.shape(left)) == 1

        def to_left(x: int) -> int:
            found = self.masks.fitted(x, (*outer, rows, 1))
            *stack, size, _ = self.builder.shape(found)
            return self.builder.reshape(found, (size,) if is_row else (*stack, 1, size))

        def to_right(x: int) -> int:
            found = self.masks.fitted(x, (*outer, 1, columns))
            *stack, _, size = self.builder.shape(found)
            return self.builder.reshape(found, (size,) if is_row else (*stack, 1, size))

        self._give(left, mask, to_left)
        self._give(right, mask, to_right)

    def _elementwise(self, i: int, instr: Instr, row: Primitive, mask: Mask) -> None:
        partials = row.partials * (len(instr.operands) if isinstance(row, Reduction) else 1)
        conditions = [x for x, p in zip(instr.operands, partials, strict=True) if p is None]
        is_known = any(self.builder.instrs[x].op == "constant" for x in conditions)
        for k, operand in enumerate(instr.operands):
            if partials[k] is None or operand not in self.asked:
                continue
            if not row.guards:
                self._give(operand, mask)
            elif is_known:
                self._give(operand, self._cut(mask, self._partial(i, k)))
            else:
                self._give(operand, mask, choice=partial(self._chosen, i, k))

    def _chosen(self, i: int, k: int) -> Literals:
        """Where operand k of `i` is chosen."""
        return self._choice(self._partial(i, k))

    def _partial(self, i: int, k: int) -> Any:
        """d `i` / d operand k."""
        instr = self.builder.instrs[i]
        row = instr.op
        assert isinstance(row, Primitive)
        out, operands = Lanes(self.builder, i), [Lanes(self.builder, x) for x in instr.operands]
        if isinstance(row, Reduction):
            return row.partials_at(operands, out)[k]
        slope = row.partials[k]
        assert slope is not None
        return slope(*operands, out)

    def _cut(self, mask: Mask, slope: Any) -> Mask:
        """The mask without elements that are known not to be chosen."""
        instr = self.builder.instrs[slope.index] if isinstance(slope, Lanes) else None
        if instr is not None and instr.op != "constant":
            return mask
        chosen = self.builder.constant(np.asarray(instr.fact if instr else slope) != 0)
        terms = [chosen] if mask.static is None else [mask.static, chosen]
        return mask._replace(static=self.masks.joined(ops.logical_and, terms))

    def _choice(self, slope: Any) -> Literals:
        """Where a partial is not 0."""
        builder = self.builder
        if not isinstance(slope, Lanes):
            return () if slope else ((builder.constant([False]), True),)
        instr = builder.instrs[slope.index]
        if instr.op is ops.where:
            condition, *values = instr.operands
            chosen = [builder.only(x) for x in values]
            if None not in chosen and builder.instrs[condition].kind == "b":
                if chosen[0] and not chosen[1]:
                    return (self.masks.literal(condition, True),)
                if chosen[1] and not chosen[0]:
                    return (self.masks.literal(condition, False),)
        return ((builder.condition(slope.index), True),)

    def _reduction(self, i: int, instr: Instr, row: Reduction, mask: Mask) -> None:
        builder, (source,) = self.builder, instr.operands
        width = len(instr.shape)

        def choice() -> Literals:
            out = Lanes(builder, builder.reshape(i, (*instr.shape, 1)))
            (slope,) = row.partials_at([Lanes(builder, source)], out)
            return self._choice(slope)

        chooses = row.guards and row.by_element
        self._give(
            source, mask, lambda x: self._opened(x, [width]), choice=choice if chooses else None
        )


def may_be_infinite(builder: Builder, i: int) -> bool:
    """Whether an array holds what a row makes whose partial may be infinite: so may that be."""
    row = builder.instrs[base(builder.instrs, i)].op
    return isinstance(row, Primitive) and row.singular


def _is_singular(builder: Builder, instr: Instr) -> bool:
    """Whether a partial may be infinite: of 1 / x by x, and of w · (1 / x) by w."""
    if not isinstance(instr.op, Primitive) or instr.op.selects:
        return False
    return instr.op.singular or any(may_be_infinite(builder, x) for x in instr.operands)
