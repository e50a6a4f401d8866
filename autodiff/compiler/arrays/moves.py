"""`Moves`: the same elements in another place, order or shape, by a view where there is one."""

import math
from collections.abc import Sequence

import numpy as np

from autodiff.compiler.arrays.layout import (
    ANY,
    Access,
    Gather,
    Positions,
    Shape,
    View,
    common_shape,
    contiguous,
    periods,
)
from autodiff.compiler.arrays.ops import (
    BROADCAST,
    CONCATENATE,
    CONSTANT,
    COPY,
    GATHER,
    MATMUL_BATCH,
    SCATTER,
    VIEW,
    Values,
)
from autodiff.compiler.arrays.store import Store


class Moves(Store):
    """Instructions that move elements."""

    def place(self, i: int) -> tuple[int, Positions]:
        """The array, not a view, that holds the elements of `i`, and where."""
        instr = self.instrs[i]
        if instr.op is VIEW:
            return instr.operands[0], instr.view.positions()
        return i, np.arange(instr.size).reshape(instr.shape)

    def view(self, i: int, view: View) -> int:
        """A view of an array that is not one itself."""
        return i if view.is_whole(self.shape(i)) else self.add(VIEW, [i], view)

    def fetch(self, source: int, positions: Positions) -> int:
        """The elements at `positions`, in their shape: a view if there is one, else a gather.

        Where the position is `ANY`, any element.
        """
        if self.instrs[source].op is VIEW:
            source, places = self.place(source)
            positions = np.where(positions >= 0, places.reshape(-1)[positions], ANY)
        instr = self.instrs[source]
        if instr.op is CONSTANT:
            return self.known(instr.values.reshape(-1)[positions * (instr.size > 1)])
        view = View.of(positions, instr.size)
        if view is not None:
            return self.view(source, view)
        copied = self._copied(source, positions)
        if copied is not None:
            return copied
        return self.add(GATHER, [source], Gather(np.maximum(positions, 0)))

    def _copied(self, source: int, positions: Positions) -> int | None:
        """The elements at `positions` by a view of more axes, copied; None if there is none."""
        shape, flat = positions.shape, positions.reshape(-1)
        blocks = periods(flat) if (flat >= 0).all() else None
        if blocks is None:
            return None
        finer = common_shape([blocks, contiguous(shape)], flat.size)
        view = finer and View.of(flat.reshape(finer), self.instrs[source].size)
        if not view:
            return None
        return self.reshape(self.add(COPY, [self.view(source, view)]), shape)

    def narrowed(self, i: int) -> int:
        """Without the repetitions of a view or constant, which NumPy's broadcasting makes."""
        instr = self.instrs[i]
        if instr.op is CONSTANT:
            return self.constant(instr.values)
        return self.view(instr.operands[0], instr.view.narrowed()) if instr.op is VIEW else i

    def reshape(self, i: int, shape: Shape) -> int:
        """The same elements in another shape; a copy where no view has it."""
        if self.shape(i) == shape:
            return i
        instr = self.instrs[i]
        if instr.op is CONSTANT:
            return self.known(instr.values.reshape(shape))
        if instr.op is not VIEW:
            return self.view(i, View(0, shape, contiguous(shape)))
        source, places = self.place(i)
        view = View.of(places.reshape(shape), self.instrs[source].size)
        if view is not None:
            return self.view(source, view)
        return self.reshape(self.add(COPY, [i]), shape)

    def transpose(self, i: int) -> int:
        """The last two axes exchanged."""
        instr = self.instrs[i]
        if instr.op is VIEW:
            return self.view(instr.operands[0], instr.view.transposed())
        if instr.op is MATMUL_BATCH:  # (aᵀ b)ᵀ → bᵀ a
            return self.add(MATMUL_BATCH, instr.operands[::-1], is_batched=False)
        if instr.op is CONSTANT:
            return self.known(np.swapaxes(instr.values, -1, -2))
        return self.view(i, View(0, instr.shape, contiguous(instr.shape)).transposed())

    def broadcast(self, i: int, shape: Shape, is_batched: bool = False) -> int:
        """Repeated along axes of size 1, and along the batch if `is_batched`."""
        if self.shape(i) != shape:
            source, places = self.place(i)
            if self.instrs[source].op is CONSTANT:
                values: Values = np.broadcast_to(self.instrs[source].values, shape)
                i = self.known(values)
            else:
                i = self.fetch(source, np.broadcast_to(places, shape))
        if is_batched and not self.instrs[i].is_batched:
            i = self.add(BROADCAST, [i], is_batched=True)
        return i

    def concatenate(self, operands: Sequence[int]) -> int:
        """Flattened arrays one behind the other."""
        return operands[0] if len(operands) == 1 else self.add(CONCATENATE, operands)

    def scatter(self, parts: Sequence[tuple[int, Access]], shape: Shape) -> int:
        """An array of zeros to which each part is added at the places of its access."""
        ((first, access), *others) = parts
        size = math.prod(shape)
        if not others and isinstance(access, View) and access.is_permutation(size):
            back = np.empty(size, dtype=np.intp)
            back[access.positions().reshape(-1)] = np.arange(size)
            return self.fetch(first, back.reshape(shape))
        accesses = tuple(access for _, access in parts)
        return self.add(SCATTER, [i for i, _ in parts], accesses, shape=shape)
