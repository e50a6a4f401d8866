"""Types of the functions that `grad` and the like return: what comes back for what goes in.

A gradient has the structure of the argument. Numbers give numbers and Values give Values, in
trees and arrays of them as well; an int gives a float. A function that reads Values of its own
gives Values even for numbers, which types cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, overload

from autodiff.calculus.linear import Scalar
from autodiff.engine.value import Value

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Floats: TypeAlias = "float | npt.NDArray[np.floating] | Sequence[Floats] | Mapping[str, Floats]"
"""A number, or a tree or array of numbers."""
Values: TypeAlias = "Value | npt.NDArray[np.object_] | Sequence[Values] | Mapping[str, Values]"
"""A Value, or a tree or array of Values."""

X = TypeVar("X")
F = TypeVar("F", bound="Floats")
V = TypeVar("V", bound="Values")
K = TypeVar("K")
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Gradient(Protocol):
    """The function x, … ↦ d f / d x, in the structure of x."""

    @overload
    def __call__(self, x: int, /, *args: object, **options: object) -> float: ...
    @overload
    def __call__(self, x: X, /, *args: object, **options: object) -> X: ...


class GradientAndAux(Protocol[A_co]):
    """The function x, … ↦ (d f / d x, aux)."""

    @overload
    def __call__(self, x: int, /, *args: object, **options: object) -> tuple[float, A_co]: ...
    @overload
    def __call__(self, x: X, /, *args: object, **options: object) -> tuple[X, A_co]: ...


class ValueAndGradient(Protocol):
    """The function x, … ↦ (f(x, …), d f / d x)."""

    @overload
    def __call__(self, x: int, /, *args: object, **options: object) -> tuple[float, float]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # no numbers at all: an empty list
        self, x: F, /, *args: object, **options: object
    ) -> tuple[float, F]: ...
    @overload
    def __call__(self, x: V, /, *args: object, **options: object) -> tuple[Value, V]: ...
    @overload
    def __call__(self, x: X, /, *args: object, **options: object) -> tuple[Scalar, X]: ...


class ValueAndGradientAndAux(Protocol[A_co]):
    """The function x, … ↦ ((f(x, …), aux), d f / d x)."""

    @overload
    def __call__(
        self, x: int, /, *args: object, **options: object
    ) -> tuple[tuple[float, A_co], float]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # no numbers at all: an empty list
        self, x: F, /, *args: object, **options: object
    ) -> tuple[tuple[float, A_co], F]: ...
    @overload
    def __call__(
        self, x: V, /, *args: object, **options: object
    ) -> tuple[tuple[Value, A_co], V]: ...
    @overload
    def __call__(
        self, x: X, /, *args: object, **options: object
    ) -> tuple[tuple[Scalar, A_co], X]: ...


class JacobianOfList(Protocol):
    """The function x, … ↦ the gradient of each number in the list f(x, …)."""

    @overload
    def __call__(self, x: int, /, *args: object, **options: object) -> list[float]: ...
    @overload
    def __call__(self, x: X, /, *args: object, **options: object) -> list[X]: ...


class Hessian(Protocol):
    """The function x, … ↦ d² f / d x²: the structure of x, with that of x for each number."""

    @overload
    def __call__(self, x: float, /, *args: object, **options: object) -> float: ...
    @overload
    def __call__(self, x: Value, /, *args: object, **options: object) -> Value: ...
    @overload
    def __call__(
        self, x: list[float], /, *args: object, **options: object
    ) -> list[list[float]]: ...
    @overload
    def __call__(
        self, x: list[Value], /, *args: object, **options: object
    ) -> list[list[Value]]: ...
    @overload
    def __call__(
        self, x: dict[K, float], /, *args: object, **options: object
    ) -> dict[K, dict[K, float]]: ...
    @overload
    def __call__(
        self, x: dict[K, Value], /, *args: object, **options: object
    ) -> dict[K, dict[K, Value]]: ...
    @overload
    def __call__(
        self, x: npt.NDArray[np.floating], /, *args: object, **options: object
    ) -> npt.NDArray[np.float64]: ...
    @overload
    def __call__(
        self, x: npt.NDArray[np.object_], /, *args: object, **options: object
    ) -> npt.NDArray[np.object_]: ...
    @overload
    def __call__(self, x: object, /, *args: object, **options: object) -> object: ...
