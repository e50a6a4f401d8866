"""The backward pass share by share: as the engine does it, and in two ways that go wrong."""

from collections.abc import Iterator
from dataclasses import dataclass

from autodiff.engine.graph import interior
from autodiff.engine.value import Value


@dataclass(frozen=True, slots=True)
class Share:
    """What one edge carries: the cotangent of `node`, times a partial, to one of its operands."""

    node: Value
    position: int
    """Of the operand among the operands of `node`."""
    cotangent: float
    """Of `node`, when it was passed on."""
    product: float | None
    """The cotangent times the partial; None where no cotangent crosses."""
    total: float | None
    """The operand's cotangent afterwards; None if nothing has reached it."""


def topological(root: Value) -> list[Share]:
    """The shares of `root.backward()`, in its order and with its numbers."""
    return _shares(root, reversed(interior(root)))


def depth_first(root: Value) -> list[Share]:
    """The shares of a sweep without a topological sort; wrong where a node is reached twice.

    It visits each node once, as soon as a path reaches it, as this does:

        def visit(node):
            node._backward()
            for operand in node._prev:
                visit(operand)
    """
    return _shares(root, _preorder(root))


def overwriting(root: Value) -> list[Share]:
    """The shares of a sweep that writes `grad = …` for `grad += …`; wrong at the same nodes."""
    return _shares(root, reversed(interior(root)), adds=False)


def _preorder(root: Value) -> Iterator[Value]:
    seen: set[Value] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            yield node
            stack.extend(operand for operand in reversed(node.operands) if operand.operands)


def _shares(root: Value, order: Iterator[Value], adds: bool = True) -> list[Share]:
    cotangents = {root: 1.0}
    shares = []
    for node in order:
        ct = cotangents.get(node)
        if ct is None:  # every path that leads here is cut
            continue
        for i, (operand, partial) in enumerate(zip(node.operands, node._partials, strict=True)):
            if partial is None:
                shares.append(Share(node, i, ct, None, cotangents.get(operand)))
                continue
            product = ct * partial
            before = cotangents.get(operand) if adds else None
            cotangents[operand] = product if before is None else before + product
            shares.append(Share(node, i, ct, product, cotangents[operand]))
    return shares
