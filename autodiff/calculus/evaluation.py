"""One evaluation of a function on nodes of its own, and the derivatives at that point."""

from collections.abc import Callable, Sequence
from typing import Any

from autodiff import ops, pytree
from autodiff.calculus.linear import Linear
from autodiff.checks import number, show
from autodiff.engine import graph, modes
from autodiff.engine.collector import collector_paused
from autodiff.engine.value import Value
from autodiff.rows.interpreter import interpreter_of_type


class Evaluation:
    """f(*args), run once, with fresh nodes for the scalars of the arguments `argnums`.

    Outer nodes come in as operands of the fresh ones, so the sweeps here stop at these: what
    else f reads of an outer variable stays a constant, however derivatives are nested.
    """

    def __init__(
        self,
        name: str,
        f: Callable[..., Any],
        args: tuple[Any, ...],
        argnums: int | Sequence[int],
        *,
        options: dict[str, Any] | None = None,
        has_aux: bool = False,
    ) -> None:
        self.name = name
        places = self._places(argnums, len(args))
        self.arguments = tuple([args[i] for i in places])
        self._is_stopped = not modes.is_recording()
        # In a trace a number would be frozen: there the graph is kept, and nothing flows back.
        self._is_kept = modes.recorder() is not None or not self._is_stopped
        since = graph.now()
        given = [self._scalars(args[i], f"argument {i}") for i in places]
        with modes.recording() as own:
            nodes = [[self._lifted(x) for x in scalars] for scalars in given]
            lifted = dict(zip(places, nodes, strict=True))
            operands = [
                pytree.filled(x, iter(lifted[i])) if i in lifted else x for i, x in enumerate(args)
            ]
            self.result = f(*operands, **(options or {}))
        aux = self._split() if has_aux else None
        self.outputs = self._scalars(self.result, "the result")
        further = [x for _, leaf in pytree.leaves(aux) for x in pytree.scalars(leaf)]
        roots = [x for x in (*self.outputs, *further) if isinstance(x, Value)]
        inputs = [x for scalars in nodes for x in scalars]
        has_values = any(isinstance(x, Value) for scalars in given for x in scalars)
        with collector_paused():
            order, is_open = graph.between(roots, inputs, own, since)
            as_graph = self._is_kept and (has_values or is_open)
            self._linear = Linear(order, inputs, as_graph=as_graph)
        self._in_numbers = not (has_values or as_graph)
        self.aux = pytree.mapped(self._given_aux, aux)

    @property
    def is_scalar(self) -> bool:
        """Whether the result is one number."""
        return len(self.outputs) == 1 and not isinstance(self.result, list | tuple | dict)

    def primal(self) -> Any:
        """The result as the caller gets it: numbers, nodes of the outer graph, or leaves."""
        return pytree.filled(self.result, map(self._given, self.outputs))

    def pull(self, cotangents: Sequence[Any]) -> list[Any]:
        """The cotangents of all inputs from those of all outputs."""
        pairs = zip(self.outputs, cotangents, strict=True)
        with collector_paused():
            found = self._linear.pull([(x, ct) for x, ct in pairs if isinstance(x, Value)])
        return self._wrapped(found, cotangents)

    def push(self, tangents: Sequence[Any]) -> list[Any]:
        """The tangents of all outputs from those of all inputs."""
        seeds = zip(self._linear.inputs, tangents, strict=True)
        with collector_paused():
            found = self._linear.push(seeds, self.outputs)
        return self._wrapped(found, tangents)

    def rows(self) -> list[list[Any]]:
        """d output / d input: a row an output. One sweep for each, or for each input if fewer."""
        inputs, outputs, linear = self._linear.inputs, self.outputs, self._linear
        if len(outputs) <= len(inputs):
            return [
                self._wrapped(linear.pull([(x, 1.0)] if isinstance(x, Value) else []))
                for x in outputs
            ]
        columns = [self._wrapped(linear.push([(x, 1.0)], outputs)) for x in inputs]
        return [[column[i] for column in columns] for i in range(len(outputs))]

    def _places(self, argnums: int | Sequence[int], count: int) -> list[int]:
        chosen = list(argnums) if isinstance(argnums, Sequence) else [argnums]
        if any(not -count <= i < count for i in chosen):
            raise TypeError(f"{self.name}: argnums {argnums} of {count} positional arguments")
        places = [i % count for i in chosen]
        if len(set(places)) < len(places):
            raise ValueError(f"{self.name}: argnums {argnums} names an argument twice")
        return places

    def _lifted(self, x: Any) -> Value:
        if isinstance(x, Value) and self._is_kept:
            node: Value = ops.take.apply((x,))
            node.label = x.label
            return node
        return x.detach() if isinstance(x, Value) else Value(x)

    def _split(self) -> Any:
        if not isinstance(self.result, tuple) or len(self.result) != 2:
            raise TypeError(f"{self.name}: with has_aux, f returns a pair, got {show(self.result)}")
        self.result, aux = self.result
        return aux

    def _scalars(self, argument: Any, what: str) -> list[Any]:
        """The scalars of a tree, each a Value or a float."""
        name = f"{self.name}: {what}"
        return [
            real(x, name, path)
            for path, leaf in pytree.leaves(argument)
            for x in pytree.scalars(leaf)
        ]

    def _given(self, x: Any) -> Any:
        primal = x._primal if isinstance(x, Value) else x
        if self._in_numbers:
            return primal
        return self._stopped(x) if x is not primal and self._is_kept else Value(primal)

    def _given_aux(self, block: Any) -> Any:
        if not any(isinstance(x, Value) for x in pytree.scalars(block)):
            return block
        parts = [self._given(x) if isinstance(x, Value) else x for x in pytree.scalars(block)]
        return pytree.shaped(pytree.shape(block), parts)

    def _wrapped(self, derivatives: list[Any], seeds: Sequence[Any] = ()) -> list[Any]:
        if self._in_numbers and not any(isinstance(seed, Value) for seed in seeds):
            return derivatives
        return [Value(x) if type(x) is float else self._stopped(x) for x in derivatives]

    def _stopped(self, x: Any) -> Any:
        """A node as the mode around the call wants it: inside `no_grad` nothing flows back."""
        return ops.stop_gradient.apply((x,)) if self._is_stopped and self._is_kept else x


def real(x: Any, name: str, path: pytree.Path = ()) -> Any:
    """`x` if it is a Value, else as a float; TypeError if it is neither or a truth value.

    The message names the place: `path` in `name`.
    """
    if isinstance(x, Value):
        return x
    try:
        if isinstance(x, bool):
            raise TypeError
        return number(x)
    except TypeError:
        is_traced = interpreter_of_type(type(x)).rank > interpreter_of_type(Value).rank
        hint = "; a kernel has value_and_grad and hvp of its own" if is_traced else ""
        where = pytree.place(name, path)
        raise TypeError(f"{where} is no real number: {show(x)}{hint}") from None
