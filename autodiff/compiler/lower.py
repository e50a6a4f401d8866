"""Packs → the array program: views for regular operands, matrix products for grids of dots."""

from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.ir import Builder
from autodiff.compiler.pack import SUM, Pack, Packs
from autodiff.compiler.scalars import CONSTANTS, TAKE, Leaf, Scalars
from autodiff.compiler.trace import PREDICATES
from autodiff.primitive import Primitive
from autodiff.reduction import Reduction

Positions = npt.NDArray[np.intp]

_FILLED = 0.4
"""The part of a grid of dots that is wanted, from which on all of it is computed."""


class Lowering:
    """Packs as arrays: `arrays[n]` is pack n's instruction, `places[n]` where its lanes are."""

    def __init__(self, scalars: Scalars, packs: Packs, leaf_sizes: dict[Leaf, int]) -> None:
        self.builder = Builder()
        self.scalars = scalars
        self.packs = packs
        self.arrays: dict[int, int] = {}
        self.places: dict[int, Positions] = {}
        for pack in packs.packs:
            self._lower(pack, leaf_sizes)

    def result(self, i: int) -> tuple[int, int]:
        """The array of a scalar, and its place there."""
        pack = self.packs.pack_of[i]
        return self.arrays[pack.number], int(self.places[pack.number][self.packs.lane_of[i]])

    def _lower(self, pack: Pack, leaf_sizes: dict[Leaf, int]) -> None:
        if isinstance(pack.op, Leaf):
            size = leaf_sizes[pack.op]
            if pack.op is CONSTANTS:
                array = self.builder.constant(self.scalars.constants)
                if self.builder.shape(array) != (size,):
                    array = self.builder.constant(np.array(self.scalars.constants))
            else:
                array = self.builder.leaf(pack.op.name, size, pack.op.is_batched)
            self.arrays[pack.number], self.places[pack.number] = array, np.arange(size)
        elif pack.op == SUM:
            self._sum(pack)
        elif pack.op is TAKE:
            self._take(pack)
        elif isinstance(pack.op, Reduction) and not (
            pack.op.ufunc and len(self.scalars.operands[pack.lanes[0]]) == 2
        ):
            self._reduction(pack)
        else:
            self._elementwise(pack)

    def _place(self, i: int) -> tuple[int, int]:
        """The pack of a scalar and its place in the pack's array."""
        pack = self.packs.pack_of[i]
        return pack.number, int(self.places[pack.number][self.packs.lane_of[i]])

    def _places(self, scalars: list[int]) -> Positions:
        """The places of scalars of one pack."""
        lane_of = self.packs.lane_of
        number = self.packs.pack_of[scalars[0]].number
        lanes = np.fromiter((lane_of[i] for i in scalars), dtype=np.intp, count=len(scalars))
        return self.places[number][lanes]

    def _set(self, pack: Pack, array: int, order: Positions) -> None:
        """Pack's array holds lane `order[k]` at place k."""
        places = np.empty(len(order), dtype=np.intp)
        places[order] = np.arange(len(order))
        self.arrays[pack.number], self.places[pack.number] = array, places

    def _elementwise(self, pack: Pack) -> None:
        columns = list(zip(*[self.scalars.operands[i] for i in pack.lanes], strict=True))
        sources = [self.packs.pack_of[column[0]] for column in columns]
        places = [self._places(list(column)) for column in columns]
        order = self._order(sources, places)
        operands = [
            self.builder.fetch(self.arrays[source.number], place[order])
            for source, place in zip(sources, places, strict=True)
        ]
        array = self._apply(pack.op, operands)
        self._set(pack, self.builder.broadcast(array, (len(order),)), order)

    def _order(self, sources: list[Pack], places: list[Positions]) -> Positions:
        """The lanes in the order in which the largest operand has them, if it has each once."""
        best = np.arange(len(places[0]))
        size = 0
        for source, place in zip(sources, places, strict=True):
            if not isinstance(source.op, Leaf) and len(np.unique(place)) == len(place) > size:
                best, size = np.argsort(place, kind="stable"), len(place)
        return best

    def _apply(self, row: Primitive, operands: list[int]) -> int:
        return self.builder.apply(row, operands, kind="b" if row in PREDICATES else "f")

    def _reduction(self, pack: Pack) -> None:
        rows = [self.scalars.operands[i] for i in pack.lanes]
        array = self.builder.reduce(pack.op, self._matrix(np.array(rows)))
        self._set(pack, array, np.arange(len(rows)))

    def _matrix(self, rows: npt.NDArray[np.intp]) -> int:
        """The array of a matrix of scalars, of one pack or of several."""
        joined, places = self._joined(rows)
        return self._whole(joined, places)

    def _joined(self, rows: npt.NDArray[np.intp]) -> tuple[int, Positions]:
        """One flat array that holds all of some scalars, and their places in it."""
        pairs = [self._place(int(i)) for i in rows.flat]
        numbers = list(dict.fromkeys(number for number, _ in pairs))
        base, start = {}, 0
        for number in numbers:
            base[number] = start
            start += self.builder.shape(self.arrays[number])[0]
        joined = self.builder.concatenate([self.arrays[number] for number in numbers])
        places = np.array([base[number] + place for number, place in pairs], dtype=np.intp)
        return joined, places.reshape(rows.shape)

    def _whole(self, source: int, places: Positions) -> int:
        """The elements at `places`, in their shape even if they are all the same one."""
        return self.builder.broadcast(self.builder.fetch(source, places), places.shape)

    def _take(self, pack: Pack) -> None:
        rows = np.array([self.scalars.operands[i] for i in pack.lanes])
        source, table = self._joined(rows[:, :-1])
        index, places = self._joined(rows[:, -1])
        array = self.builder.take(source, table, self._whole(index, places))
        self._set(pack, array, np.arange(len(rows)))

    def _sum(self, pack: Pack) -> None:
        groups: dict[tuple[int, int, int], list[list[tuple[int, int]]]] = {}
        for lane, i in enumerate(pack.lanes):
            for sign, x, y in self.packs.terms[i]:
                number, place = self._place(x)
                other, other_place = self._place(y) if y >= 0 else (-1, -1)
                key = (sign, number, other)
                if key not in groups:
                    groups[key] = [[] for _ in pack.lanes]
                groups[key][lane].append((place, other_place))
        with_one = self._fold_biases(groups)
        parts = [(sign, *self._group(pack, number, other, lanes, (number, other) == with_one))
                 for (sign, number, other), lanes in groups.items()]  # fmt: skip
        # The largest product decides the order of the lanes; the rest is fetched in it.
        parts.sort(key=lambda part: part[0], reverse=True)
        main = max(range(len(parts)), key=lambda k: self._weight(parts[k]))
        order = np.argsort(parts[main][2], kind="stable")
        total = -1
        for sign, array, places in parts:
            part = self.builder.fetch(array, places[order])
            if total < 0:
                total = part if sign > 0 else self.builder.apply(ops.neg, [part])
            else:
                total = self.builder.apply(ops.add if sign > 0 else ops.sub, [total, part])
        self._set(pack, self.builder.broadcast(total, (len(order),)), order)

    def _fold_biases(self, groups: dict[tuple[int, int, int], Any]) -> tuple[int, int] | None:
        """Make a bias that follows its weights a weight of the number 1 behind the inputs.

        Then weights and biases are one matrix, and so are their gradients. The group so changed,
        or None.
        """
        for sign, number, other in list(groups):
            products, biases = groups[sign, number, other], groups.get((sign, number, -1))
            if biases is None or other < 0 or len(products[0]) < 2:
                continue
            source = self.builder.instrs[self.arrays[number]]
            if (
                source.fact != "parameters"
                or not self.builder.instrs[self.arrays[other]].is_batched
            ):
                continue
            one = self.builder.shape(self.arrays[other])[0]
            pairs = zip(products, biases, strict=True)
            if all(len(b) == 1 and b[0][0] == p[-1][0] + 1 for p, b in pairs):
                for product, bias in zip(products, biases, strict=True):
                    product.append((bias[0][0], one))
                del groups[sign, number, -1]
                return number, other
        return None

    def _weight(self, part: tuple[int, int, Positions]) -> tuple[bool, int]:
        instr = self.builder.instrs[part[1]]
        return len(np.unique(part[2])) == len(part[2]), instr.op not in ("leaf", "constant")

    def _group(
        self,
        pack: Pack,
        number: int,
        other: int,
        lanes: list[list[tuple[int, int]]],
        with_one: bool,
    ) -> tuple[int, Positions]:
        """The array of the sums of one group of terms, and the place of each lane in it."""
        counts = np.array([len(terms) for terms in lanes])
        width = int(counts.max())
        left = np.full((len(lanes), width), -1, dtype=np.intp)
        right = np.full((len(lanes), width), -1, dtype=np.intp)
        for lane, terms in enumerate(lanes):
            for k, (x, y) in enumerate(terms):
                left[lane, k], right[lane, k] = x, y
        source = self.arrays[number]
        is_single = width == 1 and counts.min() == 1
        if other < 0:
            if is_single:
                return source, left[:, 0]
            return self.builder.sum(self._padded(source, left), (1,)), np.arange(len(lanes))
        if is_single:
            x = self.builder.fetch(source, left[:, 0])
            y = self.builder.fetch(self.arrays[other], right[:, 0])
            product = self.builder.apply(ops.mul, [x, y])
            return self.builder.broadcast(product, (len(lanes),)), np.arange(len(lanes))
        against = self.arrays[other]
        if with_one:
            against = self.builder.concatenate([against, self.builder.constant([1.0])])
        return self._contract(source, against, left, right)

    def _padded(self, source: int, places: Positions) -> int:
        """The elements at `places`, 0 at place -1."""
        if (places >= 0).all():
            return self._whole(source, places)
        size = self.builder.shape(source)[0]
        extended = self.builder.concatenate([source, self.builder.constant([0.0])])
        return self._whole(extended, np.where(places < 0, size, places))

    def _contract(self, a: int, b: int, left: Positions, right: Positions) -> tuple[int, Positions]:
        """Dots of rows of `a` with rows of `b`: matrix products where they form grids."""
        cells = left, right
        if (left < 0).any():
            # The shorter rows are zero beyond their end on one side. On the other a row that is
            # a prefix of a longer one may stand for it, which makes the rows of a grid equal.
            whole_left, whole_right = _completed(left), _completed(right)
            if len(_distinct(whole_left)[0]) <= len(_distinct(whole_right)[0]):
                left = whole_left
            else:
                right = whole_right
        if self.builder.instrs[b].is_batched < self.builder.instrs[a].is_batched:
            a, b, left, right, cells = b, a, right, left, cells[::-1]
        rows, row_of = _distinct(left)
        columns, column_of = _distinct(right)
        arrays, places = [], np.empty(len(left), dtype=np.intp)
        start = 0
        for lanes, grid_rows, grid_columns in _grids(row_of, column_of):
            grids, u = grid_rows.shape
            v = grid_columns.shape[1]
            if u * v > 1 or len(left) == 1:
                x = self._padded(b, columns[grid_columns if grids > 1 else grid_columns[0]])
                w = self._padded(a, rows[grid_rows if grids > 1 else grid_rows[0]])
                array = self.builder.matmul(x, self.builder.transpose(w))
                row_at = _index(grid_rows, len(rows))[row_of[lanes]]
                column_at = _index(grid_columns, len(columns))[column_of[lanes]]
                grid_at = row_at // u
                places[lanes] = start + (grid_at * v + column_at % v) * u + row_at % u
            else:
                x, w = self._padded(a, cells[0][lanes]), self._padded(b, cells[1][lanes])
                array = self.builder.sum(self.builder.apply(ops.mul, [x, w]), (1,))
                places[lanes] = start + np.arange(len(lanes))
            size = grids * u * v
            arrays.append(self.builder.reshape(array, (size,)))
            start += size
        return self.builder.concatenate(arrays), places


def _distinct(rows: Positions) -> tuple[Positions, Positions]:
    """The distinct rows in order of first occurrence, and which of them each row is."""
    known: dict[bytes, int] = {}
    number = np.array([known.setdefault(row.tobytes(), len(known)) for row in rows])
    first = np.unique(number, return_index=True)[1]
    return rows[first], number


def _completed(rows: Positions) -> Positions:
    """Each row, padded with -1, continued as a longer one that begins like it, or as it can."""
    continued: dict[tuple[int, ...], tuple[int, ...]] = {}
    texts = [tuple(row[row >= 0].tolist()) for row in rows]
    for text in sorted(set(texts), key=len, reverse=True):
        for end in range(len(text), 0, -1):
            if continued.setdefault(text[:end], text) != text:
                break
    width = rows.shape[1]
    whole = [continued[text] for text in texts]
    return np.array([text + (text[0],) * (width - len(text)) for text in whole], dtype=np.intp)


def _grids(row_of: Positions, column_of: Positions) -> list[tuple[Positions, Positions, Positions]]:
    """Lanes as cells of grids of rows and columns, grids of one size together.

    Each entry: the lanes, the rows of each grid, the columns of each grid. A grid that is less
    than `_FILLED` full is cut into its cells.
    """
    component = _components(row_of, column_of)
    classes: dict[tuple[int, int], list[tuple[Positions, Positions, Positions]]] = {}
    order = np.argsort(component, kind="stable")
    bounds = np.flatnonzero(np.diff(component[order])) + 1
    for lanes in np.split(order, bounds):
        rows, columns = _ordered(row_of[lanes]), _ordered(column_of[lanes])
        if len(lanes) < _FILLED * len(rows) * len(columns):
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


def _ordered(numbers: Positions) -> Positions:
    return np.unique(numbers)


def _components(row_of: Positions, column_of: Positions) -> Positions:
    """Which connected component of rows and columns each lane is in."""
    label = np.arange(row_of.max() + 1)
    while True:
        # The least label of a row spreads to its columns, from there to their rows.
        at_column = np.full(column_of.max() + 1, len(label))
        np.minimum.at(at_column, column_of, label[row_of])
        spread = label.copy()
        np.minimum.at(spread, row_of, at_column[column_of])
        if (spread == label).all():
            return label[row_of]
        label = spread


def _index(grid: Positions, size: int) -> Positions:
    """Where each number is in a flattened grid."""
    places = np.zeros(size, dtype=np.intp)
    places[grid.ravel()] = np.arange(grid.size)
    return places
