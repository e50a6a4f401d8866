"""`draw`: the picture of a graph, in DOT."""

import re

import graphviz

from autodiff.graph import toposort
from autodiff.interpreter import show
from autodiff.value import Value
from autodiff.view.renderer import Drawing

LONGEST_LABEL = 32

# In a record label these mean structure, in any label & begins a character reference.
_ESCAPES = str.maketrans({c: f"\\{c}" for c in "\\{}|<>"} | {"&": "&amp;"})
# Neither UTF-8 nor XML holds all of these, and none has a shape.
_SHAPELESS = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

# In inches: a picture of 1,000 nodes in a row would be 29 GB of pixels.
_GRAPH = {"rankdir": "LR", "nodesep": "0.15", "ranksep": "0.5", "size": "100"}
_NODE = {
    "shape": "record",
    "style": "filled",
    "fillcolor": "#dbe9f6",
    "color": "#555555",
    "fontname": "Helvetica",
    "fontsize": "11",
    "height": "0.2",
}
_LEAF = {"fillcolor": "#fff4cc"}
_EDGE = {"color": "#555555", "arrowsize": "0.6"}


def draw(root: Value) -> graphviz.Digraph:
    """The graph that ends in `root`, one box a node.

    A box holds, from left to right, the numbers that went into its op from top to bottom, the
    op, and what came out: label, data and gradient ("—" before a backward pass). An arrow ends
    at the number that it brings; a number without an arrow is a constant. Leaves hold no op.

    The text is the same for the same graph. Drawing changes nothing. Raises TypeError if
    `root` is not a Value.
    """
    if not isinstance(root, Value):
        raise TypeError(f"draw takes a Value, got {show(root)}")
    drawing = Drawing(graph_attr=_GRAPH, node_attr=_NODE, edge_attr=_EDGE)
    names = {node: f"n{i}" for i, node in enumerate(toposort(root))}
    # The layout begins with the order of the text; from the root down, the first operand of an
    # op ends up above the second.
    for node, name in reversed(names.items()):
        out = _out(node, root.has_grad)
        if node.op is None:
            drawing.node(name, "|".join(out), **_LEAF)
            continue
        op = _readable(node.op.label)
        drawing.node(name, _across(_across(*_ins(node)), op, _across(*out)))
        for i, argument in enumerate(node.arguments):
            if isinstance(argument, Value):
                drawing.edge(f"{names[argument]}:e", f"{name}:{i}:w")
    return drawing


def _ins(node: Value) -> list[str]:
    """The cells of the arguments, each with its index as port."""
    primals = [x.data if isinstance(x, Value) else x for x in node.arguments]
    return [f"<{i}> {_digits(primal)}" for i, primal in enumerate(primals)]


def _out(node: Value, is_swept: bool) -> list[str]:
    """The cells of label, data and gradient."""
    grad = _digits(node.grad) if is_swept or node.has_grad else "—"
    label = _readable(node.label)
    return [*filter(None, [label]), f"data {_digits(node.data)}", f"grad {grad}"]


def _across(*cells: str) -> str:
    """One cell of `cells`, which run across the direction of the cells around it."""
    return f"{{{'|'.join(cells)}}}"


def _digits(number: float) -> str:
    return f"{number:.4g}"


def _readable(text: str) -> str:
    """`text` on one line, short, and escaped for a cell of a record."""
    text = " ".join(str(text).split())
    if len(text) > LONGEST_LABEL:
        text = text[: LONGEST_LABEL - 1] + "…"
    return _SHAPELESS.sub("\N{REPLACEMENT CHARACTER}", text).translate(_ESCAPES)
