"""Isomorphic scalars side by side: each pack becomes one array.

First chains of additions become one sum of terms, where a term is a scalar or a product of two,
added or subtracted. Then scalars with the same key (how deep, which op, operands from which
packs) become lanes of one pack. How many terms a sum or another reduction has is not part of its
key, so the ragged sums of causal attention stay together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff import ops
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, TAKE, Leaf, Scalars
from autodiff.compiler.scalars.zeros import Term, Zeros
from autodiff.rows.reduction import Reduction

SUM = "sum"
"""The op of a pack of sums of terms."""


@dataclass(eq=False, slots=True)
class Pack:
    """Lanes of one op, or of one leaf; `lanes` are numbers of scalars in order of creation."""

    number: int
    op: Any
    level: int
    key: Any
    lanes: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Packs:
    """All packs in an order in which operands come first, and where each scalar is."""

    packs: list[Pack]
    pack_of: dict[int, Pack]
    lane_of: dict[int, int]
    terms: dict[int, list[Term]]
    from_zero: set[int]
    """The sums that are 0.0 where all terms are -0.0, and of which this can be told."""


def pack(scalars: Scalars, results: Sequence[int]) -> Packs:
    """The scalars on which `results` depend, in packs."""
    uses, live = _uses(scalars, results)
    terms, absorbed, from_zero = _sums(scalars, live, uses, set(results))
    packing = _Packing(scalars, terms)
    for i in live:
        if i not in absorbed:
            packing.place(i)
    packs = sorted(packing.packs.values(), key=lambda pack: (pack.level, pack.number))
    packed = Packs(packs, packing.pack_of, packing.lane_of, terms, from_zero)
    _arrange(scalars, packed)
    return packed


def _uses(scalars: Scalars, results: Sequence[int]) -> tuple[list[int], list[int]]:
    """How often each scalar is used, and the live ones in order."""
    uses = [0] * len(scalars.ops)
    for i in results:
        uses[i] += 1
    live = []
    for i in range(len(scalars.ops) - 1, -1, -1):
        if uses[i]:
            live.append(i)
            if not isinstance(scalars.ops[i], Leaf):
                for operand in scalars.operands[i]:
                    uses[operand] += 1
    live.reverse()
    return uses, live


def _sums(
    scalars: Scalars, live: Sequence[int], uses: Sequence[int], results: set[int]
) -> tuple[dict[int, list[Term]], set[int], set[int]]:
    """The terms of every sum that is no part of a longer one, and the scalars that vanish.

    Third the sums that are begun at 0. One that may be -0.0, where that can be told, is left as
    it is written.
    """
    terms: dict[int, list[Term]] = {}
    absorbed: set[int] = set()
    from_zero: set[int] = set()
    zeros = Zeros(scalars, live)
    for i in reversed(live):
        is_kept = zeros.is_told(i) and zeros.may_be_minus(i)
        if not _is_sum(scalars.ops[i]) or i in absorbed or is_kept:
            continue
        terms[i], inside = _terms(scalars, i, lambda j: uses[j] == 1 and j not in results)
        absorbed.update(inside)
        if zeros.is_told(i) and zeros.may_all_be_minus(terms[i]):
            from_zero.add(i)
    return terms, absorbed, from_zero


def _terms(
    scalars: Scalars, i: int, is_single: Callable[[int], bool]
) -> tuple[list[Term], list[int]]:
    """The terms of the sum `i`, and the sums and products, of that use alone, that it takes in."""
    found: list[Term] = []
    inside: list[int] = []
    stack = [(1, i)]
    while stack:
        sign, j = stack.pop()
        op, operands = scalars.ops[j], scalars.operands[j]
        is_inside = j == i or is_single(j)
        if is_inside and (signs := _signs(scalars, j)):
            stack.extend(
                (sign * s, operand)
                for s, operand in zip(reversed(signs), reversed(operands), strict=True)
            )
        elif is_inside and op is ops.mul:
            found.append((sign, operands[0], operands[1]))
        else:
            found.append((sign, j, -1))
            continue
        if j != i:
            inside.append(j)
    return found, inside


def _is_sum(op: Any) -> bool:
    return bool(getattr(op, "signs", ())) and op.arity != 1


def _signs(scalars: Scalars, i: int) -> tuple[int, ...]:
    """The signs of the operands of a sum; () where `i` is something else."""
    op = scalars.ops[i]
    signs: tuple[int, ...] = getattr(op, "signs", ())
    return signs * len(scalars.operands[i]) if isinstance(op, Reduction) else signs


def _arrange(scalars: Scalars, packed: Packs) -> None:
    """Order the parameters by the packs that use them first, lane by lane.

    A lane of a sum takes its factors, then what is added alone: so the weights of a neuron lie
    side by side with its bias behind them. Where the inputs are an argument that is longer than
    the lanes are many, all biases lie behind all weights. A table lies row by row.
    """
    ordered: dict[int, None] = {}

    def put(found: Iterable[int]) -> None:
        ordered.update((i, None) for i in found if scalars.ops[i] is PARAMETERS)

    for pack in packed.packs:
        if pack.op is TAKE:
            columns = [scalars.operands[i][:-1] for i in pack.lanes]
            for row in zip(*columns, strict=True):
                put(row)
        others: list[int] = []
        alone: list[int] = []
        for i in pack.lanes if not isinstance(pack.op, Leaf) else ():
            if i not in packed.terms:
                put(scalars.operands[i])
                continue
            terms = packed.terms[i]
            put(x for _, x, y in terms if y >= 0)
            others += [y for _, _, y in terms if y >= 0]
            alone += [x for _, x, y in terms if y < 0]
            if not _is_long(packed, pack, i):
                put(alone)
                alone.clear()
        put([*alone, *others])
    put(range(len(scalars.ops)))
    values = [scalars.parameters[scalars.operands[i][0]] for i in ordered]
    for place, i in enumerate(ordered):
        scalars.operands[i] = (place,)
        if i in packed.lane_of:
            packed.lane_of[i] = place
    scalars.parameters[:] = values


def _is_long(packed: Packs, pack: Pack, i: int) -> bool:
    """Whether a sum has products with more elements of an argument than its pack has lanes."""
    products = [y for _, _, y in packed.terms[i] if y >= 0]
    return len(products) > len(pack.lanes) and isinstance(packed.pack_of[products[0]].op, Leaf)


class _Packing:
    def __init__(self, scalars: Scalars, terms: dict[int, list[Term]]) -> None:
        self.scalars = scalars
        self.terms = terms
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
