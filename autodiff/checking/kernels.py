"""A kernel as a function that `gradcheck` differentiates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, overload

import numpy as np
import numpy.typing as npt

from autodiff import pytree
from autodiff.checking.directions import Variable
from autodiff.checking.functions import CheckedFunction, element_names
from autodiff.engine.value import Value

Array = npt.NDArray[np.floating[Any]]


class Kernel(Protocol):
    """A function that comes with derivatives, as `autodiff.compile` returns."""

    @property
    def parameters(self) -> Sequence[Value]:
        """The leaves that the function reads."""

    def __call__(self, *args: object) -> Array:
        """The result of each example."""

    @overload
    def value_and_grad(self, *args: object) -> tuple[float, Array]: ...
    @overload
    def value_and_grad(
        self, *args: object, argnums: tuple[int, ...]
    ) -> tuple[Array, tuple[object, ...]]: ...
    def value_and_grad(self, *args: object, argnums: tuple[int, ...] | None = None) -> object:
        """The mean and its gradient; with `argnums`, each result and its gradients by these."""

    def hvp(self, *args: object, vector: npt.ArrayLike) -> Array:
        """The Hessian of the mean by the parameters, times `vector`."""


class KernelFunction(CheckedFunction):
    """The mean of a kernel's result over the batch, as a function of the kernel's parameters.

    If the kernel has none, it is a function of the floats in its arguments.
    """

    def __init__(self, kernel: Kernel, args: tuple[object, ...]) -> None:
        kernel.value_and_grad(*args)  # a kernel learns its parameters when it is called
        variables: list[tuple[str, Variable]] = [
            (parameter.label or f"parameters[{i}]", parameter)
            for i, parameter in enumerate(kernel.parameters)
        ]
        self._is_by_argument = not variables
        if self._is_by_argument:
            args = tuple([_copied(arg, f"inputs[{i}]", variables) for i, arg in enumerate(args)])
        super().__init__(variables)
        self._kernel = kernel
        self._args = args
        self.epsilon = float(np.finfo(np.asarray(kernel(*args)).dtype).eps)

    def derivatives(self, order: int) -> list[float]:
        """See CheckedFunction."""
        if order == 0:
            return [float(np.mean(self._kernel(*self._args), dtype=float))]
        if order == 1:
            gradient = self._gradient()
            return [direction.slope(gradient) for direction in self.directions]
        if order > 2 or self._is_by_argument:
            raise ValueError(
                "gradcheck: a kernel has derivatives of order 1, and of order 2 by its parameters"
            )
        products: list[list[float]] = []
        for direction in self.directions:
            vector = np.zeros(len(self.variables))
            vector[list(direction.inputs)] = direction.weights
            products.append(self._kernel.hvp(*self._args, vector=vector).tolist())
        return [direction.slope(product) for product in products for direction in self.directions]

    def _gradient(self) -> list[float]:
        if not self._is_by_argument:
            gradient: list[float] = self._kernel.value_and_grad(*self._args)[1].tolist()
            return gradient
        by = tuple([i for i, arg in enumerate(self._args) if list(_arrays_of_floats(arg))])
        values, gradients = self._kernel.value_and_grad(*self._args, argnums=by)
        flat = [array.reshape(-1) for part in gradients for array in _arrays_of_floats(part)]
        mean: list[float] = (np.concatenate(flat) / np.size(values)).tolist()
        return mean


@dataclass(slots=True)
class _Element:
    """A variable that is an element of a flat array."""

    flat: npt.NDArray[np.float64]
    index: int

    @property
    def data(self) -> float:
        return float(self.flat[self.index])

    @data.setter
    def data(self, x: float) -> None:
        self.flat[self.index] = x


def _copied(arg: object, name: str, variables: list[tuple[str, Variable]]) -> object:
    """`arg` with copies of its arrays of floats, whose elements are added to `variables`."""

    def copied(path: pytree.Path, leaf: object) -> object:
        if not isinstance(leaf, list | np.ndarray | float) or np.asarray(leaf).dtype.kind != "f":
            return leaf
        array = np.array(leaf, dtype=float)
        flat = array.reshape(-1)
        names = element_names(pytree.place(name, path), array.shape)
        variables.extend((at, _Element(flat, i)) for i, at in enumerate(names))
        return array

    return pytree.folded(copied, pytree.container, arg, pytree.coarse)


def _arrays_of_floats(arg: object) -> Iterator[Array]:
    """The arrays of floats in an argument, in the order of `_copied`."""
    for _, leaf in pytree.leaves(arg):
        if isinstance(leaf, np.ndarray | np.floating) and leaf.dtype.kind == "f":
            yield np.asarray(leaf)
