"""Which nodes of a graph share a box: those of a module, or equal ops side by side."""

from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction
from autodiff.view.modules import enclosing
from autodiff.view.nearest import nearest


@dataclass(eq=False)
class Box:
    """The nodes that are drawn as one; `module` is the path of the module that has them, or ""."""

    module: str = ""
    nodes: list[Value] = field(default_factory=list)

    @property
    def is_folded(self) -> bool:
        """Whether the box stands for a module or for several nodes."""
        return bool(self.module) or len(self.nodes) > 1


Boxes = dict[Value, Box]
"""The box of each node, in topological order of the nodes."""


def unfolded(order: Iterable[Value]) -> Boxes:
    """Every node in a box of its own."""
    return {node: Box("", [node]) for node in order}


def folded_by_module(membership: Mapping[Value, str], modules: Iterable[str]) -> Boxes:
    """One box for each of `modules`, with all nodes inside it; one box per other node."""
    chosen = set(modules)
    # A module inside a folded one has no box of its own.
    outermost = {
        path: next((outer for outer in enclosing(path) if outer in chosen), "")
        for path in set(membership.values())
    }
    boxes: dict[str, Box] = {}
    folded: Boxes = {}
    for node, path in membership.items():
        if module := outermost[path]:
            box = folded[node] = boxes.setdefault(module, Box(module))
            box.nodes.append(node)
        else:
            folded[node] = Box("", [node])
    return folded


def folded_by_op(boxes: Boxes) -> Boxes:
    """One box for all nodes that do the same, among those that have a box of their own.

    Nodes do the same if they have the same op on operands from the same boxes; a chain of
    additions is one sum with any number of terms. Leaves do the same if their first user is in
    the same box and has them on the same side.
    """
    kinds = _kinds(boxes, users_of(boxes))
    shared: dict[int, Box] = {}
    for node, box in boxes.items():
        shared.setdefault(kinds[node], Box(box.module)).nodes.append(node)
    return {node: shared[kinds[node]] for node in boxes}


def _kinds(boxes: Boxes, users: Mapping[Value, list[Value]]) -> dict[Value, int]:
    """A number for each node, the same for nodes that do the same."""
    alone = {node for node, box in boxes.items() if not box.is_folded}
    partial_sums = {node for node in alone if _is_partial_sum(node, users[node], alone)}
    known: dict[Hashable, int] = {}
    kinds: dict[Value, int] = {}
    terms: dict[Value, frozenset[int]] = {}
    for node, box in boxes.items():
        key: Hashable = box
        if node in alone:
            parts = [terms[x] if x in partial_sums else {kinds[x]} for x in node.operands]
            terms[node] = frozenset().union(*parts)
            key = (node.op, terms[node])
        kinds[node] = known.setdefault(key, len(known))
    sides: dict[Value, dict[Value, int]] = {}
    for node in reversed(boxes):  # users come before their operands
        if node in partial_sums:
            kinds[node] = kinds[users[node][0]]
        elif node in alone and not node.operands and users[node]:
            first = users[node][0]
            if first not in sides:
                sides[first] = _sides(first)
            kinds[node] = known.setdefault((kinds[first], sides[first][node]), len(known))
    return kinds


def _is_partial_sum(node: Value, users: Sequence[Value], alone: Set[Value]) -> bool:
    """Whether `node` is an addition inside a longer one, which alone uses it."""
    if node.op is None or not node.op.adds or len(users) != 1:
        return False
    return users[0].op is node.op and users[0] in alone


def users_of(order: Iterable[Value]) -> dict[Value, list[Value]]:
    """The users of each node, in topological order, one entry per use."""
    users: dict[Value, list[Value]] = {}
    for node in order:
        users[node] = []
        for x in node.operands:
            users[x].append(node)
    return users


def _sides(user: Value) -> dict[Value, int]:
    """On which side of the op of `user` each operand is first."""
    assert user.op is not None
    sides: dict[Value, int] = {}
    for i, x in enumerate(user.arguments):
        if isinstance(x, Value):
            sides.setdefault(x, _side(user.op, i, len(user.arguments)))
    return sides


def _side(op: Primitive, i: int, count: int) -> int:
    """0 or 1: of a reduction the sequence that has operand `i`, else whether it is not the first.

    All terms of a sum are on one side.
    """
    if op.adds:
        return 0
    return i * max(1, op.sequences) // count if isinstance(op, Reduction) else min(i, 1)


def nearest_boxes(root: Value, boxes: Boxes, count: int) -> set[Box]:
    """The `count` boxes nearest to that of `root`, by the number of edges between boxes."""
    sources: dict[Box, dict[Box, None]] = {}
    for node, box in boxes.items():
        found = sources.setdefault(box, {})
        for x in node.operands:
            found.setdefault(boxes[x])
    return set(nearest([boxes[root]], sources.__getitem__, count))


def counts(boxes: Boxes) -> tuple[int, int]:
    """How many boxes there are, and how many pairs of different boxes with an edge."""
    pairs = {
        (boxes[x], box) for node, box in boxes.items() for x in node.operands if boxes[x] is not box
    }
    return len(set(boxes.values())), len(pairs)


def chosen_modules(collapse: str | Sequence[str], membership: Mapping[Value, str]) -> list[str]:
    """The modules that `collapse` names, by path or by the last name in it.

    Raises ValueError, with the names that exist, for a name that no module has.
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
