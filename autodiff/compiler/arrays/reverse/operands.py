"""Arrays as operands of scalar ops: given these, the partials of a row make instructions."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any

from autodiff import ops
from autodiff.checks import number
from autodiff.compiler.arrays.builder import Builder
from autodiff.engine.operators import (
    Comparison,
    Connective,
    Connectives,
    Equality,
    Infix,
    Operators,
    Prefix,
    Reflected,
    install,
)
from autodiff.rows.interpreter import interpret
from autodiff.rows.primitive import Primitive


class ArrayOperand:
    """An array of the program that `builder` makes: instruction `index`."""

    __slots__ = ("builder", "index")

    def __init__(self, builder: Builder, index: int) -> None:
        self.builder = builder
        self.index = index

    def __pos__(self) -> "ArrayOperand":
        return self


Slope = ArrayOperand | float
"""A partial on arrays: an array, or a number if it is the same everywhere."""


class _Arrays:
    rank = 4
    hands_over = False

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        builder = next(x.builder for x in operands if isinstance(x, ArrayOperand))
        if primitive.chooses and not isinstance(operands[0], ArrayOperand):
            return operands[1] if operands[0] else operands[2]
        is_sum = primitive.adds and primitive.arity is None
        if is_sum and len(operands) > 1:
            return reduce(ops.add, operands)
        if is_sum:  # the operands of a reduction lie along the last axis
            *outer, _ = builder.shape(operands[0].index)
            total = builder.sum(operands[0].index, (len(outer),))
            return ArrayOperand(builder, builder.reshape(total, (*outer, 1)))
        numbers = [
            x.index if isinstance(x, ArrayOperand) else builder.constant([number(x)])
            for x in operands
        ]
        return ArrayOperand(builder, builder.apply(primitive, numbers))

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Any, operand: Any) -> Any:
        return cotangent

    def select(self, cotangent: Any, partial: Any) -> Any:
        raise NotImplementedError


def _first(row: Primitive) -> Callable[[object, object], object]:
    """The operator with the array first."""
    return lambda self, other: row.apply((self, other))


def _second(row: Primitive) -> Callable[[object, object], object]:
    """The operator with the array second."""
    return lambda self, other: row.apply((other, self))


def _alone(row: Primitive) -> Callable[[object], object]:
    return lambda self: row.apply((self,))


for _entries in (Operators, Connectives):
    install(
        ArrayOperand,
        _entries,
        {Infix: _first, Reflected: _second, Prefix: _alone, Comparison: _first,
         Equality: _first, Connective: _first},
    )  # fmt: skip
interpret(ArrayOperand, _Arrays())
