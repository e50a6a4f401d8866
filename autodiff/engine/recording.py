"""How an op on Values becomes a node: operands, then value, then partials, then the node.

`record` is the whole path. Operators and methods of one or two operands take it with their row
unpacked, and + - * with everything in line: a test holds each to the rows. Importing this module
gives `Value` its operators and ops their meaning on Values.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autodiff import ops
from autodiff.checks import number
from autodiff.engine import anomaly, modes
from autodiff.engine.operators import (
    Bounded,
    Comparison,
    Equality,
    Function,
    Infix,
    Method,
    Operators,
    Prefix,
    Reflected,
    bounded,
    install,
)
from autodiff.engine.value import Value
from autodiff.rows.interpreter import interpret, interpreter_of, interpreter_of_type
from autodiff.rows.primitive import Primitive

Argument = Value | float
Slope = float | None

_ADD, _SUB, _MUL = ops.add, ops.sub, ops.mul
_ONES = (1.0, 1.0)
_ONE_MINUS_ONE = (1.0, -1.0)
_RANK = 1
_new = object.__new__


def record(row: Primitive, operands: tuple[Any, ...]) -> Value:
    """The node of `row` on operands that are Values and numbers."""
    if row.has_conditions:
        check_conditions(row, [isinstance(x, Value) for x in operands])
    try:
        primals = [value._primal for value in operands]
    except AttributeError:
        return _record_with_constants(row, operands)
    out = row.value_at(primals)
    if modes.switched:
        return _record_in_mode(row, operands, out)
    partials = row.partials_at(primals, out)
    if row.selects:
        partials = [partial or None for partial in partials]
    return _node(row, out, operands, partials)


def _record_with_constants(row: Primitive, operands: tuple[Any, ...]) -> Value:
    """As `record`, with numbers among the operands; other kinds take over, or raise."""
    primals: list[float] = []
    constants: list[Slope] = []
    nodes: list[Value] = []
    for x in operands:
        if isinstance(x, Value):
            primals.append(x._primal)
            constants.append(None)
            nodes.append(x)
        elif type(x) is float:
            primals.append(x)
            constants.append(x)
        else:
            interpreter = interpreter_of(operands)
            if interpreter.rank > _RANK:
                result: Value = interpreter.apply(row, operands)
                return result
            (constant,) = row.numbers((x,))
            primals.append(constant)
            constants.append(constant)
    out = row.value_at(primals)
    if modes.switched:
        pairs = zip(operands, constants, strict=True)
        return _record_in_mode(row, [x if c is None else c for x, c in pairs], out)
    partials = row.partials_at(primals, out, constants)
    if row.selects:
        partials = [partial or None for partial in partials]
    return _node(row, out, tuple(nodes), partials, tuple(constants))


def _record_in_mode(row: Primitive, arguments: Sequence[Argument], out: float) -> Value:
    """The node of `row` on Values and floats, as the modes of this thread and task want it."""
    if recorder := modes.recorder_of_ops():
        traced: Value = recorder.apply(row, arguments)
        return traced
    is_watching = modes.is_watching()
    if is_watching:
        anomaly.check(row, arguments, out)
    if not modes.is_recording():
        return Value(out)
    nodes = tuple([x for x in arguments if isinstance(x, Value)])
    primals = [x._primal if isinstance(x, Value) else x for x in arguments]
    constants = tuple([None if isinstance(x, Value) else x for x in arguments])
    partials = row.partials_at(primals, out, constants)
    if row.selects:
        partials = [partial or None for partial in partials]
    is_whole = len(nodes) == len(arguments)
    node = _node(row, out, nodes, partials, None if is_whole else constants)
    if is_watching:
        anomaly.remember(node)
    return node


def _node(
    row: Primitive,
    out: float,
    operands: tuple[Value, ...],
    partials: Sequence[Slope],
    constants: tuple[Slope, ...] | None = None,
) -> Value:
    node = _new(Value)
    node._primal = out
    node._grad = None
    node._partials = tuple(partials)
    node.op = row
    node.operands = operands
    if constants is not None:
        node._constants = constants
    return node


def check_conditions(row: Primitive, are_values: Sequence[bool]) -> None:
    """Raise TypeError if an operand without derivative is a Value, whose graph would be cut."""
    for i, (partial, is_value) in enumerate(zip(row.partials, are_values, strict=True)):
        if partial is None and is_value:
            is_condition = i in row.conditions
            what = "the condition" if is_condition else f"operand {i}, without derivative,"
            raise TypeError(
                f"{row.name}: {what} is a Value; compare it, as in v > 0, or pass v.data"
            )


class _Values:
    """Values record; numbers among them are constants."""

    rank = _RANK
    hands_over = True

    apply = staticmethod(record)

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Argument, operand: object) -> Argument:
        return cotangent

    def select(self, cotangent: Argument, partial: Argument) -> Argument:
        return cotangent * partial if partial else 0.0


# Operators and methods


def _unary(row: Primitive) -> Callable[[Value], Value]:
    """The method of a row of one operand."""
    forward, (partial,), selects = row.forward, row.partials, row.selects
    assert partial is not None

    def method(self: Value) -> Value:
        try:
            primal = self._primal
        except AttributeError:  # Value.tanh(x) where x is a tracer
            result: Value = row.apply((self,))
            return result
        out = forward(primal)
        if modes.switched:
            return _record_in_mode(row, (self,), out)
        slope = partial(primal, out)
        return _node(row, out, (self,), ((slope or None) if selects else slope,))

    return method


def _method(row: Primitive) -> Callable[..., Value]:
    """The method of a row of several operands, the first of them self."""

    def method(self: Value, *others: object, **named: object) -> Value:
        args = row.positional((self, *others), named) if named else (self, *others)
        return record(row, row.bind(*args))

    return method


def _infix(row: Primitive) -> Callable[[Value, Any], Any]:
    """The operator of `row`, self first; NotImplemented for neither a Value nor a number."""
    forward, (partial, _) = row.forward, row.partials
    assert partial is not None

    def method(self: Value, other: Any) -> Any:
        if isinstance(other, Value):
            return record(row, (self, other))
        if interpreter_of_type(type(other)).rank > _RANK:
            return NotImplemented  # an array or a tracer takes over
        try:
            constant = number(other)
        except TypeError:
            return NotImplemented
        primal = self._primal
        out = forward(primal, constant)
        if modes.switched:
            return _record_in_mode(row, (self, constant), out)
        return _node(row, out, (self,), (partial(primal, constant, out),), (None, constant))

    return method


def _reflected(row: Primitive) -> Callable[[Value, Any], Any]:
    """The operator of `row` with a number first."""
    forward, (_, partial) = row.forward, row.partials
    assert partial is not None

    def method(self: Value, other: Any) -> Any:
        try:
            constant = number(other)
        except TypeError:
            return NotImplemented
        primal = self._primal
        out = forward(constant, primal)
        if modes.switched:
            return _record_in_mode(row, (constant, self), out)
        return _node(row, out, (self,), (partial(constant, primal, out),), (constant, None))

    return method


def _comparison(row: Primitive) -> Callable[[Value, Any], Any]:
    """The comparison of data with a Value or a number."""
    compare = row.forward

    def method(self: Value, other: Any) -> Any:
        try:
            bound = other._primal if isinstance(other, Value) else number(other)
        except TypeError:
            return NotImplemented
        except OverflowError:  # an integer too large for a float still compares with one
            bound = other
        if modes.switched and (recorder := modes.recorder()):
            return recorder.compare(row, self, other)
        return compare(self._primal, bound)

    return method


def _equality(row: Primitive) -> Callable[[Value, object], Any]:
    """`==` or `!=`: of data with a number, of the object with a Value."""
    compare = _comparison(row)

    def equal(self: Value, other: object) -> Any:
        return self is other if isinstance(other, Value) else compare(self, other)

    def unequal(self: Value, other: object) -> Any:
        return self is not other if isinstance(other, Value) else compare(self, other)

    return equal if row.forward(0.0, 0.0) else unequal


# The three ops that scalar code is made of: `record` on two Values in the usual mode gives the
# same node.
_add, _sub, _mul = _infix(ops.add), _infix(ops.sub), _infix(ops.mul)


def _fast_add(self: Value, other: Any) -> Any:
    if type(other) is not Value or modes.switched:
        return _add(self, other)
    node = _new(Value)
    node._primal = self._primal + other._primal
    node._grad = None
    node._partials = _ONES
    node.op = _ADD
    node.operands = (self, other)
    return node


def _fast_sub(self: Value, other: Any) -> Any:
    if type(other) is not Value or modes.switched:
        return _sub(self, other)
    node = _new(Value)
    node._primal = self._primal - other._primal
    node._grad = None
    node._partials = _ONE_MINUS_ONE
    node.op = _SUB
    node.operands = (self, other)
    return node


def _fast_mul(self: Value, other: Any) -> Any:
    if type(other) is not Value or modes.switched:
        return _mul(self, other)
    node = _new(Value)
    x = self._primal
    y = other._primal
    node._primal = x * y
    node._grad = None
    node._partials = (y, x)
    node.op = _MUL
    node.operands = (self, other)
    return node


_IN_LINE = {ops.add: _fast_add, ops.sub: _fast_sub, ops.mul: _fast_mul}

install(
    Value,
    Operators,
    {
        Infix: lambda row: _IN_LINE.get(row) or _infix(row),
        Reflected: _reflected,
        Prefix: _unary,
        Function: _unary,
        Method: _method,
        Bounded: bounded,
        Comparison: _comparison,
        Equality: _equality,
    },
)
interpret(Value, _Values())
