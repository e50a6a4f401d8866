"""`Lowered`: packs as arrays, its verifier and its printer."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import ANY, Positions
from autodiff.compiler.arrays.program import Program, verify
from autodiff.compiler.scalars.packs import Packs

Operand = tuple[int, Positions]
"""An array, and the place of each lane in it."""


class Lowered:
    """Packs as arrays: `arrays[n]` is pack n's instruction, `places[n]` where its lanes are."""

    def __init__(self, packs: Packs) -> None:
        self.builder = Builder()
        self.packs = packs
        self.arrays: dict[int, int] = {}
        self.places: dict[int, Positions] = {}
        self.ragged: list[int] = []
        """Arrays of dots in which zeros stand in for the ends of the shorter ones."""
        self.has_spare = False
        """Whether some computed elements belong to no lane; their cotangent is zero."""
        self.zeros: dict[int, npt.NDArray[np.bool_]] = {}
        """For arrays with zeros instead of lanes, where they are."""

    def __str__(self) -> str:
        lines = []
        for pack in self.packs.packs:
            name = getattr(pack.op, "name", pack.op)
            places = self.places[pack.number].tolist()
            shown = f"{places[:8]}…" if len(places) > 8 else f"{places}"
            lines.append(f"pack {pack.number} ({name}): %{self.arrays[pack.number]} at {shown}")
        program = Program(tuple(self.builder.instrs), tuple(self.arrays.values()))
        return "\n".join([*lines, str(program)])

    def verify(self) -> None:
        """Raise AssertionError unless each lane has a place in its pack's array."""
        instrs = self.builder.instrs
        verify(Program(tuple(instrs), tuple(self.arrays.values())))
        for number, places in self.places.items():
            size = instrs[self.arrays[number]].size
            assert ((places >= 0) & (places < size)).all(), f"pack {number}: out of bounds"
        for i, pack in self.packs.pack_of.items():
            has_place = self.packs.lane_of[i] < len(self.places[pack.number])
            assert has_place, f"pack {pack.number}: no place for %{i}"

    def result(self, i: int) -> Operand:
        """The array of a scalar, and its place there, of shape (1,)."""
        return self.operand([i])

    def place(self, i: int) -> tuple[int, int]:
        """The pack of a scalar and its place in the pack's array."""
        pack = self.packs.pack_of[i]
        return pack.number, int(self.places[pack.number][self.packs.lane_of[i]])

    def operand(self, scalars: Sequence[int]) -> Operand:
        """The array that holds scalars of one pack, and their places."""
        lane_of = self.packs.lane_of
        number = self.packs.pack_of[scalars[0]].number
        lanes = np.fromiter((lane_of[i] for i in scalars), dtype=np.intp, count=len(scalars))
        return self.arrays[number], self.places[number][lanes]

    def joined(self, rows: Positions, is_index: bool = False) -> Operand:
        """One array that holds all of a matrix of scalars, and their places in it.

        A scalar may be `ANY`, and so is its place.
        """
        pairs = [self.place(int(i)) if i >= 0 else (ANY, ANY) for i in rows.flat]
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
