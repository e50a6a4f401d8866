"""`Cotangents`: the parts of each array's cotangent, given to it by all that read it."""

from collections.abc import Collection

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Access, Gather, Shape, View
from autodiff.compiler.arrays.program import Instr, base
from autodiff.rows.primitive import Primitive

Part = tuple[int, Access | None]
"""A cotangent, and the access to the array whose elements it belongs to; None for all."""


class Cotangents:
    """Cotangents of the arrays in `dependent`, those that depend on what is differentiated by."""

    def __init__(self, builder: Builder, dependent: Collection[int]) -> None:
        self.builder = builder
        self.dependent = dependent
        self.names: dict[int, int] = {}
        """For arrays that were made, the array that each is the cotangent of."""
        self._parts: dict[int, list[Part]] = {}
        self._wide: dict[tuple[int, Shape, bool], tuple[int, int]] = {}
        """For numbers, by the shape of what was summed to parts of their cotangents: its sum so
        far, and which part it is."""

    def __contains__(self, i: int) -> bool:
        return i in self._parts

    def give(self, i: int, ct: int, access: Access | None = None) -> None:
        """Add to the cotangent of `i`, or to the part of it that `access` reads."""
        builder = self.builder
        if i not in self.dependent:
            return
        target = builder.instrs[i]
        parts = self._parts.setdefault(i, [])
        if access is None and target.size == 1 < builder.instrs[ct].size:
            # Many cotangents of one number are added before they are summed.
            key = i, builder.shape(ct), builder.instrs[ct].is_batched
            if key in self._wide:
                total, k = self._wide[key]
                ct = builder.apply(ops.add, [total, ct])
                self._wide[key] = ct, k
                parts[k] = self._narrowed(ct, target), None
                return
            self._wide[key] = ct, len(parts)
        if access is None:
            ct = self._narrowed(ct, target)
        else:
            ct = self._unbatched(ct, target)
            ct = builder.broadcast(ct, access.shape, target.is_batched)
        parts.append((ct, access))

    def _unbatched(self, ct: int, target: Instr) -> int:
        """`ct` summed over the batch if `target` has none."""
        is_summed = not target.is_batched and self.builder.instrs[ct].is_batched
        return self.builder.sum_batch(ct) if is_summed else ct

    def _narrowed(self, ct: int, target: Instr) -> int:
        """`ct` summed over the batch and the axes along which `target` was broadcast."""
        builder = self.builder
        ct = self._unbatched(ct, target)
        shape = builder.shape(ct)
        extra = len(shape) - len(target.shape)
        narrow = (*(1,) * extra, *target.shape)
        axes = tuple(k for k, size in enumerate(narrow) if size == 1 < shape[k])
        if axes or extra > 0:
            kept = tuple(1 if k + extra in axes else n for k, n in enumerate(shape[extra:]))
            ct = builder.reshape(builder.sum(ct, axes), kept)
        return ct

    def give_at(self, i: int, ct: int, access: Access) -> None:
        """Add to the cotangent of `i` where a view or gather has read it."""
        builder = self.builder
        positions = access.positions()
        if isinstance(access, View) and access.repeated:
            ct = builder.sum(builder.broadcast(ct, access.shape), access.repeated)
            repeated = access.repeated
            first = tuple(0 if axis in repeated else slice(None) for axis in range(positions.ndim))
            positions = np.atleast_1d(positions[first])
            ct = builder.reshape(ct, positions.shape)
        view = View.of(positions, builder.instrs[i].size)
        is_once = len(np.unique(positions)) == positions.size
        if view is None or not is_once:
            self.give(i, ct, Gather(positions))
            return
        if view.is_turned:
            view, ct = view.transposed(), builder.transpose(ct)  # rows that lie in one piece
        self.give(i, ct, view)

    def total(self, i: int) -> int:
        """The sum of the parts."""
        builder = self.builder
        placed: dict[Access, int] = {}
        total = -1
        for ct, access in self._parts[i]:
            known = total if access is None else placed.get(access, -1)
            ct = ct if known < 0 else builder.apply(ops.add, [known, ct])
            if access is None:
                total = ct
            else:
                placed[access] = ct
        if placed:
            whole = builder.scatter([(ct, x) for x, ct in placed.items()], builder.shape(i))
            total = whole if total < 0 else builder.apply(ops.add, [total, whole])
        self.names.setdefault(base(builder.instrs, total), i)
        return total

    def final(self, i: int) -> int:
        """The sum of the parts, or zeros, in the shape of `i`."""
        total = self.total(i) if i in self else self.builder.constant([0.0])
        return self.builder.broadcast(total, self.builder.shape(i))

    def spread(self, instr: Instr, ct: int) -> int:
        """`ct`, with an element wherever an operand is repeated: there its parts are summed."""
        builder = self.builder
        reached = [builder.instrs[x] for x in instr.operands if x in self.dependent]
        if instr.is_batched and not all(x.is_batched for x in reached):
            ct = builder.broadcast(ct, builder.shape(ct), is_batched=True)
        if isinstance(instr.op, Primitive) and any(x.shape != instr.shape for x in reached):
            ct = builder.broadcast(ct, instr.shape)
        return ct
