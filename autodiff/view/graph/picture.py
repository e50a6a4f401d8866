"""The picture of a graph of Values, in DOT."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from math import inf, isfinite

from autodiff.engine.value import Value
from autodiff.view.graph.captions import Caption
from autodiff.view.graph.edges import Edge, edges_between
from autodiff.view.graph.folding import Box, Boxes, users_of
from autodiff.view.graph.ranks import ranks, siblings
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

_MOST_CELLS = 64
"""The most operands that a record shows."""
_MOST_CELLS_FROM_FOLDED = 4
"""The same, where a folded box computes some of them."""
_MOST_EDGES = 50
"""With more edges than these, lines would cover boxes and each other."""


@dataclass(frozen=True)
class Options:
    """The options of a picture that do not depend on the graph."""

    direction: Direction = "LR"
    precision: int = 4
    by_grad: bool = False
    """Whether the fill of a box shows its gradient."""


class DotWriter:
    """Writes `drawn`, some of the boxes of a graph, as DOT; `names` are those of parameters."""

    def __init__(
        self,
        boxes: Boxes,
        drawn: Set[Box],
        names: Mapping[Value, str],
        options: Options,
        highlighted: Set[Value],
    ) -> None:
        self.boxes, self.drawn, self.names, self.options = boxes, drawn, names, options
        self.highlighted = highlighted
        self.is_swept = next(reversed(boxes)).has_grad
        self.shades = Shades(node.grad for node in boxes) if options.by_grad else None
        self.users = users_of(boxes)
        self.compact = {box for box in drawn if self._is_compact(box)}
        self.entering = edges_between(boxes, self.compact, names)
        self.edge_count = sum(map(len, self.entering.values()))
        self.is_crowded = self.edge_count > _MOST_EDGES
        self.largest_weights = self._largest_weights()
        self.ids: dict[Box, str] = {}
        for i, box in enumerate(boxes.values()):
            self.ids.setdefault(box, f"m{i}" if box.is_folded else f"n{i}")
        graph = GRAPH | {"rankdir": options.direction} | self._spacing()
        self.drawing = Drawing(graph_attr=graph, node_attr=NODE, edge_attr=EDGE)

    def write(self, notes: Iterable[str]) -> Drawing:
        """The picture, with `notes` below it."""
        # Graphviz starts from the order of the text: written from the root down, the first
        # operand of an op ends up above the second.
        for box in dict.fromkeys(self.boxes[node] for node in reversed(self.boxes)):
            if box in self.compact:
                self._write_compact(box)
            elif box in self.drawn:
                self._write_record(box)
        self._keep_order()
        self._write_notes([*notes, *self._legends()])
        return self.drawing

    def _write_notes(self, texts: Iterable[str]) -> None:
        """Write lines of text below the picture."""
        # \l ends a line and aligns it to the left.
        if label := "".join(lines(text) + "\\l" for text in texts):
            self.drawing.attr("graph", label=label, **NOTE)

    def _legends(self) -> Iterator[str]:
        """What the colors mean."""
        if self.shades:
            yield self.shades.legend(self.options.precision)
        if any(edge.is_single for edges in self.entering.values() for edge in edges.values()):
            yield "lines: weights, blue if positive, orange if negative, wide if large"

    def _is_compact(self, box: Box) -> bool:
        """Whether a box has a caption in place of a record: it has many nodes or many operands."""
        node = box.nodes[0]
        is_behind_folded = any(self.boxes[x].is_folded for x in node.operands)
        most = _MOST_CELLS_FROM_FOLDED if is_behind_folded else _MOST_CELLS
        return box.is_folded or len(node.arguments) > most

    def _spacing(self) -> dict[str, str]:
        """Where edges are many: room between ranks, straight lines, and boxes on top of them."""
        if not self.is_crowded:
            return {}
        separation = f"{min(4.0, 0.5 + self.edge_count**0.5 / 16):.1f}"
        return {"ranksep": separation, "splines": "line", "outputorder": "edgesfirst"}

    def _largest_weights(self) -> dict[tuple[str, str], float]:
        """The largest weight on the edges into each list of modules."""
        largest: dict[tuple[str, str], float] = {}
        for box, edges in self.entering.items():
            sizes = [abs(w.data) for edge in edges.values() for w in edge.weights]
            finite = max(filter(isfinite, sizes), default=0.0)
            largest[siblings(box)] = max(largest.get(siblings(box), 0.0), finite)
        return largest

    def _digits(self, number: float) -> str:
        return digits(number, self.options.precision)

    def _write_record(self, box: Box) -> None:
        """Write the one node of a box as a record: its operands, its op, its result."""
        (node,) = box.nodes
        name = self.ids[box]
        style = ({} if node.op else LEAF) | self._emphasis(box)
        out = self._result_cells(node)
        if node.op is None:
            self.drawing.node(name, "|".join(out), **style)
            return
        ins = [
            f"<{i}> {self._digits(x.data if isinstance(x, Value) else x)}"
            for i, x in enumerate(node.arguments)
        ]
        label = record(ins, cell(node.op.label), out, self.options.direction)
        self.drawing.node(name, label, **style)
        tail, head = PORTS[self.options.direction]
        operands = {i: x for i, x in enumerate(node.arguments) if isinstance(x, Value)}
        for i, x in operands.items():
            if (source := self.boxes[x]) in self.drawn:
                ends = f"{self.ids[source]}:{tail}", f"{name}:{i}:{head}"
                self.drawing.edge(*ends, **self._path_style(x))
        if any(self.boxes[x] not in self.drawn for x in operands.values()):
            self._write_stub(name)

    def _result_cells(self, node: Value) -> list[str]:
        """The cells for label, data and gradient."""
        grad = self._digits(node.grad) if self.is_swept or node.has_grad else "—"
        label = cell(node.label or self.names.get(node, ""))
        return [*filter(None, [label]), f"data {self._digits(node.data)}", f"grad {grad}"]

    def _write_compact(self, box: Box) -> None:
        """Write a box with a caption, and one edge for each box whose values it uses."""
        name = self.ids[box]
        caption = Caption(box, self.users, self.boxes, self.names, self.options.precision)
        style = FOLDED | ({} if box.is_folded else {"fillcolor": NODE["fillcolor"]})
        self.drawing.node(name, lines(*caption.lines()), **style | self._emphasis(box))
        tail, head = PORTS[self.options.direction]
        entering = self.entering.get(box, {})
        for source, edge in entering.items():
            if source in self.drawn:
                style = self._edge_style(edge, box)
                for x in edge.values:
                    style |= self._path_style(x)
                # Between two sides of one box a loop would be squeezed, so it has no ports.
                ends = (f"{self.ids[source]}:{tail}", f"{name}:{head}")
                self.drawing.edge(*((name, name) if source is box else ends), **style)
        if not entering.keys() <= self.drawn:
            self._write_stub(name)

    def _edge_style(self, edge: Edge, box: Box) -> dict[str, str]:
        """A line for a single weight, by sign and size; else the number of weights or values."""
        if edge.is_single:
            (parameter,) = edge.weights
            numbers = self._digits(parameter.data), self._digits(parameter.grad)
            tip = f"{readable(self.names[parameter])}: {numbers[0]}, grad {numbers[1]}"
            largest = self.largest_weights[siblings(box)]
            line = weight_line(parameter.data, largest, 25 if self.is_crowded else 100)
            return line | {"tooltip": lines(tip)}
        if edge.weights and edge.is_weighted:
            return COUNTS | {"label": counted(len(edge.weights), "weight")}
        if len(edge.values) > 1:
            return COUNTS | {"label": counted(len(edge.values), "value")}
        return {}

    def _emphasis(self, box: Box) -> dict[str, str]:
        """The fill for its gradient, and the border of a box on a highlighted path."""
        style: dict[str, str] = {}
        if self.shades:
            style |= self.shades.fill(max((node.grad for node in box.nodes), key=_magnitude))
        if not self.highlighted.isdisjoint(box.nodes):
            style |= HIGHLIGHT
        return style

    def _path_style(self, source: Value) -> dict[str, str]:
        """The style of an edge from `source`, which is on a highlighted path if `source` is."""
        return HIGHLIGHT if source in self.highlighted else {}

    def _write_stub(self, name: str) -> None:
        """Write dots for the boxes before `name` that are not drawn."""
        self.drawing.node(f"before_{name}", **STUB)
        self.drawing.edge(f"before_{name}", name, style="dashed")

    def _keep_order(self) -> None:
        """Put the modules of one list, such as the neurons of a layer, below one another."""
        for rank in ranks(self.boxes):
            for above, below in pairwise(box for box in rank if box in self.drawn):
                with self.drawing.subgraph(graph_attr={"rank": "same"}) as subgraph:
                    subgraph.edge(self.ids[above], self.ids[below], style="invis")


def _magnitude(number: float) -> float:
    return abs(number) if isfinite(number) else inf
