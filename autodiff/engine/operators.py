"""The operators and methods of a scalar: one list for Values, tracers and operands of kernels.

A class has them from `install`, given what makes an operator, a comparison or a method out of a
row. NumPy's ufuncs find their rows here too.
"""

from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from autodiff import ops
from autodiff.rows.primitive import INNER, UFUNCS, Primitive

T = TypeVar("T")
C = TypeVar("C")

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from autodiff.rows.signatures import Array, Number, Objects


class Entry:
    """An operator or a method, by its row."""

    def __init__(self, row: Primitive) -> None:
        self.row = row


class Infix(Entry, Generic[T]):
    """An operator with the scalar first."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, other: "T | Number") -> T: ...
        @overload
        def __call__(self, other: "Array") -> "Objects": ...
        def __call__(self, other: object) -> object: ...


class Reflected(Infix[T]):
    """An operator with the scalar second."""


class Prefix(Entry, Generic[T]):
    """An operator on the scalar alone."""

    if TYPE_CHECKING:

        def __call__(self) -> T: ...


class Comparison(Entry, Generic[T, C]):
    """A comparison of data."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, other: "T | Number") -> C: ...
        @overload
        def __call__(self, other: "Array") -> "NDArray[np.bool_]": ...
        def __call__(self, other: object) -> object: ...


class Equality(Entry, Generic[C]):
    """A comparison of data with a number, of identity with another scalar."""

    if TYPE_CHECKING:

        @overload
        def __call__(self, other: "Array") -> "NDArray[np.bool_]": ...
        @overload
        def __call__(self, other: object) -> C: ...
        def __call__(self, other: object) -> object: ...


class Connective(Entry):
    """`&`, `|` or `^` of conditions, whose order does not matter."""


class Function(Prefix[T]):
    """A method of an op on one operand."""


class Method(Entry, Generic[T]):
    """A method of an op on several operands, the scalar first."""

    if TYPE_CHECKING:

        def __call__(self, *others: "T | Number", **named: "T | Number") -> T: ...


class Bounded(Entry, Generic[T]):
    """The method of `clip`: None for no bound; np.clip passes `out`."""

    if TYPE_CHECKING:

        def __call__(
            self, low: "T | Number | None", high: "T | Number | None", out: None = None
        ) -> T: ...


class Operators(Generic[T, C]):
    """What a scalar offers: ops give a T, comparisons a C.

    A method has the name of its row, and that of NumPy's ufunc, which np.exp of an array of
    objects calls.
    """

    __slots__ = ()

    __add__: Infix[T] = Infix(ops.add)
    __radd__: Infix[T] = Reflected(ops.add)
    __sub__: Infix[T] = Infix(ops.sub)
    __rsub__: Infix[T] = Reflected(ops.sub)
    __mul__: Infix[T] = Infix(ops.mul)
    __rmul__: Infix[T] = Reflected(ops.mul)
    __truediv__: Infix[T] = Infix(ops.div)
    __rtruediv__: Infix[T] = Reflected(ops.div)
    __pow__: Infix[T] = Infix(ops.pow)
    __rpow__: Infix[T] = Reflected(ops.pow)
    __neg__: Prefix[T] = Prefix(ops.neg)
    __abs__: Prefix[T] = Prefix(ops.abs)

    __lt__: Comparison[T, C] = Comparison(ops.less)
    __le__: Comparison[T, C] = Comparison(ops.less_equal)
    __gt__: Comparison[T, C] = Comparison(ops.greater)
    __ge__: Comparison[T, C] = Comparison(ops.greater_equal)
    __eq__: Equality[C] = Equality(ops.equal)  # type: ignore[assignment]
    __ne__: Equality[C] = Equality(ops.not_equal)  # type: ignore[assignment]
    __hash__ = object.__hash__

    abs: Prefix[T] = Function(ops.abs)
    absolute = abs
    sign: Prefix[T] = Function(ops.sign)
    sqrt: Prefix[T] = Function(ops.sqrt)
    exp: Prefix[T] = Function(ops.exp)
    expm1: Prefix[T] = Function(ops.expm1)
    log: Prefix[T] = Function(ops.log)
    log1p: Prefix[T] = Function(ops.log1p)
    sin: Prefix[T] = Function(ops.sin)
    cos: Prefix[T] = Function(ops.cos)
    tan: Prefix[T] = Function(ops.tan)
    asin: Prefix[T] = Function(ops.asin)
    arcsin = asin
    acos: Prefix[T] = Function(ops.acos)
    arccos = acos
    atan: Prefix[T] = Function(ops.atan)
    arctan = atan
    atan2: Method[T] = Method(ops.atan2)
    arctan2 = atan2
    sinh: Prefix[T] = Function(ops.sinh)
    cosh: Prefix[T] = Function(ops.cosh)
    tanh: Prefix[T] = Function(ops.tanh)
    erf: Prefix[T] = Function(ops.erf)
    erfc: Prefix[T] = Function(ops.erfc)
    relu: Prefix[T] = Function(ops.relu)
    leaky_relu: Method[T] = Method(ops.leaky_relu)
    sigmoid: Prefix[T] = Function(ops.sigmoid)
    softplus: Prefix[T] = Function(ops.softplus)
    gelu: Prefix[T] = Function(ops.gelu)
    silu: Prefix[T] = Function(ops.silu)
    elu: Method[T] = Method(ops.elu)
    maximum: Method[T] = Method(ops.maximum)
    minimum: Method[T] = Method(ops.minimum)
    clip: Bounded[T] = Bounded(ops.clip)


class Connectives:
    """The operators of conditions, which a scalar without data has as well."""

    __slots__ = ()

    __and__ = __rand__ = Connective(ops.logical_and)
    __or__ = __ror__ = Connective(ops.logical_or)
    __xor__ = __rxor__ = Connective(ops.logical_xor)


Maker = Callable[[Primitive], Callable[..., object]]
"""Makes the operator or method of a row."""


def install(kind: type, entries: type, makers: Mapping[type[Entry], Maker]) -> None:
    """Give `kind` each of `entries` for which there is a maker."""
    for name, entry in vars(entries).items():
        if isinstance(entry, Entry) and type(entry) in makers:
            method = makers[type(entry)](entry.row)
            method.__name__ = name
            method.__qualname__ = f"{kind.__name__}.{name}"
            if not name.startswith("__"):
                method.__doc__ = f"`autodiff.{entry.row.name}` of this value."
            setattr(kind, name, method)


def bounded(row: Primitive) -> Callable[..., object]:
    """The method of `clip` on a scalar of any kind."""

    def method(self: object, low: object, high: object, out: None = None) -> object:
        return row.apply((self, -inf if low is None else low, inf if high is None else high))

    return method


def row_of_ufunc(ufunc: "np.ufunc", method: str, options: Mapping[str, object]) -> Primitive | None:
    """The op or comparison that a call of a ufunc records; None for a ufunc without a row."""
    if method != "__call__" or options:
        return None
    return UFUNCS.get(ufunc.__name__) or INNER.get(ufunc.__name__)


def double(x: Any) -> Any:
    """A number or an array in long double as one in double, which Python has; else as it is."""
    kind = {"g": "float64", "G": "complex128"}.get(getattr(getattr(x, "dtype", None), "char", ""))
    return x.astype(kind) if kind else x


def loop(
    kind: type,
    ufunc: "np.ufunc",
    method: str,
    inputs: tuple[object, ...],
    options: Mapping[str, object],
) -> object:
    """A ufunc on scalars of `kind` and arrays of them, one object at a time."""
    # Only NumPy asks for this, so it is there; the engine itself does without it.
    import numpy as np

    wrapped = [np.array(x, object) if isinstance(x, kind) else double(x) for x in inputs]
    with np.errstate(all="ignore"):
        return getattr(ufunc, method)(*wrapped, **options)
