"""`playback`: what the player shows of a graph, as data for JSON; every number is the engine's."""

from collections.abc import Callable
from math import isfinite, isnan
from typing import Any

from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.view.modules import enclosing, membership, parameter_names
from autodiff.view.player import sweeps
from autodiff.view.player.formulas import formula_of, partial_formulas

MOST_NODES = 5000
MOST_BOXES = 500
"""The most boxes that a page draws at once; other nodes have to be inside closed modules."""
OPEN_UP_TO = 80
"""With more boxes to draw, modules begin closed: a picture to read at once, to be opened."""
LONGEST_LABEL = 10_000

_SWEEPS: dict[str, Callable[[Value], list[sweeps.Share]]] = {
    "topological": sweeps.topological,
    "depth_first": sweeps.depth_first,
    "overwriting": sweeps.overwriting,
}


def playback(root: Value, model: Any, precision: int) -> dict[str, Any]:
    """The nodes of `root`'s graph in topological order, its modules and its sweeps.

    Raises ValueError if the graph is too large, or was not computed from the data it holds.
    """
    order = toposort(root)
    if len(order) > MOST_NODES:
        raise ValueError(_too_large(len(order), f"{MOST_NODES:,} nodes"))
    for node in order:
        _check(node)
    names = {} if model is None else parameter_names(model)
    homes = membership(root, names) if names else dict.fromkeys(order, "")
    groups = _groups(order, homes, names)
    shares = {name: sweep(root) for name, sweep in _SWEEPS.items()}
    grads = {root: 1.0}
    for share in shares["topological"]:
        if share.total is not None:
            grads[share.node.operands[share.position]] = share.total
    index = {node: i for i, node in enumerate(order)}
    return {
        "precision": precision,
        "limit": MOST_BOXES,
        "closed": [groups.index(path) for path in _closed(order, homes, groups)],
        "groups": [_group(path, groups) for path in groups],
        "nodes": [
            {
                "op": node.op.label if node.op else None,
                "label": (node.label or _local(names.get(node, "")))[:LONGEST_LABEL],
                "path": names.get(node),
                "formula": formula_of(node) if node.op else None,
                "data": _json(node.data),
                "grad": _json(grads.get(node, 0.0)),
                "operands": [index[operand] for operand in node.operands],
                "partials": [_json(partial) for partial in node._partials],
                "slopes": partial_formulas(node) if node.op else [],
                "group": groups.index(homes[node]) if homes[node] else None,
            }
            for node in order
        ],
        "sweeps": {
            name: [
                [index[x.node], x.position, *map(_json, (x.cotangent, x.product, x.total))]
                for x in every
            ]
            for name, every in shares.items()
        },
    }


def _groups(order: list[Value], homes: dict[Value, str], names: dict[Value, str]) -> list[str]:
    """The modules with nodes in `order`, in the order of the model's parameters."""
    in_order = [leaf for leaf in names if leaf in homes] + order
    return list(dict.fromkeys(path for node in in_order for path in enclosing(homes[node])))


def _local(path: str) -> str:
    """The last name in a path, with its indices: `w.2` of `layers.0.neurons.3.w.2`."""
    *_, around, last = ["", "", *enclosing(path)]
    return last[len(around) :].lstrip(".")


def _check(node: Value) -> None:
    """Raise ValueError if the data of an operand is no longer what `node` was computed from."""
    if node.op is None:
        return
    computed = node.op.value_at([x.data if isinstance(x, Value) else x for x in node.arguments])
    if computed != node.data and not (isnan(computed) and isnan(node.data)):
        what = f"{node.op.label} (label {node.label!r})" if node.label else node.op.label
        raise ValueError(
            f"the data of a {what} node or of its operands was changed after it was computed: it "
            f"is {node.data:g} and would be {computed:g} now; compute the root again, then play it"
        )


def _closed(order: list[Value], homes: dict[Value, str], groups: list[str]) -> list[str]:
    """The modules that begin closed: none if the nodes are few, else from some depth on all."""
    depths = {path: len(enclosing(path)) for path in groups}
    for depth in range(max(depths.values(), default=0), -1, -1):
        boxes: set[object] = set()
        for node in order:
            boxes.update(enclosing(homes[node])[depth : depth + 1] or [node])
        if len(boxes) <= (OPEN_UP_TO if depth else MOST_BOXES):
            return [path for path in groups if depths[path] > depth]
    raise ValueError(_too_large(len(boxes), f"{MOST_BOXES} boxes", bool(groups)))


def _too_large(count: int, limit: str, has_modules: bool = True) -> str:
    advice = "play a part of it, or a smaller case: one example, fewer neurons"
    if not has_modules:
        advice = f"give model= so that its modules are folded, or {advice}"
    return f"play shows up to {limit}, this graph has {count:,}: {advice}"


def _group(path: str, groups: list[str]) -> dict[str, Any]:
    *_, around = [None, *enclosing(path)[:-1]]
    parent = None if around is None else groups.index(around)
    return {"path": path, "name": _local(path), "parent": parent}


def _json(x: float | None) -> Any:
    """A number for JSON, which has no inf and no nan."""
    if x is None or isfinite(x):
        return x
    return {"float": "NaN" if isnan(x) else "Infinity" if x > 0 else "-Infinity"}
