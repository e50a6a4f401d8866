"""Which module each node of a graph belongs to, read from the graph and the parameters' names.

A module is known by its path, as in `layers.0.neurons.3`; "" is outside of all. Where a module
has several matrices of parameters, as `layer0.wq` with `layer0.wq.3.5` and `layer0.wk`, each
counts as a module inside it: to those who write functions, they are the linear layers.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np

from autodiff import ops
from autodiff.checks import show
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value

Path = tuple[str, ...]
"""A name and the indices behind it are one part: `layers.0`, `neurons.3`, `w.2`."""


def parameter_names(model: Any) -> dict[Value, str]:
    """The path of each leaf Value in `model`: what has `named_parameters()`, or a Value.

    Dicts, lists, tuples and arrays of these are searched; a leaf found twice has its first path.
    Raises TypeError if there is neither a module nor a container, ValueError if there is no leaf.
    """
    is_container = isinstance(model, Mapping | list | tuple | np.ndarray)
    if not is_container and not hasattr(model, "named_parameters"):
        raise TypeError(f"model must have named_parameters(), or hold what has, got {show(model)}")
    names: dict[Value, str] = {}
    for path, leaf in _leaves(model):
        names.setdefault(leaf, path)
    if not names:
        raise ValueError(f"model has no parameters: {show(model)}")
    return names


def _leaves(part: Any) -> Iterator[tuple[str, Value]]:
    if isinstance(part, Value):
        if not part.operands:
            yield "", part
        return
    if hasattr(part, "named_parameters"):
        yield from part.named_parameters()
        return
    if isinstance(part, Mapping):
        items: Any = part.items()
    elif isinstance(part, list | tuple) or (isinstance(part, np.ndarray) and part.ndim):
        items = enumerate(part)
    else:
        return
    for key, item in items:
        for path, leaf in _leaves(item):
            yield f"{key}.{path}".rstrip("."), leaf


def enclosing(module: str) -> list[str]:
    """The modules around `module`, the outermost first, itself last; none around ""."""
    parts = _parts(module)
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def membership(root: Value, names: Mapping[Value, str]) -> dict[Value, str]:
    """The innermost module of every node on which `root` depends; `names` are paths of leaves.

    A node belongs to the module of the parameters among its operands, or around them. Without
    one, it belongs to the module that its operands come from (so a neuron's activation is its
    own), or to one that it lies inside: behind a node of the module and before another. What
    comes behind the last parameter, as a loss does, belongs to no module; nor does what mixes
    modules that nothing encloses, and what depends on no parameter.

    A module has the nodes of all of its calls. Time and memory are linear in edges and modules.
    """
    order = toposort(root)
    owners = _owners(names)
    homes = _from_operands(order, owners)
    fixed = {node for node in order if any(x in owners for x in node.operands)}
    above, below, bits = _reach(order, homes, fixed)
    around_all: dict[int, Path] = {}
    for node in order:
        if node in fixed or not node.operands:
            continue
        home = homes[node] or ()
        if not below[node]:
            homes[node] = home if _adds_products(node, fixed) else ()
        elif (both := above[node] & below[node]) > 1:
            if both not in around_all:
                inside = [path for path, bit in bits.items() if both & bit]
                around_all[both] = reduce(_common, inside)
            around = around_all[both]
            homes[node] = around if around[: len(home)] == home else home
    return {node: ".".join(homes[node] or ()) for node in order}


def _from_operands(order: list[Value], owners: Mapping[Value, Path]) -> dict[Value, Path | None]:
    """The module that the operands tell of; None for what depends on no parameter."""
    homes: dict[Value, Path | None] = {}
    for node in order:
        if not node.operands:
            homes[node] = owners.get(node)
        elif direct := {owners[x] for x in node.operands if x in owners}:
            homes[node] = reduce(_common, direct)
        else:
            found = {home for x in node.operands if x.operands and (home := homes[x]) is not None}
            homes[node] = reduce(_common, found) if found else None
    return homes


def _reach(
    order: list[Value], homes: Mapping[Value, Path | None], fixed: set[Value]
) -> tuple[dict[Value, int], dict[Value, int], dict[Path, int]]:
    """Of every node, the modules with a fixed node before it, and behind it; their bits."""
    bits: dict[Path, int] = {}
    masks: dict[Value, int] = {}
    for node in order:
        home = homes[node] or () if node in fixed else ()
        # The last bit says that there is a parameter, even one outside of all modules.
        masks[node] = node in fixed
        for i in range(len(home)):
            masks[node] |= bits.setdefault(home[: i + 1], 2 << len(bits))
    above: dict[Value, int] = {}
    below = dict.fromkeys(order, 0)
    for node in order:
        above[node] = 0
        for x in node.operands:
            above[node] |= above[x] | masks[x]
    for node in reversed(order):
        passed = below[node] | masks[node]
        for x in node.operands:
            below[x] |= passed
    return above, below, bits


def _adds_products(node: Value, fixed: set[Value]) -> bool:
    """Whether this is a step of `w0*x0 + w1*x1 + …`."""
    return node.op in (ops.add, ops.sum) and any(
        x.op is ops.mul and x in fixed for x in node.operands
    )


def _common(a: Path, b: Path) -> Path:
    """The longest path that both begin with."""
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return a[:length]


def _parts(path: str) -> Path:
    """The names in a path, each with the indices that follow it."""
    parts: list[str] = []
    for word in path.split("."):
        if parts and word.isdecimal():
            parts[-1] += f".{word}"
        else:
            parts.append(word)
    return tuple(parts) if path else ()


def _owners(names: Mapping[Value, str]) -> dict[Value, Path]:
    """The module of each parameter; its matrix, where the module has several."""
    owners: dict[Value, Path] = {}
    matrices: dict[Value, Path] = {}
    for leaf, path in names.items():
        *modules, last = _parts(path) or ("",)
        owners[leaf] = tuple(modules)
        name, *indices = last.split(".")
        if len(indices) > 1:
            matrices[leaf] = (*modules, name)
    counts = Counter(matrix[:-1] for matrix in set(matrices.values()))
    several = {leaf: matrix for leaf, matrix in matrices.items() if counts[matrix[:-1]] > 1}
    return owners | several
