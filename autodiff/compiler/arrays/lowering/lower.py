"""Packs → the array program: views for regular operands, one array per pack."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import ANY, Gather, common_shape, periods
from autodiff.compiler.arrays.lowering.align import aligned, settled
from autodiff.compiler.arrays.lowering.contract import in_bands, padded
from autodiff.compiler.arrays.lowering.lowered import Lowered, Lowering, Operand
from autodiff.compiler.arrays.lowering.mixed import Mixed
from autodiff.compiler.arrays.lowering.sums import LoweredSums
from autodiff.compiler.scalars.packs import CHAIN, SUM, Pack, Packs
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, TAKE, Leaf
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


def lower(packs: Packs, order: Sequence[int]) -> Lowered:
    """One array per pack, operands first; `order` is that of the parameters."""
    kinds = _Kinds(packs, order)
    lowering = kinds.lowering
    for pack in packs.packs:
        if isinstance(pack.op, Leaf):
            array, places = kinds.leaf(pack.op)
        elif pack.op == CHAIN:
            array, places = kinds.mixed.chains(pack)
        elif pack.op == SUM:
            array, places = kinds.mixed.sum(pack) if pack.is_mixed else kinds.sums.lower(pack)
        elif pack.op is TAKE:
            array, places = kinds.take(pack)
        elif isinstance(pack.op, Reduction) and not kinds.is_binary(pack.op, pack):
            lowered = kinds.mixed.reduction if pack.is_mixed else kinds.reduction
            array, places = lowered(pack.op, pack)
        else:
            assert isinstance(pack.op, Primitive)
            array, places = kinds.elementwise(pack.op, pack)
        lowering.arrays[pack.number], lowering.places[pack.number] = array, places
        kinds.mixed.homes.settle(pack)
    return lowering.lowered


class _Kinds:
    """How packs of each kind are lowered."""

    def __init__(self, packs: Packs, order: Sequence[int]) -> None:
        self.scalars = packs.scalars
        self.order = np.array(order, dtype=np.intp)
        self.lowering = Lowering(packs)
        self.builder = self.lowering.builder
        self.sums = LoweredSums(self.lowering)
        self.mixed = Mixed(self.lowering, self.sums)

    def leaf(self, leaf: Leaf) -> Operand:
        if leaf is CONSTANTS:
            values = np.array(self.scalars.constants)
            return self.builder.known(values), np.arange(values.size)
        if leaf is PARAMETERS:
            return self.builder.leaf(leaf.name, self.order.size, False), np.argsort(self.order)
        kind = "i" if leaf.is_index else "f"
        array = self.builder.leaf(leaf.name, leaf.size, leaf.is_batched, kind)
        return self.builder.cast(array) if leaf.is_index else array, np.arange(leaf.size)

    def elementwise(self, row: Primitive, pack: Pack) -> Operand:
        if pack.is_mixed:
            operands = self.mixed.operands(pack)
        else:
            columns = zip(*[self.scalars.operands[i] for i in pack.lanes], strict=True)
            operands = [self.lowering.operand(column) for column in columns]
        views, shape, places = aligned(self.builder, operands)
        made = self.builder.apply(row, views)
        self.lowering.has_spare |= len(places) < math.prod(shape)
        return settled(self.builder, made, shape, places)

    def is_binary(self, row: Reduction, pack: Pack) -> bool:
        """Whether NumPy has a ufunc of two operands for a reduction of two."""
        return bool(row.ufunc) and all(len(self.scalars.operands[i]) == 2 for i in pack.lanes)

    def reduction(self, row: Reduction, pack: Pack) -> Operand:
        lanes = [self.scalars.operands[i] for i in pack.lanes]
        return in_bands(self.builder, lanes, partial(self._reduced, row))

    def _reduced(self, row: Reduction, lanes: Sequence[Sequence[int]]) -> Operand:
        width = max(map(len, lanes))
        rows = np.full((len(lanes), width), ANY, dtype=np.intp)
        for lane, operands in enumerate(lanes):
            rows[lane, : len(operands)] = operands
        array, places = self.lowering.joined(rows)
        shape = common_shape([periods(places[:, 0]) or []], len(rows)) or (len(rows),)
        assert row.neutral is not None
        matrix = padded(self.builder, array, places.reshape(*shape, -1), {}, row.neutral)
        if row is ops.logsumexp:
            return self.builder.logsumexp(matrix), np.arange(len(rows))
        return self.builder.reduce(row, matrix), np.arange(len(rows))

    def take(self, pack: Pack) -> Operand:
        rows = np.array([self.scalars.operands[i] for i in pack.lanes])
        source, table = self.lowering.joined(rows[:, :-1])
        index, at = self.lowering.joined(rows[:, -1], is_index=True)
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
