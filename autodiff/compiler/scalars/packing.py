"""Scalars → packs, level by level.

Scalars of one level and class (which op, which kinds of terms, whether a gradient flows through
them) are a pack if they read their operands from the same packs, their key; how many terms a sum
or another reduction has is not part of it, so the ragged sums of causal attention stay together.
Lanes with different keys are one pack if they have one role (`roles`).
"""

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise

from autodiff.compiler.scalars.packs import CHAIN, SUM, Pack, Packs
from autodiff.compiler.scalars.prefixes import without
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, TAKE, Leaf
from autodiff.compiler.scalars.roles import Class, Classes, joined
from autodiff.compiler.scalars.sums import Sums
from autodiff.compiler.scalars.zeros import Term
from autodiff.rows.reduction import Reduction


def pack(sums: Sums) -> Packs:
    """The scalars of sums in packs."""
    packing = _Packing(sums)
    for level in sorted(packing.classes.members):
        packing.place(level)
    packs = sorted(packing.packs, key=lambda pack: (pack.level, pack.number))
    number = {old: new for new, old in enumerate(sorted(pack.number for pack in packs))}
    for made in packs:
        made.number = number[made.number]
    return Packs(
        sums.scalars, sums.results, packs, packing.pack_of, packing.lane_of, packing.terms,
        sums.from_zero,
    )  # fmt: skip


class _Packing:
    """The packs so far; each has the number of its first scalar."""

    def __init__(self, sums: Sums) -> None:
        self.scalars = sums.scalars
        self.sums = sums
        self.written: dict[int, Sequence[Term]] = dict(sums.terms)
        """The terms of each sum, factors as they were written."""
        self.packs: list[Pack] = []
        self.pack_of: dict[int, Pack] = {}
        self.lane_of: dict[int, int] = {}
        self.chain_of = {chain[0]: chain for chain in sums.chains}
        for chain in sums.chains:
            for before, i in pairwise(chain):
                self.written[i] = without(sums.terms[i], before)
        self.classes = self._classes()
        self.terms = dict(self.written)

    def _classes(self) -> Classes:
        """The scalars that are no leaves by level and class; leaves are placed."""
        scalars, found = self.scalars, Classes(self.scalars, self.written, self.chain_of)
        level, needs = found.level, found.needs
        leaves: dict[Leaf, Pack] = {}
        first_of = {i: chain[0] for chain in self.sums.chains for i in chain[1:]}
        for i in self.sums.live:
            op, operands = scalars.ops[i], scalars.operands[i]
            if isinstance(op, Leaf):
                # A leaf's lanes are the elements of its array, whether used or not.
                if op not in leaves:
                    leaves[op] = Pack(i, op, 0)
                    self.packs.append(leaves[op])
                self.pack_of[i], self.lane_of[i] = leaves[op], operands[0]
                needs[i] = op is PARAMETERS
            elif i in first_of:
                level[i], needs[i] = level[first_of[i]], needs[first_of[i]]
            else:
                found.add(i)
        found.promote_products(self.sums.told)
        return found

    def place(self, level: int) -> None:
        """Put the scalars of a level, all below which are placed, into packs."""
        made = []
        for cls, members in self.classes.members[level].items():
            if cls[0] == CHAIN:
                lanes = [i for first in members for i in self.chain_of[first]]
                made.append(Pack(lanes[0], CHAIN, level, lanes, True, len(members)))
                continue
            keys: dict[Hashable, list[int]] = {}
            for i in members:
                key = self._sum_key(i) if i in self.terms else self._key(i)
                keys.setdefault(key, []).append(i)
            made += self._joined(level, cls, list(keys.values()))
        for pack in made:
            self.packs.append(pack)
            if pack.is_mixed:
                self.terms.update({i: self._by_role(i) for i in pack.lanes if i in self.terms})
            for lane, i in enumerate(pack.lanes):
                self.pack_of[i], self.lane_of[i] = pack, lane

    def _joined(self, level: int, cls: Class, groups: list[list[int]]) -> Iterable[Pack]:
        """A pack for each role that groups of one key have."""
        op = SUM if cls[0] == SUM else self.scalars.ops[groups[0][0]]
        if len(groups) == 1 or op is TAKE:
            return [Pack(group[0], op, level, group) for group in groups]
        packs = []
        for together in joined(self.classes, groups, self._place):
            lanes = sorted(i for group in together for i in group)
            packs.append(Pack(lanes[0], op, level, lanes, len(together) > 1))
        return packs

    def _place(self, i: int) -> tuple[tuple[int, int], int]:
        pack = self.pack_of[i]
        return (pack.level, pack.number), self.lane_of[i]

    def _key(self, i: int) -> tuple[int, ...]:
        numbers = tuple([self.pack_of[x].number for x in self.scalars.operands[i]])
        is_free = isinstance(self.scalars.ops[i], Reduction)
        return tuple(dict.fromkeys(numbers)) if is_free else numbers

    def _sum_key(self, i: int) -> tuple[tuple[int, int, int], ...]:
        groups: dict[tuple[int, int, int], None] = {}
        ordered = []
        for sign, x, y in self.terms[i]:
            source = self.pack_of[x]
            other = -1
            if y >= 0:
                other = self.pack_of[y].number
                # Factors commute: parameters and constants first, then by pack.
                if _rank(self.pack_of[y]) < _rank(source):
                    x, y, source, other = y, x, self.pack_of[y], source.number
            groups[(sign, source.number, other)] = None
            ordered.append((sign, x, y))
        self.terms[i] = ordered
        return tuple(sorted(groups))

    def _by_role(self, i: int) -> Sequence[Term]:
        """The terms of a sum; in a product a parameter comes first, or else what was written so."""
        everything = self.scalars.ops
        return [
            (sign, y, x)
            if y >= 0 and everything[y] is PARAMETERS and everything[x] is not PARAMETERS
            else (sign, x, y)
            for sign, x, y in self.written[i]
        ]


def _rank(pack: Pack) -> tuple[int, int]:
    order = 0 if pack.op is PARAMETERS else 1 if pack.op is CONSTANTS else 2
    return order, pack.number
