"""The meaning of an op on each kind of operand: numbers compute; other kinds register."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from autodiff.checks import number
from autodiff.rows.row import Row


class Interpreter(Protocol):
    """The meaning of ops on operands of one kind."""

    rank: int
    """Among the operands of a call, the highest rank interprets it."""
    hands_over: bool
    """True if it hands a call over when it meets an operand of a higher rank."""

    # `primitive` is a Primitive, whose module imports this one.
    def apply(self, primitive: Any, operands: tuple[Any, ...]) -> Any:
        """The result of `primitive` on `operands`, at least one of them of this kind."""

    def quiet(self) -> AbstractContextManager[object]:
        """A context in which inf and nan arise without a warning."""

    def fit(self, cotangent: Any, operand: Any) -> Any:
        """`cotangent` in the shape of `operand`."""

    def select(self, cotangent: Any, partial: Any) -> Any:
        """`cotangent` times `partial`, and 0 where `partial` is 0."""


class _Numbers:
    """Plain numbers: the forward function computes."""

    rank = 0
    hands_over = False

    def apply(self, primitive: Row, operands: tuple[object, ...]) -> float:
        return primitive.value_at(primitive.numbers(operands))

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: object, operand: object) -> float:
        return number(cotangent)

    def select(self, cotangent: float, partial: float) -> float:
        return cotangent * partial if partial else 0.0


NUMBERS: Interpreter = _Numbers()
"""The interpreter of every kind that no other interpreter claims."""

_interpreters: dict[type, Interpreter] = {object: NUMBERS}


def interpret(kind: type, interpreter: Interpreter) -> None:
    """From now on, apply ops to operands of type `kind` (or a subclass) with `interpreter`."""
    _interpreters[kind] = interpreter


def interpreter_of_type(kind: type) -> Interpreter:
    """The interpreter registered for `kind` or its nearest base; that of numbers without one."""
    found = _interpreters.get(kind)
    return found or next(_interpreters[base] for base in kind.__mro__ if base in _interpreters)


def interpreter_of(operands: Iterable[object]) -> Interpreter:
    """The interpreter of the highest rank among those of the operands."""
    found = NUMBERS
    for kind in set(map(type, operands)):
        candidate = interpreter_of_type(kind)
        if candidate.rank > found.rank:
            found = candidate
    return found
