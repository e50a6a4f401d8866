"""Packs → the array program: views for regular operands, one array a pack."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.contract import FILLED, Dots, bands, padded
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
from autodiff.compiler.arrays.program import Instr, Program, verify
from autodiff.compiler.scalars.packs import SUM, Pack, Packs
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, TAKE, Leaf
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction

ORDERS = 8
"""How many orders of lanes are compared, so that time does not grow with the operands squared."""

Operand = tuple[int, Positions]
"""An array, and the place of each lane in it."""


@dataclass(frozen=True, eq=False)
class Lowered:
    """Packs as arrays: instructions, and where among their elements the results are."""

    instrs: tuple[Instr, ...]
    results: tuple[Operand, ...]
    """The array of each result, and its place there, of shape (1,)."""
    parameters: int
    """How many parameters there are."""
    arrays: Mapping[int, int]
    """Each pack's array, by the number of the pack."""
    ragged: tuple[int, ...]
    """Arrays of dots in which zeros stand in for the ends of the shorter ones."""
    has_spare: bool
    """Some computed elements belong to no lane; their cotangent is zero."""

    def __str__(self) -> str:
        ends = [f"%{array}[{int(places[0])}]" for array, places in self.results]
        return f"{Program(self.instrs, ())}".rpartition("\n")[0] + f"\nreturn {', '.join(ends)}"

    def verify(self) -> None:
        """Raise AssertionError unless the instructions are valid and hold the results."""
        verify(Program(self.instrs, tuple([array for array, _ in self.results])))
        for array, places in self.results:
            assert 0 <= places[0] < self.instrs[array].size, f"%{array}: a result out of bounds"


def lower(packs: Packs, order: Sequence[int]) -> Lowered:
    """One array per pack; dots are matrix products. `order` is that of the parameters."""
    lowering = _Lowering(packs, order)
    lowering.run()
    results = tuple([lowering.result(i) for i in packs.results])
    return Lowered(
        tuple(lowering.builder.instrs), results, len(order), lowering.arrays,
        tuple(lowering.ragged), lowering.has_spare,
    )  # fmt: skip


class _Lowering:
    """`arrays[n]` is pack n's instruction, `places[n]` where its lanes are."""

    def __init__(self, packs: Packs, order: Sequence[int]) -> None:
        self.builder = Builder()
        self.scalars = packs.scalars
        self.packs = packs
        self.order = order
        self.arrays: dict[int, int] = {}
        self.places: dict[int, Positions] = {}
        self.ragged: list[int] = []
        """Arrays of dots in which zeros stand in for the ends of the shorter ones."""
        self.has_spare = False
        """Whether elements are computed that belong to no lane."""
        self.zeros: dict[int, np.ndarray[Any, Any]] = {}
        """Where, in an array that has them, are zeros instead of lanes."""

    def run(self) -> None:
        """Make the array of each pack."""
        for pack in self.packs.packs:
            if isinstance(pack.op, Leaf):
                array, places = self._leaf(pack.op)
            elif pack.op == SUM:
                array, places = self._sum(pack)
            elif pack.op is TAKE:
                array, places = self._take(pack)
            elif isinstance(pack.op, Reduction) and not self._is_binary(pack.op, pack):
                array, places = self._reduction(pack.op, pack)
            else:
                assert isinstance(pack.op, Primitive)
                array, places = self._elementwise(pack.op, pack)
            self.arrays[pack.number], self.places[pack.number] = array, places

    def result(self, i: int) -> Operand:
        """The array of a scalar, and its place there, of shape (1,)."""
        return self._operand([i])

    # Operands

    def _place(self, i: int) -> tuple[int, int]:
        """The pack of a scalar and its place in the pack's array."""
        pack = self.packs.pack_of[i]
        return pack.number, int(self.places[pack.number][self.packs.lane_of[i]])

    def _operand(self, scalars: Sequence[int]) -> Operand:
        """The array that holds scalars of one pack, and their places."""
        lane_of = self.packs.lane_of
        number = self.packs.pack_of[scalars[0]].number
        lanes = np.fromiter((lane_of[i] for i in scalars), dtype=np.intp, count=len(scalars))
        return self.arrays[number], self.places[number][lanes]

    def _joined(self, rows: np.ndarray[Any, Any], is_index: bool = False) -> Operand:
        """One array that holds all of a matrix of scalars, and their places in it.

        A scalar may be `ANY`, and so is its place.
        """
        pairs = [self._place(int(i)) if i >= 0 else (ANY, ANY) for i in rows.flat]
        numbers = list(dict.fromkeys(number for number, _ in pairs if number >= 0))
        base, start = {ANY: 0}, 0
        for number in numbers:
            base[number] = start
            start += self.builder.instrs[self.arrays[number]].size
        arrays = [self.arrays[number] for number in numbers]
        if is_index:  # the integers themselves, of which ops see floats
            arrays = [self.builder.instrs[array].operands[0] for array in arrays]
        places = np.array([base[number] + place for number, place in pairs], dtype=np.intp)
        return self.builder.concatenate(arrays), places.reshape(rows.shape)

    # Lanes side by side

    def _leaf(self, leaf: Leaf) -> Operand:
        if leaf is CONSTANTS:
            values = np.array(self.scalars.constants)
            return self.builder.known(values), np.arange(values.size)
        if leaf is PARAMETERS:
            array = self.builder.leaf(leaf.name, len(self.order), False)
            return array, np.argsort(np.array(self.order, dtype=np.intp))
        kind = "i" if leaf.is_index else "f"
        array = self.builder.leaf(leaf.name, leaf.size, leaf.is_batched, kind)
        return self.builder.cast(array) if leaf.is_index else array, np.arange(leaf.size)

    def _elementwise(self, row: Primitive, pack: Pack) -> Operand:
        columns = zip(*[self.scalars.operands[i] for i in pack.lanes], strict=True)
        views, shape, places = self.aligned([self._operand(column) for column in columns])
        made = self.builder.apply(row, views)
        self.has_spare |= len(places) < math.prod(shape)
        return self._settled(made, shape, places)

    def aligned(self, operands: Sequence[Operand]) -> tuple[list[int], Shape, Positions]:
        """Arrays of equal rank for NumPy to broadcast, their shape, and the place of each lane.

        Lanes keep their order if that makes views of all operands; else that of the operand
        whose order gathers least, even if a part of its elements is computed in vain.
        """
        layouts = [self._in_lane_order(operands)]
        if layouts[0][0]:
            layouts += [self._in_order_of(operand, operands) for operand in self._orders(operands)]
        _, shape, places = min(layouts, key=lambda layout: layout[0])
        views = []
        for array, lanes in operands:
            positions = np.full(int(np.prod(shape)), ANY, dtype=np.intp)
            positions[places] = lanes
            if (lanes == lanes[0]).all():
                positions[:] = lanes[0]
            views.append(self.builder.narrowed(self.builder.fetch(array, positions.reshape(shape))))
        return views, shape, places

    def _in_lane_order(self, operands: Sequence[Operand]) -> tuple[int, Shape, Positions]:
        """How many elements are gathered, the shape, and the place of each lane."""
        count = len(operands[0][1])
        blocks: set[int] = set()
        shape: Shape = (count,)
        gathered = 0
        for array, lanes in operands:
            found = [] if (lanes == lanes[0]).all() else periods(lanes)
            tried = common_shape([blocks, found], count) if found is not None else None
            is_view = (
                tried is not None
                and found is not None
                and View.of(lanes.reshape(tried), self.builder.instrs[array].size) is not None
            )
            if is_view and tried is not None and found is not None:
                shape = tried
                blocks.update(found)
                own = contiguous(self.builder.shape(array))
                natural = common_shape([blocks, own], count)
                if natural and found == [count] and self.builder.instrs[array].size == count:
                    shape = natural
                    blocks.update(own)
            else:
                gathered += count
        return gathered, shape, np.arange(count)

    def _orders(self, operands: Sequence[Operand]) -> list[Operand]:
        """Operands with each lane once, in an order of their own that many of them have."""
        found: dict[Any, list[Operand]] = {}
        for array, places in operands:
            instr = self.builder.instrs[array]
            if instr.op in ("leaf", "constant") or len(places) < FILLED * instr.size:
                continue
            if len(np.unique(places)) == len(places):
                found.setdefault((instr.shape, places.tobytes()), []).append((array, places))
        often = sorted(found, key=lambda order: -len(found[order]))[:ORDERS]
        return [alike[0] for order, alike in found.items() if order in often]

    def _in_order_of(
        self, operand: Operand, operands: Sequence[Operand]
    ) -> tuple[int, Shape, Positions]:
        """As `_in_lane_order`, lanes where `operand` has them."""
        array, places = operand
        instr = self.builder.instrs[array]
        gathered = 0
        for other, lanes in operands:
            if not (lanes == lanes[0]).all():
                positions = np.full(instr.size, ANY, dtype=np.intp)
                positions[places] = lanes
                view = View.of(positions.reshape(instr.shape), self.builder.instrs[other].size)
                gathered += instr.size * (view is None)
        return gathered, instr.shape, places

    def _is_binary(self, row: Reduction, pack: Pack) -> bool:
        """Whether NumPy has a ufunc of two operands for a reduction of two."""
        return bool(row.ufunc) and all(len(self.scalars.operands[i]) == 2 for i in pack.lanes)

    def _reduction(self, row: Reduction, pack: Pack) -> Operand:
        lanes = [self.scalars.operands[i] for i in pack.lanes]
        return self._in_bands(lanes, lambda lanes: self._reduced(row, lanes))

    def _reduced(self, row: Reduction, lanes: Sequence[Sequence[int]]) -> Operand:
        width = max(map(len, lanes))
        rows = np.full((len(lanes), width), ANY, dtype=np.intp)
        for lane, operands in enumerate(lanes):
            rows[lane, : len(operands)] = operands
        array, places = self._joined(rows)
        shape = common_shape([periods(places[:, 0]) or []], len(rows)) or (len(rows),)
        assert row.neutral is not None
        matrix = padded(self.builder, array, places.reshape(*shape, -1), {}, row.neutral)
        if row is ops.logsumexp:
            return self.builder.logsumexp(matrix), np.arange(len(rows))
        return self.builder.reduce(row, matrix), np.arange(len(rows))

    def _in_bands(self, lanes: Sequence[Any], make: Callable[[Sequence[Any]], Operand]) -> Operand:
        """What `make` makes of the operands of lanes, those of like length at a time if need be."""
        parts = bands(list(map(len, lanes)))
        if len(parts) == 1:
            return make(lanes)
        places = np.empty(len(lanes), dtype=np.intp)
        arrays, start = [], 0
        for part in parts:
            array, found = make([lanes[lane] for lane in part])
            places[part] = start + found
            arrays.append(array)
            start += self.builder.instrs[array].size
        return self.builder.concatenate(arrays), places

    def _take(self, pack: Pack) -> Operand:
        rows = np.array([self.scalars.operands[i] for i in pack.lanes])
        source, table = self._joined(rows[:, :-1])
        index, at = self._joined(rows[:, -1], is_index=True)
        is_batched = self.builder.instrs[source].is_batched
        width = int(np.argmax(np.append(np.diff(at) != 0, True))) + 1
        if not is_batched and not len(at) % width and len(table):
            # Lanes that share an index, and each index the same table: rows of a matrix.
            blocks = table.reshape(-1, width, table.shape[1])
            if (at.reshape(-1, width) == at[::width].reshape(-1, 1)).all() and (
                blocks == blocks[0]
            ).all():
                matrix = self.builder.fetch(source, blocks[0].T)
                found = self.builder.rows(matrix, self.builder.fetch(index, at[::width]))
                return found, np.arange(len(at))
        places = self.builder.fetch(index, at)
        return self.builder.take(source, Gather(table), places), np.arange(len(at))

    # Sums of terms

    def _sum(self, pack: Pack) -> Operand:
        groups: dict[tuple[int, int, int], list[list[tuple[int, int]]]] = {}
        for lane, i in enumerate(pack.lanes):
            for sign, x, y in self.packs.terms[i]:
                number, place = self._place(x)
                other, other_place = self._place(y) if y >= 0 else (-1, -1)
                key = (sign, number, other)
                if key not in groups:
                    groups[key] = [[] for _ in pack.lanes]
                groups[key][lane].append((place, other_place))
        with_one = self._fold_biases(groups)
        parts: list[tuple[int, Operand]] = []
        for key, lanes in sorted(groups.items(), key=lambda item: -item[0][0]):
            group = partial(self._group, key[1], key[2], with_one=key[1:] == with_one)
            parts.append((key[0], self._in_bands(lanes, group)))
        views, shape, places = self.aligned([operand for _, operand in parts])
        total = views[0] if parts[0][0] > 0 else self.builder.apply(ops.neg, views[:1])
        for (sign, _), view in zip(parts[1:], views[1:], strict=True):
            total = self.builder.apply(ops.add if sign > 0 else ops.sub, [total, view])
        if not self.packs.from_zero.isdisjoint(pack.lanes):
            total = self.builder.apply(ops.add, [total, self.builder.constant([0.0])])
        return self._settled(total, shape, places)

    def _fold_biases(self, groups: dict[tuple[int, int, int], Any]) -> tuple[int, int] | None:
        """Make a bias that follows its weights a weight of the number 1 behind the inputs.

        Then weights and biases are one matrix, and so are their gradients. The group so changed,
        or None.
        """
        for sign, number, other in list(groups):
            products, biases = groups[sign, number, other], groups.get((sign, number, -1))
            if biases is None or other < 0 or not products[0]:
                continue
            weights = self.builder.instrs[self.arrays[number]]
            inputs = self.builder.instrs[self.arrays[other]]
            is_weights = weights.op == "leaf" and weights.fact == "parameters"
            if not is_weights or not inputs.is_batched:
                continue
            row = [place for _, place in products[0]]
            if all(
                [place for _, place in terms] == row
                and len(bias) == 1
                and bias[0][0] == terms[-1][0] + 1
                for terms, bias in zip(products, biases, strict=True)
            ):
                for terms, bias in zip(products, biases, strict=True):
                    terms.append((bias[0][0], inputs.size))
                del groups[sign, number, -1]
                return number, other
        return None

    def _group(
        self, number: int, other: int, lanes: Sequence[list[tuple[int, int]]], with_one: bool
    ) -> Operand:
        """The array of the sums of one group of terms, and the place of each lane in it."""
        counts = [len(terms) for terms in lanes]
        width = max(counts)
        left = np.full((len(lanes), width), ANY, dtype=np.intp)
        right = np.full((len(lanes), width), ANY, dtype=np.intp)
        for lane, terms in enumerate(lanes):
            if terms:
                left[lane, : len(terms)], right[lane, : len(terms)] = zip(*terms, strict=True)
        if min(counts) < width:
            for ragged in (number, other) if other >= 0 else (number,):
                self._fill(ragged)
        source = self.arrays[number]
        is_single = width == 1 and min(counts) == 1
        if other < 0:
            return (source, left[:, 0]) if is_single else self._row_sums(source, left)
        if is_single:
            operands = [(source, left[:, 0]), (self.arrays[other], right[:, 0])]
            views, shape, places = self.aligned(operands)
            return self._settled(self.builder.apply(ops.mul, views), shape, places)
        against = self.arrays[other]
        if with_one:
            against = self._with_one(other)
        dots = Dots(self.builder, source, against, self.zeros)
        operand = dots.contract(left, right)
        if dots.is_ragged:
            self.ragged.append(operand[0])
        self.has_spare |= dots.has_spare
        return operand

    def _with_one(self, number: int) -> int:
        """A pack's array with a 1 behind it."""
        array = self.arrays[number]
        instr = self.builder.instrs[array]
        one = self.builder.constant([1.0])
        row = instr.op
        if isinstance(row, Primitive) and row.arity == 1 and row.value_at([1.0]) == 1.0:
            # relu(x), 1 → relu(x, 1), which runs over one piece of memory.
            joined = self.builder.concatenate([*instr.operands, one])
            if self.builder.instrs[joined].size == instr.size + 1:
                self.arrays[number] = self.builder.apply(row, [joined])
                return self.arrays[number]
        return self.builder.concatenate([array, one])

    def _row_sums(self, source: int, rows: Positions) -> Operand:
        """The sums of rows of scalars, each padded with `ANY`, in the order of the source."""
        order = np.argsort(rows[:, 0], kind="stable")
        shape = common_shape([periods(rows[order, 0]) or []], len(rows)) or (len(rows),)
        matrix = padded(self.builder, source, rows[order].reshape(*shape, -1), self.zeros)
        return self.builder.sum(matrix, (len(shape),)), np.argsort(order)

    def _fill(self, number: int) -> None:
        """Zeros where a pack's array has no lanes, for sums that read beyond their ends."""
        array, places = self.arrays[number], self.places[number]
        instr = self.builder.instrs[array]
        if instr.op in ("leaf", "constant") or array in self.zeros:
            return
        holes = np.ones(instr.size, dtype=bool)
        holes[places] = False
        if holes.any():
            mask = self.builder.constant(holes.reshape(instr.shape))
            zero = self.builder.constant(np.zeros((1,) * len(instr.shape)))
            filled = self.builder.apply(ops.where, [mask, zero, array])
            self.arrays[number] = filled
            self.zeros[filled] = holes

    def _settled(self, made: int, shape: Shape, places: Positions) -> Operand:
        """The array that holds what was computed in `shape`, and where `places` are in it."""
        found = self.builder.shape(made)
        if found != shape:  # an operand that is the same along an axis was not repeated
            coordinates = np.unravel_index(places, shape)
            narrow = [np.minimum(c, size - 1) for c, size in zip(coordinates, found, strict=True)]
            places = np.ravel_multi_index(narrow, found)
        array, inner = self.builder.place(made)
        return array, inner.reshape(-1)[places]
