"""The derivative of a recorded function: a linear map that pulls cotangents, pushes tangents.

Both ways are one sweep over the nodes between the inputs and the roots, each edge once.
"""

from collections.abc import Callable, Iterable, Sequence
from math import isclose
from operator import mul

from autodiff.engine import modes
from autodiff.engine.anomaly import check_edge
from autodiff.engine.value import Value

Scalar = Value | float
Edges = tuple[Value, Sequence[Value], Sequence[Scalar | None]]
"""A node, its operands, and its partials by them; None for no derivative."""


class Linear:
    """d root / d input of a graph, for any of its roots and inputs.

    `order` holds the nodes that depend on `inputs`, each behind its operands. The partials are
    the numbers of the forward pass or, with `as_graph`, Values: then so are the results.
    """

    def __init__(self, order: Sequence[Value], inputs: Sequence[Value], *, as_graph: bool) -> None:
        self.inputs = inputs
        self._known = {*inputs, *order}
        self._product: Callable[[Scalar, Scalar], Scalar] = _times if as_graph else mul
        self._edges: Sequence[Edges]
        if as_graph:
            self._edges = [(node, *_edges_as_graph(node, self._known)) for node in order]
        else:
            self._edges = [(node, node.operands, node._partials) for node in order]

    def pull(self, seeds: Iterable[tuple[Value, Scalar]]) -> list[Scalar]:
        """The cotangent of every input, from pairs of a root and its cotangent; 0 for none."""
        product, known = self._product, self._known
        cts: dict[Value, Scalar] = {}
        for root, seed in seeds:
            cts[root] = cts[root] + seed if root in cts else seed
        # A node reached by two paths must have both cotangents before it passes them on.
        is_watched = modes.switched and modes.is_watching()
        for node, operands, partials in reversed(self._edges):
            if node not in cts:
                continue
            ct = cts.pop(node)
            for x, partial in zip(operands, partials):
                if partial is not None and x in known:
                    term = product(ct, partial)
                    cts[x] = cts[x] + term if x in cts else term
                    if is_watched:
                        check_edge(node, node.operands.index(x), ct, partial, cts[x])
        return [cts.get(x, 0.0) for x in self.inputs]

    def push(self, seeds: Iterable[tuple[Value, Scalar]], roots: Iterable[Scalar]) -> list[Scalar]:
        """The tangent of every root, from pairs of an input and its tangent; 0 for none."""
        product = self._product
        tangents: dict[Scalar, Scalar] = dict(seeds)
        is_watched = modes.switched and modes.is_watching()
        for node, operands, partials in self._edges:
            total = None
            for x, partial in zip(operands, partials):
                if partial is not None and x in tangents:
                    term = product(tangents[x], partial)
                    total = term if total is None else total + term
                    if is_watched:
                        check_edge(node, node.operands.index(x), tangents[x], partial, total)
            if total is not None:
                tangents[node] = total
        return [tangents.get(root, 0.0) for root in roots]


def _edges_as_graph(node: Value, known: set[Value]) -> tuple[list[Value], Sequence[Scalar | None]]:
    """The operands in `known` and their partials as nodes, but for edges that were cut."""
    stored = dict(enumerate(node._partials))
    constants: list[float | None] = []  # None where the partial is wanted
    wanted: list[tuple[Value, float]] = []
    at = 0
    op, arguments = node.op, node.arguments
    for x in arguments:
        if isinstance(x, float):
            constants.append(x)
            continue
        partial = stored[at]
        if partial is not None and x in known:
            constants.append(None)
            wanted.append((x, partial))
        else:
            constants.append(0.0)
        at += 1
    if not wanted or op is None:
        return [], []
    partials: Sequence[Scalar | None] = op.partials_at(arguments, node, constants)
    for slope, (x, before) in zip(partials, wanted, strict=True):
        now = getattr(slope, "_primal", slope)
        if type(now) is float and not (isclose(now, before) or (now != now and before != before)):
            raise RuntimeError(
                f"the data of a node changed after the forward pass: the slope of {op.name} "
                f"was {before:g}, is {now:g}; compute {x!r} and what follows again"
            )
    return [x for x, _ in wanted], partials


def _times(x: Scalar, y: Scalar) -> Scalar:
    """x y, without a node for a factor of 1."""
    if type(y) is float and y == 1.0:
        return x
    return y if type(x) is float and x == 1.0 else x * y
