"""Rows by the types of their calls: what type checkers and editors know of an op.

Values give a Value, numbers a float, arrays an array; a Value beside an array gives an array of
objects. The classes add nothing to a row at run time.
"""
# mypy: disable-error-code="overload-overlap"
# (the overload for a list of numbers comes before the one for a list with Values)

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, overload

from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction, Selection

S_co = TypeVar("S_co", covariant=True)
S = TypeVar("S")


class Scalar(Protocol[S_co]):
    """An operand that ops record, as a Value is; S is the type of the result."""

    def detach(self) -> S_co:
        """The same number, without its graph."""


class Operand(Scalar["Operand"], Protocol):
    """An operand of partials, which are written for Values."""

    def __neg__(self) -> "Operand": ...
    def __add__(self, other: "Operand | float", /) -> "Operand": ...
    def __radd__(self, other: "Operand | float", /) -> "Operand": ...
    def __sub__(self, other: "Operand | float", /) -> "Operand": ...
    def __rsub__(self, other: "Operand | float", /) -> "Operand": ...
    def __mul__(self, other: "Operand | float", /) -> "Operand": ...
    def __rmul__(self, other: "Operand | float", /) -> "Operand": ...
    def __lt__(self, other: "Operand | float", /) -> bool: ...
    def __le__(self, other: "Operand | float", /) -> bool: ...
    def __gt__(self, other: "Operand | float", /) -> bool: ...
    def __ge__(self, other: "Operand | float", /) -> bool: ...


if TYPE_CHECKING:
    from decimal import Decimal
    from fractions import Fraction

    import numpy as np
    from numpy.typing import NDArray

    Number: TypeAlias = float | np.floating | np.integer | np.bool_ | Fraction | Decimal
    Objects: TypeAlias = NDArray[np.object_]
    Ints: TypeAlias = NDArray[np.integer | np.bool_]
    Doubles: TypeAlias = NDArray[np.float64]
    Array: TypeAlias = NDArray[np.generic]
    F = TypeVar("F", bound=np.floating | np.object_)


class Unary(Primitive):
    """An op on one operand."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: Scalar[S]) -> S: ...
        @overload
        def __call__(self, x: Number) -> float: ...
        @overload
        def __call__(self, x: NDArray[F]) -> NDArray[F]: ...
        @overload
        def __call__(self, x: Ints) -> Doubles: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class Binary(Primitive):
    """An op on two operands."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: Scalar[S], y: Scalar[S] | Number) -> S: ...
        @overload
        def __call__(self, x: Number, y: Scalar[S]) -> S: ...
        @overload
        def __call__(self, x: Number, y: Number) -> float: ...
        @overload
        def __call__(self, x: NDArray[F], y: NDArray[F] | Ints | Number) -> NDArray[F]: ...
        @overload
        def __call__(self, x: Ints | Number, y: NDArray[F]) -> NDArray[F]: ...
        @overload
        def __call__(self, x: Ints, y: Ints | Number) -> Doubles: ...
        @overload
        def __call__(self, x: Number, y: Ints) -> Doubles: ...
        @overload
        def __call__(self, x: Array, y: Scalar[object]) -> Objects: ...
        @overload
        def __call__(self, x: Scalar[object], y: Array) -> Objects: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class Sloped(Primitive):
    """An op on an operand and a slope that a call may leave out."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: Scalar[S], slope: Scalar[S] | Number = ...) -> S: ...
        @overload
        def __call__(self, x: Number, slope: Scalar[S]) -> S: ...
        @overload
        def __call__(self, x: Number, slope: Number = ...) -> float: ...
        @overload
        def __call__(self, x: NDArray[F], slope: NDArray[F] | Number = ...) -> NDArray[F]: ...
        @overload
        def __call__(self, x: Ints, slope: Number = ...) -> Doubles: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class Scaled(Primitive):
    """An op on an operand and a factor `alpha` that a call may leave out."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, x: Scalar[S], alpha: Scalar[S] | Number = ...) -> S: ...
        @overload
        def __call__(self, x: Number, alpha: Scalar[S]) -> S: ...
        @overload
        def __call__(self, x: Number, alpha: Number = ...) -> float: ...
        @overload
        def __call__(self, x: NDArray[F], alpha: NDArray[F] | Number = ...) -> NDArray[F]: ...
        @overload
        def __call__(self, x: Ints, alpha: Number = ...) -> Doubles: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class Choice(Primitive):
    """An op that chooses between two operands by a condition."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, condition: Number, x: Scalar[S], y: Scalar[S] | Number) -> S: ...
        @overload
        def __call__(self, condition: Number, x: Number, y: Scalar[S]) -> S: ...
        @overload
        def __call__(self, condition: Number, x: Number, y: Number) -> float: ...
        @overload
        def __call__(
            self, condition: Array | Number, x: NDArray[F], y: NDArray[F] | Number
        ) -> NDArray[F]: ...
        @overload
        def __call__(self, condition: Array | Number, x: Number, y: NDArray[F]) -> NDArray[F]: ...
        @overload
        def __call__(self, condition: Array, x: Number, y: Number) -> Doubles: ...
        @overload
        def __call__(
            self,
            condition: Array | Number,
            x: Scalar[object] | Array | Number,
            y: Scalar[object] | Array | Number,
        ) -> Objects: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class Clip(Primitive):
    """An op on an operand and its two bounds."""

    if TYPE_CHECKING:

        @overload
        def __call__(
            self, x: Scalar[S], low: Scalar[S] | Number, high: Scalar[S] | Number
        ) -> S: ...
        @overload
        def __call__(self, x: Number, low: Scalar[S], high: Scalar[S] | Number) -> S: ...
        @overload
        def __call__(self, x: Number, low: Number, high: Scalar[S]) -> S: ...
        @overload
        def __call__(self, x: Number, low: Number, high: Number) -> float: ...
        @overload
        def __call__(
            self, x: NDArray[F], low: NDArray[F] | Number, high: NDArray[F] | Number
        ) -> NDArray[F]: ...
        @overload
        def __call__(self, x: Ints, low: Number, high: Number) -> Doubles: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class OfSequence(Reduction):
    """An op on the elements of one sequence, or on the rows of an array."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, xs: np.ndarray[tuple[int], np.dtype[np.floating]]) -> float: ...
        @overload
        def __call__(self, xs: NDArray[F]) -> NDArray[F] | float: ...
        @overload
        def __call__(self, xs: Iterable[Number]) -> float: ...
        @overload
        def __call__(self, xs: Iterable[Scalar[S] | Number]) -> S: ...
        @overload
        def __call__(self, xs: Iterable[NDArray[F]]) -> NDArray[F]: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class OfSequences(Reduction):
    """An op on two sequences of equal length."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, ws: NDArray[F], xs: NDArray[F]) -> NDArray[F] | float: ...
        @overload
        def __call__(self, ws: Iterable[Number], xs: Iterable[Number]) -> float: ...
        @overload
        def __call__(self, ws: Iterable[Scalar[S]], xs: Iterable[Scalar[S] | Number]) -> S: ...
        @overload
        def __call__(self, ws: Iterable[Scalar[S] | Number], xs: Iterable[Scalar[S]]) -> S: ...
        @overload
        def __call__(
            self, ws: Iterable[Scalar[S] | Number], xs: Iterable[Scalar[S] | Number]
        ) -> S: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class OfOperands(Reduction):
    """An op on any number of operands, one by one or as a sequence."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, xs: NDArray[F], /) -> NDArray[F] | float: ...
        @overload
        def __call__(self, xs: Iterable[Number], /) -> float: ...
        @overload
        def __call__(self, xs: Iterable[Scalar[S] | Number], /) -> S: ...
        @overload
        def __call__(self, *xs: Number) -> float: ...
        @overload
        def __call__(self, *xs: Scalar[S] | Number) -> S: ...
        @overload
        def __call__(self, *xs: NDArray[F] | Number) -> NDArray[F]: ...
        def __call__(self, *args: object, **named: object) -> object: ...


class Take(Selection):
    """An op that picks an element of a sequence, or a row of a table."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, xs: NDArray[F], index: int | np.integer) -> NDArray[F] | float: ...
        @overload
        def __call__(self, xs: Sequence[Number], index: int | np.integer) -> float: ...
        @overload
        def __call__(self, xs: Sequence[Scalar[S] | Number], index: int | np.integer) -> S: ...
        @overload
        def __call__(
            self, xs: Sequence[Sequence[Number]], index: int | np.integer
        ) -> list[float]: ...
        @overload
        def __call__(
            self, xs: Sequence[Sequence[Scalar[S] | Number]], index: int | np.integer
        ) -> list[S]: ...
        def __call__(self, *args: object, **named: object) -> object: ...
