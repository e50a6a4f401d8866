"""What the lanes of a mixed pack read: columns of scalars, in sums with coefficients."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.layout import ANY, Positions
from autodiff.compiler.scalars.packs import Pack, Packs
from autodiff.compiler.scalars.program import CONSTANTS
from autodiff.compiler.scalars.roles import is_multiple
from autodiff.compiler.scalars.zeros import Term
from autodiff.rows.reduction import Reduction

WIDEST = 6
"""Up to this many terms of a kind, as many in each lane, are a column each; else rows."""

Row = Sequence[tuple[float, int, int]]
"""Terms of a lane: a coefficient, a factor, and another factor, or -1."""


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """The scalars that lanes read at one place, or, as rows, at several; some may be `ANY`."""

    scalars: Positions
    """Of shape (lanes, terms)."""


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A part of a sum: the factors, one or two, of a term of each lane or of rows of terms."""

    factors: tuple[Column, ...]
    coefficients: npt.NDArray[np.float64]
    """Of shape (lanes, terms)."""


def columns_of(packs: Packs, pack: Pack) -> list[Column]:
    """What a pack of other ops than sums reads."""
    rows = [packs.scalars.operands[i] for i in pack.lanes]
    return [Column(table) for table in _tables(rows, isinstance(pack.op, Reduction))]


def parts_of(packs: Packs, pack: Pack) -> list[Part]:
    """The parts of a pack of sums: multiples of scalars, products, and products subtracted."""
    multiples: list[Row] = []
    added: list[Row] = []
    subtracted: list[Row] = []
    for i in pack.lanes:
        terms = [_with_coefficient(packs, term) for term in packs.terms[i]]
        multiples.append([term for term in terms if term[2] < 0])
        added.append([term for term in terms if term[2] >= 0 and term[0] > 0])
        subtracted.append([term for term in terms if term[2] >= 0 and term[0] < 0])
    return [
        part
        for rows, count in ((multiples, 1), (added, 2), (subtracted, 2))
        for part in _parts(rows, count)
    ]


def _with_coefficient(packs: Packs, term: Term) -> tuple[float, int, int]:
    scalars = packs.scalars
    sign, x, y = term
    if y >= 0 and is_multiple(scalars.ops, x, y):
        constant, x = (x, y) if scalars.ops[x] is CONSTANTS else (y, x)
        return sign * scalars.constants[scalars.operands[constant][0]], x, -1
    return float(sign), x, y


def _parts(rows: Sequence[Row], count: int) -> Iterable[Part]:
    if not any(rows):
        return
    factors = [
        _tables([[(x, y)[k] for _, x, y in row] for row in rows], True) for k in range(count)
    ]
    start = 0
    for tables in zip(*factors, strict=True):
        shape = tables[0].shape
        coefficients = np.zeros(shape)
        for lane, row in enumerate(rows):
            found = [term[0] for term in row[start : start + shape[1]]]
            coefficients[lane, : len(found)] = found
        yield Part(tuple(map(Column, tables)), coefficients)
        start += shape[1]


def _tables(rows: Sequence[Sequence[int]], may_be_rows: bool) -> list[Positions]:
    """A table per operand, or one of rows that are filled up."""
    width = max(map(len, rows))
    table = np.full((len(rows), width), ANY, dtype=np.intp)
    for lane, row in enumerate(rows):
        table[lane, : len(row)] = row
    if may_be_rows and (width > WIDEST or (table < 0).any()):
        return [table]
    return [table[:, k : k + 1] for k in range(width)]
