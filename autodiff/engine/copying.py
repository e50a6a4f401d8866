"""Pickle and deepcopy of graphs of any depth, without recursion.

Both keep the graph and its sharing: a parameter pickled beside a loss is the loss's leaf again.
"""

import copy
import os
import threading
from collections.abc import Sequence
from weakref import WeakKeyDictionary, WeakValueDictionary

from autodiff.engine import modes
from autodiff.engine.collector import collector_paused
from autodiff.engine.graph import N, Node, toposort

_OWN = ("op", "_primal", "_grad", "_partials", "_constants", "_label")
_KEPT_ELSEWHERE = frozenset({*_OWN, "operands", "__weakref__", "__dict__"})

_added: WeakKeyDictionary[type, tuple[str, ...]] = WeakKeyDictionary()
"""The slots that each subclass adds."""


def _state(node: object) -> dict[str, object]:
    """The numbers and names that an op or a user gave the node."""
    return {name: getattr(node, name) for name in _OWN if hasattr(node, name)}


def _slots_of(kind: type) -> tuple[str, ...]:
    """The slots that a subclass adds, by the names of their attributes."""
    names = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            is_private = name.startswith("__") and not name.endswith("__")
            names.append(f"_{base.__name__.lstrip('_')}{name}" if is_private else name)
    return tuple([name for name in names if name not in _KEPT_ELSEWHERE])


def _extras(node: object) -> dict[str, object]:
    """The values of the attributes and slots that a subclass adds."""
    added = _added.get(type(node))
    if added is None:
        added = _added[type(node)] = _slots_of(type(node))
    extras = {name: getattr(node, name) for name in added if hasattr(node, name)}
    return extras | getattr(node, "__dict__", {})


def _node(kind: type[N], state: dict[str, object], operands: Sequence[Node]) -> N:
    node = object.__new__(kind)
    _with(node, {"operands": operands})
    if modes.deriving and not operands:
        modes.note(node)
    return _with(node, state)


def _with(node: N, attributes: dict[str, object]) -> N:
    for name, value in attributes.items():
        setattr(node, name, value)
    return node


def shallow(node: N) -> N:
    """A new node with the same operands."""
    return _with(_node(type(node), _state(node), node.operands), _extras(node))


def deepcopy(root: N, memo: dict[int, N]) -> N:
    """A new graph like that of `root`; `memo` maps the ids of nodes to their copies."""
    with collector_paused():
        for node in toposort(root):
            if id(node) not in memo:
                operands = tuple([memo[id(operand)] for operand in node.operands])
                memo[id(node)] = _node(type(node), _state(node), operands)
                if extras := _extras(node):  # after the node, since they may refer to it
                    _with(memo[id(node)], copy.deepcopy(extras, memo))
    return memo[id(root)]


class _Shell:
    """A node on its way into a pickle."""

    __slots__ = ("__weakref__", "node")

    def __init__(self, node: Node) -> None:
        self.node = node

    def __reduce__(self) -> tuple[object, ...]:
        operands = tuple([_shell(operand) for operand in self.node.operands])
        extras = _extras(self.node)  # after the node, since they may refer to it
        made = _node, (type(self.node), _state(self.node), operands)
        return (*made, (None, extras)) if extras else made


# A pickler recurses into what an object refers to, unless it has written it before. So a root
# goes as the list of its nodes in topological order, each in a shell whose operands' shells are
# already written. The pickler keeps the shells of one dump alive and finds them again here.
_shells: WeakValueDictionary[int, _Shell] = WeakValueDictionary()
_lock = threading.RLock()


def _shell(node: Node) -> _Shell:
    with _lock:  # a node that had two shells would be two nodes in the pickle
        return _shells.get(id(node)) or _shells.setdefault(id(node), _Shell(node))


def _renew() -> None:
    """In a child process, free the lock of a thread that does not exist there."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


def _last(nodes: list[N]) -> N:
    return nodes[-1]


def reduce(root: Node) -> tuple[object, ...]:
    """The reduction of `root` that pickle writes."""
    with collector_paused():
        return _last, ([_shell(node) for node in toposort(root)],)
