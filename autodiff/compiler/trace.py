"""Tracers: scalars without data that record what a function does with them."""

import operator
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

import numpy as np

from autodiff import modes, ops
from autodiff.compiler.scalars import TAKE, Leaf, Scalars
from autodiff.interpreter import interpret, number
from autodiff.primitive import TABLE, UFUNCS, Domain, Primitive
from autodiff.value import Value

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class TraceError(TypeError):
    """Something that a trace cannot follow; the message says where and what to use."""


def trace_error(what: str, instead: str) -> TraceError:
    """The error, with the user's file and line: the innermost frame outside this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return TraceError(f"{place}: {what} while the function is traced: {instead}")


def _predicate(name: str, forward: Callable[..., Any], sign: str) -> Primitive:
    real = (Domain(), Domain())
    return Primitive(name, forward, (None, None), f"np.{name}({{0}}, {{1}})", real, sign, name)


LESS = _predicate("less", operator.lt, "<")
LESS_EQUAL = _predicate("less_equal", operator.le, "<=")
GREATER = _predicate("greater", operator.gt, ">")
GREATER_EQUAL = _predicate("greater_equal", operator.ge, ">=")
AND = _predicate("logical_and", lambda x, y: bool(x) and bool(y), "and")
OR = _predicate("logical_or", lambda x, y: bool(x) or bool(y), "or")
_PREDICATE_OF: dict[Callable[..., bool], Primitive] = {
    operator.lt: LESS,
    operator.le: LESS_EQUAL,
    operator.gt: GREATER,
    operator.ge: GREATER_EQUAL,
}
PREDICATES = frozenset({LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, AND, OR})


class Tracer:
    """A scalar of the traced function: it has no data, only a place in the program."""

    __slots__ = ("index", "scalars")

    def __init__(self, scalars: Scalars, index: int) -> None:
        self.scalars = scalars
        self.index = index

    def __repr__(self) -> str:
        return f"Tracer({self.index})"


class _Tracers:
    rank = 3
    hands_over = False

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        if any(hasattr(x, "dtype") and getattr(x, "ndim", 0) for x in operands):
            arrays = [np.asarray(x, dtype=object) for x in operands]
            return np.frompyfunc(lambda *row: primitive.apply(row), len(arrays), 1)(*arrays)
        scalars = next(x.scalars for x in operands if isinstance(x, Tracer))
        return _traced(scalars, primitive, operands)

    def take(self, values: Any, index: "Tracer") -> Any:
        """The value at an index that is known at run time; of a table, the row."""
        rows = list(values)
        if rows and isinstance(rows[0], list | tuple):
            return [self.take(column, index) for column in zip(*rows, strict=True)]
        scalars = index.scalars
        leaf = scalars.ops[index.index]
        if not isinstance(leaf, Leaf) or not leaf.is_index:
            raise trace_error("a traced scalar as an index", "pass an array of integers")
        values = _numbers_of(scalars, rows)
        return Tracer(scalars, scalars.add(TAKE, (*values, index.index)))

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Any, operand: Any) -> Any:
        return cotangent

    def select(self, cotangent: Any, partial: Any) -> Any:
        return ops.where(_either(partial), cotangent * partial, 0.0)


def _either(partial: Any) -> Any:
    return (partial > 0) | (partial < 0)


def _traced(scalars: Scalars, primitive: Primitive, operands: Sequence[Any]) -> Tracer:
    return Tracer(scalars, scalars.apply(primitive, _numbers_of(scalars, operands)))


def _numbers_of(scalars: Scalars, operands: Sequence[Any]) -> list[int]:
    """The numbers of an op's operands; inside `no_grad` nothing flows back to them."""
    numbers = [number_of(scalars, x) for x in operands]
    return numbers if modes.is_recording() else [scalars.still(i) for i in numbers]


def number_of(scalars: Scalars, x: Any) -> int:
    """The number of a scalar, which may be a Value, or a constant, in the program."""
    if isinstance(x, Tracer):
        if x.scalars is not scalars or scalars.is_closed:
            raise trace_error("a scalar of another trace is used", "return it from the function")
        return x.index
    if isinstance(x, Value):
        return scalars.value(x)
    return scalars.constant(number(x))


class Recorder:
    """Keeps what a function asks of the numbers of Values in the program."""

    def __init__(self, scalars: Scalars) -> None:
        self._scalars = scalars
        self.own = scalars.own

    def refuse(self, value: Value, what: str) -> None:
        """Raise TraceError, unless the function made the Value itself: then it is a constant."""
        if value not in self.own:
            raise trace_error(
                what,
                "the kernel would not see what it is at later calls; compute with the Value, or "
                "outside",
            )

    def compare(self, compare: Callable[[Any, Any], bool], x: Any, y: Any) -> Any:
        """The comparison of Values and numbers as a traced condition; of constants as a bool."""
        if not any(isinstance(operand, Value) and operand not in self.own for operand in (x, y)):
            x, y = (getattr(operand, "_primal", operand) for operand in (x, y))
            return compare(x, y)
        operands = [number_of(self._scalars, operand) for operand in (x, y)]
        return Tracer(self._scalars, self._scalars.add(_PREDICATE_OF[compare], tuple(operands)))

    def apply(self, row: Primitive, arguments: Sequence[Any]) -> Tracer:
        """The op on Values and numbers as a traced scalar."""
        return _traced(self._scalars, row, arguments)


def _operator(row: Primitive, *, reflected: bool = False) -> Callable[[Tracer, Any], Any]:
    def method(self: Tracer, other: Any) -> Any:
        if hasattr(other, "dtype") and getattr(other, "ndim", 0) > 0:
            return NotImplemented
        try:
            return row.apply((other, self) if reflected else (self, other))
        except TraceError:
            raise
        except TypeError:
            return NotImplemented

    return method


def _method(row: Primitive) -> Callable[..., Any]:
    def method(self: Tracer, *others: Any) -> Any:
        return row(self, *others)

    return method


def _refusal(what: str, instead: str) -> Callable[..., NoReturn]:
    def method(self: Tracer, *_: Any) -> NoReturn:
        raise trace_error(what, instead)

    return method


_OPERATORS = {"add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div, "pow": ops.pow}
for _name, _row in _OPERATORS.items():
    setattr(Tracer, f"__{_name}__", _operator(_row))
    setattr(Tracer, f"__r{_name}__", _operator(_row, reflected=True))
for _name, _row in {
    "lt": LESS, "le": LESS_EQUAL, "gt": GREATER, "ge": GREATER_EQUAL, "and": AND, "or": OR,
}.items():  # fmt: skip
    setattr(Tracer, f"__{_name}__", _operator(_row))
setattr(Tracer, "__rand__", _operator(AND))  # noqa: B010
setattr(Tracer, "__ror__", _operator(OR))  # noqa: B010
setattr(Tracer, "__neg__", _method(ops.neg))  # noqa: B010
setattr(Tracer, "__abs__", _method(ops.abs))  # noqa: B010
setattr(Tracer, "__pos__", lambda self: self)  # noqa: B010
setattr(Tracer, "detach", _method(ops.stop_gradient))  # noqa: B010
for _name in dir(Value):
    if not _name.startswith("_") and callable(getattr(Value, _name)):
        _found = TABLE.get(getattr(Value, _name).__name__)
        if _found is not None:
            setattr(Tracer, _name, _method(_found))
setattr(Tracer, "clip", lambda self, low, high, out=None: ops.clip(self, low, high))  # noqa: B010


def _equal(self: Tracer, other: object) -> bool:
    if other is self:
        return True
    raise trace_error(
        "== on a traced scalar", "Values are equal by identity; use (x <= c) & (x >= c)"
    )


def _unequal(self: Tracer, other: object) -> bool:
    return not _equal(self, other)


setattr(Tracer, "__eq__", _equal)  # noqa: B010
setattr(Tracer, "__ne__", _unequal)  # noqa: B010
setattr(Tracer, "__hash__", object.__hash__)  # noqa: B010

_BRANCH = "use autodiff.where, maximum or minimum, which compute both sides"
_NUMBER = "a tracer has no number; use the functions of autodiff, as autodiff.exp"
for _name, _what, _instead in (
    ("__bool__", "a branch on a traced scalar", _BRANCH),
    ("__float__", "float() or math of a traced scalar", _NUMBER),
    ("__int__", "int() of a traced scalar", _NUMBER),
    ("__complex__", "complex() of a traced scalar", _NUMBER),
    ("__index__", "a traced scalar as an index", "use autodiff.take(values, index)"),
    ("__round__", "round() of a traced scalar", _NUMBER),
    ("__format__", "formatting a traced scalar", _NUMBER),
    ("item", "item() of a traced scalar", _NUMBER),
    ("backward", "backward() on a traced scalar", "take gradients of the kernel"),
    ("__copy__", "a copy of a traced scalar", "use it itself, or detach()"),
    ("__deepcopy__", "a copy of a traced scalar", "use it itself, or detach()"),
    ("__reduce__", "a pickle of a traced scalar", "pickle outside"),
):
    setattr(Tracer, _name, _refusal(_what, _instead))
for _name in ("data", "grad", "has_grad"):
    setattr(Tracer, _name, property(_refusal(f".{_name} of a traced scalar", _NUMBER)))


def _array_ufunc(self: Tracer, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    row = UFUNCS.get(ufunc.__name__) or _PREDICATE_OF_UFUNC.get(ufunc.__name__)
    if row and method == "__call__" and not options:
        return row(*inputs)
    wrapped = [np.array(x, object) if isinstance(x, Tracer) else x for x in inputs]
    try:
        return getattr(ufunc, method)(*wrapped, **options)
    except TypeError as error:
        raise trace_error(f"np.{ufunc.__name__}", "it has no row in the op table") from error


_PREDICATE_OF_UFUNC = {row.ufunc: row for row in PREDICATES}
setattr(Tracer, "__array_ufunc__", _array_ufunc)  # noqa: B010
interpret(Tracer, _Tracers())
