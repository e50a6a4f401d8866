"""Where a program tells 0.0 from -0.0, and what may be -0.0: there sums keep the sign of a zero.

A sum of numbers is -0.0 if each of them is, and 0.0 if it was begun at 0. Elsewhere the two
zeros are one number, and a sum may be begun and ordered as it is fastest.
"""

from collections.abc import Sequence
from math import copysign
from typing import Any

from autodiff import ops
from autodiff.compiler.scalars.program import CONSTANTS, TAKE, Leaf, Scalars
from autodiff.rows.primitive import Primitive

Term = tuple[int, int, int]
"""Sign, factor, other factor (-1 if the term is a single scalar)."""


class Zeros:
    """The scalars among `live` (operands first) for which the sign of a zero is seen."""

    def __init__(self, scalars: Scalars, live: Sequence[int]) -> None:
        self._scalars = scalars
        self._unsigned: set[int] = set()
        self._minus: set[int] = set()
        self._told: set[int] = set()
        if any(row.signed for row in set(scalars.ops) if isinstance(row, Primitive)):
            self._mark_signs(live)
            self._mark_told(live)

    def is_told(self, i: int) -> bool:
        """Whether some op gives another number, or slope, if a zero of `i` has another sign."""
        return i in self._told

    @property
    def told(self) -> frozenset[int]:
        """The scalars of which this holds."""
        return frozenset(self._told)

    def may_be_minus(self, i: int) -> bool:
        """Whether `i` may be -0.0."""
        return i in self._minus

    def may_all_be_minus(self, terms: Sequence[Term]) -> bool:
        """Whether a sum of these terms, in whatever order, may be -0.0."""
        return all(
            sign < 0 or (x in self._minus if y < 0 else not self._is_unsigned(ops.mul, (x, y)))
            for sign, x, y in terms
        )

    def _mark_told(self, live: Sequence[int]) -> None:
        for i in reversed(live):
            op, operands = self._scalars.ops[i], self._scalars.operands[i]
            if isinstance(op, Primitive):
                self._told.update([operands[k] for k in op.signed])
            if i in self._told and i not in self._unsigned and not isinstance(op, Leaf):
                self._told.update(operands)

    def _mark_signs(self, live: Sequence[int]) -> None:
        for i in live:
            op, operands = self._scalars.ops[i], self._scalars.operands[i]
            if self._is_unsigned(op, operands):
                self._unsigned.add(i)
            elif self._is_minus(op, operands):
                self._minus.add(i)

    def _is_unsigned(self, op: Any, operands: Sequence[int]) -> bool:
        """Whether the result of `op` is neither negative nor -0.0."""
        if op is CONSTANTS:
            return copysign(1.0, self._scalars.constants[operands[0]]) > 0
        if isinstance(op, Leaf):
            return False
        if op is TAKE:
            return self._unsigned.issuperset(operands[:-1])
        are_unsigned = self._unsigned.issuperset(operands)
        return bool(op.gives_unsigned(operands, are_unsigned))

    def _is_minus(self, op: Any, operands: Sequence[int]) -> bool:
        """Whether the result of `op`, which may be signed, may be -0.0."""
        if op is CONSTANTS:
            return self._scalars.constants[operands[0]] == 0
        if op is ops.add:
            return self._minus.issuperset(operands)
        if op is ops.sub:
            return operands[0] in self._minus
        return op is not ops.sum  # which begins at 0
