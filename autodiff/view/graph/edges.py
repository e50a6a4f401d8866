"""The lines between boxes: how many values they carry, and what weights multiply them."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from autodiff import ops
from autodiff.engine.value import Value
from autodiff.view.graph.folding import Box, Boxes


@dataclass
class Link:
    """What flows from one box to another, or from a box back into itself."""

    values: dict[Value, None] = field(default_factory=dict)
    weights: dict[Value, None] = field(default_factory=dict)
    """The parameters that multiply the values on arrival."""
    is_weighted: bool = True
    """Whether every value is multiplied by a parameter."""

    @property
    def is_single(self) -> bool:
        """Whether it is one weight, of one neuron on one input."""
        return self.is_weighted and len(self.weights) == 1

    def add(self, value: Value, factor: Value | None) -> None:
        """Carry `value` as well, which meets the parameter `factor`, if any."""
        self.values.setdefault(value)
        if factor is None:
            self.is_weighted = False
        else:
            self.weights.setdefault(factor)


Links = dict[Box, dict[Box, Link]]
"""By the box where they end, then by the box where they begin."""


def links_between(boxes: Boxes, ends: Set[Box], parameters: Mapping[Value, str]) -> Links:
    """The links that end in the boxes `ends`.

    The box of a module has a link to itself if a parameter in it is used again on what it has
    led to: the module was called on its own output.
    """
    links: Links = {}
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
            link = links.setdefault(box, {}).setdefault(source, Link())
            link.add(x, factor)
    return links


def _factors(node: Value, parameters: Mapping[Value, str]) -> list[Value | None]:
    """For each operand the parameter that it is multiplied by, None if by none."""
    if node.op not in (ops.mul, ops.dot):
        return [None] * len(node.operands)
    arguments = node.arguments
    half = len(arguments) // 2
    return [
        other if isinstance(other, Value) and other in parameters else None
        for x, other in zip(arguments, arguments[half:] + arguments[:half], strict=True)
        if isinstance(x, Value)
    ]
