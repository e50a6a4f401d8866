"""How an op on Values becomes a node: operands, then value, then partials, then the node."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autodiff.engine import anomaly, modes
from autodiff.engine.value import Value
from autodiff.rows.interpreter import interpret, interpreter_of
from autodiff.rows.primitive import Primitive

Argument = Value | float
Slope = float | None

RANK = 1
"""The rank of Values: above numbers, below arrays."""
_new = object.__new__


def record(row: Primitive, operands: tuple[Any, ...]) -> Value:
    """The node of `row` on operands that are Values and numbers."""
    if row.needs_numbers:
        check_conditions(row, [isinstance(x, Value) for x in operands])
    try:
        primals = [value._primal for value in operands]
    except AttributeError:
        return _record_with_constants(row, operands)
    out = row.value_at(primals)
    if modes.switched:
        return record_in_mode(row, operands, out)
    partials = row.partials_at(primals, out)
    if row.selects:
        partials = [partial or None for partial in partials]
    return node_of(row, out, operands, partials)


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
            if interpreter.rank > RANK:
                result: Value = interpreter.apply(row, operands)
                return result
            (constant,) = row.numbers((x,))
            primals.append(constant)
            constants.append(constant)
    out = row.value_at(primals)
    if modes.switched:
        pairs = zip(operands, constants, strict=True)
        return record_in_mode(row, [x if c is None else c for x, c in pairs], out)
    partials = row.partials_at(primals, out, constants)
    if row.selects:
        partials = [partial or None for partial in partials]
    return node_of(row, out, tuple(nodes), partials, tuple(constants))


def record_in_mode(row: Primitive, arguments: Sequence[Argument], out: float) -> Value:
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
    node = node_of(row, out, nodes, partials, None if is_whole else constants)
    if is_watching:
        anomaly.remember(node)
    return node


def node_of(
    row: Primitive,
    out: float,
    operands: tuple[Value, ...],
    partials: Sequence[Slope],
    constants: tuple[Slope, ...] | None = None,
) -> Value:
    """The node itself; None for a partial where no cotangent crosses."""
    node = _new(Value)
    node._primal = out
    node._grad = None
    node._partials = tuple(partials)
    node.op = row
    node.operands = operands
    if constants is not None:
        node._constants = constants
    return node


class ConditionError(TypeError):
    """A Value where a condition, or another number without derivative, is wanted."""


def check_conditions(row: Primitive, are_values: Sequence[bool]) -> None:
    """Raise ConditionError if an operand without derivative is a Value: its graph would be cut."""
    for i, (partial, is_value) in enumerate(zip(row.partials, are_values, strict=True)):
        if partial is None and is_value:
            is_condition = i in row.conditions
            what = "the condition" if is_condition else f"operand {i}, without derivative,"
            raise ConditionError(
                f"{row.name}: {what} is a Value; compare it, as in v > 0, or pass v.data"
            )


class _Values:
    """Values record; numbers among them are constants."""

    rank = RANK
    hands_over = True

    apply = staticmethod(record)

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Argument, operand: object) -> Argument:
        return cotangent

    def select(self, cotangent: Argument, partial: Argument) -> Argument:
        return cotangent * partial if partial else 0.0


interpret(Value, _Values())
