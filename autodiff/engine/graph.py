"""Walks over a graph of anything that has `.operands`; without recursion, in linear time."""

from collections.abc import Collection, Container, Iterable, Sequence
from itertools import count
from typing import Protocol, Self, TypeVar
from weakref import WeakKeyDictionary


class Node(Protocol):
    """An element of a graph; a leaf has no operands."""

    @property
    def operands(self) -> Sequence[Self]:
        """The inputs of the op that made this node."""


N = TypeVar("N", bound=Node)


def interior(root: N) -> list[N]:
    """The nodes with operands on which `root` depends, in topological order, `root` last."""
    order: list[N] = []
    seen: set[N] = set()
    stack: list[N | None] = [root] if root.operands else []
    pop, push, place, mark = stack.pop, stack.append, order.append, seen.add
    while stack:
        node = pop()
        if node is None:  # the operands of the node below are all in order
            place(pop())  # type: ignore[arg-type]  # which is not None
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


_clock = count(1)
_there: WeakKeyDictionary[Node, int] = WeakKeyDictionary()


def now() -> int:
    """A number that grows with every call."""
    return next(_clock)


def between(
    roots: Collection[N], inputs: Iterable[N], own: Container[object], since: int
) -> tuple[list[N], bool]:
    """The nodes on which `roots` depend and that depend on `inputs`, in topological order.

    The second result is True if the roots depend on anything else but leaves in `own`. The
    inputs were made after `since`. Nodes older than that are visited once and then remembered.
    """
    depends: set[N] = set(inputs)
    seen = set(depends)
    order: list[N] = []
    foreign: list[N] = []
    stack: list[N | None] = [root for root in reversed([*roots]) if root.operands]
    is_open = any(root not in seen and root not in own for root in roots if not root.operands)
    is_marked = len(_there) > 0
    pop, push, mark = stack.pop, stack.append, seen.add
    while stack:
        node = pop()
        if node is None:  # all operands of the node below are visited
            node = pop()
            assert node is not None
            if depends.isdisjoint(node.operands):
                foreign.append(node)
            else:
                depends.add(node)
                order.append(node)
        elif node not in seen:
            mark(node)
            if is_marked and _there.get(node, since) < since:
                is_open = True
                continue
            push(node)
            push(None)
            for operand in node.operands:
                if operand in seen:
                    continue
                if operand.operands:
                    push(operand)
                else:
                    mark(operand)
                    is_open = is_open or operand not in own
    for node in foreign:
        _there.setdefault(node, now())
    return order, is_open
