"""Arrays of the program as operands of ops: the partials of a row, given these, emit arrays."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any

from autodiff import ops
from autodiff.checks import number
from autodiff.compiler.arrays.builder import Builder
from autodiff.rows.interpreter import interpret
from autodiff.rows.primitive import Primitive


class Lanes:
    """An array of the program."""

    __slots__ = ("builder", "index")

    def __init__(self, builder: Builder, index: int) -> None:
        self.builder = builder
        self.index = index


Slope = Lanes | float
"""A partial: an array, or a number if it is the same everywhere."""


class _Arrays:
    rank = 4
    hands_over = False

    def apply(self, primitive: Primitive, operands: tuple[Any, ...]) -> Any:
        builder = next(x.builder for x in operands if isinstance(x, Lanes))
        if primitive is ops.where and not isinstance(operands[0], Lanes):
            return operands[1] if operands[0] else operands[2]
        if primitive is ops.sum and len(operands) > 1:
            return reduce(ops.add, operands)
        if primitive is ops.sum:  # of all operands of a reduction, which lie along the last axis
            *outer, _ = builder.shape(operands[0].index)
            total = builder.sum(operands[0].index, (len(outer),))
            return Lanes(builder, builder.reshape(total, (*outer, 1)))
        numbers = [
            x.index if isinstance(x, Lanes) else builder.constant([number(x)]) for x in operands
        ]
        return Lanes(builder, builder.apply(primitive, numbers))

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: Any, operand: Any) -> Any:
        return cotangent

    def select(self, cotangent: Any, partial: Any) -> Any:
        raise NotImplementedError


def _method(row: Primitive, *, reflected: bool = False) -> Callable[[Any, Any], Any]:
    if reflected:
        return lambda self, other: row.apply((other, self))
    return lambda self, other: row.apply((self, other))


for _name, _row in {
    "add": ops.add, "sub": ops.sub, "mul": ops.mul, "truediv": ops.div, "pow": ops.pow,
    "and": ops.logical_and, "or": ops.logical_or, "xor": ops.logical_xor,
}.items():  # fmt: skip
    setattr(Lanes, f"__{_name}__", _method(_row))
    setattr(Lanes, f"__r{_name}__", _method(_row, reflected=True))
for _name, _row in {
    "lt": ops.less, "le": ops.less_equal, "gt": ops.greater, "ge": ops.greater_equal,
    "eq": ops.equal, "ne": ops.not_equal,
}.items():  # fmt: skip
    setattr(Lanes, f"__{_name}__", _method(_row))
setattr(Lanes, "__neg__", lambda self: ops.neg.apply((self,)))  # noqa: B010
setattr(Lanes, "__abs__", lambda self: ops.abs.apply((self,)))  # noqa: B010
setattr(Lanes, "__pos__", lambda self: self)  # noqa: B010
interpret(Lanes, _Arrays())
