"""Homes: arrays that hold what lanes read together although different packs have made it.

The newest of these packs, the owner, is computed inside its home. A home with a halo has the
other scalars around the owner, each where a shifted view reads it: [lo | owner | hi], or so in
two dimensions. Else a home is the packs, or what is read of them, one behind the other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.layout import ANY, Access, Gather, Positions, View, contiguous
from autodiff.compiler.arrays.lowering.columns import Column
from autodiff.compiler.arrays.lowering.lowered import Lowering, Operand
from autodiff.compiler.scalars.packs import Pack
from autodiff.compiler.scalars.program import Leaf


class Homes:
    """The homes of packs that other packs are read together with."""

    def __init__(self, lowering: Lowering, columns: Sequence[Column]) -> None:
        self.lowering = lowering
        self.builder = lowering.builder
        self._order = {pack: k for k, pack in enumerate(lowering.packs.packs)}
        self._found: dict[Column, Operand] = {}
        self._wanted: dict[Pack, list[Column]] = {}
        self._homed: set[int] = set()
        """The packs whose array is a home."""
        for column in columns:
            sources = {lowering.packs.pack_of[i] for i in column.scalars.ravel().tolist() if i >= 0}
            if len(sources) > 1:
                owner = max(sources, key=self._order.__getitem__)
                self._wanted.setdefault(owner, []).append(column)

    def operand(self, column: Column) -> Operand:
        """The array that has the scalars of a column, and their places there."""
        if column not in self._found:
            return self.lowering.joined(column.scalars)
        return self._found[column]

    def settle(self, pack: Pack) -> None:
        """Give a pack that was just lowered its home, if its lanes are read beside others."""
        wanted = self._wanted.get(pack)
        if not wanted:
            return
        owned = _Owned(self.lowering, pack, wanted)
        sizes = range(1, owned.size + 1) if len(owned.places) else ()
        for rows in (n for n in sizes if owned.size % n == 0):
            halo = owned.halo(rows)
            if halo is not None:
                self._surround(pack, wanted, halo)
                return
        self._join(pack, wanted)

    def _surround(self, pack: Pack, wanted: Sequence[Column], halo: "_Halo") -> None:
        builder, lowering = self.builder, self.lowering
        array = lowering.arrays[pack.number]
        if halo.rows > 1:
            array = builder.reshape(array, (halo.rows, halo.columns))
            view = View(halo.start, (halo.rows, halo.columns), (halo.pitch, 1))
        else:
            shape = builder.shape(array)
            view = View(halo.start, shape, contiguous(shape))
        around = self._around(halo)
        is_batched = any(builder.instrs[i].is_batched for i, _ in around)
        if is_batched and len(builder.shape(array)) > 1:
            array = builder.broadcast(array, builder.shape(array), True)
        home = builder.scatter([(array, view), *around], (halo.size,))
        self._move(pack, home, halo.address(lowering.places[pack.number]))
        for column, places in zip(wanted, halo.places, strict=True):
            self._found[column] = home, places

    def _around(self, halo: "_Halo") -> list[tuple[int, Access]]:
        """What lies around the owner, by the arrays that have it; a 0.0 is there already."""
        scalars = self.lowering.packs.scalars
        sources: dict[int, list[tuple[int, int]]] = {}
        for address, i in sorted(halo.extras.items()):
            value = scalars.only(i)
            if value == 0 and math.copysign(1.0, value) > 0:
                continue
            number, place = self.lowering.place(i)
            sources.setdefault(self.lowering.arrays[number], []).append((address, place))
        found: list[tuple[int, Access]] = []
        for source, pairs in sources.items():
            at, places = np.array(pairs, dtype=np.intp).T
            found.append((self.builder.fetch(source, places), View.of(at, halo.size) or Gather(at)))
        return found

    def _join(self, pack: Pack, wanted: Sequence[Column]) -> None:
        """A home in which packs lie one behind the other, if most of them is read."""
        builder, lowering = self.builder, self.lowering
        needed: dict[Pack, dict[int, int]] = {}
        for column in wanted:
            for i in column.scalars.flat:
                if i >= 0:
                    source = lowering.packs.pack_of[int(i)]
                    needed.setdefault(source, {})[int(i)] = lowering.place(int(i))[1]
        arrays: list[int] = []
        address = {ANY: ANY}
        moved: list[tuple[Pack, int]] = []
        start = 0
        for source, places in needed.items():
            array = lowering.arrays[source.number]
            size = builder.instrs[array].size
            if self._is_whole(source, len(places), size, is_owner=source is pack):
                address.update((i, start + place) for i, place in places.items())
                moved.append((source, start))
            else:
                address.update((i, start + k) for k, i in enumerate(places))
                array = builder.fetch(array, np.array(list(places.values()), dtype=np.intp))
                size = len(places)
            arrays.append(array)
            start += size
        home = builder.concatenate(arrays)
        for source, begin in moved:
            self._move(source, home, lowering.places[source.number] + begin)
        for column in wanted:
            places_of = [address[int(i)] for i in column.scalars.flat]
            self._found[column] = home, np.array(places_of).reshape(column.scalars.shape)

    def _is_whole(self, source: Pack, read: int, size: int, *, is_owner: bool) -> bool:
        """Whether a home has all of a pack's array."""
        if isinstance(source.op, Leaf):
            return is_owner and size <= 4 * read
        return is_owner or (source.number not in self._homed and size <= 2 * read)

    def _move(self, pack: Pack, home: int, places: Positions) -> None:
        """Let a pack be read from its home from now on; a leaf is read where the caller has it."""
        if not isinstance(pack.op, Leaf):
            self.lowering.arrays[pack.number] = home
            self.lowering.places[pack.number] = places
            self._homed.add(pack.number)


@dataclass(frozen=True, eq=False)
class _Halo:
    """An owner of so many rows and columns at `start` in a home whose rows are `pitch` apart."""

    rows: int
    columns: int
    pitch: int
    start: int
    size: int
    places: list[Positions]
    """Where in the home each column is read."""
    extras: dict[int, int]
    """What lies around the owner, by its place in the home."""

    def address(self, places: Positions) -> Positions:
        """Where in the home what is at `places` of the owner's array is."""
        return self.start + places // self.columns * self.pitch + places % self.columns


class _Owned:
    """The columns of an owner, each term a vector: its scalars, and the places of the owner's."""

    def __init__(self, lowering: Lowering, pack: Pack, wanted: Sequence[Column]) -> None:
        self.size = lowering.builder.instrs[lowering.arrays[pack.number]].size
        self.wanted = wanted
        pack_of, lane_of = lowering.packs.pack_of, lowering.packs.lane_of
        self.vectors: list[Positions] = []
        self.places: list[Positions] = []
        lanes = lowering.places[pack.number]
        for column in wanted:
            for vector in column.scalars.T:
                own = [
                    lane_of[i] if i >= 0 and pack_of[i] is pack else ANY for i in vector.tolist()
                ]
                found = np.array(own, dtype=np.intp)
                self.vectors.append(vector)
                self.places.append(np.where(found >= 0, lanes[found], ANY))
        if any((places < 0).all() for places in self.places):
            self.places = []

    def halo(self, rows: int) -> _Halo | None:
        """The home in which each vector is evenly spaced, the owner an array of so many rows.

        None if two scalars would be at one place, or the home would be large.
        """
        columns = self.size // rows
        lines = [len(v) if rows == 1 else columns for v in self.vectors]
        shifts = [self._shift(p, line, columns) for p, line in zip(self.places, lines, strict=True)]
        if any(shift is None for shift in shifts):
            return None
        down, across = np.array(shifts).T
        heights = [len(v) // line for v, line in zip(self.vectors, lines, strict=True)]
        top, left = max(0, -int(down.min())), max(0, -int(across.min()))
        bottom = max(0, int((down + heights).max()) - rows)
        right = max(0, int((across + lines).max()) - columns)
        pitch = left + columns + right
        size = (top + rows + bottom) * pitch
        if size > 3 * self.size + 16:
            return None
        start = top * pitch + left
        addresses = []
        for v, line, d, a in zip(self.vectors, lines, down, across, strict=True):
            lane = np.arange(len(v))
            address = (lane // line + d + top) * pitch + lane % line + a + left
            addresses.append(np.where(v >= 0, address, ANY))
        taken = _Halo(rows, columns, pitch, start, size, [], {}).address(np.arange(self.size))
        extras = self._extras(addresses, taken)
        if extras is None:
            return None
        places, k = [], 0
        for column in self.wanted:
            width = column.scalars.shape[1]
            places.append(np.stack(addresses[k : k + width], axis=1))
            k += width
        return _Halo(rows, columns, pitch, start, size, places, extras)

    def _shift(self, places: Positions, line: int, columns: int) -> tuple[int, int] | None:
        """How far down and across the owner's places are from their lanes; None if they differ."""
        if len(places) % line:
            return None
        lanes = np.flatnonzero(places >= 0)
        own = places[lanes]
        down, across = own // columns - lanes // line, own % columns - lanes % line
        if (down != down[0]).any() or (across != across[0]).any():
            return None
        return int(down[0]), int(across[0])

    def _extras(
        self, addresses: Sequence[Positions], taken: npt.NDArray[np.intp]
    ) -> dict[int, int] | None:
        """What else lies where; None if something is there already."""
        extras: dict[int, int] = {}
        for vector, places, address in zip(self.vectors, self.places, addresses, strict=True):
            is_extra = (vector >= 0) & (places < 0)
            if np.isin(address[is_extra], taken).any():
                return None
            for at, i in zip(address[is_extra].tolist(), vector[is_extra].tolist(), strict=True):
                if extras.setdefault(at, i) != i:
                    return None
        return extras
