"""Packs of sums of terms: matrix products, products that are summed, and sums of rows."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import ANY, Positions, common_shape, periods
from autodiff.compiler.arrays.lowering.align import aligned, settled
from autodiff.compiler.arrays.lowering.contract import Dots, in_bands, padded
from autodiff.compiler.arrays.lowering.lowered import Lowering, Operand
from autodiff.compiler.scalars.packs import Pack
from autodiff.rows.primitive import Primitive

Terms = list[tuple[int, int]]
"""Terms of one lane: the places of the two factors, -1 for one that is not there."""
Groups = dict[tuple[int, int, int], list[Terms]]
"""The terms of each lane by sign, pack of the first factor and pack of the other (or -1)."""


class LoweredSums:
    """Lowers packs of sums."""

    def __init__(self, lowering: Lowering) -> None:
        self.lowering = lowering
        self.builder = lowering.builder

    def lower(self, pack: Pack) -> Operand:
        """The array of a pack of sums, and the place of each lane in it."""
        groups: Groups = {}
        for lane, i in enumerate(pack.lanes):
            for sign, x, y in self.lowering.packs.terms[i]:
                number, place = self.lowering.place(x)
                other, other_place = self.lowering.place(y) if y >= 0 else (-1, -1)
                key = (sign, number, other)
                if key not in groups:
                    groups[key] = [[] for _ in pack.lanes]
                groups[key][lane].append((place, other_place))
        with_one = self._fold_biases(groups)
        parts: list[tuple[int, Operand]] = []
        for key, lanes in sorted(groups.items(), key=lambda item: -item[0][0]):
            group = partial(self._group, key[1], key[2], with_one=key[1:] == with_one)
            parts.append((key[0], in_bands(self.builder, lanes, group)))
        views, shape, places = aligned(self.builder, [operand for _, operand in parts])
        total = views[0] if parts[0][0] > 0 else self.builder.apply(ops.neg, views[:1])
        for (sign, _), view in zip(parts[1:], views[1:], strict=True):
            total = self.builder.apply(ops.add if sign > 0 else ops.sub, [total, view])
        if not self.lowering.packs.from_zero.isdisjoint(pack.lanes):
            total = self.builder.apply(ops.add, [total, self.builder.constant([0.0])])
        return settled(self.builder, total, shape, places)

    def _fold_biases(self, groups: Groups) -> tuple[int, int] | None:
        """Make a bias that follows its weights the weight of a 1 behind the inputs.

        Then weights and biases are one matrix, and so are their gradients. Returns the group
        that was changed, or None.
        """
        for sign, number, other in list(groups):
            products, biases = groups[sign, number, other], groups.get((sign, number, -1))
            if biases is None or other < 0 or not products[0]:
                continue
            weights = self.builder.instrs[self.lowering.arrays[number]]
            inputs = self.builder.instrs[self.lowering.arrays[other]]
            is_weights = weights.leaf == "parameters"
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

    def _group(self, number: int, other: int, lanes: Sequence[Terms], with_one: bool) -> Operand:
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
        source = self.lowering.arrays[number]
        is_single = width == 1 and min(counts) == 1
        if other < 0:
            return (source, left[:, 0]) if is_single else self.row_sums(source, left)
        if is_single:
            operands = [(source, left[:, 0]), (self.lowering.arrays[other], right[:, 0])]
            views, shape, places = aligned(self.builder, operands)
            return settled(self.builder, self.builder.apply(ops.mul, views), shape, places)
        against = self.lowering.arrays[other]
        if with_one:
            against = self._with_one(other)
        return self.dots(source, against, left, right)

    def dots(self, a: int, b: int, left: Positions, right: Positions) -> Operand:
        """The array of dots of rows of `a` with rows of `b`, and the place of each in it."""
        dots = Dots(self.builder, a, b, self.lowering.zeros)
        operand = dots.contract(left, right)
        if dots.is_ragged:
            self.lowering.ragged.append(operand[0])
        self.lowering.has_spare |= dots.has_spare
        return operand

    def _with_one(self, number: int) -> int:
        """A pack's array with a 1 behind it."""
        array = self.lowering.arrays[number]
        instr = self.builder.instrs[array]
        one = self.builder.constant([1.0])
        row = instr.op
        if isinstance(row, Primitive) and row.arity == 1 and row.value_at([1.0]) == 1.0:
            # relu(x), 1 → relu(x, 1), which runs over one piece of memory.
            joined = self.builder.concatenate([*instr.operands, one])
            if self.builder.instrs[joined].size == instr.size + 1:
                self.lowering.arrays[number] = self.builder.apply(row, [joined])
                return self.lowering.arrays[number]
        return self.builder.concatenate([array, one])

    def row_sums(self, source: int, rows: Positions) -> Operand:
        """The sums of rows of scalars, each padded with `ANY`, in the order of the source."""
        order = np.argsort(rows[:, 0], kind="stable")
        shape = common_shape([periods(rows[order, 0]) or []], len(rows)) or (len(rows),)
        matrix = padded(self.builder, source, rows[order].reshape(*shape, -1), self.lowering.zeros)
        return self.builder.sum(matrix, (len(shape),)), np.argsort(order)

    def _fill(self, number: int) -> None:
        """Put zeros where a pack's array has no lanes, for sums that read beyond their ends."""
        array, places = self.lowering.arrays[number], self.lowering.places[number]
        instr = self.builder.instrs[array]
        if not instr.operands or array in self.lowering.zeros:
            return
        holes = np.ones(instr.size, dtype=bool)
        holes[places] = False
        if holes.any():
            mask = self.builder.constant(holes.reshape(instr.shape))
            zero = self.builder.constant(np.zeros((1,) * len(instr.shape)))
            filled = self.builder.apply(ops.where, [mask, zero, array])
            self.lowering.arrays[number] = filled
            self.lowering.zeros[filled] = holes
