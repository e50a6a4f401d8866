"""Reverse mode on the array program: its result is a program again."""

from collections.abc import Sequence

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.reverse.cotangents import Cotangents
from autodiff.compiler.arrays.reverse.elementwise import elementwise
from autodiff.compiler.arrays.reverse.reach import unreached
from autodiff.compiler.arrays.reverse.rules import RULES
from autodiff.compiler.arrays.reverse.step import Step
from autodiff.rows.primitive import Primitive


def adjoint(
    builder: Builder, results: Sequence[tuple[int, int]], sources: Sequence[int]
) -> tuple[list[int], dict[int, int]]:
    """The cotangents of `sources`, appended to the program, each of the shape of its source.

    `results` are pairs of an array and its cotangent. The second value maps arrays that were
    made to the arrays that they are the cotangents of.

    Where inf meets a cotangent of 0 that eager execution would not have sent, the result is nan,
    unless it is behind a choice.
    """
    given = frozenset(sources)
    dependent = set(given)
    for i, instr in enumerate(builder.instrs):
        # No slope crosses a condition.
        if instr.kind == "f" and not dependent.isdisjoint(instr.operands):
            dependent.add(i)
    missed = unreached(builder, [result for result, _ in results], dependent)
    cotangents = Cotangents(builder, dependent)
    for result, seed in results:
        cotangents.give(result, seed)
    for i in range(max((result for result, _ in results), default=-1), -1, -1):
        if i not in cotangents or i in given:
            continue
        instr = builder.instrs[i]
        ct = cotangents.spread(instr, cotangents.total(i))
        if isinstance(instr.op, Primitive):
            elementwise(Step(cotangents, i, instr, ct), instr.op, missed.get(i))
        else:
            ct = builder.broadcast(ct, instr.shape)
            RULES[instr.op](Step(cotangents, i, instr, ct))
    return [cotangents.final(source) for source in sources], cotangents.names
