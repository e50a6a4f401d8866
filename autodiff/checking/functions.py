"""What `gradcheck` differentiates in two ways: eager functions, modules and kernels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff import pytree
from autodiff.calculus.derivatives import backward
from autodiff.checking.directions import Subject, Variable
from autodiff.checks import number
from autodiff.engine.graph import leaves
from autodiff.engine.modes import no_grad
from autodiff.engine.value import Value
from autodiff.ops import dot


class Eager(Subject):
    """A function of Values; a module is a function of its parameters."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        named: list[tuple[str, Value]] = []
        if hasattr(f, "named_parameters"):
            named.extend(f.named_parameters())
        else:
            args = tuple(_as_values(arg, f"inputs[{i}]", named) for i, arg in enumerate(args))
        super().__init__([(leaf.label or name, leaf) for name, leaf in named])
        self._f = f
        self._args = args
        self._leaves = [leaf for _, leaf in named]

    def derivatives(self, order: int) -> list[float]:
        """See Subject."""
        if order == 0:
            with no_grad():
                return [_scalar(self._f(*self._args)).data]
        nodes = [_scalar(self._f(*self._args))]
        for _ in range(order - 1):
            gradients = [_gradient_as_graph(node, self._leaves) for node in nodes]
            nodes = [move.along(gradient) for gradient in gradients for move in self.moves]
        numbers = [_gradient(node, self._leaves) for node in nodes]
        return [move.along(gradient) for gradient in numbers for move in self.moves]


def _gradient(root: Value, inputs: list[Value]) -> list[float]:
    """The gradient from `backward`; every leaf keeps the `grad` that it had."""
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


def _as_values(arg: Any, name: str, named: list[tuple[str, Value]]) -> Any:
    """`arg` with its numbers as Values; what it can be differentiated by goes into `named`."""

    def lifted(path: pytree.Path, leaf: Any) -> Any:
        return _lifted(leaf, pytree.place(name, path), named)

    return pytree.folded(lifted, pytree.container, arg)


def _lifted(block: Any, path: str, named: list[tuple[str, Value]]) -> Any:
    if isinstance(block, Value):
        if block.operands:
            raise ValueError(f"gradcheck: {path} is the result of an op; pass {path}.detach()")
        named.append((path, block))
    elif hasattr(block, "named_parameters"):
        named.extend(block.named_parameters())
    elif pytree.shape(block):
        array = np.empty(block.shape, dtype=object)
        for place in np.ndindex(block.shape):
            array[place] = _lifted(block[place], f"{path}[{', '.join(map(str, place))}]", named)
        return array
    elif not isinstance(block, bool | str):
        named.append((path, Value(number(block))))
        return named[-1][1]
    return block


def _scalar(result: Any) -> Value:
    """The result if it is one Value, else a sum of its parts with unequal weights."""
    parts = [x for _, leaf in pytree.leaves(result) for x in pytree.scalars(leaf)]
    if not any(isinstance(part, Value) for part in parts):
        raise TypeError(f"gradcheck: f must return a Value, got {type(result).__name__}")
    if len(parts) == 1:
        only: Value = parts[0]
        return only
    # Multiples of the golden ratio modulo 1 are spread evenly and never repeat.
    weighted: Value = dot([0.5 + i * 0.6180339887498949 % 1 for i in range(len(parts))], parts)
    return weighted


class Compiled(Subject):
    """A kernel: the mean of its result over the batch, as a function of its parameters.

    Without parameters it is a function of its arguments' elements.
    """

    def __init__(self, kernel: Any, args: tuple[Any, ...]) -> None:
        kernel.value_and_grad(*args)  # so that it knows its parameters
        named: list[tuple[str, Variable]] = [
            (parameter.label or f"parameters[{i}]", parameter)
            for i, parameter in enumerate(kernel.parameters)
        ]
        self._is_by_argument = not named
        if self._is_by_argument:
            args = tuple([_as_elements(arg, f"inputs[{i}]", named) for i, arg in enumerate(args)])
        super().__init__(named)
        self._kernel = kernel
        self._args = args
        self.epsilon = float(np.finfo(np.asarray(kernel(*args)).dtype).eps)

    def derivatives(self, order: int) -> list[float]:
        """See Subject."""
        if order == 0:
            return [float(np.mean(self._kernel(*self._args), dtype=float))]
        if order == 1:
            gradient = self._gradient()
            return [move.along(gradient) for move in self.moves]
        if order > 2 or self._is_by_argument:
            raise ValueError(
                "gradcheck: a kernel has derivatives of order 1, and of order 2 by its parameters"
            )
        products = []
        for move in self.moves:
            vector = np.zeros(len(self.named))
            vector[list(move.places)] = move.weights
            products.append(self._kernel.hvp(*self._args, vector=vector).tolist())
        return [move.along(product) for product in products for move in self.moves]

    def _gradient(self) -> list[float]:
        if not self._is_by_argument:
            flat: list[float] = self._kernel.value_and_grad(*self._args)[1].tolist()
            return flat
        by = tuple([i for i, arg in enumerate(self._args) if list(_arrays(arg))])
        values, gradients = self._kernel.value_and_grad(*self._args, argnums=by)
        every = [array.reshape(-1) for part in gradients for array in _arrays(part)]
        mean: list[float] = (np.concatenate(every) / np.size(values)).tolist()
        return mean


@dataclass(slots=True)
class _Element:
    """One number of a flat array."""

    flat: Any
    place: int

    @property
    def data(self) -> float:
        return float(self.flat[self.place])

    @data.setter
    def data(self, x: float) -> None:
        self.flat[self.place] = x


def _as_elements(arg: Any, path: str, named: list[tuple[str, Variable]]) -> Any:
    """`arg` with copies of its arrays; the numbers of those of floats go into `named`."""
    if isinstance(arg, dict):
        return {key: _as_elements(item, f"{path}[{key!r}]", named) for key, item in arg.items()}
    if isinstance(arg, tuple) or (
        isinstance(arg, list) and any(isinstance(x, np.ndarray | dict | tuple) for x in arg)
    ):
        return type(arg)(_as_elements(x, f"{path}[{i}]", named) for i, x in enumerate(arg))
    if not isinstance(arg, list | np.ndarray | float) or np.asarray(arg).dtype.kind != "f":
        return arg
    array = np.array(arg, dtype=float)
    flat = array.reshape(-1)
    for place, index in enumerate(np.ndindex(array.shape)):
        at = f"[{', '.join(map(str, index))}]" if index else ""
        named.append((path + at, _Element(flat, place)))
    return array


def _arrays(arg: Any) -> Iterator[Any]:
    """The arrays of floats in an argument, in the order of `_as_elements`."""
    for _, block in pytree.leaves(arg):
        if isinstance(block, np.ndarray | np.floating) and block.dtype.kind == "f":
            yield np.asarray(block)
