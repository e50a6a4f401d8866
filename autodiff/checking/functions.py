"""What `gradcheck` differentiates: a function of variables that can be moved in place."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Protocol, runtime_checkable

from autodiff import pytree
from autodiff.calculus.derivatives import backward
from autodiff.checking.differences import EPSILON
from autodiff.checking.directions import Direction, Variable, along_inputs
from autodiff.checks import number
from autodiff.engine.graph import leaves
from autodiff.engine.modes import no_grad
from autodiff.engine.value import Value
from autodiff.ops import dot


class CheckedFunction(ABC):
    """A function of variables, with its derivatives and the directions to check them in."""

    epsilon = EPSILON
    """The relative rounding error of its results."""

    def __init__(self, variables: Sequence[tuple[str, Variable]]) -> None:
        self.variables = variables
        self.directions = along_inputs(variables)

    @abstractmethod
    def derivatives(self, order: int) -> list[float]:
        """The derivatives of that order, one per tuple of directions; the value for order 0."""

    def derivatives_at(self, direction: Direction, offset: float, order: int) -> list[float]:
        """The derivatives at a point `offset` away; afterwards the variables are as before."""
        variables = [self.variables[i][1] for i in direction.inputs]
        start = [variable.data for variable in variables]
        try:
            for variable, x, weight in zip(variables, start, direction.weights, strict=True):
                variable.data = x + offset * weight
            return self.derivatives(order)
        finally:
            for variable, x in zip(variables, start, strict=True):
                variable.data = x


@runtime_checkable
class HasParameters(Protocol):
    """A module, or anything else that has parameters."""

    def named_parameters(self) -> Iterable[tuple[str, Value]]:
        """The leaves to differentiate by."""


class EagerFunction(CheckedFunction):
    """A function of the numbers and Values in `args`; a module, of its parameters."""

    def __init__(self, f: Callable[..., object], args: tuple[object, ...]) -> None:
        named: list[tuple[str, Value]] = []
        if isinstance(f, HasParameters):
            named.extend(f.named_parameters())
        else:
            args = tuple([_as_values(arg, f"inputs[{i}]", named) for i, arg in enumerate(args)])
        super().__init__([(leaf.label or name, leaf) for name, leaf in named])
        self._f = f
        self._args = args
        self._leaves = [leaf for _, leaf in named]

    def derivatives(self, order: int) -> list[float]:
        """See CheckedFunction."""
        if order == 0:
            with no_grad():
                return [_scalar(self._f(*self._args)).data]
        nodes = [_scalar(self._f(*self._args))]
        for _ in range(order - 1):
            graphs = [_gradient_as_graph(node, self._leaves) for node in nodes]
            nodes = [direction.slope(graph) for graph in graphs for direction in self.directions]
        gradients = [_gradient(node, self._leaves) for node in nodes]
        return [
            direction.slope(gradient) for gradient in gradients for direction in self.directions
        ]


def _gradient(root: Value, inputs: list[Value]) -> list[float]:
    """The gradient from `backward`; the `grad` of every leaf stays what it was."""
    reached = {leaf: leaf._grad for leaf in (*leaves(root), *inputs)}
    try:
        for leaf in reached:
            leaf._grad = None
        root.backward()
        return [leaf.grad for leaf in inputs]
    finally:
        for leaf, grad in reached.items():
            leaf._grad = grad


def _gradient_as_graph(root: Value, inputs: list[Value]) -> list[Value]:
    gradient = backward(root, as_graph=True)
    return [gradient[leaf] if leaf in gradient else Value(0.0) for leaf in inputs]


def _as_values(arg: object, name: str, named: list[tuple[str, Value]]) -> object:
    """`arg` with Values for its numbers; all leaves to differentiate by are added to `named`."""

    def lifted(path: pytree.Path, leaf: object) -> object:
        where = pytree.place(name, path)
        if not pytree.shape(leaf):
            return _lifted(leaf, where, named)
        assert pytree.is_array(leaf)
        names = element_names(where, leaf.shape)
        return pytree.shaped(
            leaf.shape, [_lifted(x, at, named) for x, at in zip(leaf.flat, names, strict=True)]
        )

    return pytree.folded(lifted, pytree.container, arg)


def _lifted(leaf: object, name: str, named: list[tuple[str, Value]]) -> object:
    if isinstance(leaf, Value):
        if leaf.operands:
            raise ValueError(f"gradcheck: {name} is the result of an op; pass {name}.detach()")
        named.append((name, leaf))
    elif isinstance(leaf, HasParameters):
        named.extend(leaf.named_parameters())
    elif not isinstance(leaf, bool | str):
        value = Value(number(leaf))
        named.append((name, value))
        return value
    return leaf


def element_names(name: str, shape: tuple[int, ...]) -> list[str]:
    """The expression for each element of the array `name`, in order: `x[0, 1]`."""
    indices = product(*map(range, shape))
    return [f"{name}[{', '.join(map(str, index))}]" if index else name for index in indices]


def _scalar(result: object) -> Value:
    """The result if it is one Value, else the sum of its parts, weighted unequally."""
    parts = [x for _, leaf in pytree.leaves(result) for x in pytree.scalars(leaf)]
    if not any(isinstance(part, Value) for part in parts):
        raise TypeError(f"gradcheck: f must return a Value, got {type(result).__name__}")
    if len(parts) == 1:
        only: Value = parts[0]
        return only
    # Multiples of the golden ratio modulo 1 are spread evenly and never repeat.
    weighted: Value = dot([0.5 + i * 0.6180339887498949 % 1 for i in range(len(parts))], parts)
    return weighted
