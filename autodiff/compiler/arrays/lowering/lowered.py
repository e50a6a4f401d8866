"""`Lowered`: packs as arrays, its verifier and its printer; `Lowering`: it in the making."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import ANY, Positions
from autodiff.compiler.arrays.program import Instr, Program, verify
from autodiff.compiler.scalars.packs import Packs

Operand = tuple[int, Positions]
"""An array, and the place of each lane in it."""


@dataclass(frozen=True, eq=False)
class Lowered:
    """Packs as arrays: the instructions, and where among their elements lanes and results are."""

    packs: Packs
    instrs: tuple[Instr, ...]
    results: tuple[Operand, ...]
    """The array of each result, and its place there, of shape (1,)."""
    parameter_count: int
    arrays: Mapping[int, int]
    """Each pack's array, by the number of the pack."""
    places: Mapping[int, Positions]
    """Where each pack's lanes are in its array."""
    ragged: tuple[int, ...]
    """Arrays of dots in which zeros stand in for the ends of the shorter ones."""
    has_spare: bool
    """Whether some computed elements belong to no lane; their cotangent is zero."""

    def __str__(self) -> str:
        lines = []
        for pack in self.packs.packs:
            places = self.places[pack.number].tolist()
            shown = f"{places[:8]}…" if len(places) > 8 else f"{places}"
            lines.append(f"#{pack.number} ({pack.name}): %{self.arrays[pack.number]} at {shown}")
        program = str(Program(self.instrs, ())).rpartition("\n")[0]
        ends = [f"%{array}[{int(places[0])}]" for array, places in self.results]
        return "\n".join([*lines, program, f"return {', '.join(ends)}"])

    def verify(self) -> None:
        """Raise AssertionError unless each lane has a place in its pack's array."""
        verify(Program(self.instrs, tuple(self.arrays.values())))
        for number, places in self.places.items():
            size = self.instrs[self.arrays[number]].size
            assert ((places >= 0) & (places < size)).all(), f"#{number}: out of bounds"
        for i, pack in self.packs.pack_of.items():
            has_place = self.packs.lane_of[i] < len(self.places[pack.number])
            assert has_place, f"#{pack.number}: no place for %{i}"
        for array, places in self.results:
            assert 0 <= places[0] < self.instrs[array].size, f"%{array}: a result out of bounds"


class Lowering:
    """Packs so far: `arrays[n]` is pack n's instruction, `places[n]` where its lanes are."""

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

    @property
    def lowered(self) -> Lowered:
        """The arrays of all packs, as they are now."""
        results = tuple([self.operand([i]) for i in self.packs.results])
        return Lowered(
            packs=self.packs,
            instrs=tuple(self.builder.instrs),
            results=results,
            parameter_count=len(self.packs.scalars.parameters),
            arrays=dict(self.arrays),
            places=dict(self.places),
            ragged=tuple(self.ragged),
            has_spare=self.has_spare,
        )

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
