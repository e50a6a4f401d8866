"""Chains of additions become sums of terms: a term is a scalar or a product of two.

    a = x·w, b = a + y, c = b − z   →   c = sum of +x·w, +y, −z

A sum or product that is used once, by such a sum, becomes part of it, and so do some that are
shared (`prefixes`). Sums are reassociated, so results agree with eager execution to rounding, not
to the bit; but where the sign of a zero can be seen, a sum that may be -0.0 stays as it is written.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from autodiff.compiler.scalars.prefixes import chains, increment, is_sum, repeated, signs
from autodiff.compiler.scalars.program import Leaf, Scalars
from autodiff.compiler.scalars.zeros import Term, Zeros


@dataclass(frozen=True, eq=False)
class Sums:
    """The scalars on which results depend, with the terms of each sum."""

    scalars: Scalars
    results: tuple[int, ...]
    live: tuple[int, ...]
    """The scalars that remain, operands first: neither unused nor part of a sum."""
    terms: Mapping[int, Sequence[Term]]
    """The terms of each sum."""
    from_zero: frozenset[int]
    """The sums that are 0.0 where all terms are -0.0, and where the sign of this zero is seen."""
    told: frozenset[int] = frozenset()
    """The scalars of which the sign of a zero is seen."""
    chains: tuple[tuple[int, ...], ...] = ()
    """Sums, each of which is that before it and an increment that depends on none of them."""

    def __str__(self) -> str:
        lines = [self._line(i) for i in self.live]
        lines += [f"chain of {', '.join(f'%{i}' for i in chain)}" for chain in self.chains]
        return "\n".join([*lines, f"return {', '.join(f'%{i}' for i in self.results)}"])

    def _line(self, i: int) -> str:
        if i not in self.terms:
            return self.scalars.line(i)
        shown = [
            f"{'+' if sign > 0 else '−'}%{x}{f'·%{y}' if y >= 0 else ''}"
            for sign, x, y in self.terms[i]
        ]
        return f"%{i} = {' '.join(['0.0'] * (i in self.from_zero) + shown)}"

    def operands(self, i: int) -> tuple[int, ...]:
        """The scalars that scalar `i` is computed from."""
        if i in self.terms:
            return tuple([k for _, x, y in self.terms[i] for k in (x, y) if k >= 0])
        return () if isinstance(self.scalars.ops[i], Leaf) else self.scalars.operands[i]

    def verify(self) -> None:
        """Raise AssertionError unless what is read remains, and comes first."""
        seen: set[int] = set()
        for i in self.live:
            assert seen.issuperset(self.operands(i)), f"{self._line(i)}: an operand not before"
            seen.add(i)
        assert seen.issuperset(self.results), "a result is missing"
        assert self.terms.keys() <= seen, "a sum that nothing reads"
        place = {i: k for k, i in enumerate(self.live)}
        for chain in self.chains:
            for before, i in pairwise(chain):
                where = f"{self._line(i)}: of the chain from %{chain[0]}"
                assert (1, before, -1) in self.terms[i], f"{where}: another beginning"
                added = increment(self.terms[i], before)
                assert all(place[x] < place[chain[0]] for x in added), f"{where}: added too late"


def reassociate(scalars: Scalars, results: Sequence[int]) -> Sums:
    """The scalars on which `results` depend, chains of additions as sums of terms."""
    uses, live = _uses(scalars, results)
    terms: dict[int, list[Term]] = {}
    from_zero: set[int] = set()
    zeros, kept = Zeros(scalars, live), set(results)

    def is_written(i: int) -> bool:
        return zeros.is_told(i) and zeros.may_be_minus(i)

    inner = repeated(scalars, live, uses, kept, is_written)
    absorbed = set(inner)
    inner.update([i for i in live if uses[i] == 1 and i not in kept])
    for i in reversed(live):
        if i in absorbed or not is_sum(scalars, i) or is_written(i):
            continue
        terms[i], inside = _terms(scalars, i, inner)
        absorbed.update(inside)
        if zeros.is_told(i) and zeros.may_all_be_minus(terms[i]):
            from_zero.add(i)
    remaining = tuple([i for i in live if i not in absorbed])
    sums = Sums(scalars, tuple(results), remaining, terms, frozenset(from_zero), zeros.told)
    found, order = chains(remaining, terms, sums.operands, lambda i: not zeros.is_told(i))
    return replace(sums, live=tuple(order), chains=tuple(found))


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


def _terms(scalars: Scalars, i: int, inner: Collection[int]) -> tuple[list[Term], list[int]]:
    """The terms of the sum `i`, and the sums and products that it takes in, if they are inner."""
    found: list[Term] = []
    inside: list[int] = []
    stack = [(1, i)]
    while stack:
        sign, j = stack.pop()
        op, operands = scalars.ops[j], scalars.operands[j]
        is_inside = j in inner or j == i
        if is_inside and (found_signs := signs(op, operands)):
            stack.extend(
                (sign * s, operand)
                for s, operand in zip(reversed(found_signs), reversed(operands), strict=True)
            )
        elif is_inside and getattr(op, "multiplies", False):
            found.append((sign, operands[0], operands[1]))
        else:
            found.append((sign, j, -1))
            continue
        if j != i:
            inside.append(j)
    return found, inside
