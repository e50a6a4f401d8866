"""Vectors and nested sequences of them: their types, and functions of each vector or number."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from autodiff import Value
from nn.module import Module

Scalar: TypeAlias = Value | float
S = TypeVar("S", Value, float, Scalar)
R = TypeVar("R")
Vector: TypeAlias = Sequence[Scalar] | npt.NDArray[np.generic]
Nested: TypeAlias = Scalar | Sequence["Nested"] | npt.NDArray[np.generic]
"""A number, or numbers in nested sequences."""
NestedValues: TypeAlias = Sequence["Value | NestedValues"]
"""Values in nested lists."""
Mapped: TypeAlias = R | list["Mapped[R]"]
"""Results in the places of numbers."""

if TYPE_CHECKING:

    class Outputs(Value, Sequence[Value]):
        """The outputs of a network: one Value, or a list of several.

        The number of outputs decides, and it is not part of a type. So a type checker sees both:
        `model(x) ** 2` and `model(x)[0]` have types, and the wrong one fails when it runs.
        """

else:
    Outputs = Value | list[Value]


def check_width(layer: Module, nin: int, x: Vector) -> None:
    """Raise TypeError if `x` is not a sequence, ValueError if its length is not `nin`."""
    try:
        width = len(x)
    except TypeError:
        raise TypeError(
            f"{type(layer).__name__} takes a sequence of {nin} inputs, got "
            f"{type(x).__name__}; for one input write model([x])"
        ) from None
    if width != nin:
        raise ValueError(f"{type(layer).__name__} takes {nin} inputs, got {width}")


def check_vector(layer: Module, x: Vector) -> None:
    """Raise TypeError if the sequence `x` holds sequences."""
    if any(hasattr(xi, "__len__") for xi in x):
        name = type(layer).__name__
        raise TypeError(f"{name} takes one vector, got a sequence of sequences; call it for each")


def map_numbers(f: Callable[[Scalar], R], x: Nested) -> Mapped[R]:
    """`f` of a number, or of each number in nested sequences, which become lists."""
    if isinstance(x, np.ndarray):
        x = x.tolist()
    if hasattr(x, "__len__") and not isinstance(x, str):
        return [map_numbers(f, item) for item in cast(Sequence[Nested], x)]
    return f(cast(Scalar, x))


def map_vectors(name: str, f: Callable[[list[Scalar]], list[S]], xs: Nested) -> Nested:
    """`f` of a vector, or of each vector in nested sequences, which become lists.

    Raises, under `name`, TypeError for a non-sequence and ValueError for an empty one.
    """
    if isinstance(xs, np.ndarray):
        xs = xs.tolist()
    if not hasattr(xs, "__len__") or isinstance(xs, str):
        raise TypeError(
            f"{name} takes a sequence of numbers, got {type(xs).__name__}; "
            "a single number x is the sequence [x]"
        )
    items = cast(Sequence[Nested], xs)
    if not len(items):
        raise ValueError(f"{name} needs at least one number, got an empty sequence")
    if hasattr(items[0], "__len__"):
        return [map_vectors(name, f, item) for item in items]
    return f(list(cast(Sequence[Scalar], items)))


class Pointwise(Protocol):
    """A function of one number: a float for a float, a Value for a Value."""

    def __call__(self, x: S, /) -> S:
        """The function at `x`."""


class Vectorwise(Protocol):
    """A function of a vector that maps each vector of nested sequences."""

    @overload
    def __call__(self, xs: Sequence[S]) -> list[S]: ...
    @overload
    def __call__(self, xs: Sequence[Sequence[S]]) -> list[list[S]]: ...
    @overload
    def __call__(self, xs: Nested) -> Nested: ...


def vectorwise(f: Callable[[list[Scalar]], list[Scalar]]) -> Vectorwise:
    """`f` for each vector of nested sequences, under its name."""

    @wraps(f)
    def mapped(xs: Nested) -> Nested:
        return map_vectors(f.__name__, f, xs)

    return cast(Vectorwise, mapped)


class VectorModule(Module):
    """A module that maps each vector of nested sequences to a list, by `_vector`."""

    @overload
    def __call__(self, x: Sequence[Scalar]) -> list[Value]: ...
    @overload
    def __call__(self, x: Sequence[Sequence[Scalar]]) -> list[list[Value]]: ...
    @overload
    def __call__(self, x: Nested) -> NestedValues: ...
    def __call__(self, x: Nested) -> Nested:
        """The output for the vector `x`, or for each vector in nested sequences."""
        return map_vectors(type(self).__name__, self._vector, x)

    def _vector(self, x: list[Scalar]) -> list[Scalar]:
        raise NotImplementedError


class NumberModule(Module):
    """A module that maps each number in nested sequences by the same function."""

    @overload
    def __call__(self, x: Sequence[S]) -> list[S]: ...
    @overload
    def __call__(self, x: Sequence[Sequence[S]]) -> list[list[S]]: ...
    @overload
    def __call__(self, x: S) -> S: ...
    @overload
    def __call__(self, x: Nested) -> Nested: ...
    def __call__(self, x: Nested) -> Nested:
        """The output for a number, or for each number in nested sequences."""
        function = self._function()
        return x if function is None else map_numbers(function, x)

    def _function(self) -> Callable[[Scalar], Scalar] | None:
        """The function that this call applies, or None to return the input itself."""
        raise NotImplementedError
