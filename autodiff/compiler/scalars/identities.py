"""Identities whose use waits for the whole program: x / 1 → x for all lanes alike, or for none.

The means of a graph's neighbors are divided by 1, 2, 3, …: without the division the nodes with
one neighbor would be one level below the others, and so would all that reads them.
"""

from dataclasses import replace

from autodiff.compiler.algebra import unchanged, waits
from autodiff.compiler.scalars.program import CONSTANTS
from autodiff.compiler.scalars.tracing import Traced
from autodiff.rows.primitive import Primitive


def simplify(traced: Traced) -> Traced:
    """The program without ops that change nothing, unless others of the kind have to remain.

    Ops with constants at the same operands are of one kind.
    """
    scalars = traced.scalars
    everything = scalars.ops
    if not any(isinstance(op, Primitive) and waits(op) for op in set(everything)):
        return traced
    needed: set[tuple[Primitive, tuple[bool, ...]]] = set()
    found: dict[int, tuple[Primitive, tuple[bool, ...], int]] = {}
    for i, op in enumerate(everything):
        if isinstance(op, Primitive) and waits(op):
            operands = scalars.operands[i]
            are_constants = tuple([everything[x] is CONSTANTS for x in operands])
            same = unchanged(scalars, op, operands)
            if same is None:
                needed.add((op, are_constants))
            else:
                found[i] = op, are_constants, same
    alias: dict[int, int] = {}
    for i, (op, are_constants, same) in found.items():
        if (op, are_constants) not in needed:
            alias[i] = alias.get(same, same)
    if not alias:
        return traced
    operands_of = [
        tuple([alias.get(x, x) for x in operands]) if isinstance(op, Primitive | str) else operands
        for op, operands in zip(everything, scalars.operands, strict=True)
    ]
    results = tuple([alias.get(i, i) for i in traced.results])
    return replace(traced, scalars=replace(scalars, operands=operands_of), results=results)
