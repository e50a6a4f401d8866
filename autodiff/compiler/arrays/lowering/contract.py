"""Dots of rows of one array with rows of another: matrix products where they form grids."""

from collections.abc import Callable, Mapping, Sequence, Sized
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import ANY, Positions, View
from autodiff.compiler.arrays.ops import CONSTANT

FILLED = 0.4
"""If at least this fraction of a grid of dots, or of an array, is needed, all is computed."""

SPARE = 1 << 12
"""Lanes of different lengths are separated if padding takes more elements than this."""

T = TypeVar("T", bound=Sized)

Zeros = Mapping[int, npt.NDArray[np.bool_]]


def padded(
    builder: Builder, source: int, places: Positions, zeros: Zeros, fill: float = 0.0
) -> int:
    """The elements at `places`, `fill` where that is `ANY`; `zeros` are known zeros of arrays."""
    pads = places < 0
    if not pads.any():
        return builder.fetch(source, places)
    array, found = builder.place(source)
    inner = np.where(pads, ANY, found.reshape(-1)[places])
    view = View.of(inner, builder.instrs[array].size)
    if view is None or builder.instrs[array].op is CONSTANT:
        size = builder.instrs[source].size
        extended = builder.concatenate([source, builder.constant([fill])])
        return builder.fetch(extended, np.where(pads, size, places))
    if array in zeros and zeros[array][view.positions()[pads]].all():
        return builder.view(array, view)
    filled = builder.constant(np.full((1,) * places.ndim, fill))
    return builder.apply(ops.where, [builder.constant(pads), filled, builder.view(array, view)])


def bands(counts: Sequence[int]) -> list[list[int]]:
    """Lanes by their number of terms: all together, or those of like length together.

    Padded to the longest row they might have many more elements than terms.
    """
    size, total = len(counts) * max(counts), sum(counts)
    if size - total <= SPARE or total >= size / 4:
        return [list(range(len(counts)))]
    found: dict[int, list[int]] = {}
    for lane, count in enumerate(counts):
        found.setdefault(count.bit_length(), []).append(lane)
    return list(found.values())


def in_bands(
    builder: Builder, lanes: Sequence[T], make: Callable[[Sequence[T]], tuple[int, Positions]]
) -> tuple[int, Positions]:
    """The result of `make` on lanes, on those of like length at a time if need be."""
    parts = bands(list(map(len, lanes)))
    if len(parts) == 1:
        return make(lanes)
    places = np.empty(len(lanes), dtype=np.intp)
    arrays, start = [], 0
    for part in parts:
        array, found = make([lanes[lane] for lane in part])
        places[part] = start + found
        arrays.append(array)
        start += builder.instrs[array].size
    return builder.concatenate(arrays), places


class Dots:
    """Dots of rows of the array `a` with rows of the array `b`."""

    def __init__(self, builder: Builder, a: int, b: int, zeros: Zeros) -> None:
        self.builder = builder
        self.zeros = zeros
        self.a, self.b = a, b
        self.is_ragged = False
        """Whether zeros stand in for the ends of shorter rows."""
        self.has_spare = False
        """Whether some computed dots belong to no lane."""

    def contract(self, left: Positions, right: Positions) -> tuple[int, Positions]:
        """The array of left[k] · right[k], and the place of each lane k in it."""
        builder = self.builder
        a, b = self.a, self.b
        cells = left, right
        self.is_ragged = bool((left < 0).any())
        if self.is_ragged:
            # The shorter rows are zero beyond their end on one side. On the other a row that is
            # a prefix of a longer one may stand for it, which makes the rows of a grid equal.
            whole_left, whole_right = _completed(left), _completed(right)
            if len(_distinct(whole_left)[0]) <= len(_distinct(whole_right)[0]):
                left = whole_left
            else:
                right = whole_right
        if builder.instrs[b].is_batched < builder.instrs[a].is_batched:
            a, b, left, right, cells = b, a, right, left, cells[::-1]
        rows, row_of = _distinct(left)
        columns, column_of = _distinct(right)
        arrays, places = [], np.empty(len(left), dtype=np.intp)
        start = 0
        for lanes, grid_rows, grid_columns in _grids(row_of, column_of):
            grids, u = grid_rows.shape
            v = grid_columns.shape[1]
            self.has_spare |= len(lanes) < grids * u * v
            if u * v > 1 or len(left) == 1:
                array = self._product(a, b, rows[grid_rows], columns[grid_columns])
                row_at = _index(grid_rows, len(rows))[row_of[lanes]]
                column_at = _index(grid_columns, len(columns))[column_of[lanes]]
                grid_at = row_at // u
                places[lanes] = start + (grid_at * v + column_at % v) * u + row_at % u
            else:
                pair = [
                    padded(builder, x, cell[lanes], self.zeros)
                    for x, cell in zip((a, b), cells, strict=True)
                ]
                product = builder.apply(ops.mul, [builder.narrowed(i) for i in pair])
                array = builder.sum(builder.broadcast(product, cells[0][lanes].shape), (1,))
                places[lanes] = start + np.arange(len(lanes))
            arrays.append(array)
            start += grids * u * v
        return builder.concatenate(arrays), places

    def _product(self, a: int, b: int, rows: Positions, columns: Positions) -> int:
        """b's rows, `columns`, times a's `rows`: of shape (grids, v, u), without axes of one."""
        builder = self.builder
        if len(rows) == 1:
            rows, columns = rows[0], columns[0]
            is_row = builder.instrs[b].is_batched and not builder.instrs[a].is_batched
            if len(columns) == 1 and is_row:
                columns = columns[0]
        x, w = (padded(builder, *pair, self.zeros) for pair in ((b, columns), (a, rows)))
        return builder.matmul(x, builder.transpose(w))


def _distinct(rows: Positions) -> tuple[Positions, Positions]:
    """The distinct rows in order of first occurrence, and which of them each row is."""
    known: dict[bytes, int] = {}
    number = np.array([known.setdefault(row.tobytes(), len(known)) for row in rows])
    first = np.unique(number, return_index=True)[1]
    return rows[first], number


def _completed(rows: Positions) -> Positions:
    """Each padded row, continued as the longest row that begins like it, then by its start."""
    counts = (rows >= 0).sum(axis=1).tolist()
    lane_of: dict[bytes, int] = {}
    texts = [row[:count].tobytes() for row, count in zip(rows, counts, strict=True)]
    for lane, text in enumerate(texts):
        lane_of.setdefault(text, lane)
    # In sorted order the texts that begin like a text come right behind it.
    continued: dict[bytes, bytes] = {}
    behind: list[bytes] = []
    for text in sorted(lane_of, reverse=True):
        whole = text
        while behind and behind[-1].startswith(text):
            other = continued[behind.pop()]
            whole = other if len(other) >= len(whole) else whole
        continued[text] = whole
        behind.append(text)
    chosen = rows[[lane_of[continued[text]] for text in texts]]
    return np.where(chosen >= 0, chosen, chosen[:, :1])


Grid = tuple[Positions, Positions, Positions]
"""Lanes, rows of each grid, columns of each grid."""


def _grids(row_of: Positions, column_of: Positions) -> list[Grid]:
    """Lanes as cells of grids of rows and columns, grids of one size together.

    A grid that is less than `FILLED` full is cut into its cells.
    """
    component = _components(row_of, column_of)
    classes: dict[tuple[int, int], list[Grid]] = {}
    order = np.argsort(component, kind="stable")
    bounds = np.flatnonzero(np.diff(component[order])) + 1
    for lanes in np.split(order, bounds):
        rows, columns = np.unique(row_of[lanes]), np.unique(column_of[lanes])
        if len(lanes) < FILLED * len(rows) * len(columns):
            for lane in lanes:
                cell = (np.array([lane]), row_of[lane : lane + 1], column_of[lane : lane + 1])
                classes.setdefault((1, 1), []).append(cell)
        else:
            classes.setdefault((len(rows), len(columns)), []).append((lanes, rows, columns))
    return [
        (np.concatenate([g[0] for g in grids]), np.stack([g[1] for g in grids]),
         np.stack([g[2] for g in grids]))
        for grids in classes.values()
    ]  # fmt: skip


def _components(row_of: Positions, column_of: Positions) -> Positions:
    """Which connected component of rows and columns each lane is in."""
    label = np.arange(row_of.max() + 1)
    while True:
        # The least label of a row spreads to its columns, from there to their rows, and to the
        # row that gave the label before; then each takes the label of its label. So few rounds
        # are enough however long a component is.
        at_column = np.full(column_of.max() + 1, len(label))
        np.minimum.at(at_column, column_of, label[row_of])
        spread = label.copy()
        np.minimum.at(spread, row_of, at_column[column_of])
        np.minimum.at(spread, label, spread)
        spread = spread[spread]
        if (spread == label).all():
            return label[row_of]
        label = spread


def _index(grid: Positions, size: int) -> Positions:
    """The position of each number in a flattened grid."""
    places = np.zeros(size, dtype=np.intp)
    places[grid.ravel()] = np.arange(grid.size)
    return places
