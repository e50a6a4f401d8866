"""The operators and methods of `Value`, which importing this module installs.

They take the path of `recording.record` with their row unpacked, and + - * with everything in
line: a test holds each to the rows.
"""

from collections.abc import Callable

from autodiff import ops
from autodiff.checks import number
from autodiff.engine import modes
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
from autodiff.engine.recording import RANK, node_of, record, record_in_mode
from autodiff.engine.value import Value
from autodiff.rows.interpreter import interpreter_of_type
from autodiff.rows.primitive import Primitive

_ADD, _SUB, _MUL = ops.add, ops.sub, ops.mul
_ONES = (1.0, 1.0)
_ONE_MINUS_ONE = (1.0, -1.0)
_new = object.__new__

Operator = Callable[[Value, object], object]
"""A method of a Value and any operand; NotImplemented lets the other operand answer."""


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
            return record_in_mode(row, (self,), out)
        slope = partial(primal, out)
        return node_of(row, out, (self,), ((slope or None) if selects else slope,))

    return method


def _method(row: Primitive) -> Callable[..., Value]:
    """The method of a row of several operands, the first of them self."""

    def method(self: Value, *others: object, **named: object) -> Value:
        args = row.positional((self, *others), named) if named else (self, *others)
        return record(row, row.bind(*args))

    return method


def _infix(row: Primitive) -> Operator:
    """The operator of `row`, self first; NotImplemented for neither a Value nor a number."""
    forward, (partial, _) = row.forward, row.partials
    assert partial is not None

    def method(self: Value, other: object) -> object:
        if isinstance(other, Value):
            return record(row, (self, other))
        if interpreter_of_type(type(other)).rank > RANK:
            return NotImplemented  # an array or a tracer takes over
        try:
            constant = number(other)
        except TypeError:
            return NotImplemented
        primal = self._primal
        out = forward(primal, constant)
        if modes.switched:
            return record_in_mode(row, (self, constant), out)
        return node_of(row, out, (self,), (partial(primal, constant, out),), (None, constant))

    return method


def _reflected(row: Primitive) -> Operator:
    """The operator of `row` with a number first."""
    forward, (_, partial) = row.forward, row.partials
    assert partial is not None

    def method(self: Value, other: object) -> object:
        try:
            constant = number(other)
        except TypeError:
            return NotImplemented
        primal = self._primal
        out = forward(constant, primal)
        if modes.switched:
            return record_in_mode(row, (constant, self), out)
        return node_of(row, out, (self,), (partial(constant, primal, out),), (constant, None))

    return method


def _comparison(row: Primitive) -> Operator:
    """The comparison of data with a Value or a number."""
    compare = row.forward

    def method(self: Value, other: object) -> object:
        try:
            bound: object = other._primal if isinstance(other, Value) else number(other)
        except TypeError:
            return NotImplemented
        except OverflowError:  # an integer too large for a float still compares with one
            bound = other
        if modes.switched and (recorder := modes.recorder()):
            return recorder.compare(row, self, other)
        return compare(self._primal, bound)

    return method


def _equality(row: Primitive) -> Operator:
    """`==` or `!=`: of data with a number, of the object with a Value."""
    compare = _comparison(row)

    def equal(self: Value, other: object) -> object:
        return self is other if isinstance(other, Value) else compare(self, other)

    def unequal(self: Value, other: object) -> object:
        return self is not other if isinstance(other, Value) else compare(self, other)

    return equal if row.forward(0.0, 0.0) else unequal


# The three ops that scalar code is made of: `record` on two Values in the usual mode gives the
# same node.
_add, _sub, _mul = _infix(ops.add), _infix(ops.sub), _infix(ops.mul)


def _fast_add(self: Value, other: object) -> object:
    if type(other) is not Value or modes.switched:
        return _add(self, other)
    node = _new(Value)
    node._primal = self._primal + other._primal
    node._grad = None
    node._partials = _ONES
    node.op = _ADD
    node.operands = (self, other)
    return node


def _fast_sub(self: Value, other: object) -> object:
    if type(other) is not Value or modes.switched:
        return _sub(self, other)
    node = _new(Value)
    node._primal = self._primal - other._primal
    node._grad = None
    node._partials = _ONE_MINUS_ONE
    node.op = _SUB
    node.operands = (self, other)
    return node


def _fast_mul(self: Value, other: object) -> object:
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


_IN_LINE: dict[Primitive, Operator] = {ops.add: _fast_add, ops.sub: _fast_sub, ops.mul: _fast_mul}

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
