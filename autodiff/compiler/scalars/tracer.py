"""Tracers: scalars without data that record what a function does with them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from autodiff import ops
from autodiff.checks import number
from autodiff.compiler.scalars.program import TAKE, Leaf, Scalars
from autodiff.engine import modes
from autodiff.engine.frames import user_line
from autodiff.engine.recording import check_conditions
from autodiff.engine.value import Value
from autodiff.rows.interpreter import interpret
from autodiff.rows.primitive import Primitive


class TraceError(TypeError):
    """Something that a trace cannot follow; the message says where and what to use."""


def trace_error(what: str, instead: str) -> TraceError:
    """The error, with the user's file and line."""
    return TraceError(f"{user_line()}: {what} while the function is traced: {instead}")


NUMPY, CONDITION, BIT, NUMBER, ARGUMENT, VALUE = range(-1, 5)
"""The kinds of scalars: what each is in eager execution.

CONDITION is a bool, NUMPY one of NumPy's bools (the sum of two is their "or"), BIT the integer 0
or 1 (`&`, `|` and `^` treat it as a condition), and ARGUMENT a number or a Value, as the function
is called. An op on other kinds than the first three has the highest kind among its operands.
"""

KIND_OF_ELEMENTS = {"b": CONDITION, "i": NUMBER, "f": ARGUMENT}
"""The kind of the elements of an array that is an argument."""


class Tracer:
    """A scalar of the traced function: it has no data, only a place in the program."""

    __slots__ = ("index", "kind", "scalars")

    def __init__(self, scalars: Scalars, index: int, kind: int = ARGUMENT) -> None:
        self.scalars = scalars
        self.index = index
        self.kind = kind

    def __repr__(self) -> str:
        return f"Tracer({self.index})"


class _Tracers:
    rank = 3
    hands_over = False

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        scalars: Any = None
        are_plain = True
        for operand in operands:
            if isinstance(operand, Tracer):
                scalars = operand.scalars
            elif (axes := getattr(operand, "ndim", None)) is not None:
                if axes:
                    return _of_arrays(primitive, operands)
                are_plain = False
        return _traced(scalars, primitive, operands if are_plain else list(map(_unboxed, operands)))

    def take(self, values: Any, index: "Tracer") -> Any:
        """The value at an index that is known at run time; of a table, the row."""
        rows = list(values)
        if rows and isinstance(rows[0], np.ndarray):
            chosen = np.empty(rows[0].shape, dtype=object)
            flat = self.take([row.ravel().tolist() for row in rows], index)
            chosen.ravel()[:] = flat
            return chosen
        if rows and isinstance(rows[0], list | tuple):
            return [self.take(column, index) for column in zip(*rows, strict=True)]
        if index.kind <= BIT:
            return ops.where.apply((index, rows[1], rows[0]))
        scalars = index.scalars
        leaf = scalars.ops[index.index]
        if not isinstance(leaf, Leaf) or not leaf.is_index:
            raise trace_error("a traced scalar as an index", "pass an array of integers")
        values = _numbers_of(scalars, rows)
        kind = max(NUMBER, *map(kind_of, rows))
        return Tracer(scalars, scalars.add(TAKE, (*values, index.index)), kind)

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Any, operand: Any) -> Any:
        return cotangent

    def select(self, cotangent: Any, partial: Any) -> Any:
        return ops.where(_either(partial), cotangent * partial, 0.0)


def _of_arrays(primitive: Primitive, operands: tuple[Any, ...]) -> Any:
    if all(_are_conditions(x) for x in operands):
        _check_numpy(primitive)
    arrays = [np.asarray(x, dtype=object) for x in operands]
    return np.frompyfunc(lambda *row: primitive.apply(row), len(arrays), 1)(*arrays)


def _unboxed(x: Any) -> Any:
    """The element of an array of no axes, which eager execution takes for it."""
    return x[()] if isinstance(x, np.ndarray) else x


def _are_conditions(x: Any) -> bool:
    return kind_of(x) <= CONDITION or getattr(getattr(x, "dtype", None), "kind", "") == "b"


def _either(partial: Any) -> Any:
    return (partial > 0) | (partial < 0)


def _traced(scalars: Scalars, primitive: Primitive, operands: Sequence[Any]) -> Tracer:
    kinds = [x.kind if isinstance(x, Tracer) else kind_of(x) for x in operands]
    kind = max(kinds)
    if kind == ARGUMENT:  # as in most ops
        index = scalars.apply(primitive, _numbers_of(scalars, operands))
        return Tracer(scalars, index, CONDITION if primitive.is_predicate else ARGUMENT)
    if NUMPY in kinds and kind <= CONDITION:
        return _of_numpy(scalars, primitive, operands)
    if kind == VALUE and None in primitive.partials:
        _check_values(primitive, kinds)
    index = scalars.apply(primitive, _numbers_of(scalars, operands))
    if primitive.is_predicate:
        kind = NUMPY if NUMPY in kinds and kind <= NUMBER else CONDITION
    else:
        kind = max(kind, NUMBER)
    return Tracer(scalars, index, kind)


def _check_numpy(primitive: Primitive) -> None:
    """Raise TraceError for what NumPy's conditions have not, or mean otherwise."""
    if primitive.signs and primitive.arity:
        raise trace_error(
            f"{primitive.label} of NumPy's conditions",
            "in NumPy a + b is their or, a - b an error; write |, ^, or sum([a, b])",
        )


def _of_numpy(scalars: Scalars, primitive: Primitive, operands: Sequence[Any]) -> Tracer:
    """An op on conditions, one of them NumPy's."""
    _check_numpy(primitive)
    index = scalars.apply(primitive, _numbers_of(scalars, operands))
    is_condition = primitive.is_predicate or primitive in (ops.mul, ops.abs)
    return Tracer(scalars, index, NUMPY if is_condition else NUMBER)


def _numbers_of(scalars: Scalars, operands: Sequence[Any]) -> list[int]:
    """The numbers of an op's operands; inside `no_grad` nothing flows back to them."""
    is_open = not scalars.is_closed
    numbers = [
        x.index
        if is_open and isinstance(x, Tracer) and x.scalars is scalars
        else number_of(scalars, x)
        for x in operands
    ]
    return numbers if modes.is_recording() else [scalars.still(i) for i in numbers]


def kind_of(x: Any) -> int:
    """The kind of a scalar, a Value or a number."""
    if isinstance(x, Tracer):
        return x.kind
    if isinstance(x, bool | np.bool_):
        return CONDITION if isinstance(x, bool) else NUMPY
    if isinstance(x, int | np.integer) and x in (0, 1):
        return BIT
    return VALUE if isinstance(x, Value) else NUMBER


def _check_values(row: Primitive, kinds: Sequence[int]) -> None:
    """Raise TypeError, as eager execution does, if a Value is where none may be."""
    if row.conditions or row.needs_numbers:
        check_conditions(row, [kind == VALUE for kind in kinds])


def number_of(scalars: Scalars, x: Any) -> int:
    """The number of a scalar, which may be a Value, or a constant, in the program."""
    if isinstance(x, Tracer):
        if x.scalars is not scalars or scalars.is_closed:
            raise trace_error("a scalar of another trace is used", "return it from the function")
        return x.index
    if isinstance(x, Value):
        return scalars.value(x)
    return scalars.constant(number(x))


class TraceRecorder:
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

    def compare(self, row: Primitive, x: Any, y: Any) -> Any:
        """The comparison of Values and numbers as a traced condition; of constants as a bool."""
        if not any(isinstance(operand, Value) and operand not in self.own for operand in (x, y)):
            x, y = (getattr(operand, "_primal", operand) for operand in (x, y))
            return row.forward(x, y)
        operands = [number_of(self._scalars, operand) for operand in (x, y)]
        index = self._scalars.add(row, tuple(operands))
        return Tracer(self._scalars, index, CONDITION)

    def apply(self, row: Primitive, arguments: Sequence[Any]) -> Tracer:
        """The op on Values and numbers as a traced scalar."""
        return _traced(self._scalars, row, arguments)


interpret(Tracer, _Tracers())
