"""The backward sweep: cotangents flow from the root to the leaves, each edge once."""

import os
import threading
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

from autodiff.engine.graph import interior

# The cotangents of a sweep lie in the nodes, so one thread sweeps at a time. On that thread a
# signal handler, a finalizer or a trace function may sweep in the middle of another sweep.
_lock = threading.RLock()


class Node(Protocol):
    """A node with the partials of its op; between sweeps its `_grad` is that of the last one."""

    _grad: float | None

    @property
    def op(self) -> Any:
        """What says whether it `selects`; None for a leaf."""

    @property
    def operands(self) -> Sequence["Node"]:
        """The inputs of the op."""

    @property
    def _partials(self) -> Sequence[Any]:
        """A float per operand; None where no cotangent crosses."""


class _Sweep:
    """A sweep under way. Until it ends, the `_grad` of its nodes belongs to it."""

    __slots__ = ("_nodes", "late", "order", "root")

    def __init__(self, root: Node) -> None:
        self.root = root
        self.order = interior(root)
        self.late: list[tuple[Node, float]] = []
        """Leaves, with the cotangents from sweeps that ran in the middle of this one."""

    @property
    def nodes(self) -> set[Node]:
        """The root and everything it depends on."""
        if not hasattr(self, "_nodes"):
            self._nodes = {self.root, *[x for node in self.order for x in node.operands]}
        return self._nodes


_under_way: list[_Sweep] = []
"""The sweeps of the thread with the lock, each in the middle of the one before it."""


def backward(root: Node, seed: float) -> None:
    """Add d root / d leaf, times `seed`, to the `_grad` of every leaf.

    Sweeps of other threads, and those that this one interrupts, are not affected.
    """
    sweep = _Sweep(root)
    with _lock:
        try:
            _under_way.append(sweep)
            if len(_under_way) == 1:
                _flow(sweep, seed)
            else:
                _flow_amid(sweep, seed)
        finally:
            _under_way.pop()
            if sweep.late:
                _settle(sweep)


class _Given:
    """A node over leaves with given partials."""

    op = SimpleNamespace(selects=False)
    _grad: float | None = None

    def __init__(self, leaves: Iterable[Node], partials: Iterable[float]) -> None:
        self.operands = tuple(leaves)
        self._partials = tuple(partials)


def add(leaves: Iterable[Node], cts: Iterable[float]) -> None:
    """Add its cotangent to the `_grad` of every leaf, as a sweep would."""
    backward(_Given(leaves, cts), 1.0)


def _flow(sweep: _Sweep, seed: float) -> None:
    """Pass the cotangents on from node to node."""
    root, order = sweep.root, sweep.order
    for node in order:
        node._grad = None
    root._grad = seed if root._grad is None else root._grad + seed
    # A node reached by two paths must have both cotangents before it passes them on.
    for node in reversed(order):
        ct = node._grad
        if ct is None:  # every path to this node is cut
            continue
        operands, partials = node.operands, node._partials
        if node.op.selects:
            for x, p in zip(operands, partials):
                if p is not None:
                    grad = x._grad
                    x._grad = ct * p if grad is None else grad + ct * p
        elif len(operands) == 2:  # like the loop below, a tenth faster on scalar code
            x, y = operands
            p, q = partials
            grad = x._grad
            x._grad = ct * p if grad is None else grad + ct * p
            grad = y._grad
            y._grad = ct * q if grad is None else grad + ct * q
        else:
            for x, p in zip(operands, partials):
                grad = x._grad
                x._grad = ct * p if grad is None else grad + ct * p


def _flow_amid(sweep: _Sweep, seed: float) -> None:
    """Like `_flow`, but restore the `_grad` of every node that an outer sweep visits.

    An outer sweep may have read a leaf and be about to write its sum, so a leaf gets its
    cotangent when the outermost sweep that visits it ends.
    """
    owner: dict[Node, _Sweep] = {}
    for outer in _under_way[: _under_way.index(sweep)]:
        for x in outer.nodes & sweep.nodes:
            owner.setdefault(x, outer)
    before = {x: x._grad for x in owner}
    try:
        for x in owner:
            x._grad = None
        _flow(sweep, seed)
        for x, outer in owner.items():
            if x._grad is not None and not x.operands:
                outer.late.append((x, x._grad))
    finally:
        for x, grad in before.items():
            x._grad = grad


def _settle(sweep: _Sweep) -> None:
    """Add the late cotangents of `sweep`; more may arrive meanwhile."""
    while sweep.late:
        try:
            _under_way.append(sweep)
            while sweep.late:
                leaf, ct = sweep.late.pop(0)
                leaf._grad = ct if leaf._grad is None else leaf._grad + ct
        finally:
            _under_way.pop()


def _renew() -> None:
    """In a child process, forget the sweep of a thread that does not exist there."""
    global _lock
    if _lock.acquire(blocking=False):
        _lock.release()
    else:
        _lock = threading.RLock()
        _under_way.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
