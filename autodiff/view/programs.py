"""The picture of a compiled program, in DOT: one box per array."""

from collections.abc import Sequence

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
    """The instructions of `program` as boxes with operands, op, number and shape.

    Given and constant arrays are yellow, arrays that an op computes are blue, and arrays with
    the same numbers in another order are white. Results have a thick border.
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
        ins = [f"<{position}> %{operand}" for position, operand in enumerate(instr.operands)]
        label = record(ins, cell(_name(instr, precision)), out, direction)
        drawing.node(f"i{i}", label, **(ARRAY_MOVE if _moves(instr) else {}) | style)
        for position, operand in enumerate(instr.operands):
            if operand in drawn:
                drawing.edge(f"i{operand}:{tail}", f"i{i}:{position}:{head}")
        if not drawn.issuperset(instr.operands):
            drawing.node(f"before_i{i}", **STUB)
            drawing.edge(f"before_i{i}", f"i{i}", style="dashed")
    if missing := len(program.instrs) - len(drawn):
        note = f"… {counted(missing, 'instruction')} not drawn"
        drawing.attr("graph", label=lines(note) + "\\l", **NOTE)
    return drawing


def _name(instr: Instr, precision: int) -> str:
    """The name of a leaf, the number of a constant with one element, else the op."""
    if instr.leaf:
        return instr.leaf
    if instr.op is CONSTANT and instr.size == 1:
        return digits(float(instr.values.flat[0]), precision)
    return instr.op.label


def _moves(instr: Instr) -> bool:
    """Whether the op moves numbers and computes none."""
    return not isinstance(instr.op, Primitive) and instr.op.moves


def _out(i: int, instr: Instr) -> list[str]:
    """The cells for the number, the shape and the fact of the op."""
    sizes = ["batch"] * instr.is_batched + [str(size) for size in instr.shape]
    kind = {"f": "", "b": " bool"}.get(instr.kind, f" {instr.kind}")
    fact = _fact(instr.fact) if instr.operands else ""
    return [f"%{i}", cell((" × ".join(sizes) or "scalar") + kind), *filter(None, [fact])]


def _fact(fact: object) -> str:
    if fact is None or isinstance(fact, np.ndarray):
        return ""
    return cell(getattr(fact, "label", None) or str(fact))


def _result(i: int, results: Sequence[int]) -> list[str]:
    positions = [str(k) for k, result in enumerate(results) if result == i]
    return [f"result {', '.join(positions)}"] if positions else []
