"""Which nodes of a graph share a box: those of a module, or equal ops side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autodiff import ops
from autodiff.engine.value import Value
from autodiff.view.modules import enclosing
from autodiff.view.nearest import nearest


@dataclass(eq=False)
class Box:
    """Nodes that are drawn as one; `module` is the path of the module whose nodes they are."""

    module: str = ""
    nodes: list[Value] = field(default_factory=list)

    @property
    def is_folded(self) -> bool:
        """Whether the box stands for more than the one node that is in it."""
        return bool(self.module) or len(self.nodes) > 1


Boxes = dict[Value, Box]
"""The box of each node, in topological order of the nodes."""


def apart(order: Iterable[Value]) -> Boxes:
    """Every node in a box of its own."""
    return {node: Box("", [node]) for node in order}


def by_module(membership: Mapping[Value, str], modules: Iterable[str]) -> Boxes:
    """One box for each of `modules`, of what is inside it; the other nodes are apart."""
    chosen = set(modules)
    # The outermost: a box inside a box is not seen.
    box_of = {
        path: next((outer for outer in enclosing(path) if outer in chosen), "")
        for path in set(membership.values())
    }
    boxes: dict[str, Box] = {}
    folded: Boxes = {}
    for node, path in membership.items():
        if module := box_of[path]:
            box = folded[node] = boxes.setdefault(module, Box(module))
            box.nodes.append(node)
        else:
            folded[node] = Box("", [node])
    return folded


def by_role(boxes: Boxes) -> Boxes:
    """The nodes that have boxes of their own put together where they do the same.

    Nodes do the same if their op and the boxes of their operands are the same; a chain of
    additions is one sum, of however many terms. Leaves do the same if the same box uses them
    first, in the same place.
    """
    uses = users_of(boxes)
    alone = {node for node, box in boxes.items() if not box.is_folded}
    absorbed = {
        node
        for node in alone
        if node.op is ops.add and len(uses[node]) == 1 and uses[node][0].op is ops.add
    } - {node for node in alone if uses[node] and uses[node][0] not in alone}
    known: dict[Any, int] = {}
    roles: dict[Value, int] = {}
    terms: dict[Value, frozenset[int]] = {}
    for node, box in boxes.items():
        key: Any = box
        if node in alone:
            parts = [terms[x] if x in absorbed else {roles[x]} for x in node.operands]
            terms[node] = frozenset().union(*parts)
            key = (node.op, terms[node])
        roles[node] = known.setdefault(key, len(known))
    places: dict[Value, dict[Value, int]] = {}
    for node in reversed(boxes):  # a node behind those that use it
        if node in absorbed:
            roles[node] = roles[uses[node][0]]
        elif node in alone and not node.operands and uses[node]:
            first = uses[node][0]
            if first not in places:
                places[first] = _places(first)
            roles[node] = known.setdefault((roles[first], places[first][node]), len(known))
    together: dict[int, Box] = {}
    for node, box in boxes.items():
        together.setdefault(roles[node], Box(box.module)).nodes.append(node)
    return {node: together[roles[node]] for node in boxes}


def users_of(order: Iterable[Value]) -> dict[Value, list[Value]]:
    """The nodes that have each node as an operand, once for each time."""
    uses: dict[Value, list[Value]] = {}
    for node in order:
        uses[node] = []
        for x in node.operands:
            uses[x].append(node)
    return uses


def _places(user: Value) -> dict[Value, int]:
    """Which operand of `user` each node is first; the first or the second half of a dot."""
    places: dict[Value, int] = {}
    arguments = user.arguments
    for i, x in enumerate(arguments):
        if isinstance(x, Value):
            half = i * 2 // len(arguments)
            place = half if user.op is ops.dot else 0 if user.op is ops.add else min(i, 1)
            places.setdefault(x, place)
    return places


def near(root: Value, boxes: Boxes, count: int) -> set[Box]:
    """The `count` boxes nearest to the root's, by the number of edges between them."""
    sources: dict[Box, dict[Box, None]] = {}
    for node, box in boxes.items():
        found = sources.setdefault(box, {})
        for x in node.operands:
            found.setdefault(boxes[x])
    return set(nearest([boxes[root]], sources.__getitem__, count))


def sizes(boxes: Boxes) -> tuple[int, int]:
    """The number of boxes, and of pairs of different boxes with an edge between them."""
    pairs = {
        (boxes[x], box) for node, box in boxes.items() for x in node.operands if boxes[x] is not box
    }
    return len(set(boxes.values())), len(pairs)


def chosen_modules(collapse: str | Sequence[str], membership: Mapping[Value, str]) -> list[str]:
    """The modules that `collapse` names: by their path, or by the last name in it.

    Raises ValueError, with the names there are, if one is not the name of a module.
    """
    modules = list(dict.fromkeys(m for path in membership.values() for m in enclosing(path)))
    found: list[str] = []
    for name in [collapse] if isinstance(collapse, str) else collapse:
        named = [m for m in modules if name in (m, last_name(m))]
        if not named:
            known = ", ".join(dict.fromkeys(map(last_name, modules))) or "none"
            raise ValueError(f"draw: no module is called {name!r}; there are: {known}")
        found += named
    return found


def last_name(module: str) -> str:
    """`neurons` of `layers.0.neurons.3`."""
    words = reversed(module.split("."))
    return next((word for word in words if not word.isdecimal()), module)
