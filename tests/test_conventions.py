"""The README's table of conventions: our column is true, and no kink is missing."""

import re
from math import isfinite

from tests.conventions import LIBRARIES, rows
from tests.op_table import README
from tests.support import peers
from tests.support.samples import ROWS

TABLE = rows(README.read_text(encoding="utf-8"))
OPERATORS = {"/": "div", "**": "pow"}


def test_our_column_is_what_backward_gives():
    ours = peers.ours()
    assert {row[:2]: row.slopes[0] for row in TABLE} == {
        row[:2]: row.measured(ours) for row in TABLE
    }


def test_every_library_has_its_column():
    assert {len(row.slopes) for row in TABLE} == {len(LIBRARIES)}
    assert not any(slopes == "" for row in TABLE for slopes in row.slopes)


def test_every_op_with_a_kink_a_tie_or_an_end_has_a_line():
    named = {OPERATORS.get(x, x) for row in TABLE for x in re.findall(r"\w+|\*\*|/", row.function)}
    for row in ROWS:
        ends = [x for d in row.domain for x in (d.low, *d.kinks, d.high) if isfinite(x)]
        if (row.ties or ends) and row.name not in ("tan", "acos"):  # no end; as asin
            assert row.name in named
