"""`Instructions`: what the identities of `algebra` ask of a program of scalars or of arrays."""

from collections.abc import Sequence
from typing import Protocol

from autodiff.rows.primitive import Primitive


class Instructions(Protocol):
    """A program so far: what a rule asks about instructions, by number, and how it makes one."""

    def only(self, i: int) -> float | None:
        """The number that a constant is everywhere; None for anything else."""

    def operands_of(self, i: int, row: Primitive) -> tuple[int, ...] | None:
        """The operands of `i` if it is a `row`."""

    def apply(self, row: Primitive, operands: Sequence[int]) -> int:
        """An op on operands, in simplest form."""

    def beside(self, i: int, x: float) -> int:
        """The constant `x`, to be an operand beside `i`."""

    def spans(self, i: int, operands: Sequence[int]) -> bool:
        """Whether `i` has the shape of an op on `operands`, one of which it is."""

    def spread(self, i: int, operands: Sequence[int]) -> int:
        """`i` in the shape of an op on `operands`."""


class ArrayInstructions(Instructions, Protocol):
    """What the rules for arrays ask in addition."""

    def is_known(self, i: int) -> bool:
        """Whether `i` is a constant."""

    def is_moderate(self, i: int) -> bool:
        """Whether `i` is a constant with which products may be reordered."""

    def is_unsigned(self, i: int) -> bool:
        """Whether no element of `i` is negative or -0.0."""
