"""Walks over a graph of anything that has `.operands`; without recursion, in linear time."""

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar


class Node(Protocol):
    """An element of a graph; a leaf has no operands."""

    @property
    def operands(self) -> Sequence[Any]:
        """The inputs of the op that made this node."""


N = TypeVar("N", bound=Node)


def interior(root: N) -> list[N]:
    """The nodes with operands on which `root` depends, in topological order, `root` last."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack: list[Any] = [root] if root.operands else []
    pop, push, place, mark = stack.pop, stack.append, order.append, seen.add
    while stack:
        node = pop()
        if node is None:  # the operands of the node below are all in order
            place(pop())
        elif node not in seen:
            mark(node)
            push(node)
            push(None)
            for operand in node.operands:
                if operand.operands and operand not in seen:
                    push(operand)
    return order


def toposort(root: N) -> list[N]:
    """The nodes on which `root` depends, each behind its operands, `root` last.

    Leaves come right before their first use, so the order depends on the graph alone.
    """
    order: dict[N, None] = {}
    for node in interior(root):
        for operand in node.operands:
            order.setdefault(operand)
        order[node] = None
    order.setdefault(root)
    return list(order)


def leaves(root: N) -> list[N]:
    """The leaves on which `root` depends, in the order of first use."""
    return [node for node in toposort(root) if not node.operands]


def depth(root: N) -> int:
    """The number of ops on the longest path from a leaf to `root`."""
    depths: dict[N, int] = {}
    for node in toposort(root):
        depths[node] = 1 + max((depths[operand] for operand in node.operands), default=-1)
    return depths[root]
