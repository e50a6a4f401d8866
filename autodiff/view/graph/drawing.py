"""`draw`: the picture of a graph, in DOT."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from autodiff.checks import integer, one_of, show
from autodiff.compiler.arrays.program import Program
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.view.graph.folding import (
    Box,
    Boxes,
    chosen_modules,
    counts,
    folded_by_module,
    folded_by_op,
    nearest_boxes,
    unfolded,
)
from autodiff.view.graph.picture import DotWriter, Options
from autodiff.view.modules import Model, enclosing, membership, parameter_names
from autodiff.view.programs import draw_program
from autodiff.view.renderer import Drawing
from autodiff.view.style import PORTS, Direction
from autodiff.view.text import counted

Collapse = str | Sequence[str] | Literal[False] | None

MAX_NODES = 300
"""With more boxes than this, a picture cannot be read."""


def draw(
    root: Value | Program,
    *,
    model: Model | None = None,
    collapse: Collapse = None,
    color: Literal["kind", "grad"] = "kind",
    highlight: Value | Iterable[Value] = (),
    direction: Direction = "LR",
    precision: int = 4,
    max_nodes: int = MAX_NODES,
) -> Drawing:
    """The graph that ends in `root` as a picture, one box per node.

    From left to right, a box shows the operands of its op from top to bottom, the op, and the
    result: label, data and gradient ("—" before a backward pass). An arrow ends at the operand
    that it brings; an operand without an arrow is a constant. Leaves have no op.

    `model` is a module, or a dict or list of modules and Values. It names their parameters, as
    in `layers.0.b`; a node with a label shows the label. `collapse` draws each module that it
    names, by path or by last name, as one box: `collapse="layers"`, `collapse=["layers.0",
    "neurons"]`. With `collapse="ops"`, nodes that do the same side by side share a box; with
    False, nothing is collapsed. By default a graph of more than `max_nodes` nodes is collapsed
    until it is readable. If more than `max_nodes` boxes remain, those nearest to the root are
    drawn, and the picture says how many nodes are missing.

    `color="grad"` fills boxes by the size of their gradient. `highlight` marks every path from
    one or more nodes to the root. Arrows run in `direction`: LR, RL, TB or BT. `precision` is
    the number of significant digits.

    A `Program` of the compiler (`kernel.program`) is drawn with one box per array and its shape.

    The same graph gives the same DOT text. Drawing changes nothing. Raises TypeError for a root
    or an option of a wrong kind, ValueError for an option that does not fit the graph.
    """
    _check(direction, precision, max_nodes, color)
    _check_choices(collapse, highlight)
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
    highlighted = _paths_from([highlight] if isinstance(highlight, Value) else highlight, order)
    boxes = _boxes(order, names, collapse, max_nodes)
    drawn = nearest_boxes(root, boxes, max_nodes)
    options = Options(direction, precision, by_grad=color == "grad")
    return DotWriter(boxes, drawn, names, options, highlighted).write(_notes(boxes, drawn))


def _check(direction: object, precision: object, max_nodes: object, color: object) -> None:
    one_of("draw: direction", direction, PORTS)
    integer("draw: precision", precision, least=1)
    integer("draw: max_nodes", max_nodes, least=1)
    one_of("draw: color", color, ("kind", "grad"))


def _check_choices(collapse: object, highlight: object) -> None:
    if collapse is not None and collapse is not False and not isinstance(collapse, Iterable):
        raise TypeError(f"draw: collapse must be a name, names or False, got {show(collapse)}")
    if not isinstance(highlight, Value | Iterable):
        raise TypeError(f"draw: highlight must be one or more nodes, got {show(highlight)}")


def _boxes(order: list[Value], names: Mapping[Value, str], collapse: Collapse, most: int) -> Boxes:
    """The first folding with few enough boxes and edges, or else the last one."""
    boxes = unfolded(order)
    if collapse is None and len(order) <= most:
        return boxes
    for boxes in _foldings(order, names, collapse):
        box_count, edge_count = counts(boxes)
        if box_count <= most and (collapse is not None or edge_count <= 2 * most):
            break
    return boxes


def _foldings(
    order: list[Value], names: Mapping[Value, str], collapse: Collapse
) -> Iterator[Boxes]:
    """The folding that `collapse` asks for; by default ever larger modules, then equal ops."""
    if collapse is False:
        return
    if collapse == "ops":
        yield folded_by_op(unfolded(order))
        return
    if collapse is not None and not names:
        raise ValueError(f"draw: collapse={collapse!r} needs model=, which has the modules")
    modules = membership(order[-1], names) if names else dict.fromkeys(order, "")
    if collapse is not None:
        boxes = folded_by_module(modules, chosen_modules(collapse, modules))
        yield boxes
        yield folded_by_op(boxes)
        return
    paths = {path: enclosing(path) for path in set(modules.values())}
    around = {outer for parts in paths.values() for outer in parts[:-1]}
    innermost = [parts for path, parts in paths.items() if path and path not in around]
    for depth in range(max(map(len, innermost), default=0), 0, -1):
        chosen = {parts[:depth][-1] for parts in innermost}
        yield folded_by_op(folded_by_module(modules, chosen))
    yield folded_by_op(unfolded(order))


def _paths_from(sources: Iterable[Value], order: list[Value]) -> set[Value]:
    """The nodes on the paths from any of `sources` to the root."""
    marked = set(sources)
    if missing := marked.difference(order):
        raise ValueError(
            f"draw: highlight must be nodes of this graph, got {show(next(iter(missing)))}"
        )
    for node in order:
        if not marked.isdisjoint(node.operands):
            marked.add(node)
    return marked


def _notes(boxes: Boxes, drawn: set[Box]) -> Iterator[str]:
    """How many nodes share boxes, and how many are not drawn."""
    shown = sum(len(box.nodes) for box in drawn)
    if any(box.is_folded for box in drawn):
        yield f"{counted(shown, 'node')} in {counted(len(drawn), 'box', 'boxes')}"
    if shown < len(boxes):
        yield f"… {counted(len(boxes) - shown, 'node')} not drawn"
