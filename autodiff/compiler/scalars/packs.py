"""Equal scalars side by side: each pack becomes one array.

Scalars with the same key (how deep, which op, operands from which packs) become lanes of one
pack. How many terms a sum or another reduction has is not part of its key, so the ragged sums of
causal attention stay together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, Leaf, Scalars
from autodiff.compiler.scalars.sums import Sums
from autodiff.compiler.scalars.zeros import Term
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction

SUM = "sum"
"""The op of a pack of sums of terms."""


@dataclass(eq=False, slots=True)
class Pack:
    """Lanes of one op, or of one leaf; `lanes` are numbers of scalars in order of creation."""

    number: int
    op: Leaf | Primitive | str
    level: int
    key: Any
    lanes: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the lanes are, as `explain` says it."""
        if self.op == SUM:
            return "sum of products"
        return self.op if isinstance(self.op, str) else self.op.name


@dataclass(frozen=True, eq=False, slots=True)
class Packs:
    """All packs in an order in which operands come first, and where each scalar is."""

    scalars: Scalars
    results: tuple[int, ...]
    packs: Sequence[Pack]
    pack_of: Mapping[int, Pack]
    lane_of: Mapping[int, int]
    terms: Mapping[int, Sequence[Term]]
    """The terms of each sum; in a product, the factor from the earlier pack comes first."""
    from_zero: frozenset[int]
    """The sums that are 0.0 where all terms are -0.0, and where the sign of this zero is seen."""

    def operands(self, i: int) -> tuple[int, ...]:
        """The scalars that a lane is computed from."""
        if i in self.terms:
            return tuple([k for _, x, y in self.terms[i] for k in (x, y) if k >= 0])
        return () if isinstance(self.scalars.ops[i], Leaf) else self.scalars.operands[i]

    def __str__(self) -> str:
        lines = []
        for pack in self.packs:
            read = dict.fromkeys(
                self.pack_of[k].number for i in pack.lanes for k in self.operands(i)
            )
            sources = ", ".join(f"#{number}" for number in read)
            count = "" if isinstance(pack.op, Leaf) else f"{len(pack.lanes):,} × "
            lines.append(f"#{pack.number}: level {pack.level}, {count}{pack.name}({sources})")
        ends = [f"#{self.pack_of[i].number}[{self.lane_of[i]}]" for i in self.results]
        return "\n".join([*lines, f"return {', '.join(ends)}"])

    def verify(self) -> None:
        """Raise AssertionError unless each lane has its pack's op, and earlier packs' operands."""
        order = {pack.number: k for k, pack in enumerate(self.packs)}
        for pack in self.packs:
            for lane, i in enumerate(pack.lanes):
                where = f"#{pack.number}[{lane}]"
                assert self.pack_of[i] is pack, f"{where}: a lane of two packs"
                assert self.lane_of[i] == lane, f"{where}: another lane"
                is_sum = pack.op == SUM and i in self.terms
                assert is_sum or self.scalars.ops[i] is pack.op, f"{where}: another op"
                for k in self.operands(i):
                    before = order[self.pack_of[k].number] < order[pack.number]
                    assert before, f"{where}: an operand not before"
        assert self.pack_of.keys() >= set(self.results), "a result is in no pack"


def pack(sums: Sums) -> Packs:
    """The scalars of sums in packs."""
    packing = _Packing(sums)
    for i in sums.live:
        packing.place(i)
    packs = sorted(packing.packs.values(), key=lambda pack: (pack.level, pack.number))
    return Packs(
        sums.scalars, sums.results, packs, packing.pack_of, packing.lane_of, packing.terms,
        sums.from_zero,
    )  # fmt: skip


class _Packing:
    def __init__(self, sums: Sums) -> None:
        self.scalars = sums.scalars
        self.terms = dict(sums.terms)
        self.packs: dict[Any, Pack] = {}
        self.pack_of: dict[int, Pack] = {}
        self.lane_of: dict[int, int] = {}

    def place(self, i: int) -> None:
        """Put a scalar, whose operands are placed, into its pack."""
        op, operands = self.scalars.ops[i], self.scalars.operands[i]
        if isinstance(op, Leaf):
            # A leaf's lanes are the elements of its array, whether used or not.
            pack = self._pack(op, op, 0)
            self.pack_of[i], self.lane_of[i] = pack, operands[0]
            return
        if i in self.terms:
            key, level = self._sum_key(i)
            op = SUM
        else:
            sources = [self.pack_of[operand] for operand in operands]
            level = 1 + max(source.level for source in sources)
            numbers = tuple(source.number for source in sources)
            key = (level, op, numbers)
            if isinstance(op, Reduction):
                key = (level, op, tuple(dict.fromkeys(numbers)))
        pack = self._pack(key, op, level)
        self.pack_of[i], self.lane_of[i] = pack, len(pack.lanes)
        pack.lanes.append(i)

    def _sum_key(self, i: int) -> tuple[Any, int]:
        groups: dict[tuple[int, int, int], None] = {}
        level = 0
        ordered = []
        for sign, x, y in self.terms[i]:
            source = self.pack_of[x]
            level = max(level, source.level)
            other = -1
            if y >= 0:
                level = max(level, self.pack_of[y].level)
                other = self.pack_of[y].number
                # Factors commute: parameters and constants first, then by pack.
                if _rank(self.pack_of[y]) < _rank(source):
                    x, y, source, other = y, x, self.pack_of[y], source.number
            groups[(sign, source.number, other)] = None
            ordered.append((sign, x, y))
        self.terms[i] = ordered
        return (level + 1, SUM, tuple(sorted(groups))), level + 1

    def _pack(self, key: Any, op: Any, level: int) -> Pack:
        found = self.packs.get(key)
        if found is None:
            found = self.packs[key] = Pack(len(self.packs), op, level, key)
        return found


def _rank(pack: Pack) -> tuple[int, int]:
    order = 0 if pack.op is PARAMETERS else 1 if pack.op is CONSTANTS else 2
    return order, pack.number
