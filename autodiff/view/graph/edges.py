"""The edges between boxes: the values that flow along each, and the weights that multiply them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from autodiff.engine.value import Value
from autodiff.view.graph.folding import Box, Boxes


@dataclass
class Edge:
    """The values that flow from one box to another, or from a box back into itself."""

    values: dict[Value, None] = field(default_factory=dict)
    weights: dict[Value, None] = field(default_factory=dict)
    """The parameters that multiply the values on arrival."""
    is_weighted: bool = True
    """Whether a parameter multiplies every value."""

    @property
    def is_single(self) -> bool:
        """Whether the edge is one weight, of one neuron on one input."""
        return self.is_weighted and len(self.weights) == 1

    def add(self, value: Value, factor: Value | None) -> None:
        """Carry `value` too; `factor` is the parameter that multiplies it, if there is one."""
        self.values.setdefault(value)
        if factor is None:
            self.is_weighted = False
        else:
            self.weights.setdefault(factor)


Edges = dict[Box, dict[Box, Edge]]
"""By the box where they end, then by the box where they begin."""


def edges_between(boxes: Boxes, ends: Set[Box], parameters: Mapping[Value, str]) -> Edges:
    """The edges that end in the boxes `ends`.

    The box of a module has an edge to itself if the module was called on its own output: a
    parameter in it is used again on a value that depends on an earlier use.
    """
    edges: Edges = {}
    bits = {parameter: 1 << i for i, parameter in enumerate(parameters)}
    used: dict[Value, int] = {}
    for node, box in boxes.items():
        if box not in ends:
            continue
        own = used[node] = sum({bits.get(x, 0) for x in node.operands}) if box.module else 0
        for x, factor in zip(node.operands, _factors(node, parameters), strict=True):
            source = boxes[x]
            if source is box:
                before = used[x]
                if not before & own:
                    used[node] |= before
                    continue
            edge = edges.setdefault(box, {}).setdefault(source, Edge())
            edge.add(x, factor)
    return edges


def _factors(node: Value, parameters: Mapping[Value, str]) -> list[Value | None]:
    """For each operand the parameter that multiplies it; None where there is none."""
    if node.op is None or not node.op.bilinear:
        return [None] * len(node.operands)
    arguments = node.arguments
    half = len(arguments) // 2
    return [
        other if isinstance(other, Value) and other in parameters else None
        for x, other in zip(arguments, arguments[half:] + arguments[:half], strict=True)
        if isinstance(x, Value)
    ]
