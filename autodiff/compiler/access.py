"""Where a flat array is read: a view if the places are evenly spaced, else a gather."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class View:
    """Element (i, j, …) is at offset + i·strides[0] + j·strides[1] + …"""

    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @staticmethod
    def of(positions: Positions) -> "View | None":
        """The view that reads at `positions`, or None if they are not evenly spaced."""
        if not positions.size:
            return None
        strides = []
        for axis, size in enumerate(positions.shape):
            if size == 1:
                strides.append(0)
                continue
            first = positions.take(1, axis) - positions.take(0, axis)
            stride = int(first.flat[0])
            if stride < 0 or (np.diff(positions, axis=axis) != stride).any():
                return None
            strides.append(stride)
        view = View(int(positions.flat[0]), positions.shape, tuple(strides))
        return view

    def positions(self) -> Positions:
        """Where each element is."""
        places = np.full(self.shape, self.offset, dtype=np.intp)
        for axis, (size, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
            steps = np.arange(size) * stride
            places = places + steps.reshape(
                [-1 if i == axis else 1 for i in range(len(self.shape))]
            )
        return places

    @property
    def repeated(self) -> tuple[int, ...]:
        """The axes along which every element is the same one."""
        pairs = zip(self.shape, self.strides, strict=True)
        return tuple(i for i, (size, stride) in enumerate(pairs) if stride == 0 and size > 1)

    def __repr__(self) -> str:
        return f"{self.offset} + {list(self.shape)}·{list(self.strides)}"


class Gather:
    """Element i is at `places[i]`."""

    __slots__ = ("_key", "places")

    def __init__(self, places: Positions) -> None:
        self.places = places
        self._key = (places.shape, places.tobytes())

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is read."""
        return self.places.shape

    def positions(self) -> Positions:
        """Where each element is."""
        return self.places

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Gather) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"gather of {list(self.shape)}"
