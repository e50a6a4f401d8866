"""`draw`: the picture of a graph, in DOT."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import graphviz

from autodiff.checks import integer, one_of, show
from autodiff.compiler.arrays.program import Program
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.view.graph.folding import (
    Box,
    Boxes,
    apart,
    by_module,
    by_role,
    chosen_modules,
    near,
    sizes,
)
from autodiff.view.graph.picture import Look, Picture
from autodiff.view.modules import enclosing, membership, parameter_names
from autodiff.view.programs import draw_program
from autodiff.view.style import PORTS, Direction
from autodiff.view.text import counted

MAX_NODES = 300
"""Above this, a picture is a grey staircase."""


def draw(
    root: Value | Program,
    *,
    model: Any = None,
    collapse: str | Sequence[str] | Literal[False] | None = None,
    color: Literal["kind", "grad"] = "kind",
    highlight: Value | Iterable[Value] = (),
    direction: Direction = "LR",
    precision: int = 4,
    max_nodes: int = MAX_NODES,
) -> graphviz.Digraph:
    """The graph that ends in `root`, one box a node.

    A box holds, from left to right, the numbers that went into its op from top to bottom, the
    op, and what came out: label, data and gradient ("—" before a backward pass). An arrow ends
    at the number that it brings; a number without an arrow is a constant. Leaves hold no op.

    `model` is a module, or a dict or list of modules and Values, and names their parameters
    (`layers.0.b`; a label comes first). `collapse` makes one box of each module it names, by
    path or last name: `collapse="layers"`, `collapse=["layers.0", "neurons"]`. `"ops"` makes
    one box of all nodes that do the same side by side; False never collapses. By default a graph
    of more than `max_nodes` nodes is collapsed until it is readable. Of more than `max_nodes`
    boxes, those nearest to the root are drawn. The picture says so.

    `color="grad"` fills boxes by the size of their gradient. `highlight` marks every path from a
    node, or from several, to the root. `direction` is that of the arrows, LR, RL, TB or BT;
    `precision` the number of significant digits.

    A `Program` of the compiler (`kernel.program`) is drawn one box an array, with its shape.

    The text is the same for the same graph. Drawing changes nothing. Raises TypeError if
    `root` is neither, ValueError for an option that does not fit the graph.
    """
    _check(direction, precision, max_nodes, color)
    _check_names(collapse, highlight)
    if isinstance(root, Program):
        given = {"model": model is not None, "collapse": collapse, "highlight": highlight != ()}
        if unfit := [name for name in given if given[name]] + ["color"] * (color != "kind"):
            raise ValueError(f"draw: {unfit[0]} is for graphs of Values, not for a program")
        return draw_program(root, direction=direction, precision=precision, max_nodes=max_nodes)
    if not isinstance(root, Value):
        raise TypeError(f"draw takes a Value or a Program (kernel.program), got {show(root)}")
    if color == "grad" and not root.has_grad:
        raise ValueError("draw: there are no gradients to color by; call root.backward() first")
    order = toposort(root)
    names = {} if model is None else parameter_names(model)
    if names and names.keys().isdisjoint(order):
        raise ValueError("draw: none of the parameters of model= is in this graph")
    highlighted = _behind([highlight] if isinstance(highlight, Value) else highlight, order)
    boxes = _boxes(order, names, collapse, max_nodes)
    drawn = near(root, boxes, max_nodes)
    look = Look(direction, precision, by_grad=color == "grad")
    return Picture(boxes, drawn, names, look, highlighted, list(_notes(boxes, drawn))).drawing


def _check(direction: Any, precision: Any, max_nodes: Any, color: Any) -> None:
    one_of("draw: direction", direction, PORTS)
    integer("draw: precision", precision, least=1)
    integer("draw: max_nodes", max_nodes, least=1)
    one_of("draw: color", color, ("kind", "grad"))


def _check_names(collapse: Any, highlight: Any) -> None:
    if collapse is not None and collapse is not False and not isinstance(collapse, Iterable):
        raise TypeError(f"draw: collapse takes a name, names, or False, got {show(collapse)}")
    if not isinstance(highlight, Value | Iterable):
        raise TypeError(f"draw: highlight takes a node, or some, got {show(highlight)}")


def _boxes(
    order: list[Value],
    names: dict[Value, str],
    collapse: str | Sequence[str] | Literal[False] | None,
    most: int,
) -> Boxes:
    """The first of the ways to collapse that leaves few enough boxes and lines, or the last."""
    if collapse is None and len(order) <= most:
        return apart(order)
    boxes = apart(order)
    for boxes in _ways(order, names, collapse):
        count, lines = sizes(boxes)
        if count <= most and (collapse is not None or lines <= 2 * most):
            break
    return boxes


def _ways(order: list[Value], names: dict[Value, str], collapse: Any) -> Iterator[Boxes]:
    """What `collapse` asks for; if nothing, ever larger modules, with equal ops folded at last."""
    if collapse is False:
        return
    if collapse == "ops":
        yield by_role(apart(order))
        return
    if collapse is not None and not names:
        raise ValueError(f"draw: collapse={collapse!r} needs model=, which has the modules")
    found = membership(order[-1], names) if names else dict.fromkeys(order, "")
    if collapse is not None:
        boxes = by_module(found, chosen_modules(collapse, found))
        yield boxes
        yield by_role(boxes)
        return
    paths = {path: enclosing(path) for path in set(found.values())}
    around = {outer for parts in paths.values() for outer in parts[:-1]}
    innermost = [parts for path, parts in paths.items() if path and path not in around]
    for depth in range(max(map(len, innermost), default=0), 0, -1):
        yield by_role(by_module(found, {parts[:depth][-1] for parts in innermost}))
    yield by_role(apart(order))


def _behind(sources: Iterable[Value], order: list[Value]) -> set[Value]:
    """The nodes on the paths from any of `sources` to the root."""
    marked = set(sources)
    if missing := marked.difference(order):
        raise ValueError(f"draw: highlight: not in this graph: {show(next(iter(missing)))}")
    for node in order:
        if not marked.isdisjoint(node.operands):
            marked.add(node)
    return marked


def _notes(boxes: Boxes, drawn: set[Box]) -> Iterator[str]:
    """What the picture does not show node by node, or not at all."""
    shown = sum(len(box.nodes) for box in drawn)
    if any(box.is_folded for box in drawn):
        yield f"{counted(shown, 'node')} in {counted(len(drawn), 'box', 'boxes')}"
    if shown < len(boxes):
        yield f"… {counted(len(boxes) - shown, 'node')} not drawn"
