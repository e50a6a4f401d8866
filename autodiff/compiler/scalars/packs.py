"""`Packs`: equal scalars side by side, to become one array per pack; verifier and printer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from autodiff.compiler.scalars.program import Leaf, Scalars
from autodiff.compiler.scalars.zeros import Term
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction

SUM = "sum"
"""The op of a pack of sums of terms."""
CHAIN = "chain"
"""The op of a pack of chains, all equally long: each lane is that before it and an increment."""


@dataclass(eq=False, slots=True)
class Pack:
    """Lanes of one op, or of one leaf; `lanes` are numbers of scalars in order of creation."""

    number: int
    op: Leaf | Primitive | str
    level: int
    lanes: list[int] = field(default_factory=list)
    is_mixed: bool = False
    """Whether lanes read the same operand from different packs."""
    chains: int = 0
    """How many chains the lanes are, one behind the other."""

    @property
    def name(self) -> str:
        """What the lanes are, as `explain` says it."""
        if self.op == SUM:
            return "sum of products"
        if self.op == CHAIN:
            return "cumulative sum"
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
    """The terms of each sum; of one in a chain, what it adds to the sum before it.

    In a product, the factor from the earlier pack comes first, or, in a mixed pack, a parameter.
    """
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
        """Raise AssertionError unless each lane has its pack's op, and earlier packs' operands.

        The lanes of a pack that is not mixed read the same packs; a cumulative sum is whole chains.
        """
        order = {pack.number: k for k, pack in enumerate(self.packs)}
        for pack in self.packs:
            for lane, i in enumerate(pack.lanes):
                where = f"#{pack.number}[{lane}]"
                assert self.pack_of[i] is pack, f"{where}: a lane of two packs"
                assert self.lane_of[i] == lane, f"{where}: another lane"
                is_sum = pack.op in (SUM, CHAIN) and i in self.terms
                assert is_sum or self.scalars.ops[i] is pack.op, f"{where}: another op"
                for k in self.operands(i):
                    before = order[self.pack_of[k].number] < order[pack.number]
                    assert before, f"{where}: an operand not before"
            keys = {self._key(i) for i in pack.lanes}
            assert pack.is_mixed or len(keys) < 2, f"#{pack.number}: lanes with different sources"
            is_whole = not pack.chains or len(pack.lanes) % pack.chains == 0
            assert (pack.op == CHAIN) == (pack.chains > 0), f"#{pack.number}: no chains"
            assert is_whole, f"#{pack.number}: a part of a chain"
        assert self.pack_of.keys() >= set(self.results), "a result is in no pack"

    def _key(self, i: int) -> frozenset[tuple[int, ...]]:
        """The packs that a lane reads, by term or operand."""
        if i in self.terms:
            read: list[tuple[int, ...]] = [
                (sign, *(self.pack_of[k].number if k >= 0 else -1 for k in pair))
                for sign, *pair in self.terms[i]
            ]
        else:
            is_free = isinstance(self.scalars.ops[i], Reduction)
            read = [
                (0 if is_free else place, self.pack_of[k].number)
                for place, k in enumerate(self.operands(i))
            ]
        return frozenset(read)
