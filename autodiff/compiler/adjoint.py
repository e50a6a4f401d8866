"""Reverse mode on the array program: its result is a program again."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.access import Gather, View
from autodiff.compiler.ir import Builder, Instr
from autodiff.compiler.trace import (
    AND,
    GREATER,
    GREATER_EQUAL,
    LESS,
    LESS_EQUAL,
    OR,
    PREDICATES,
)  # fmt: skip
from autodiff.interpreter import interpret, number
from autodiff.primitive import Primitive
from autodiff.reduction import Reduction


class Lanes:
    """An array of the program as an operand: the partials of a row, given these, emit arrays."""

    __slots__ = ("builder", "index")

    def __init__(self, builder: Builder, index: int) -> None:
        self.builder = builder
        self.index = index


class _Arrays:
    rank = 4
    hands_over = False

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        builder = next(x.builder for x in operands if isinstance(x, Lanes))
        if primitive is ops.where and not isinstance(operands[0], Lanes):
            return operands[1] if operands[0] else operands[2]
        numbers = [
            x.index if isinstance(x, Lanes) else builder.constant([number(x)]) for x in operands
        ]
        return Lanes(
            builder, builder.apply(primitive, numbers, kind="b" if primitive in PREDICATES else "f")
        )

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Any, operand: Any) -> Any:
        return cotangent

    def select(self, cotangent: Any, partial: Any) -> Any:
        raise NotImplementedError


interpret(Lanes, _Arrays())


def _method(row: Primitive, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    if reflected:
        return lambda self, other: row.apply((other, self))
    return lambda self, other: row.apply((self, other))


for _name, _row in {
    "add": ops.add, "sub": ops.sub, "mul": ops.mul, "lt": LESS, "le": LESS_EQUAL, "gt": GREATER,
    "ge": GREATER_EQUAL, "and": AND, "or": OR,
}.items():  # fmt: skip
    setattr(Lanes, f"__{_name}__", _method(_row))
    if _name in ("add", "sub", "mul", "and", "or"):
        setattr(Lanes, f"__r{_name}__", _method(_row, reflected=True))
setattr(Lanes, "__neg__", lambda self: ops.neg.apply((self,)))  # noqa: B010


MASKED = Primitive(
    "masked",
    lambda partial, ct, zero: ct * partial if partial else zero,
    (
        lambda partial, ct, zero, out: where_partial(partial, ct),
        lambda partial, ct, zero, out: partial,
        None,
    ),
    "np.where({0} != 0, {0} * {1}, {2})",
    (),
    "masked",
    "",
    (),
    True,
)
"""ct times partial, and 0 where the partial is 0, whatever ct is there."""


def where_partial(partial: Any, ct: Any) -> Any:
    """d masked / d partial: the cotangent where it crosses."""
    return ops.where((partial > 0) | (partial < 0), ct, 0.0)


def adjoint(
    builder: Builder,
    results: list[tuple[int, int]],
    sources: list[int],
    names: dict[int, str],
) -> list[int]:
    """The cotangents of `sources`, appended to the program; each of the shape of its source.

    `results` are pairs of an array and its cotangent. `names` receives names for cotangents.
    """
    return _Adjoint(builder, names).run(results, sources)


_SINGULAR = frozenset(
    {ops.div, ops.pow, ops.sqrt, ops.log, ops.log1p, ops.asin, ops.acos, ops.atan2}
)  # fmt: skip
"""Rows with a partial that may be infinite where the operands are finite."""


def _only(instr: Instr) -> float | None:
    """The value of a constant of one element."""
    return float(instr.fact.flat[0]) if instr.op == "constant" and instr.fact.size == 1 else None


class _Adjoint:
    def __init__(self, builder: Builder, names: dict[int, str]) -> None:
        self.builder = builder
        self.names = names
        self.parts: dict[int, list[tuple[int, Any]]] = {}
        self.masked: set[int] = set()

    def run(self, results: list[tuple[int, int]], sources: list[int]) -> list[int]:
        builder = self.builder
        reaches = self._reaching(sources)
        for result, seed in results:
            self._give(result, seed)
        for i in range(max((result for result, _ in results), default=-1), -1, -1):
            if i in self.parts and i in reaches and i not in sources:
                ct = self._total(i)
                if ct is not None:
                    instr = builder.instrs[i]
                    self._through(i, instr, ct, reaches)
                    if i in self.masked or (isinstance(instr.op, Primitive) and instr.op.selects):
                        self.masked.update(instr.operands)
        return [self._final(source) for source in sources]

    def _reaching(self, sources: list[int]) -> set[int]:
        """The instructions that depend on a source."""
        reaching = set(sources)
        for i, instr in enumerate(self.builder.instrs):
            if any(operand in reaching for operand in instr.operands):
                reaching.add(i)
        return reaching

    def _final(self, source: int) -> int:
        total = self._total(source) if source in self.parts else None
        shape = self.builder.shape(source)
        if total is None:
            return self.builder.broadcast(self.builder.constant([0.0]), shape)
        return total

    def _give(self, i: int, ct: int, access: Any = None) -> None:
        """Add to the cotangent of `i`, or to the part of it that `access` reads."""
        builder = self.builder
        target = builder.instrs[i]
        if access is None:
            ct = self._fit(ct, target)
        elif not target.is_batched and builder.instrs[ct].is_batched:
            ct = builder.sum_batch(ct)
        else:
            ct = builder.broadcast(ct, access.shape, target.is_batched)
        self.parts.setdefault(i, []).append((ct, access))

    def _fit(self, ct: int, target: Instr) -> int:
        """`ct` in the shape of `target`: what was broadcast is summed."""
        builder = self.builder
        shape = builder.shape(ct)
        if not target.is_batched and builder.instrs[ct].is_batched:
            ct = builder.sum_batch(ct)
        if shape != target.shape:
            wide = np.broadcast_shapes(shape, target.shape)
            ct = builder.broadcast(ct, wide)
            axes = tuple(
                axis for axis, size in enumerate(target.shape) if size == 1 and wide[axis] != 1
            )
            ct = builder.reshape(builder.sum(ct, axes), target.shape)
        return ct

    def _total(self, i: int) -> int | None:
        parts = self.parts[i]
        builder = self.builder
        whole = [ct for ct, access in parts if access is None]
        placed = [(ct, access) for ct, access in parts if access is not None]
        if placed:
            whole.append(builder.scatter(placed, builder.shape(i)[0]))
        total = whole[0]
        for ct in whole[1:]:
            total = builder.apply(ops.add, [total, ct])
        op, fact = builder.instrs[i].op, builder.instrs[i].fact
        of = op.name if isinstance(op, Primitive) else fact if op == "leaf" else op
        self.names.setdefault(total, f"d_{of}")
        return total

    def _through(self, i: int, instr: Instr, ct: int, reaches: set[int]) -> None:
        builder = self.builder
        if isinstance(instr.op, Primitive):
            self._elementwise(i, instr, ct, reaches)
            return
        if instr.op == "matmul":
            a, b = instr.operands
            if a in reaches and not self._give_inputs(a, b, ct, reaches):
                self._give(a, builder.matmul(ct, builder.transpose(b)))
            if b in reaches:
                is_shared = not builder.instrs[b].is_batched and builder.instrs[ct].is_batched
                if is_shared and builder.instrs[a].is_batched:
                    self._give(b, builder.matmul_batch(a, ct))
                else:
                    self._give(b, builder.matmul(builder.transpose(a), ct))
            return
        (source, *rest) = instr.operands
        shape = builder.shape(source)
        match instr.op:
            case "view" | "gather":
                self._scatter(source, ct, instr.fact)
            case "reshape":
                self._give(source, builder.reshape(ct, shape))
            case "transpose":
                self._give(source, builder.transpose(ct))
            case "sum":
                kept = tuple(1 if axis in instr.fact else n for axis, n in enumerate(shape))
                self._give(source, builder.broadcast(builder.reshape(ct, kept), shape))
            case "broadcast" | "sum_batch":
                self._give(source, ct)
            case "reduce":
                self._reduction(i, instr.fact, source, ct)
            case "take":
                self._give(
                    source,
                    builder.untake(
                        ct, rest[0], instr.fact, shape[0], builder.instrs[source].is_batched
                    ),
                )
            case "untake":
                self._give(source, builder.take(ct, instr.fact.places, rest[0]))
            case "concatenate":
                start = 0
                for operand in instr.operands:
                    size = builder.shape(operand)[0]
                    if operand in reaches:
                        part = builder.fetch(ct, np.arange(start, start + size))
                        self._give(operand, part)
                    start += size
            case "scatter":
                for operand, access in zip(instr.operands, instr.fact, strict=True):
                    if operand in reaches:
                        self._give(operand, builder.fetch(ct, access.positions()))
            case "matmul_batch":
                a, b = instr.operands
                if a in reaches:
                    self._give(a, builder.matmul(b, builder.transpose(ct)))
                if b in reaches:
                    self._give(b, builder.matmul(a, ct))
            case _:
                raise NotImplementedError(instr.op)

    def _give_inputs(self, a: int, b: int, ct: int, reaches: set[int]) -> bool:
        """The cotangent of inputs with a 1 behind them, without that of the 1."""
        builder = self.builder
        joined = builder.instrs[a].operands[0] if builder.instrs[a].op == "reshape" else a
        matrix = builder.instrs[builder.transpose(b)]
        if builder.instrs[joined].op != "concatenate" or matrix.op != "view":
            return False
        inputs, *rest = builder.instrs[joined].operands
        size = builder.shape(inputs)[0]
        if inputs not in reaches or any(x in reaches for x in rest) or builder.shape(a)[0] != 1:
            return False
        (source,) = matrix.operands
        weights = builder.fetch(source, matrix.fact.positions()[:, :size])
        self._give(inputs, builder.reshape(builder.matmul(ct, weights), (size,)))
        return True

    def _scatter(self, source: int, ct: int, access: View | Gather) -> None:
        builder = self.builder
        if isinstance(access, View) and access.repeated:
            ct = builder.sum(ct, access.repeated)
            places = access.positions()
            places = places[
                tuple(0 if a in access.repeated else slice(None) for a in range(places.ndim))
            ]
            access = View.of(places) or Gather(places)
        places = access.positions()
        if isinstance(access, View) and len(np.unique(places)) < places.size:
            access = Gather(places)
        self._give(source, ct, access)

    def _elementwise(self, i: int, instr: Instr, ct: int, reaches: set[int]) -> None:
        row, builder = instr.op, self.builder
        assert isinstance(row, Primitive)
        if instr.kind == "b":
            return
        operands = [Lanes(builder, operand) for operand in instr.operands]
        out = Lanes(builder, i)
        if isinstance(row, Reduction):
            partials: list[Any] = list(row.partials_at(operands, out))
        else:
            partials = [
                None if partial is None or operand not in reaches else partial(*operands, out)
                for partial, operand in zip(row.partials, instr.operands, strict=True)
            ]
        for operand, partial in zip(instr.operands, partials, strict=True):
            if partial is not None and operand in reaches:
                self._give(operand, self._product(row, ct, partial, i in self.masked))

    def _product(self, row: Primitive, ct: int, partial: Any, is_masked: bool = False) -> int:
        """ct times partial; 0 where the operand was not selected."""
        builder = self.builder
        if not isinstance(partial, Lanes):
            if partial == 1.0:
                return ct
            if partial == -1.0:
                return builder.apply(ops.neg, [ct])
            if row.selects and partial == 0.0:
                return builder.constant([0.0])
            return builder.apply(ops.mul, [ct, builder.constant([partial])])
        zero = builder.constant([0.0])
        where: Primitive = ops.where
        if row.selects:
            instr = builder.instrs[partial.index]
            operands = [builder.instrs[operand] for operand in instr.operands]
            if instr.op is ops.sub and operands[1].kind == "b":  # 1 - lost
                return builder.apply(where, [instr.operands[1], zero, ct])
            if instr.op is where and [_only(x) for x in operands[1:]] == [1.0, 0.0]:
                return builder.apply(where, [instr.operands[0], ct, zero])
            if instr.op is where and [_only(x) for x in operands[1:]] == [0.0, 1.0]:
                return builder.apply(where, [instr.operands[0], zero, ct])
            return builder.apply(MASKED, [partial.index, ct, zero])
        if is_masked and row in _SINGULAR:
            # A branch not taken sends 0, which an infinite partial would make nan.
            return builder.apply(MASKED, [ct, partial.index, zero])
        return builder.apply(ops.mul, [ct, partial.index])

    def _reduction(self, i: int, row: Reduction, source: int, ct: int) -> None:
        """d reduce(x) / d x, its partials on the columns of x as an array each."""
        builder = self.builder
        shape = builder.shape(source)
        places = np.arange(math.prod(shape)).reshape(shape)
        flat = builder.reshape(source, (places.size,))
        columns = [Lanes(builder, builder.fetch(flat, column)) for column in _columns(places)]
        partials = row.partials_at(columns, Lanes(builder, i))
        parts: list[tuple[int, Any]] = []
        for column, partial in zip(_columns(places), partials, strict=True):
            part = builder.broadcast(self._product(row, ct, partial), column.shape)
            parts.append((part, View.of(column) or Gather(column)))
        self._give(source, builder.reshape(builder.scatter(parts, places.size), shape))


def _columns(places: npt.NDArray[np.intp]) -> list[npt.NDArray[np.intp]]:
    return [places[..., k] for k in range(places.shape[-1])]
