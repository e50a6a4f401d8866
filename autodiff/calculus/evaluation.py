"""One evaluation of a function on nodes of its own, and the derivatives at that point."""

from collections.abc import Callable, Mapping, Sequence

from autodiff import ops, pytree
from autodiff.calculus.linear import Linear, Scalar
from autodiff.checks import integer, number, show
from autodiff.engine import graph, modes
from autodiff.engine.collector import collector_paused
from autodiff.engine.value import Value
from autodiff.rows.interpreter import interpreter_of_type

Function = Callable[..., object]
Argnums = int | Sequence[int]


class Evaluation:
    """f(*args), run once, with fresh nodes for the scalars of the arguments `argnums`.

    Values in the arguments become operands of the fresh nodes, where the sweeps stop. All else
    that f reads of an outer variable is a constant, however deep derivatives are nested.
    """

    def __init__(
        self,
        name: str,
        f: Function,
        args: tuple[object, ...],
        argnums: Argnums,
        *,
        options: Mapping[str, object] | None = None,
        has_aux: bool = False,
    ) -> None:
        self.name = name
        positions = self._positions(argnums, len(args))
        self.arguments = tuple([args[i] for i in positions])
        self._is_stopped = not modes.is_recording()
        # A trace would freeze a number, so there the graph is kept although nothing flows back.
        self._is_kept = modes.recorder() is not None or not self._is_stopped
        since = graph.now()
        given = [self._scalars(args[i], f"argument {i}") for i in positions]
        with modes.recording() as own:
            nodes = [[self._lifted(x) for x in scalars] for scalars in given]
            lifted = dict(zip(positions, nodes, strict=True))
            operands = [
                pytree.filled(x, iter(lifted[i])) if i in lifted else x for i, x in enumerate(args)
            ]
            self.result: object = f(*operands, **(options or {}))
        aux, further = self._split() if has_aux else (None, [])
        self.outputs = self._scalars(self.result, "the result")
        roots = [x for x in (*self.outputs, *further) if isinstance(x, Value)]
        inputs = [x for scalars in nodes for x in scalars]
        has_values = any(isinstance(x, Value) for scalars in given for x in scalars)
        with collector_paused():
            order, is_open = graph.between(roots, inputs, own, since)
            as_graph = self._is_kept and (has_values or is_open)
            self._linear = Linear(order, inputs, as_graph=as_graph)
        self._in_numbers = not (has_values or as_graph)
        self.aux: object = pytree.mapped(self._given_aux, aux) if has_aux else None

    @property
    def is_scalar(self) -> bool:
        """Whether the result is one number."""
        return len(self.outputs) == 1 and not isinstance(self.result, list | tuple | dict)

    def primal(self) -> object:
        """The result for the caller: numbers, nodes of the outer graph, or leaves."""
        primal: object = pytree.filled(self.result, map(self._given, self.outputs))
        return primal

    def pull(self, cotangents: Sequence[Scalar]) -> list[Scalar]:
        """The cotangents of all inputs from those of all outputs."""
        pairs = zip(self.outputs, cotangents, strict=True)
        with collector_paused():
            found = self._linear.pull([(x, ct) for x, ct in pairs if isinstance(x, Value)])
        return self._wrapped(found, cotangents)

    def push(self, tangents: Sequence[Scalar]) -> list[Scalar]:
        """The tangents of all outputs from those of all inputs."""
        seeds = zip(self._linear.inputs, tangents, strict=True)
        with collector_paused():
            found = self._linear.push(seeds, self.outputs)
        return self._wrapped(found, tangents)

    def slopes(self) -> list[list[Scalar]]:
        """For each output its slopes by all inputs. One sweep per output, or per input if fewer."""
        inputs, outputs, linear = self._linear.inputs, self.outputs, self._linear
        if len(outputs) <= len(inputs):
            return [
                self._wrapped(linear.pull([(x, 1.0)] if isinstance(x, Value) else []))
                for x in outputs
            ]
        columns = [self._wrapped(linear.push([(x, 1.0)], outputs)) for x in inputs]
        return [[column[i] for column in columns] for i in range(len(outputs))]

    def _positions(self, argnums: Argnums, count: int) -> list[int]:
        chosen = list(argnums) if isinstance(argnums, Sequence) else [argnums]
        if any(not -count <= i < count for i in chosen):
            raise TypeError(f"{self.name}: argnums {argnums} of {count} positional arguments")
        positions = [i % count for i in chosen]
        if len(set(positions)) < len(positions):
            raise ValueError(f"{self.name}: argnums {argnums} names an argument twice")
        return positions

    def _lifted(self, x: Scalar) -> Value:
        if isinstance(x, Value) and self._is_kept:
            node: Value = ops.take.apply((x,))
            node.label = x.label
            return node
        return x.detach() if isinstance(x, Value) else Value(x)

    def _split(self) -> tuple[object, list[object]]:
        """The second part of the result, and its scalars; the first becomes the result."""
        if not isinstance(self.result, tuple) or len(self.result) != 2:
            raise TypeError(f"{self.name}: with has_aux, f returns a pair, got {show(self.result)}")
        self.result, aux = self.result
        return aux, [x for _, leaf in pytree.leaves(aux) for x in pytree.scalars(leaf)]

    def _scalars(self, argument: object, what: str) -> list[Scalar]:
        """The scalars of a tree, each a Value or a float."""
        name = f"{self.name}: {what}"
        return [
            real(x, name, path)
            for path, leaf in pytree.leaves(argument)
            for x in pytree.scalars(leaf)
        ]

    def _given(self, x: Scalar) -> Scalar:
        if not isinstance(x, Value):
            return x if self._in_numbers else Value(x)
        if self._in_numbers:
            return x._primal
        return self._stopped(x) if self._is_kept else Value(x._primal)

    def _given_aux(self, leaf: object) -> object:
        scalars = pytree.scalars(leaf)
        if not any(isinstance(x, Value) for x in scalars):
            return leaf
        parts = [self._given(x) if isinstance(x, Value) else x for x in scalars]
        given: object = pytree.shaped(pytree.shape(leaf), parts)
        return given

    def _wrapped(self, derivatives: list[Scalar], seeds: Sequence[Scalar] = ()) -> list[Scalar]:
        if self._in_numbers and not any(isinstance(seed, Value) for seed in seeds):
            return derivatives
        return [Value(x) if isinstance(x, float) else self._stopped(x) for x in derivatives]

    def _stopped(self, x: Value) -> Value:
        """`x`, through which nothing flows back if the call is inside `no_grad`."""
        if not (self._is_stopped and self._is_kept):
            return x
        node: Value = ops.stop_gradient.apply((x,))
        return node


def real(x: object, name: str, path: pytree.Path = ()) -> Scalar:
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
        raise TypeError(f"{where} is not a real number: {show(x)}{hint}") from None


def require_function(name: str, f: object, argnums: object = ()) -> None:
    """TypeError unless `f` is a function and `argnums` one or several integers."""
    if hasattr(f, "value_and_grad"):
        raise TypeError(f"{name} takes a function; a kernel has value_and_grad and hvp of its own")
    if not callable(f):
        raise TypeError(f"{name} takes a function, got {show(f)}")
    for i in argnums if isinstance(argnums, list | tuple | range) else (argnums,):
        integer(f"{name}: argnums", i)
