"""The backward pass edge by edge: as the engine does it, and in two ways that go wrong."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autodiff.engine.graph import interior
from autodiff.engine.value import Value


@dataclass(frozen=True, slots=True)
class Contribution:
    """What `node` adds to the cotangent of one operand: its own cotangent times a partial."""

    node: Value
    position: int
    """The index of the operand among the operands of `node`."""
    cotangent: float
    """The cotangent of `node` when it was passed on."""
    product: float | None
    """The cotangent times the partial; None where no cotangent crosses."""
    total: float | None
    """The cotangent of the operand afterwards; None if nothing has reached it."""


def topological(root: Value) -> list[Contribution]:
    """The contributions of `root.backward()`, in its order and with its numbers."""
    return _contributions(root, reversed(interior(root)))


def depth_first(root: Value) -> list[Contribution]:
    """The contributions of a sweep without a topological sort.

    It is wrong where a node is reached twice. It visits each node once, as soon as a path
    reaches it:

        def visit(node):
            node._backward()
            for operand in node._prev:
                visit(operand)
    """
    return _contributions(root, _preorder(root))


def overwriting(root: Value) -> list[Contribution]:
    """The contributions of a sweep with `grad = …` for `grad += …`; wrong at the same nodes."""
    return _contributions(root, reversed(interior(root)), adds=False)


SWEEPS: dict[str, Callable[[Value], list[Contribution]]] = {
    "topological": topological,
    "depth_first": depth_first,
    "overwriting": overwriting,
}
"""Each sweep by the name that the page has for it."""


def _preorder(root: Value) -> Iterator[Value]:
    seen: set[Value] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            yield node
            stack.extend(operand for operand in reversed(node.operands) if operand.operands)


def _contributions(root: Value, order: Iterator[Value], adds: bool = True) -> list[Contribution]:
    cotangents = {root: 1.0}
    made = []
    for node in order:
        ct = cotangents.get(node)
        if ct is None:  # no cotangent crosses any edge to it
            continue
        for i, (operand, partial) in enumerate(zip(node.operands, node._partials, strict=True)):
            if partial is None:
                made.append(Contribution(node, i, ct, None, cotangents.get(operand)))
                continue
            product = ct * partial
            before = cotangents.get(operand) if adds else None
            cotangents[operand] = product if before is None else before + product
            made.append(Contribution(node, i, ct, product, cotangents[operand]))
    return made
