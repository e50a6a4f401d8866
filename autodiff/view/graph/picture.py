"""The picture of a graph of Values, in DOT."""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite

from autodiff.engine.value import Value
from autodiff.view.graph.captions import Facts
from autodiff.view.graph.edges import Link, links_between
from autodiff.view.graph.folding import Box, Boxes, users_of
from autodiff.view.graph.ranks import rows, siblings
from autodiff.view.renderer import Drawing
from autodiff.view.style import (
    COUNTS,
    EDGE,
    FOLDED,
    GRAPH,
    HIGHLIGHT,
    LEAF,
    NODE,
    NOTE,
    PORTS,
    STUB,
    Direction,
    Shades,
    record,
    weight_line,
)
from autodiff.view.text import cell, counted, digits, lines, readable

_CELLS = 64
"""The most numbers that a record shows."""
_FEW = 4
"""The same, where some of them come out of one box."""
_MANY = 50
"""More lines than these would cover boxes and each other."""


@dataclass(frozen=True)
class Look:
    """How a picture looks, whatever it shows."""

    direction: Direction = "LR"
    precision: int = 4
    by_grad: bool = False


class Picture:
    """A graph in boxes, some of them drawn; `drawing` is the DOT text."""

    def __init__(
        self,
        boxes: Boxes,
        drawn: Set[Box],
        names: dict[Value, str],
        look: Look,
        highlighted: Set[Value],
        notes: Iterable[str],
    ) -> None:
        self.boxes, self.drawn, self.names, self.look = boxes, drawn, names, look
        self.highlighted = highlighted
        self.is_swept = next(reversed(boxes)).has_grad
        self.shades = Shades(node.grad for node in boxes) if look.by_grad else None
        self.users = users_of(boxes)
        self.compact = {box for box in drawn if self._is_compact(box)}
        self.arriving = links_between(boxes, self.compact, names)
        self.is_crowded = sum(map(len, self.arriving.values())) > _MANY
        self.largest = self._largest_weights()
        self.ids: dict[Box, str] = {}
        for i, box in enumerate(boxes.values()):
            self.ids.setdefault(box, f"m{i}" if box.is_folded else f"n{i}")
        graph = GRAPH | {"rankdir": look.direction} | self._spacing()
        self.drawing = Drawing(graph_attr=graph, node_attr=NODE, edge_attr=EDGE)
        # The layout begins with the order of the text; from the root down, the first operand of
        # an op ends up above the second.
        for box in dict.fromkeys(boxes[node] for node in reversed(boxes)):
            if box in drawn:
                if box in self.compact:
                    self._compact(box)
                else:
                    self._node(box)
        self._keep_order()
        self._note([*notes, *self._legends()])

    def _note(self, texts: Iterable[str]) -> None:
        """Lines of text below the picture."""
        # \l ends a line that begins at the left.
        if label := "".join(lines(text) + "\\l" for text in texts):
            self.drawing.attr("graph", label=label, **NOTE)

    def _legends(self) -> Iterator[str]:
        """What colors mean."""
        if self.shades:
            yield self.shades.legend(self.look.precision)
        if any(link.is_single for links in self.arriving.values() for link in links.values()):
            yield "lines: weights, blue if positive, orange if negative, wide if large"

    def _is_compact(self, box: Box) -> bool:
        """Whether a box has no cell for every number: if it stands for many, or uses too many."""
        node = box.nodes[0]
        few = _FEW if any(self.boxes[x].is_folded for x in node.operands) else _CELLS
        return box.is_folded or len(node.arguments) > few

    def _spacing(self) -> dict[str, str]:
        """Room for lines, and boxes on top of them, where there are more than a few."""
        if not self.is_crowded:
            return {}
        count = sum(map(len, self.arriving.values()))
        ranks = f"{min(4.0, 0.5 + count**0.5 / 16):.1f}"
        return {"ranksep": ranks, "splines": "line", "outputorder": "edgesfirst"}

    def _largest_weights(self) -> dict[tuple[str, str], float]:
        """The largest weight that is drawn as a line into each row of boxes."""
        largest: dict[tuple[str, str], float] = {}
        for box, links in self.arriving.items():
            sizes = [abs(w.data) for link in links.values() for w in link.weights]
            finite = max(filter(isfinite, sizes), default=0.0)
            largest[siblings(box)] = max(largest.get(siblings(box), 0.0), finite)
        return largest

    def _digits(self, number: float) -> str:
        return digits(number, self.look.precision)

    def _node(self, box: Box) -> None:
        """A record of what went into the op of the one node, the op, and what came out."""
        (node,) = box.nodes
        name = self.ids[box]
        style = {} if node.op else LEAF
        style = style | self._emphasis(box)
        out = self._out(node)
        if node.op is None:
            self.drawing.node(name, "|".join(out), **style)
            return
        ins = [
            f"<{i}> {self._digits(x.data if isinstance(x, Value) else x)}"
            for i, x in enumerate(node.arguments)
        ]
        label = record(ins, cell(node.op.label), out, self.look.direction)
        self.drawing.node(name, label, **style)
        tail, head = PORTS[self.look.direction]
        is_cut = False
        for i, x in enumerate(node.arguments):
            if not isinstance(x, Value):
                continue
            source = self.boxes[x]
            if source not in self.drawn:
                is_cut = True
                continue
            ends = f"{self.ids[source]}:{tail}", f"{name}:{i}:{head}"
            self.drawing.edge(*ends, **self._path(x))
        if is_cut:
            self._stub(name)

    def _out(self, node: Value) -> list[str]:
        """The cells of label, data and gradient."""
        grad = self._digits(node.grad) if self.is_swept or node.has_grad else "—"
        label = cell(node.label or self.names.get(node, ""))
        return [*filter(None, [label]), f"data {self._digits(node.data)}", f"grad {grad}"]

    def _compact(self, box: Box) -> None:
        """What can be said of all nodes of the box, and a line for each box that it uses."""
        name = self.ids[box]
        facts = Facts(box, self.users, self.boxes, self.names, self.look.precision)
        style = FOLDED | ({} if box.is_folded else {"fillcolor": NODE["fillcolor"]})
        self.drawing.node(name, lines(*facts.texts()), **style | self._emphasis(box))
        tail, head = PORTS[self.look.direction]
        arriving = self.arriving.get(box, {})
        for source, link in arriving.items():
            if source in self.drawn:
                style = self._line(link, box)
                for x in link.values:
                    style |= self._path(x)
                # A loop would be squeezed between the sides.
                ends = (
                    (name, name)
                    if source is box
                    else (f"{self.ids[source]}:{tail}", f"{name}:{head}")
                )
                self.drawing.edge(*ends, **style)
        if not arriving.keys() <= self.drawn:
            self._stub(name)

    def _line(self, link: Link, box: Box) -> dict[str, str]:
        """A single weight by its sign and size; else how many there are, or how many values."""
        if link.is_single:
            (parameter,) = link.weights
            numbers = self._digits(parameter.data), self._digits(parameter.grad)
            tip = f"{readable(self.names[parameter])}: {numbers[0]}, grad {numbers[1]}"
            largest = self.largest[siblings(box)]
            line = weight_line(parameter.data, largest, 25 if self.is_crowded else 100)
            return line | {"tooltip": lines(tip)}
        if link.weights and link.is_weighted:
            return COUNTS | {"label": counted(len(link.weights), "weight")}
        if len(link.values) > 1:
            return COUNTS | {"label": counted(len(link.values), "value")}
        return {}

    def _emphasis(self, box: Box) -> dict[str, str]:
        """The color of the gradient, and the border of a path."""
        style: dict[str, str] = {}
        if self.shades:
            style |= self.shades.fill(max((node.grad for node in box.nodes), key=_magnitude))
        if not self.highlighted.isdisjoint(box.nodes):
            style |= HIGHLIGHT
        return style

    def _path(self, source: Value) -> dict[str, str]:
        """The style of a line from `source`, which is on a path if its end is."""
        return HIGHLIGHT if source in self.highlighted else {}

    def _stub(self, name: str) -> None:
        """Dots in place of the boxes before `name` that are not drawn."""
        self.drawing.node(f"before_{name}", **STUB)
        self.drawing.edge(f"before_{name}", name, style="dashed")

    def _keep_order(self) -> None:
        """Put the modules of one list, such as neurons of a layer, below one another."""
        for row in rows(self.boxes):
            for above, below in pairwise(box for box in row if box in self.drawn):
                with self.drawing.subgraph(graph_attr={"rank": "same"}) as rank:
                    rank.edge(self.ids[above], self.ids[below], style="invis")


def _magnitude(number: float) -> float:
    return abs(number) if isfinite(number) else inf
