"""Identities whose use waits for the whole program: x / 1 → x for all lanes alike, or for none.

The means of a graph's neighbors are divided by 1, 2, 3, …: without the division the nodes with
one neighbor would be one level below the others, and so would all that reads them.
"""

from dataclasses import replace

from autodiff.compiler.algebra import unchanged
from autodiff.compiler.scalars.program import Leaf
from autodiff.compiler.scalars.tracing import Traced


def simplify(traced: Traced) -> Traced:
    """The program without ops that change nothing, where no lane of their level needs the op."""
    scalars = traced.scalars
    level: list[int] = []
    needed: set[tuple[int, object]] = set()
    found: dict[int, int] = {}
    for i, (op, operands) in enumerate(zip(scalars.ops, scalars.operands, strict=True)):
        if isinstance(op, Leaf):
            level.append(0)
            continue
        level.append(1 + max([level[x] for x in operands]))
        same = None if isinstance(op, str) else unchanged(scalars, op, operands)
        if same is None:
            needed.add((level[i], op))
        else:
            found[i] = same
    alias: dict[int, int] = {}
    for i, same in found.items():
        if (level[i], scalars.ops[i]) not in needed:
            alias[i] = alias.get(same, same)
    if not alias:
        return traced
    operands = [
        read if isinstance(op, Leaf) else tuple([alias.get(x, x) for x in read])
        for op, read in zip(scalars.ops, scalars.operands, strict=True)
    ]
    results = tuple([alias.get(i, i) for i in traced.results])
    return replace(traced, scalars=replace(scalars, operands=operands), results=results)
