"""Sums that begin alike: short beginnings are repeated, long chains become cumulative sums.

    a = x + y, b = a + z, c = a + w   →   b = sum of +x, +y, +z, and c likewise
    a = x + y, b = a + z, c = b + w, …, all of them read   →   a chain

Equal scalars are recorded once, so the sums of a list's first 2, 3, 4, … elements are traced as a
chain in which each is read by the next.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from autodiff.compiler.scalars.program import CONSTANTS, Leaf, Scalars
from autodiff.compiler.scalars.zeros import Term
from autodiff.rows.reduction import Reduction

LONGEST = 16
"""The most terms that a shared beginning may have to be repeated in each sum."""
SHORTEST = 4
"""The fewest sums of a chain."""


def signs(op: Any, operands: Sequence[int]) -> tuple[int, ...]:
    """The signs of the operands of a sum; () where the op is something else."""
    found: tuple[int, ...] = getattr(op, "signs", ())
    return found * len(operands) if found and isinstance(op, Reduction) else found


def is_sum(scalars: Scalars, i: int) -> bool:
    """Whether a scalar adds or subtracts; the negation of a number does not."""
    op = scalars.ops[i]
    return bool(getattr(op, "signs", ())) and op.arity != 1


def repeated(
    scalars: Scalars,
    live: Sequence[int],
    uses: Sequence[int],
    kept: Collection[int],
    is_written: Callable[[int], bool],
) -> set[int]:
    """The shared scalars that every sum which reads them takes in, none of them `kept`.

    They are short sums with which longer ones begin, and products with a constant. `is_written`
    tells the sums that take nothing in.
    """
    shared = [i for i in live if uses[i] > 1 and (is_sum(scalars, i) or _has_constant(scalars, i))]
    if not shared:
        return set()
    asked = set(shared)
    single = set(kept)  # what not only sums read
    inner = set(kept)  # what is not only read as the beginning of a sum
    for i in live:
        operands = scalars.operands[i]
        if asked.isdisjoint(operands) or isinstance(scalars.ops[i], Leaf):
            continue
        if not is_sum(scalars, i) or is_written(i):
            single.update(operands)
        begins = getattr(scalars.ops[i], "signs", ())[1:] == (1,)
        inner.update(operands[1:] if begins else operands)
    found: set[int] = set()
    counts: dict[int, int] = {}
    for i in shared:
        if i in single or is_written(i):
            continue
        if not is_sum(scalars, i):
            counts[i] = 1
            found.add(i)
        elif i not in inner and _length(scalars, i, uses, found, counts) <= LONGEST:
            found.add(i)
    return found


def _has_constant(scalars: Scalars, i: int) -> bool:
    """Whether a scalar is a product with a constant."""
    is_product = getattr(scalars.ops[i], "multiplies", False)
    return is_product and any(scalars.ops[x] is CONSTANTS for x in scalars.operands[i])


def _length(
    scalars: Scalars,
    i: int,
    uses: Sequence[int],
    found: Collection[int],
    counts: dict[int, int],
) -> int:
    """The number of terms of a sum, as far as it is at most `LONGEST`."""
    total, stack = 0, [i]
    while stack and total <= LONGEST:
        j = stack.pop()
        if j in found:
            total += counts[j]
        elif getattr(scalars.ops[j], "signs", ()) and (j == i or uses[j] == 1):
            stack.extend(scalars.operands[j])
        else:
            total += 1
    counts[i] = total
    return total


def chains(
    live: Sequence[int],
    terms: Mapping[int, Sequence[Term]],
    operands: Callable[[int], Sequence[int]],
    is_free: Callable[[int], bool],
) -> tuple[list[tuple[int, ...]], list[int]]:
    """Sums, each of which adds to that before it what depends on none of them; and an order.

    In this order of the scalars what the sums of a chain add comes before the first of them.
    Sums are left out unless `is_free`.
    """
    links = _links(terms, is_free)
    if not links:
        return [], list(live)
    # The level of a chain is that of its first sum. All that is added is below it, and all that
    # reads one of its sums above, so no two chains depend on each other.
    level: dict[int, int] = {}
    first_of: dict[int, int] = {}
    found: dict[int, list[int]] = {}
    for i in live:
        below = operands(i)
        level[i] = 1 + max([level[x] for x in below]) if below else 0
        r = links.get(i)
        if r is None:
            continue
        first = first_of.get(r, r)
        added = [x for x in increment(terms[i], r) if level[x] >= level[first]]
        if added or found.get(first, [first])[-1] != r:
            continue
        first_of[i] = first
        found.setdefault(first, [first]).append(i)
        level[i] = level[first]
    kept = [tuple(chain) for chain in found.values() if len(chain) >= SHORTEST]
    return kept, sorted(live, key=level.__getitem__) if kept else list(live)


def _links(terms: Mapping[int, Sequence[Term]], is_free: Callable[[int], bool]) -> dict[int, int]:
    """For each sum that may continue a chain the sum before it; nothing if no chain is long."""
    links = {}
    for i, found in terms.items():
        sums = [x for sign, x, y in found if sign > 0 and y < 0 and x in terms]
        if len(sums) == 1 < len(found) and is_free(i) and is_free(sums[0]):
            links[i] = sums[0]
    length: dict[int, int] = {}
    for i in sorted(links):
        length[i] = 1 + length.get(links[i], 1)
    return links if max(length.values(), default=0) >= SHORTEST else {}


def increment(terms: Sequence[Term], before: int) -> list[int]:
    """What a sum of a chain reads besides the sum before it."""
    return [z for _, x, y in without(terms, before) for z in (x, y) if z >= 0]


def without(terms: Sequence[Term], before: int) -> list[Term]:
    """The terms of a sum of a chain without the sum before it."""
    return [term for term in terms if term != (1, before, -1)]
