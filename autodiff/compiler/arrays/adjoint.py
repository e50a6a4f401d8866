"""Reverse mode on the array program: its result is a program again."""

import math
from typing import Any

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather, Positions, View
from autodiff.compiler.arrays.operands import Lanes
from autodiff.compiler.arrays.program import Instr, base
from autodiff.compiler.arrays.reach import may_be_infinite, unreached
from autodiff.compiler.arrays.rewrite import is_moderate, is_share
from autodiff.rows.primitive import Primitive, declare
from autodiff.rows.reduction import Reduction

MASKED = declare(
    Primitive(
        "masked",
        lambda partial, ct, zero: ct * partial if partial else zero,
        (
            lambda partial, ct, zero, out: ops.where((partial > 0) | (partial < 0), ct, 0.0),
            lambda partial, ct, zero, out: partial,
            None,
        ),
        "np.where({0} != 0, {0} * {1}, {2})",
        (),
        "masked",
        selects=True,
    ),
    is_inner=True,
)
"""ct times partial, and 0 where the partial is 0, whatever ct is there."""


def adjoint(
    builder: Builder,
    results: list[tuple[int, int]],
    sources: list[int],
    names: dict[int, int],
) -> list[int]:
    """The cotangents of `sources`, appended to the program; each of the shape of its source.

    `results` are pairs of an array and its cotangent. `names` receives of what each array that
    is made is the cotangent.

    Where inf meets a cotangent of 0 that eager execution would not have sent, the result is nan,
    unless it is behind a choice.
    """
    return _Adjoint(builder, names).run(results, sources)


class _Adjoint:
    def __init__(self, builder: Builder, names: dict[int, int]) -> None:
        self.builder = builder
        self.names = names
        self.parts: dict[int, list[tuple[int, Any]]] = {}
        self.reaches: set[int] = set()
        self.unreached: dict[int, int] = {}

    def run(self, results: list[tuple[int, int]], sources: list[int]) -> list[int]:
        instrs = self.builder.instrs
        given = frozenset(sources)
        self.reaches = set(given)
        for i, instr in enumerate(instrs):
            # No slope crosses a condition.
            if instr.kind == "f" and not self.reaches.isdisjoint(instr.operands):
                self.reaches.add(i)
        self.unreached = unreached(self.builder, [result for result, _ in results], self.reaches)
        for result, seed in results:
            self._give(result, seed)
        for i in range(max((result for result, _ in results), default=-1), -1, -1):
            if i in self.parts and i in self.reaches and i not in given:
                self._through(i, instrs[i], self._total(i))
        return [self._final(source) for source in sources]

    def _final(self, source: int) -> int:
        total = self._total(source) if source in self.parts else self.builder.constant([0.0])
        return self.builder.broadcast(total, self.builder.shape(source))

    # Cotangents that meet

    def _give(self, i: int, ct: int, access: Any = None) -> None:
        """Add to the cotangent of `i`, or to the part of it that `access` reads."""
        builder = self.builder
        if i not in self.reaches:
            return
        target = builder.instrs[i]
        if not target.is_batched and builder.instrs[ct].is_batched:
            ct = builder.sum_batch(ct)
        if access is None:
            ct = self._fit(ct, target)
        else:
            ct = builder.broadcast(ct, access.shape, target.is_batched)
        self.parts.setdefault(i, []).append((ct, access))

    def _fit(self, ct: int, target: Instr) -> int:
        """`ct` in a shape that broadcasts to that of `target`: what was broadcast is summed."""
        builder = self.builder
        shape = builder.shape(ct)
        extra = len(shape) - len(target.shape)
        narrow = (*(1,) * extra, *target.shape)
        axes = tuple(k for k, size in enumerate(narrow) if size == 1 < shape[k])
        if axes or extra > 0:
            kept = tuple(1 if k + extra in axes else n for k, n in enumerate(shape[extra:]))
            ct = builder.reshape(builder.sum(ct, axes), kept)
        return ct

    def _total(self, i: int) -> int:
        builder = self.builder
        placed: dict[Any, int] = {}
        total = -1
        for ct, access in self.parts[i]:
            known = total if access is None else placed.get(access, -1)
            ct = ct if known < 0 else builder.apply(ops.add, [known, ct])
            if access is None:
                total = ct
            else:
                placed[access] = ct
        if placed:
            parts = [(ct, access) for access, ct in placed.items()]
            whole = builder.scatter(parts, builder.shape(i))
            total = whole if total < 0 else builder.apply(ops.add, [total, whole])
        self.names.setdefault(base(builder.instrs, total), i)
        return total

    # What each op does to the cotangent of its result

    def _through(self, i: int, instr: Instr, ct: int) -> None:
        builder = self.builder
        ct = self._spread(instr, ct)
        if isinstance(instr.op, Primitive):
            self._elementwise(i, instr, ct)
            return
        ct = builder.broadcast(ct, instr.shape)
        source, *rest = instr.operands
        shape, is_batched = builder.shape(source), builder.instrs[source].is_batched
        match instr.op:
            case "matmul":
                (b,) = rest
                self._matmul(source, b, ct)
            case "matmul_batch":
                (b,) = rest
                self._give(source, builder.matmul(b, builder.transpose(ct)))
                self._give(b, builder.matmul(source, ct))
            case "view" | "gather":
                self._scatter(source, ct, instr.fact)
            case "top":
                pass
            case "copy" | "broadcast" | "sum_batch":
                self._give(source, ct)
            case "sum":
                kept = tuple(1 if axis in instr.fact else n for axis, n in enumerate(shape))
                self._give(source, builder.reshape(ct, kept))
            case "reduce":
                self._reduction(i, instr.fact, source, ct)
            case "rows":
                self._give(source, builder.add_rows(ct, rest[0], shape))
            case "add_rows":
                self._give(source, builder.rows(ct, rest[0]))
            case "take":
                self._give(source, builder.untake(ct, instr.fact, rest[0], shape, is_batched))
            case "untake":
                self._give(source, builder.take(ct, instr.fact, rest[0]))
            case "concatenate":
                start = 0
                for operand in instr.operands:
                    size = builder.instrs[operand].size
                    if operand in self.reaches:
                        part = builder.fetch(ct, np.arange(start, start + size))
                        self.names.setdefault(part, operand)
                        self._give(operand, builder.reshape(part, builder.shape(operand)))
                    start += size
            case "scatter":
                for operand, access in zip(instr.operands, instr.fact, strict=True):
                    self._give(operand, builder.fetch(ct, access.positions()))
            case _:
                raise NotImplementedError(instr.op)

    def _spread(self, instr: Instr, ct: int) -> int:
        """`ct`, with an element wherever an operand is repeated: there its parts are summed."""
        builder = self.builder
        reached = [builder.instrs[x] for x in instr.operands if x in self.reaches]
        if instr.is_batched and not all(x.is_batched for x in reached):
            ct = builder.broadcast(ct, builder.shape(ct), is_batched=True)
        if isinstance(instr.op, Primitive) and any(x.shape != instr.shape for x in reached):
            ct = builder.broadcast(ct, instr.shape)
        return ct

    def _matmul(self, a: int, b: int, ct: int) -> None:
        builder = self.builder
        if a in self.reaches and not self._give_inputs(a, b, ct):
            self._give(a, builder.matmul(ct, builder.transpose(b)))
        if b not in self.reaches:
            return
        x, w = builder.instrs[a], builder.instrs[b]
        if x.is_batched and not w.is_batched:
            ct = builder.broadcast(ct, builder.shape(ct), is_batched=True)
            self._give(b, builder.matmul_batch(a, ct))
        else:
            self._give(b, builder.matmul(builder.transpose(a), ct))

    def _give_inputs(self, a: int, b: int, ct: int) -> bool:
        """The cotangent of inputs with a 1 behind them, without that of the 1."""
        builder = self.builder
        weights = builder.transpose(b)
        if builder.instrs[a].op != "concatenate" or builder.instrs[weights].op != "view":
            return False
        inputs, *others = builder.instrs[a].operands
        if inputs not in self.reaches or not self.reaches.isdisjoint(others):
            return False
        matrix, places = builder.place(weights)
        kept = builder.fetch(matrix, places[:, : builder.instrs[inputs].size])
        found = builder.matmul(ct, kept)
        self._give(inputs, builder.reshape(found, builder.shape(inputs)))
        return True

    def _scatter(self, source: int, ct: int, access: View | Gather) -> None:
        builder = self.builder
        positions = access.positions()
        if isinstance(access, View) and access.repeated:
            ct = builder.sum(builder.broadcast(ct, access.shape), access.repeated)
            repeated = access.repeated
            first = tuple(0 if axis in repeated else slice(None) for axis in range(positions.ndim))
            positions = np.atleast_1d(positions[first])
            ct = builder.reshape(ct, positions.shape)
        view = View.of(positions, builder.instrs[source].size)
        is_once = len(np.unique(positions)) == positions.size
        if view is None or not is_once:
            self._give(source, ct, Gather(positions))
            return
        if view.is_turned:
            view, ct = view.transposed(), builder.transpose(ct)  # rows that lie in one piece
        self._give(source, ct, view)

    def _elementwise(self, i: int, instr: Instr, ct: int) -> None:
        row, builder = instr.op, self.builder
        assert isinstance(row, Primitive)
        out = Lanes(builder, i)
        operands = [self._known(operand) for operand in instr.operands]
        partials: list[Any]
        if isinstance(row, Reduction):
            partials = list(row.partials_at(operands, out))
        else:
            partials = [
                None if partial is None or operand not in self.reaches else partial(*operands, out)
                for partial, operand in zip(row.partials, instr.operands, strict=True)
            ]
        if row is ops.mul and instr.operands[0] == instr.operands[1]:
            partials = [2.0 * partials[0], None]
        for operand, partial in zip(instr.operands, partials, strict=True):
            if partial is not None and operand in self.reaches:
                if row.selects and self._only(partial) == 0.0:
                    continue
                product = self._product(row, ct, partial)
                if i in self.unreached and self._may_be_infinite(instr, partial):
                    # A cotangent of 0 that is not sent, times infinity, would be nan.
                    zero = builder.constant(np.zeros(self._ones(product)))
                    product = builder.apply(ops.where, [self.unreached[i], zero, product])
                self._give(operand, product)

    def _may_be_infinite(self, instr: Instr, partial: Any) -> bool:
        """Whether a partial of such a row is: not if it is a number, or an operand that is not."""
        if self._only(partial) is not None:
            return False
        is_operand = partial.index in instr.operands
        return not is_operand or may_be_infinite(self.builder, partial.index)

    def _only(self, partial: Any) -> float | None:
        """The number that a partial is everywhere, if it is known."""
        return self.builder.only(partial.index) if isinstance(partial, Lanes) else float(partial)

    def _known(self, operand: int) -> Any:
        """An operand of a partial: a number where it is one, else an array."""
        only = self.builder.only(operand)
        return Lanes(self.builder, operand) if only is None else only

    def _product(self, row: Primitive, ct: int, partial: Any) -> int:
        """ct times partial; 0 where the operand was not selected."""
        builder = self.builder
        if not isinstance(partial, Lanes):
            partial = Lanes(builder, builder.constant(np.full(self._ones(ct), float(partial))))
        zero = builder.constant(np.zeros(self._ones(ct)))
        if builder.instrs[partial.index].op == "constant" and row.selects:
            known = builder.instrs[partial.index].fact
            if set(np.unique(known)) <= {0.0, 1.0}:
                return builder.apply(ops.where, [builder.constant(known == 0.0), zero, ct])
        if row.selects:
            return self._selected(ct, partial, zero)
        return self._times(ct, partial.index)

    def _ones(self, i: int) -> tuple[int, ...]:
        return (1,) * len(self.builder.shape(i))

    def _times(self, ct: int, partial: int) -> int:
        """ct times partial, by the shortest way that over- and underflows where that does."""
        builder = self.builder
        instr = builder.instrs[partial]
        match instr.op, instr.operands:
            case ops.neg, (x,):
                return builder.apply(ops.neg, [self._times(ct, x)])
            case ops.div, (x, y) if builder.only(x) == 1.0:  # ct (1 / y) → ct / y
                return builder.apply(ops.div, [ct, y])
            case ops.div, (x, y) if is_moderate(builder, x) or is_share(builder, x, y):
                # ct (x / y) → (ct / y) x, which shares the quotient
                return builder.apply(ops.mul, [builder.apply(ops.div, [ct, y]), x])
            case ops.mul, (x, y) if is_moderate(builder, x):  # what is known goes first
                return builder.apply(ops.mul, [builder.apply(ops.mul, [ct, x]), y])
        return builder.apply(ops.mul, [ct, partial])

    def _selected(self, ct: int, partial: Any, zero: int) -> int:
        builder = self.builder
        instr = builder.instrs[partial.index]
        match instr.op, instr.operands:
            case ops.where, (condition, x, y) if (builder.only(x), builder.only(y)) == (1.0, 0.0):
                return builder.apply(ops.mul, [ct, condition])
            case ops.where, (condition, x, y) if (builder.only(x), builder.only(y)) == (0.0, 1.0):
                return builder.apply(ops.where, [condition, zero, ct])
            case ops.sub, (_, lost) if builder.instrs[lost].op is ops.less_equal:
                passed = builder.apply(ops.greater, builder.instrs[lost].operands)
                return builder.apply(ops.mul, [ct, passed])  # 1 - (out ≤ 0) → out > 0
            case ops.div, (won, count):  # a share of a tie
                return self._selected(
                    builder.apply(ops.div, [ct, count]), Lanes(builder, won), zero
                )
        return builder.apply(MASKED, [partial.index, ct, zero])

    def _reduction(self, i: int, row: Reduction, source: int, ct: int) -> None:
        """d reduce(x) / d x: of all x at once, or its partials on the columns as an array each."""
        builder = self.builder
        shape = builder.shape(source)
        if row.by_element:
            every = (*shape[:-1], 1)
            out = Lanes(builder, builder.reshape(i, every))
            (partial,) = row.partials_at([Lanes(builder, source)], out)
            self._give(source, self._product(row, builder.reshape(ct, every), partial))
            return
        places = np.arange(math.prod(shape)).reshape(shape)
        columns: list[Positions] = [places[..., k] for k in range(shape[-1])]
        lanes = [Lanes(builder, builder.fetch(source, column)) for column in columns]
        partials = row.partials_at(lanes, Lanes(builder, i))
        parts: list[tuple[int, Any]] = []
        is_batched = builder.instrs[source].is_batched
        for column, partial in zip(columns, partials, strict=True):
            product = self._product(row, ct, partial)
            part = builder.broadcast(product, column.shape, is_batched)
            parts.append((part, View.of(column, places.size)))
        self._give(source, builder.scatter(parts, shape))
