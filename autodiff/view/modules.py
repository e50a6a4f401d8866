"""The module of each node of a graph, derived from the graph and the names of the parameters.

A module is known by its path, as in `layers.0.neurons.3`; "" is outside of all modules. If a
module has several matrices of parameters, such as `layer0.wq` (with `layer0.wq.3.5`) and
`layer0.wk`, each matrix counts as a module inside it: in code without classes, the matrices are
the linear layers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from autodiff.checks import show
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.pytree import Branch, leaves, nested

Path = tuple[str, ...]
"""The parts of a path: a name and the indices behind it, as `layers.0`, `neurons.3`, `w.2`."""


class HasParameters(Protocol):
    """A module: an object that names its parameters."""

    def named_parameters(self) -> Iterable[tuple[str, Value]]:
        """Each parameter with its path."""


Model = HasParameters | Mapping[str, object] | Sequence[object] | NDArray[np.object_]
"""A module, or a dict, list, tuple or array that holds modules and Values, at any depth."""


def parameter_names(model: Model) -> dict[Value, str]:
    """The path of each leaf Value in `model`; a leaf that is found twice has its first path.

    Raises TypeError if `model` is neither a module nor a container, ValueError if it has no leaf.
    """
    is_container = isinstance(model, Mapping | list | tuple | np.ndarray)
    if not is_container and not hasattr(model, "named_parameters"):
        raise TypeError(
            "model must be a module with named_parameters(), or a dict, list, tuple or array of "
            f"modules and Values, got {show(model)}"
        )
    names: dict[Value, str] = {}
    for path, part in leaves(model, _contents):
        for name, parameter in _parameters(part):
            names.setdefault(parameter, ".".join([*map(str, path), name]).rstrip("."))
    if not names:
        raise ValueError(f"model has no parameters: {show(model)}")
    return names


def _contents(part: object) -> Branch | None:
    """The parts of a container; None for a module or a Value."""
    if hasattr(part, "named_parameters"):
        return None
    return nested(dict(part) if isinstance(part, Mapping) else part)


def _parameters(part: object) -> Iterable[tuple[str, Value]]:
    """The parameters of a module, or a leaf Value itself; none for anything else."""
    if isinstance(part, Value):
        return [] if part.operands else [("", part)]
    return part.named_parameters() if hasattr(part, "named_parameters") else []


def enclosing(module: str) -> list[str]:
    """The modules around `module`, from the outermost to itself; none for ""."""
    parts = _parts(module)
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def membership(root: Value, names: Mapping[Value, str]) -> dict[Value, str]:
    """The innermost module of every node in the graph of `root`; `names` are paths of parameters.

    A node with parameters among its operands belongs to their module, or to the one around
    them. Any other node belongs to the module that its operands come from, such as the
    activation of a neuron, or to the module that it lies inside: behind one node of the module
    and before another. Nodes behind the last parameter, such as those of a loss, belong to no
    module; neither do nodes that depend on no parameter, and nodes that mix modules with nothing
    around them.

    A module has the nodes of all of its calls. Time and memory are linear in edges and modules.
    """
    order = toposort(root)
    owners = _owners(names)
    paths = _from_operands(order, owners)
    direct = {node for node in order if any(x in owners for x in node.operands)}
    before, behind, bits = _reach(order, paths, direct)
    around_all: dict[int, Path] = {}
    for node in order:
        if node in direct or not node.operands:
            continue
        path = paths[node] or ()
        if not behind[node]:
            paths[node] = path if _adds_products(node, direct) else ()
        elif (both := before[node] & behind[node]) > 1:
            if both not in around_all:
                inside = [module for module, bit in bits.items() if both & bit]
                around_all[both] = reduce(_common, inside)
            around = around_all[both]
            paths[node] = around if around[: len(path)] == path else path
    return {node: ".".join(paths[node] or ()) for node in order}


def _from_operands(order: list[Value], owners: Mapping[Value, Path]) -> dict[Value, Path | None]:
    """The module around the operands of each node; None if it depends on no parameter."""
    paths: dict[Value, Path | None] = {}
    for node in order:
        if not node.operands:
            paths[node] = owners.get(node)
        elif direct := {owners[x] for x in node.operands if x in owners}:
            paths[node] = reduce(_common, direct)
        else:
            found = {path for x in node.operands if x.operands and (path := paths[x]) is not None}
            paths[node] = reduce(_common, found) if found else None
    return paths


def _reach(
    order: list[Value], paths: Mapping[Value, Path | None], direct: set[Value]
) -> tuple[dict[Value, int], dict[Value, int], dict[Path, int]]:
    """For each node, bit masks of the modules before and behind it; the bit of each module.

    A module is before a node if one of its nodes in `direct`, which use parameters, is.
    """
    bits: dict[Path, int] = {}
    masks: dict[Value, int] = {}
    for node in order:
        path = paths[node] or () if node in direct else ()
        # The last bit is for any parameter, even one outside of all modules.
        masks[node] = node in direct
        for i in range(len(path)):
            masks[node] |= bits.setdefault(path[: i + 1], 2 << len(bits))
    before: dict[Value, int] = {}
    behind = dict.fromkeys(order, 0)
    for node in order:
        before[node] = 0
        for x in node.operands:
            before[node] |= before[x] | masks[x]
    for node in reversed(order):
        passed = behind[node] | masks[node]
        for x in node.operands:
            behind[x] |= passed
    return before, behind, bits


def _adds_products(node: Value, direct: set[Value]) -> bool:
    """Whether `node` is an addition in `w0*x0 + w1*x1 + …`."""
    return (
        node.op is not None
        and node.op.adds
        and any(x in direct and _is_product(x) for x in node.operands)
    )


def _is_product(node: Value) -> bool:
    """Whether `node` is x · y."""
    return node.op is not None and node.op.bilinear and node.op.arity == 2


def _common(a: Path, b: Path) -> Path:
    """The longest common beginning of two paths."""
    length = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        length += 1
    return a[:length]


def _parts(path: str) -> Path:
    """The parts of a path: each name with the indices behind it."""
    parts: list[str] = []
    for word in path.split("."):
        if parts and word.isdecimal():
            parts[-1] += f".{word}"
        else:
            parts.append(word)
    return tuple(parts) if path else ()


def _owners(names: Mapping[Value, str]) -> dict[Value, Path]:
    """The module of each parameter, or its matrix if the module has several."""
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
