"""Mutants of the op table, each of which a fast test has to kill: `python -m tests.mutation`.

A mutant is the table with one change in one partial, or in a function that partials call: the
sign flipped, a factor or a term dropped, a comparison moved by its boundary, two operands'
partials swapped, or the graph cut, so that only the second derivative is wrong. It is put into
the row in this process, and the very tests that pytest collects for that row are called, with the
parameters that pytest gives them, until one fails. That is as good as a process a mutant, as rows
read their partials at every call, and a thousand times as fast.
"""

import contextlib
import io
import sys
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest

from autodiff.rows.primitive import TABLE, Primitive
from tests.mutants import Mutant, declarations, mutants, mutants_of_functions

TESTS = ("tests/test_ops.py", "tests/test_conventions.py")


class Suite:
    """The tests of the table as pytest collects them, called one by one."""

    def __init__(self, files: tuple[str, ...] = TESTS) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *files], plugins=[self])

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Keep what was collected, if it needs no fixtures but its parameters."""
        calls = [(item, getattr(item, "callspec", None)) for item in session.items]
        self._calls = [
            (item.originalname, item.obj, dict(spec.params) if spec else {})
            for item, spec in calls
            if set(item.fixturenames) <= set(spec.params if spec else ())
        ]

    def killer(self, mutant: Mutant) -> str:
        """A test that fails with the mutant in place, or its exception; "" if none does."""
        with mutant.applied(), warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for name, test, params in self._calls:
                if self._is_of(mutant.rows, params):
                    try:
                        test(**params)
                    except AssertionError:
                        return name
                    except Exception as error:  # the change makes no sense, as a sum of no list
                        return type(error).__name__
        return ""

    @staticmethod
    def _is_of(rows: list[Primitive], params: dict[str, Any]) -> bool:
        """Whether a test with these parameters is of one of the rows, or of no row at all."""
        named = [TABLE.get(x) if isinstance(x, str) else x for x in params.values()]
        of = [x for x in named if isinstance(x, Primitive)]
        return not of or any(row in of for row in rows)


def report(rows: list[Primitive], suite: Suite) -> tuple[str, list[Mutant]]:
    """A line a row: how many mutants, how many were killed and by what; and the survivors."""
    lines = ["| op | mutants | killed | by |", "| --- | --- | --- | --- |"]
    groups = [(row.name, list(mutants(row))) for row in rows]
    if len(rows) == len(declarations()):
        groups.append(("functions of partials", list(mutants_of_functions())))
    survivors: list[Mutant] = []
    total = 0
    for name, group in groups:
        killers = Counter()
        for mutant in group:
            killer = suite.killer(mutant)
            killers[killer] += 1
            if not killer:
                survivors.append(mutant)
        killed = len(group) - killers.pop("", 0)
        total += len(group)
        by = ", ".join(f"{test.removeprefix('test_')} {n}" for test, n in killers.most_common())
        lines.append(f"| {name} | {len(group)} | {killed} | {by} |")
    lines.append(f"| all | {total} | {total - len(survivors)} | |")
    return "\n".join(lines), survivors


def main() -> int:
    """Print the table and every survivor; the exit status is 1 if there are any."""
    rows, suite = [TABLE[name] for name in declarations()], Suite()
    if failing := suite.killer(Mutant(rows, "", "none")):
        print(f"{failing} fails without any mutant")
        return 1
    text, survivors = report(rows, suite)
    print(text)
    for mutant in survivors:
        names = ", ".join(row.name for row in mutant.rows)
        print(f"SURVIVED: {names}, {mutant.where}: {mutant.change}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
