"""What reading and computing lanes costs: the one model by which packs are joined or left apart.

The unit is a call of NumPy on small arrays, forward and backward together.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import inf

PACK = 6.0
"""An array that is computed."""
COLUMN = 2.0
"""An operand that all lanes read."""
COPY = 2.0
"""A pack that is copied to where another is."""
GATHER = 5.0
"""An array from which elements are picked that are not evenly spaced."""
ELEMENT = 0.05
"""An element that is copied, for about ten examples."""
PICK = 0.05
"""An element that is picked from places that are not evenly spaced."""
ALONE = 0.35
"""Lanes are not joined if more than this share of what they read comes from a pack each."""
COLUMNS = 12
"""Lanes with more operands, or with different numbers of them, are rows of a matrix."""
GAPS = 3
"""Places with at most this many different distances are taken for evenly spaced blocks."""

Place = tuple[tuple[int, int], int]
"""Where a scalar is: the rank of its pack, by which later packs are larger, and its lane."""


def cost(rows: Sequence[Sequence[int]], place: Callable[[int], Place]) -> float:
    """The cost of one pack of lanes, each of which reads a row of scalars."""
    width = max(map(len, rows))
    if width > COLUMNS or min(map(len, rows)) < width:
        return PACK + GATHER + PICK * sum(map(len, rows))
    copied: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    gathered: set[tuple[int, int]] = set()
    total = PACK + COLUMN * width
    if len(rows) > 1:
        for column in zip(*rows, strict=True):
            total += _moved([place(i) for i in column], copied, gathered)
    if len(copied) > ALONE * len(rows) * width:
        return inf
    return total + COPY * len(copied) + GATHER * len(gathered)


def _moved(
    column: Sequence[Place],
    copied: set[tuple[tuple[int, int], tuple[int, int]]],
    gathered: set[tuple[int, int]],
) -> float:
    """The cost of the elements that move so that a column can be read side by side.

    Adds the pairs of packs of which one is copied to the other, and the packs picked from.
    """
    packs = {pack for pack, _ in column}
    newest = max(packs)
    copied.update((newest, pack) for pack in packs if pack != newest)
    own = [(k, lane) for k, (pack, lane) in enumerate(column) if pack == newest]
    others = len(column) - len(own)
    if len({lane - k for k, lane in own}) == 1:  # side by side
        return ELEMENT * others
    lanes = [lane for _, lane in own]
    gaps = {b - a for a, b in pairwise(lanes)}
    if len(gaps) <= GAPS and min(gaps) >= 0 and 2 * len(own) > len(column):
        return ELEMENT * others
    gathered.add(newest)
    return PICK * len(column)
