"""Where an array is read: a view if the places are evenly spaced, else a gather.

Places are positions in the flattened array, without its batch axis.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.intp]
Shape = tuple[int, ...]

ANY = -1
"""The position of an element that nothing reads: any element will do."""


@dataclass(frozen=True, slots=True)
class View:
    """Element (i, j, …) is at offset + i·strides[0] + j·strides[1] + …"""

    offset: int
    shape: Shape
    strides: Shape

    @staticmethod
    def of(positions: Positions, size: int) -> "View | None":
        """The view of an array of `size` elements at `positions`, where they are not `ANY`.

        None if they are not evenly spaced along each axis, or run backwards. An axis along
        which all positions are equal has stride 0.
        """
        known = positions >= 0
        if not known.any():
            return None
        if positions.size == 1:
            place = int(positions.flat[0])
            return View(place, positions.shape, (0,) * positions.ndim) if place < size else None
        strides = _strides(positions, known)
        if strides is None:
            return None
        first = tuple(int(axis[0]) for axis in np.nonzero(known))
        offset = int(positions[first]) - sum(i * s for i, s in zip(first, strides, strict=True))
        view = View(offset, positions.shape, strides)
        found = view.positions()
        if offset < 0 or found.flat[-1] >= size or (found != positions)[known].any():
            return None
        return view

    def positions(self) -> Positions:
        """Where each element is."""
        places = np.full(self.shape, self.offset, dtype=np.intp)
        for axis, (size, stride) in enumerate(zip(self.shape, self.strides, strict=True)):
            steps = np.arange(size, dtype=np.intp) * stride
            places += steps.reshape([-1 if i == axis else 1 for i in range(len(self.shape))])
        return places

    def is_whole(self, shape: Shape) -> bool:
        """Whether this is an array of `shape` itself."""
        return self.offset == 0 and self.shape == shape and self.is_run()

    def is_run(self) -> bool:
        """Whether the elements lie one behind the other."""
        return self.squeezed() == squeezed(self.shape, contiguous(self.shape))

    def is_permutation(self, size: int) -> bool:
        """Whether each of `size` elements is read once."""
        axes = sorted(self.squeezed(), key=lambda axis: axis[1])
        return (
            math.prod(self.shape) == size
            and self.offset == 0
            and all(
                stride == math.prod(n for n, _ in axes[:k]) for k, (_, stride) in enumerate(axes)
            )
        )

    def squeezed(self) -> list[tuple[int, int]]:
        """Size and stride of each axis of more than one element."""
        return squeezed(self.shape, self.strides)

    @property
    def repeated(self) -> tuple[int, ...]:
        """The axes along which every element is the same one."""
        pairs = zip(self.shape, self.strides, strict=True)
        return tuple(i for i, (size, stride) in enumerate(pairs) if stride == 0 and size > 1)

    def narrowed(self) -> "View":
        """With a single element along repeated axes, for NumPy to broadcast."""
        pairs = list(zip(self.shape, self.strides, strict=True))
        return View(
            self.offset,
            tuple(size if stride else min(size, 1) for size, stride in pairs),
            tuple(stride if size > 1 else 0 for size, stride in pairs),
        )

    @property
    def is_turned(self) -> bool:
        """Whether its columns lie in one piece, as the rows of a transposed view do."""
        if len(self.shape) < 2 or 1 in self.shape[-2:]:
            return False
        return self.strides[-2] < self.strides[-1]

    def transposed(self) -> "View":
        """With the last two axes exchanged."""
        (*outer, rows, columns), (*far, down, across) = self.shape, self.strides
        return View(self.offset, (*outer, columns, rows), (*far, across, down))

    def __repr__(self) -> str:
        return f"{self.offset} + {list(self.shape)}·{list(self.strides)}"


class Gather:
    """Element i is at `places[i]`."""

    __slots__ = ("_key", "places")

    def __init__(self, places: Positions) -> None:
        self.places = places
        self._key = (places.shape, places.tobytes())

    @property
    def shape(self) -> Shape:
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


Access = View | Gather
"""How an array is read."""


def contiguous(shape: Sequence[int]) -> Shape:
    """The strides of an array of `shape` whose elements lie one behind the other."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def squeezed(shape: Shape, strides: Shape) -> list[tuple[int, int]]:
    """Size and stride of each axis of more than one element."""
    return [(size, stride) for size, stride in zip(shape, strides, strict=True) if size > 1]


def _strides(positions: Positions, known: npt.NDArray[np.bool_]) -> Shape | None:
    """The stride along each axis that the first known neighbors have; 0 where there are none."""
    strides = []
    for axis, size in enumerate(positions.shape):
        behind, ahead = np.arange(size - 1), np.arange(1, size)
        both = known.take(behind, axis) & known.take(ahead, axis)
        if not both.any():
            strides.append(0)
            continue
        where = np.unravel_index(int(both.argmax()), both.shape)
        beside = tuple(int(i) + (k == axis) for k, i in enumerate(where))
        strides.append(int(positions[beside] - positions[where]))
    return tuple(strides) if min(strides, default=0) >= 0 else None


def periods(positions: Positions) -> list[int] | None:
    """The sizes of the blocks in which a vector of positions repeats its steps, innermost first.

    [0 0 0 4 4 4] has blocks of 3 and of 6: as an array of shape (2, 3) it is evenly spaced.
    None if no shape makes the positions so.
    """
    sizes: list[int] = []
    block = 1
    while len(positions) > 1:
        steps = np.diff(positions)
        breaks = np.flatnonzero(steps != steps[0])
        run = int(breaks[0]) + 1 if breaks.size else len(positions)
        rows = positions[: len(positions) // run * run].reshape(-1, run)
        if len(positions) % run or (rows - rows[:, :1] != rows[0] - rows[0, 0]).any():
            return None
        block *= run
        sizes.append(block)
        positions = rows[:, 0]
    return sizes


def common_shape(periods: Iterable[Collection[int]], size: int) -> Shape | None:
    """The coarsest shape of `size` elements that has all of these blocks; None without one."""
    blocks = sorted({1, size}.union(*periods))
    if any(outer % inner for inner, outer in pairwise(blocks)):
        return None
    shape = [outer // inner for inner, outer in pairwise(blocks)]
    return tuple(reversed(shape)) or (size,)
