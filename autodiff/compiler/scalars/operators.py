"""The operators and methods of a tracer, by the one list of the engine."""

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from autodiff import ops
from autodiff.compiler.scalars.tracer import (
    BIT,
    CONDITION,
    NUMBER,
    NUMPY,
    TraceError,
    Tracer,
    kind_of,
    trace_error,
)
from autodiff.engine.operators import (
    Bounded,
    Comparison,
    Connective,
    Connectives,
    Entry,
    Equality,
    Function,
    Infix,
    Maker,
    Method,
    Operators,
    Prefix,
    Reflected,
    bounded,
    double,
    install,
    loop,
    row_of_ufunc,
)
from autodiff.rows.primitive import Primitive

__all__ = ["Tracer"]  # with its operators


def _infix(row: Primitive) -> Callable[[Tracer, Any], Any]:
    """The operator of `row`, self first; NotImplemented beside an array."""

    def method(self: Tracer, other: Any) -> Any:
        return _applied(row, other, (self, other))

    return method


def _reflected(row: Primitive) -> Callable[[Tracer, Any], Any]:
    """The operator of `row`, self second."""

    def method(self: Tracer, other: Any) -> Any:
        return _applied(row, other, (other, self))

    return method


def _applied(row: Primitive, other: Any, operands: tuple[Any, Any]) -> Any:
    if hasattr(other, "dtype") and getattr(other, "ndim", 0) > 0:
        return NotImplemented
    try:
        return row.apply(operands)
    except TraceError:
        raise
    except TypeError:
        return NotImplemented


def _equality(row: Primitive) -> Callable[[Tracer, Any], Any]:
    """`==` or `!=`: of data with a number, of the object with itself."""
    compare = _infix(row)
    same = bool(row.forward(0.0, 0.0))

    def method(self: Tracer, other: Any) -> Any:
        if other is self:
            return same
        if min(self.kind, kind_of(other)) > NUMBER:
            raise trace_error(
                f"{row.label} of two traced scalars",
                "Values are equal by identity; compare data by (x <= y) & (x >= y)",
            )
        return compare(self, other)

    return method


def _connective(row: Primitive) -> Callable[[Tracer, Any], Any]:
    """`&`, `|` or `^`, for which the order of conditions does not matter."""

    def method(self: Tracer, other: Any) -> Any:
        if getattr(other, "ndim", 0) > 0:
            return NotImplemented
        kind = max(self.kind, kind_of(other))
        if kind > BIT:
            raise trace_error(f"{row.label} of a number", "compare it first, as in x != 0")
        made: Tracer = row.apply((self, other))
        return Tracer(made.scalars, made.index, kind) if kind > CONDITION else made

    return method


def _method(row: Primitive) -> Callable[..., Any]:
    def method(self: Tracer, *others: Any, **named: Any) -> Any:
        return row(self, *others, **named)

    return method


def _refusal(what: str, instead: str) -> Callable[..., NoReturn]:
    def method(self: Tracer, *_: object) -> NoReturn:
        raise trace_error(f"{what} a traced scalar", instead)

    return method


def _positive(x: Tracer) -> Tracer:
    """`x` itself; of a condition, as of Python's bool, the number."""
    if x.kind == NUMPY:
        raise trace_error("+ of one of NumPy's conditions", "NumPy has none; write 1 * c")
    return Tracer(x.scalars, x.index, BIT) if x.kind == CONDITION else x


_MAKERS: dict[type[Entry], Maker] = {
    Infix: _infix,
    Reflected: _reflected,
    Comparison: _infix,
    Equality: _equality,
    Connective: _connective,
    Prefix: _method,
    Function: _method,
    Method: _method,
    Bounded: bounded,
}
install(Tracer, Operators, _MAKERS)
install(Tracer, Connectives, _MAKERS)
setattr(Tracer, "__pos__", _positive)  # noqa: B010
setattr(Tracer, "detach", _method(ops.stop_gradient))  # noqa: B010

_BRANCH = "use autodiff.where, maximum or minimum, which compute both sides"
_NUMBER = "a tracer has no number; use the functions of autodiff, as autodiff.exp"
_ITSELF = "use it itself, or detach()"
for _name, _what, _instead in (
    ("__bool__", "a branch on", _BRANCH),
    ("__invert__", "~ of", "write c ^ True; in Python ~True is -2"),
    ("__float__", "float() or math of", _NUMBER),
    ("__int__", "int() of", _NUMBER),
    ("__complex__", "complex() of", _NUMBER),
    ("__round__", "round() of", _NUMBER),
    ("__format__", "formatting", _NUMBER),
    ("__str__", "str() of", _NUMBER),
    ("item", "item() of", _NUMBER),
    ("backward", "backward() on", "take gradients of the kernel"),
    ("__copy__", "a copy of", _ITSELF),
    ("__deepcopy__", "a copy of", _ITSELF),
    ("__reduce__", "a pickle of", "pickle outside"),
):
    setattr(Tracer, _name, _refusal(_what, _instead))
for _name in ("data", "grad", "has_grad"):
    setattr(Tracer, _name, property(_refusal(f".{_name} of", _NUMBER)))


def _index(self: Tracer) -> NoReturn:
    raise trace_error("a traced scalar as an index", "use autodiff.take(values, index)")


setattr(Tracer, "__index__", _index)  # noqa: B010
# A label, which names a node in drawings, is given to no node here.
setattr(Tracer, "label", property(lambda self: "", lambda self, label: None))  # noqa: B010


def _given_to_numpy(x: Any) -> Any:
    """`x`, but NumPy's for a condition, which it is as soon as NumPy has touched it."""
    if isinstance(x, Tracer) and x.kind == CONDITION:
        return Tracer(x.scalars, x.index, NUMPY)
    return np.bool_(x) if isinstance(x, bool) else x


def _array_ufunc(self: Tracer, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    # The elements of an array stay as they are: its sum counts them.
    if method == "__call__" and not options and not any(getattr(x, "ndim", 0) for x in inputs):
        inputs = tuple([_given_to_numpy(x) for x in inputs])
    row = row_of_ufunc(ufunc, method, options)
    if row is None:
        try:
            return loop(Tracer, ufunc, method, inputs, options)
        except TypeError as error:
            raise trace_error(f"np.{ufunc.__name__}", "it has no row in the op table") from error
    if row.is_predicate and not row.conditions:  # a comparison
        wrapped = [np.array(x, object) if isinstance(x, Tracer) else double(x) for x in inputs]
        made = np.frompyfunc(row.forward, 2, 1)(*wrapped)
    else:
        made = row(*inputs)
    return _given_to_numpy(made) if max(map(kind_of, inputs)) <= NUMBER else made


setattr(Tracer, "__array_ufunc__", _array_ufunc)  # noqa: B010
