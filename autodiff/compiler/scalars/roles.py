"""Roles: lanes of a class that later lanes read side by side, at whatever place each is.

The cells of a stencil beside its fixed ends read other packs than the cells between, and so do
the cells beside these one step later. By keys alone T steps would make T² packs. But what reads
them reads them all alike: they are one pack, if that costs no more than one for each key.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from itertools import product
from typing import Any

from autodiff.compiler.scalars.costs import Place, cost
from autodiff.compiler.scalars.packs import CHAIN, SUM
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, Scalars
from autodiff.compiler.scalars.zeros import Term
from autodiff.rows.reduction import Reduction

Class = tuple[Any, int, int]
"""An op; the kinds of terms of sums, or the length of chains; whether a gradient flows."""
Groups = Sequence[list[int]]
"""Lanes of one class, those with the same key together."""

LINEAR, PLUS, MINUS = 1, 2, 4
"""Kinds of terms: a scalar, maybe times a constant; a product that is added, or subtracted."""


class Classes:
    """The scalars by level and class, as `add` puts them there, operands first."""

    def __init__(
        self,
        scalars: Scalars,
        terms: dict[int, Sequence[Term]],
        chain_of: dict[int, tuple[int, ...]],
    ) -> None:
        self.scalars = scalars
        self.terms = terms
        self.chain_of = chain_of
        self.members: dict[int, dict[Class, list[int]]] = {}
        self.level = [0] * len(scalars.ops)
        """How deep each scalar is: above all its operands, and these as low as can be."""
        self.needs = bytearray(len(scalars.ops))
        """Whether each scalar depends on a parameter.

        What joined those that do not would be given a gradient for nothing.
        """

    def add(self, i: int) -> None:
        """Put a scalar, whose operands have levels, into its class."""
        op: Any = self.scalars.ops[i]
        if i in self.chain_of:
            parts = self.chain_of[i]
            op, detail = CHAIN, len(parts)
            found = [self._of_terms(self.terms[part]) for part in parts]
            level, needs = max(at for at, *_ in found), max(flows for _, flows, _ in found)
        elif i in self.terms:
            level, needs, detail = self._of_terms(self.terms[i])
            op = SUM
        else:
            operands = self.scalars.operands[i]
            level, detail = max([self.level[x] for x in operands]), 0
            needs = max([self.needs[x] for x in operands])
        self.level[i], self.needs[i] = level + 1, needs
        self.members.setdefault(level + 1, {}).setdefault((op, detail, needs), []).append(i)

    def _of_terms(self, terms: Sequence[Term]) -> tuple[int, int, int]:
        """The highest level of what terms read, whether they need a gradient, and their kinds."""
        level, needs = self.level, self.needs
        top = flows = found = 0
        for sign, x, y in terms:
            top = max(top, level[x])
            flows |= needs[x]
            if y < 0:
                found |= LINEAR
                continue
            top = max(top, level[y])
            flows |= needs[y]
            found |= kind(self.scalars.ops, sign, x, y)
        return top, flows, found

    def operands(self, i: int) -> Sequence[int]:
        """The scalars that a scalar, which is no leaf, is computed from."""
        if i in self.terms:
            return [k for _, x, y in self.terms[i] for k in (x, y) if k >= 0]
        return self.scalars.operands[i]

    @cached_property
    def slots(self) -> dict[int, list[int]]:
        """For each scalar the slots that read it: numbers of pairs of a class and an operand."""
        number: dict[tuple[int, Class, int], int] = {}
        found: dict[int, list[int]] = {}
        for level, classes in self.members.items():
            for cls, members in classes.items():
                for i in members:
                    for k, x in self._read(i):
                        slot = number.setdefault((level, cls, k), len(number))
                        found.setdefault(x, []).append(slot)
        return found

    def _read(self, i: int) -> Iterable[tuple[int, int]]:
        """Each operand of a scalar with its number; terms of a kind, or of a reduction, are alike.

        What chains add is read at places of its own.
        """
        if i in self.chain_of:
            return ()
        if i in self.terms:
            return [
                (kind(self.scalars.ops, *term), z)
                for term in self.terms[i]
                for z in term[1:]
                if z >= 0
            ]
        if isinstance(self.scalars.ops[i], Reduction):
            return [(0, x) for x in self.scalars.operands[i]]
        return enumerate(self.scalars.operands[i])

    def promote_products(self, told: Collection[int]) -> None:
        """Make products sums of one term where few of them are read beside many sums.

        Those that are `told` stay: what a sum has no term of is 0.0, and 0.0 + -0.0 is not -0.0.
        """
        is_changed = False
        for classes in self.members.values():
            for needs in (0, 1):
                products = [cls for cls in classes if _multiplies(cls[0]) and cls[2] == needs]
                sums = [cls for cls in classes if cls[0] == SUM and cls[2] == needs]
                for pair in product(sums, products):
                    if pair[0][1] & PLUS and pair[1] in classes:
                        is_changed |= self._promote(classes, *pair, told)
        if is_changed:
            del self.slots

    def _promote(
        self,
        classes: dict[Class, list[int]],
        sums: Class,
        products: Class,
        told: Collection[int],
    ) -> bool:
        """Whether products of a class became sums of a class."""
        slots = {slot for i in classes[sums] for slot in self.slots.get(i, ())}
        moved = {
            i
            for i in classes[products]
            if i not in told
            and not slots.isdisjoint(self.slots.get(i, ()))
            and not is_multiple(self.scalars.ops, *self.scalars.operands[i])
        }
        if not moved or 2 * len(moved) > len(classes[sums]):
            return False
        for i in moved:
            x, y = self.scalars.operands[i]
            self.terms[i] = [(1, x, y)]
        classes[sums] = sorted([*classes[sums], *moved])
        classes[products] = [i for i in classes[products] if i not in moved]
        if not classes[products]:
            del classes[products]
        return True


def _multiplies(op: Any) -> bool:
    return bool(getattr(op, "multiplies", False))


def kind(everything: Sequence[Any], sign: int, x: int, y: int) -> int:
    """The kind of a term, as a bit."""
    if y < 0 or is_multiple(everything, x, y):
        return LINEAR
    return PLUS if sign > 0 else MINUS


def is_multiple(everything: Sequence[Any], x: int, y: int) -> bool:
    """Whether a product is a constant times a scalar; a weight may meet the 0.0 of a padding."""
    if everything[x] is CONSTANTS:
        return everything[y] is not PARAMETERS
    return everything[y] is CONSTANTS and everything[x] is not PARAMETERS


def joined(classes: Classes, groups: Groups, place: Callable[[int], Place]) -> list[Groups]:
    """Groups of one class, those of one role together."""
    parent = list(range(len(groups)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    first: dict[int, int] = {}
    for k, group in enumerate(groups):
        for i in group:
            for slot in classes.slots.get(i, ()):
                other = root(first.setdefault(slot, k))
                if other != root(k):
                    parent[root(k)] = other
    alike: dict[int, list[list[int]]] = {}
    for k, group in enumerate(groups):
        alike.setdefault(root(k), []).append(group)
    found: list[Groups] = []
    for together in alike.values():
        found += [together] if _pays(classes, together, place) else [[group] for group in together]
    return found


def _pays(classes: Classes, groups: Groups, place: Callable[[int], Place]) -> bool:
    """Whether one pack costs no more than one for each group."""
    if len(groups) == 1:
        return True
    apart = [[_read(classes, i) for i in group] for group in groups]
    lanes = sorted(i for group in groups for i in group)
    together = [_read(classes, i) for i in lanes]
    return cost(together, place) <= sum(cost(rows, place) for rows in apart)


def _read(classes: Classes, i: int) -> Sequence[int]:
    """What a lane reads; constants in sums are coefficients."""
    read = classes.operands(i)
    if i not in classes.terms:
        return read
    return [x for x in read if classes.scalars.ops[x] is not CONSTANTS]
