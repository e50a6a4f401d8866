"""`playback`: what the player shows of a graph, as data for JSON; every number is the engine's."""

from collections.abc import Mapping, Sequence
from math import isfinite, isnan
from typing import TypedDict

from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.view.modules import Model, enclosing, membership, parameter_names
from autodiff.view.player.formulas import formula_of, partial_formulas
from autodiff.view.player.sweeps import SWEEPS, Contribution

MOST_NODES = 5000
MOST_BOXES = 500
"""The most boxes that a page draws at once; other nodes have to be inside closed modules."""
OPEN_UP_TO = 80
"""With more boxes than this, modules begin closed, so that the picture can be read at once."""
LONGEST_LABEL = 10_000


class NotFinite(TypedDict):
    """An infinity or nan, by the name that JavaScript has for it."""

    float: str


Number = float | NotFinite | None
"""A number in JSON, which has no inf and no nan."""


class NodeData(TypedDict):
    """A node; `operands` are indices of nodes, `module` is the index of the innermost module."""

    op: str | None
    label: str
    path: str | None
    formula: str | None
    data: Number
    grad: Number
    operands: list[int]
    partials: list[Number]
    partial_formulas: list[str | None]
    module: int | None


class ModuleData(TypedDict):
    """A module; `name` is the last part of its path, `parent` the index of the module around it."""

    path: str
    name: str
    parent: int | None


class Playback(TypedDict):
    """All that the page is given."""

    precision: int
    max_boxes: int
    closed: list[int]
    modules: list[ModuleData]
    nodes: list[NodeData]
    sweeps: dict[str, list[tuple[int, int, Number, Number, Number]]]
    """Per contribution the node, the position of the operand, cotangent, product and total."""


def playback(root: Value, model: Model | None, precision: int) -> Playback:
    """The nodes of `root`'s graph in topological order, its modules and its sweeps.

    Raises ValueError if the graph is too large, or was not computed from the data it holds.
    """
    order = toposort(root)
    if len(order) > MOST_NODES:
        raise ValueError(_too_large(len(order), f"{MOST_NODES:,} nodes"))
    for node in order:
        _check(node)
    names = {} if model is None else parameter_names(model)
    module_of = membership(root, names) if names else dict.fromkeys(order, "")
    modules = _modules(order, module_of, names)
    number_of = {path: i for i, path in enumerate(modules)}
    contributions = {name: sweep(root) for name, sweep in SWEEPS.items()}
    grads = _gradients(root, contributions["topological"])
    index = {node: i for i, node in enumerate(order)}
    nodes = [
        _node(node, index, names.get(node), number_of.get(module_of[node]), grads.get(node, 0.0))
        for node in order
    ]
    return {
        "precision": precision,
        "max_boxes": MOST_BOXES,
        "closed": [number_of[path] for path in _closed(order, module_of, modules)],
        "modules": [_module(path, number_of) for path in modules],
        "nodes": nodes,
        "sweeps": {
            name: [_contribution(one, index) for one in every]
            for name, every in contributions.items()
        },
    }


def _node(
    node: Value, index: Mapping[Value, int], path: str | None, module: int | None, grad: float
) -> NodeData:
    return {
        "op": node.op.label if node.op else None,
        "label": (node.label or _last_part(path or ""))[:LONGEST_LABEL],
        "path": path,
        "formula": formula_of(node) if node.op else None,
        "data": _json(node.data),
        "grad": _json(grad),
        "operands": [index[operand] for operand in node.operands],
        "partials": [_json(partial) for partial in node._partials],
        "partial_formulas": partial_formulas(node) if node.op else [],
        "module": module,
    }


def _module(path: str, number_of: Mapping[str, int]) -> ModuleData:
    *_, around = ["", *enclosing(path)[:-1]]
    return {"path": path, "name": _last_part(path), "parent": number_of.get(around)}


def _contribution(
    one: Contribution, index: Mapping[Value, int]
) -> tuple[int, int, Number, Number, Number]:
    numbers = _json(one.cotangent), _json(one.product), _json(one.total)
    return index[one.node], one.position, *numbers


def _gradients(root: Value, contributions: Sequence[Contribution]) -> dict[Value, float]:
    """The cotangent of each node that one reaches."""
    grads = {root: 1.0}
    for one in contributions:
        if one.total is not None:
            grads[one.node.operands[one.position]] = one.total
    return grads


def _modules(
    order: list[Value], module_of: Mapping[Value, str], names: Mapping[Value, str]
) -> list[str]:
    """The modules with nodes in `order`, in the order of the model's parameters."""
    in_order = [leaf for leaf in names if leaf in module_of] + order
    return list(dict.fromkeys(path for node in in_order for path in enclosing(module_of[node])))


def _last_part(path: str) -> str:
    """The last name in a path, with its indices: `w.2` of `layers.0.neurons.3.w.2`."""
    *_, around, last = ["", "", *enclosing(path)]
    return last[len(around) :].lstrip(".")


def _check(node: Value) -> None:
    """Raise ValueError if the data of an operand is no longer what `node` was computed from."""
    if node.op is None:
        return
    computed = node.op.value_at([x.data if isinstance(x, Value) else x for x in node.arguments])
    if computed != node.data and not (isnan(computed) and isnan(node.data)):
        op = f"{node.op.label} (label {node.label!r})" if node.label else node.op.label
        raise ValueError(
            f"the data of a {op} node or of its operands has changed since it was computed: it is "
            f"{node.data:g} and would be {computed:g} now; compute the root again, then play it"
        )


def _closed(order: list[Value], module_of: Mapping[Value, str], modules: list[str]) -> list[str]:
    """The modules that begin closed: none in a small graph, else all from some depth on."""
    depths = {path: len(enclosing(path)) for path in modules}
    for depth in range(max(depths.values(), default=0), -1, -1):
        boxes: set[str | Value] = set()
        for node in order:
            boxes.update(enclosing(module_of[node])[depth : depth + 1] or [node])
        if len(boxes) <= (OPEN_UP_TO if depth else MOST_BOXES):
            return [path for path in modules if depths[path] > depth]
    raise ValueError(_too_large(len(boxes), f"{MOST_BOXES} boxes", bool(modules)))


def _too_large(count: int, limit: str, has_modules: bool = True) -> str:
    advice = "play a part of it, or a smaller case: one example, fewer neurons"
    if not has_modules:
        advice = f"give model= so that its modules are folded, or {advice}"
    return f"play shows up to {limit}, this graph has {count:,}: {advice}"


def _json(x: float | None) -> Number:
    """A number for JSON; the page reads inf and nan from text."""
    if x is None or isfinite(x):
        return x
    return {"float": "NaN" if isnan(x) else "Infinity" if x > 0 else "-Infinity"}
