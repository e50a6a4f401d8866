"""`read_csv`: a table as arrays, with every fault named by file and line."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?", "-"})


@dataclass(frozen=True)
class Table:
    """Columns of text under their names, and the line of the file on which each row begins."""

    path: Path
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column as numbers: (n,).

        Raises ValueError, with file and line, for a missing value, for text, for an infinity,
        and for a column whose rows are all the same.
        """
        column = np.array([self._number(name, *cell) for cell in self._cells(name)])
        self._check_variety(name, column)
        return column

    def labels(self, name: str) -> tuple[npt.NDArray[np.int_], tuple[str, ...]]:
        """A column as classes, (n,), numbered in order, and their names.

        Labels that are all numbers are ordered as numbers, others alphabetically.
        """
        cells = [self._present(name, *cell) for cell in self._cells(name)]
        self._check_variety(name, np.array(cells))
        try:
            classes = sorted(set(cells), key=lambda label: (float(label), label))
        except ValueError:
            classes = sorted(set(cells))
        index = {label: k for k, label in enumerate(classes)}
        return np.array([index[label] for label in cells]), tuple(classes)

    def matrix(self, names: Sequence[str]) -> npt.NDArray[np.float64]:
        """Several columns as numbers: (n, columns)."""
        return np.column_stack([self.numbers(name) for name in names])

    def _cells(self, name: str) -> Iterable[tuple[int, str]]:
        if name not in self.names:
            raise ValueError(
                f"{self.path}: no column {name!r}; the columns are {', '.join(self.names)}"
            )
        k = self.names.index(name)
        return ((line, row[k]) for line, row in zip(self.lines, self.rows, strict=True))

    def _present(self, name: str, line: int, cell: str) -> str:
        if cell.lower() in _MISSING:
            shown = f" ({cell!r})" if cell else ""
            raise ValueError(
                f"{self.path}, line {line}: column {name!r} has no value{shown}; "
                "fill it in or delete the row"
            )
        return cell

    def _number(self, name: str, line: int, cell: str) -> float:
        cell = self._present(name, line, cell)
        try:
            value = float(cell)
        except ValueError:
            raise ValueError(
                f"{self.path}, line {line}: column {name!r} has {cell!r} where a number belongs"
            ) from None
        if not isfinite(value):
            raise ValueError(f"{self.path}, line {line}: column {name!r} is {cell}, not finite")
        return value

    def _check_variety(self, name: str, column: npt.NDArray[np.generic]) -> None:
        if (column == column[0]).all():
            raise ValueError(
                f"{self.path}: column {name!r} is {column[0]} in all {len(column)} rows; "
                "nothing can be learned from it"
            )


def read_csv(path: str | Path) -> Table:
    """The table in a CSV file, UTF-8, whose first line names the columns.

    Blank lines are skipped; cells and names are stripped of spaces. Raises ValueError, with
    file and line, for a missing header, fewer than two rows, a name that is empty or given
    twice, and a row that is longer or shorter than the header; OSError if there is no file.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            found = list(_lines(file, path))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error}") from None
    if not found:
        raise ValueError(f"{path} is empty; its first line must name the columns")
    (first, names), rows = found[0], found[1:]
    _check_names(path, first, names)
    for line, row in rows:
        if len(row) != len(names):
            raise ValueError(f"{path}, line {line}: {len(row)} cells, the header has {len(names)}")
    if len(rows) < 2:
        few = "one row" if rows else "no rows"
        raise ValueError(f"{path} has {few} under its header; learning needs at least two")
    lines, cells = zip(*rows, strict=True)
    return Table(path, tuple(names), cells, lines)


def _lines(file: TextIO, path: Path) -> Iterable[tuple[int, tuple[str, ...]]]:
    """The lines that are not blank, each with its number."""
    reader, before = csv.reader(file, strict=True), 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
        if row is None:
            return
        cells = tuple(cell.strip() for cell in row)
        if len(cells) > 1 or any(cells):
            yield before + 1, cells
        before = reader.line_num


def _check_names(path: Path, line: int, names: Sequence[str]) -> None:
    for k, name in enumerate(names):
        if not name:
            raise ValueError(f"{path}, line {line}: column {k + 1} has no name")
        if name in names[:k]:
            raise ValueError(f"{path}, line {line}: two columns are named {name!r}")
    if all(_is_number(name) for name in names):
        raise ValueError(
            f"{path}, line {line}: numbers where the names of the columns belong; add a header"
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
