"""The picture of a compiled program, in DOT: one box an array."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.compiler.arrays.ops import CONSTANT
from autodiff.compiler.arrays.program import Instr, Program
from autodiff.rows.primitive import Primitive
from autodiff.view.nearest import nearest
from autodiff.view.renderer import Drawing
from autodiff.view.style import (  # fmt: skip
    ARRAY_MOVE,
    EDGE,
    GRAPH,
    LEAF,
    NODE,
    NOTE,
    PORTS,
    RESULT,
    STUB,
    Direction,
    record,
)
from autodiff.view.text import cell, counted, digits, lines


def draw_program(
    program: Program, *, direction: Direction, precision: int, max_nodes: int
) -> Drawing:
    """The instructions of `program` as boxes: operands, op, number and shape.

    Arrays that are given or constant are yellow, those that an op computes blue, and those that
    only hold the same numbers elsewhere white; results have a thick border.
    """
    drawn = set(nearest(program.results, lambda i: program.instrs[i].operands, max_nodes))
    drawing = Drawing(graph_attr=GRAPH | {"rankdir": direction}, node_attr=NODE, edge_attr=EDGE)
    tail, head = PORTS[direction]
    for i in sorted(drawn, reverse=True):
        instr = program.instrs[i]
        out = [*_out(i, instr), *_result(i, program.results)]
        style = RESULT if i in program.results else {}
        if not instr.operands:
            drawing.node(f"i{i}", "|".join([cell(_name(instr, precision)), *out]), **LEAF | style)
            continue
        ins = [f"<{place}> %{operand}" for place, operand in enumerate(instr.operands)]
        label = record(ins, cell(_name(instr, precision)), out, direction)
        drawing.node(f"i{i}", label, **(ARRAY_MOVE if _moves(instr) else {}) | style)
        for place, operand in enumerate(instr.operands):
            if operand in drawn:
                drawing.edge(f"i{operand}:{tail}", f"i{i}:{place}:{head}")
        if not drawn.issuperset(instr.operands):
            drawing.node(f"before_i{i}", **STUB)
            drawing.edge(f"before_i{i}", f"i{i}", style="dashed")
    if missing := len(program.instrs) - len(drawn):
        note = f"… {counted(missing, 'instruction')} not drawn"
        drawing.attr("graph", label=lines(note) + "\\l", **NOTE)
    return drawing


def _name(instr: Instr, precision: int) -> str:
    """The op; of a leaf its own name, of a constant its number if it is one."""
    if instr.leaf:
        return instr.leaf
    if instr.op is CONSTANT and instr.size == 1:
        return digits(float(instr.values.flat[0]), precision)
    return instr.op.label


def _moves(instr: Instr) -> bool:
    """Whether it puts numbers elsewhere and computes none."""
    return not isinstance(instr.op, Primitive) and instr.op.moves


def _out(i: int, instr: Instr) -> list[str]:
    """The cells of the number, the shape, and what the op needs to know."""
    sizes = ["batch"] * instr.is_batched + [str(size) for size in instr.shape]
    kind = {"f": "", "b": " bool"}.get(instr.kind, f" {instr.kind}")
    fact = _fact(instr.fact) if instr.operands else ""
    return [f"%{i}", cell((" × ".join(sizes) or "scalar") + kind), *filter(None, [fact])]


def _fact(fact: Any) -> str:
    if fact is None or isinstance(fact, np.ndarray):
        return ""
    return cell(getattr(fact, "label", None) or str(fact))


def _result(i: int, results: Sequence[int]) -> list[str]:
    places = [str(place) for place, result in enumerate(results) if result == i]
    return [f"result {', '.join(places)}"] if places else []
