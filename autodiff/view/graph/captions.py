"""The text in a box of many nodes."""

from collections.abc import Mapping
from math import isfinite

from autodiff.engine.value import Value
from autodiff.view.graph.folding import Box, Boxes
from autodiff.view.text import counted, digits, readable


class Caption:
    """A few lines on the nodes of a box: name, width, ops, parameters, data, gradients."""

    def __init__(
        self,
        box: Box,
        users: Mapping[Value, list[Value]],
        boxes: Boxes,
        names: Mapping[Value, str],
        precision: int,
    ) -> None:
        self.box, self.users, self.names, self.precision = box, users, names, precision
        self.outputs = [
            node
            for node in box.nodes
            if not users[node] or any(boxes[user] is not box for user in users[node])
        ]
        self.parameters = [node for node in box.nodes if node in names]

    def lines(self) -> list[str]:
        """One string per line; "" where there is nothing to say."""
        if self.box.module:
            return self._of_module()
        return self._of_nodes() if self.box.is_folded else self._of_node()

    def _of_module(self) -> list[str]:
        ops = ", ".join(dict.fromkeys(node.op.label for node in self.box.nodes if node.op))
        calls = min((len(self.users[p]) for p in self.parameters), default=1)
        outputs = [node for node in self.outputs if node.op]
        parameters = counted(len(self.parameters), "parameter")
        numbers = [self._grads(outputs or self.box.nodes)]
        if len(outputs) == 1:
            numbers.insert(0, f"data {self._digits(outputs[0].data)}")
        else:
            width = len(outputs) // calls if len(outputs) % calls == 0 else len(outputs)
            parameters = f"{counted(width, 'output')}, {parameters}"
        return [
            readable(self.box.module),
            parameters,
            readable(ops),
            f"called {calls:,} times" if calls > 1 else "",
            ", ".join(filter(None, numbers)),
        ]

    def _of_nodes(self) -> list[str]:
        first = self.box.nodes[0]
        name = first.op.label if first.op else _shared(self._names())
        data = [node.data for node in self.box.nodes]
        return [
            f"{readable(name)} × {len(data):,}",
            f"data {self._digits(min(data))} … {self._digits(max(data))}",
            self._grads(self.box.nodes),
        ]

    def _of_node(self) -> list[str]:
        (node,) = self.box.nodes
        op = node.op.label if node.op else ""
        (name,) = self._names()
        return [
            readable(name),
            f"{readable(op)} of {len(node.arguments):,}",
            f"data {self._digits(node.data)}",
            self._grads([node]),
        ]

    def _names(self) -> list[str]:
        return [node.label or self.names.get(node, "") for node in self.box.nodes]

    def _grads(self, nodes: list[Value]) -> str:
        """The gradient of one node, or the largest of several; "" before a backward pass."""
        if not any(node.has_grad for node in nodes):
            return ""
        if len(nodes) == 1:
            return f"grad {self._digits(nodes[0].grad)}"
        sizes = [abs(node.grad) for node in nodes]
        infinite = [size for size in sizes if not isfinite(size)]
        return f"|grad| ≤ {self._digits(infinite[0] if infinite else max(sizes))}"

    def _digits(self, number: float) -> str:
        return digits(number, self.precision)


def _shared(names: list[str]) -> str:
    """The common form of paths, as `layers.0.neurons.*.b`, or else the first and the last name.

    "leaves" if some have no name.
    """
    paths = [name.split(".") for name in names]
    if not all(names):
        return "leaves"
    words = list(zip(*paths, strict=False))
    shared = [same[0] if len(set(same)) == 1 else "*" for same in words]
    if len(set(map(len, paths))) > 1 or set(shared) == {"*"}:
        ends = sorted(set(names), key=lambda name: (len(name), name))
        return f"{ends[0]} … {ends[-1]}"
    return ".".join(shared)
