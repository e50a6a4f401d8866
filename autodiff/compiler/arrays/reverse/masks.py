"""`Masks`: conditions on the elements of arrays, joined and brought into other shapes."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Shape
from autodiff.rows.primitive import Domain, Primitive, declare

NOT = declare(
    Primitive(
        "logical_not",
        lambda x: not x,
        (None,),
        "np.logical_not({0})",
        (Domain(),),
        "~",
        "logical_not",
        is_predicate=True,
        conditions=(0,),
    ),
    is_inner=True,
)

Literal = tuple[int, bool]
"""A boolean array of the program, and whether it is to hold."""
Literals = tuple[Literal, ...]
"""Literals that all hold."""


class Mask(NamedTuple):
    """The elements of an array for which something holds: all, unless a field says less.

    Each field has a shape that broadcasts to the array's, of the same rank.
    """

    static: int | None = None
    """A constant of the program."""
    literals: Literals = ()


class Masks:
    """Makes boolean arrays in a program."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder

    def values(self, i: int) -> npt.NDArray[np.bool_]:
        """The elements of a constant."""
        return self.builder.instrs[i].values.astype(bool)

    def literal(self, i: int, holds: bool = True) -> Literal:
        """The literal of an array, which may be the opposite of another."""
        instr = self.builder.instrs[i]
        return (instr.operands[0], not holds) if instr.op is NOT else (i, holds)

    def holding(self, i: int, holds: bool) -> int:
        """A literal as an array."""
        i, holds = self.literal(i, holds)
        return i if holds else self.builder.apply(NOT, [i])

    def joined(self, row: Primitive, terms: Sequence[int]) -> int:
        """The terms, joined by `row`, which is `logical_and` or `logical_or`."""
        total = terms[0]
        for term in terms[1:]:
            total = self.builder.apply(row, [total, term])
        return total

    def all_of(self, literals: Iterable[Literal]) -> int:
        """Where all literals hold."""
        return self.joined(ops.logical_and, [self.holding(*literal) for literal in literals])

    def any_of(self, clauses: Iterable[Literals]) -> Literals:
        """Where all literals of some clause hold.

        Clauses merge: an array that both branches of a choice read is read in any case.
        """
        left: list[frozenset[Literal]] = []
        waiting = list(dict.fromkeys(map(frozenset, clauses)))
        while waiting:
            clause = waiting.pop()
            for other in left:
                merged = _merged(clause, other)
                if merged is not None:
                    left.remove(other)
                    waiting.append(merged)
                    break
            else:
                left.append(clause)
        if len(left) == 1:
            return tuple(sorted(left[0]))
        return (
            (self.joined(ops.logical_or, [self.all_of(sorted(clause)) for clause in left]), True),
        )

    def count(self, i: int) -> int:
        """1.0 where a condition holds, else 0.0."""
        one = (1,) * len(self.builder.shape(i))
        numbers = [self.builder.constant(np.full(one, x)) for x in (1.0, 0.0)]
        return self.builder.apply(ops.where, [i, *numbers])

    def positive(self, i: int) -> int:
        """Where a count is not 0."""
        zero = self.builder.constant(np.zeros((1,) * len(self.builder.shape(i))))
        return self.builder.apply(ops.greater, [i, zero])

    def fitted(self, i: int, shape: Shape, is_batched: bool = True) -> int:
        """`i` in a shape that broadcasts to `shape`: lost axes are joined by or."""
        builder = self.builder
        found = builder.shape(i)
        extra = len(found) - len(shape)
        if extra < 0:
            return self.fitted(builder.reshape(i, (1,) * -extra + found), shape, is_batched)
        narrow = (*(1,) * extra, *shape)
        axes = tuple(k for k, size in enumerate(narrow) if size == 1 < found[k])
        kept = tuple(1 if size == 1 else n for size, n in zip(shape, found[extra:], strict=True))
        is_summed = builder.instrs[i].is_batched and not is_batched
        if builder.is_known(i):
            return builder.constant(self.values(i).any(axes).reshape(kept))
        if not axes and not is_summed:
            return builder.reshape(i, kept)
        total = builder.reshape(builder.sum(self.count(i), axes), kept)
        return self.positive(builder.sum_batch(total) if is_summed else total)


def _merged(x: frozenset[Literal], y: frozenset[Literal]) -> frozenset[Literal] | None:
    """A clause that holds where one of two does, if there is a simple one."""
    if x <= y or y <= x:
        return min(x, y, key=len)
    if len(x - y) == len(y - x) == 1:
        ((i, holds),), ((j, also),) = x - y, y - x
        if i == j and holds != also:
            return x & y
    return None
