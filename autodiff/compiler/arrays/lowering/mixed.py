"""Mixed packs, whose lanes read one operand from different packs, and chains."""

from collections.abc import Sequence
from functools import reduce

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import ANY, View
from autodiff.compiler.arrays.lowering.align import aligned, settled
from autodiff.compiler.arrays.lowering.columns import Column, Part, columns_of, parts_of
from autodiff.compiler.arrays.lowering.contract import padded
from autodiff.compiler.arrays.lowering.homes import Homes
from autodiff.compiler.arrays.lowering.lowered import Lowering, Operand
from autodiff.compiler.arrays.lowering.sums import LoweredSums
from autodiff.compiler.scalars.packs import CHAIN, SUM, Pack
from autodiff.rows.reduction import Reduction


class Mixed:
    """Lowers mixed packs."""

    def __init__(self, lowering: Lowering, sums: LoweredSums) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self.sums = sums
        self._parts: dict[Pack, list[Part]] = {}
        self._columns: dict[Pack, list[Column]] = {}
        for pack in lowering.packs.packs:
            if pack.is_mixed and pack.op in (SUM, CHAIN):
                self._parts[pack] = parts_of(lowering.packs, pack)
                self._columns[pack] = [c for part in self._parts[pack] for c in part.factors]
            elif pack.is_mixed:
                self._columns[pack] = columns_of(lowering.packs, pack)
        lowering.has_spare |= bool(self._columns)  # places of a home that no lane has
        self.homes = Homes(lowering, [c for found in self._columns.values() for c in found])

    def operands(self, pack: Pack) -> list[Operand]:
        """What the lanes of a pack read, an operand at a time."""
        found = [self.homes.operand(column) for column in self._columns[pack]]
        return [(array, places[:, 0]) for array, places in found]

    def sum(self, pack: Pack) -> Operand:
        """The array of sums of terms, and the place of each lane in it."""
        builder = self.builder
        parts = [self._part(part) for part in self._parts[pack]]
        parts.sort(key=lambda part: -part[0])
        views, shape, places = aligned(builder, [x for _, xs in parts for x in xs])
        total, start = -1, 0
        for sign, operands in parts:
            factors = views[start : start + len(operands)]
            made = reduce(lambda x, y: builder.apply(ops.mul, [x, y]), factors)
            start += len(operands)
            if total < 0:
                total = made if sign > 0 else builder.apply(ops.neg, [made])
            else:
                total = builder.apply(ops.add if sign > 0 else ops.sub, [total, made])
        if not self.lowering.packs.from_zero.isdisjoint(pack.lanes):
            total = builder.apply(ops.add, [total, builder.beside(total, 0.0)])
        return settled(builder, total, shape, places)

    def _part(self, part: Part) -> tuple[int, list[Operand]]:
        """The sign of a part, and its factors."""
        factors = [self.homes.operand(column) for column in part.factors]
        known = part.coefficients[factors[0][1] >= 0]
        sign = -1 if (known < 0).all() else 1
        is_plain = bool((known == sign).all())
        is_full = all((places >= 0).all() for _, places in factors)
        if is_full and part.coefficients.shape[1] == 1:
            found = [(array, places[:, 0]) for array, places in factors]
            if not is_plain:
                lanes = np.arange(len(part.coefficients))
                found.insert(0, (self.builder.known(sign * part.coefficients[:, 0]), lanes))
            return sign, found
        if len(factors) == 1 and is_plain:
            return sign, [self.sums.row_sums(*factors[0])]
        if len(factors) == 1:
            values, inverse = np.unique(sign * part.coefficients, return_inverse=True)
            rows = factors[0][1]
            left = np.where(rows >= 0, inverse.reshape(rows.shape), ANY)
            factors.insert(0, (self.builder.known(values), left))
        (a, left), (b, right) = factors
        return sign, [self.sums.dots(a, b, left, right)]

    def chains(self, pack: Pack) -> Operand:
        """Cumulative sums of increments, each chain a row."""
        array, places = self.sum(pack)
        rows = places.reshape(pack.chains, -1) if pack.chains > 1 else places
        made = self.builder.cumsum(self.builder.fetch(array, rows))
        return made, np.arange(len(pack.lanes))

    def reduction(self, row: Reduction, pack: Pack) -> Operand:
        """The array of reductions, and the place of each lane in it."""
        builder = self.builder
        found = [self.homes.operand(column) for column in self._columns[pack]]
        matrix = self._matrix(row, found)
        is_split = row is ops.logsumexp
        made = builder.logsumexp(matrix) if is_split else builder.reduce(row, matrix)
        return made, np.arange(len(pack.lanes))

    def _matrix(self, row: Reduction, columns: Sequence[Operand]) -> int:
        """What each lane reduces, a row each."""
        builder = self.builder
        array, places = columns[0]
        assert row.neutral is not None
        if len(columns) == 1:
            return padded(builder, array, places, {}, row.neutral)
        together = np.concatenate([places for _, places in columns], axis=1)
        is_one = all(other == array for other, _ in columns)
        if is_one and View.of(together, builder.instrs[array].size) is not None:
            return builder.fetch(array, together)
        joined = builder.concatenate([builder.fetch(x, places[:, 0]) for x, places in columns])
        count, width = together.shape
        return builder.view(joined, View(0, (count, width), (1, count)))
