"""`Builder`: makes the instructions of an array program, equal ones once, in simplest form."""

from collections.abc import Iterable, Sequence

import numpy as np

from autodiff import ops
from autodiff.compiler.algebra import ARRAYS, simplified
from autodiff.compiler.arrays.layout import Gather, Shape
from autodiff.compiler.arrays.moves import Moves
from autodiff.compiler.arrays.ops import (
    ADD_ROWS,
    CUMSUM,
    MATMUL,
    MATMUL_BATCH,
    REDUCE,
    REFINE,
    ROWS,
    SUM,
    SUM_BATCH,
    TAKE,
    TOP,
    UNTAKE,
)
from autodiff.compiler.arrays.program import Instr, casts_booleans
from autodiff.compiler.arrays.signs import is_moderate, is_unsigned
from autodiff.rows.arrays import spelling
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


class Builder(Moves):
    """Instructions that compute."""

    def __init__(self, instrs: Iterable[Instr] = ()) -> None:
        super().__init__(instrs)
        self._unsigned: list[bool] = []

    # Element by element

    def apply(self, row: Primitive, operands: Sequence[int]) -> int:
        """A scalar op on each element, its operands broadcast."""
        operands = self._as_read(row, operands)
        if all(map(self.is_known, operands)):
            return self._computed(row, operands)
        simple = simplified(ARRAYS, self, row, operands)
        if simple is not None:
            return simple
        is_batched = any(self.instrs[i].is_batched for i in operands)
        kind = "b" if row.is_predicate else "f"
        shape = self.common_shape(operands)
        return self.enter(Instr(row, tuple(operands), shape, is_batched, None, kind))

    def refine(self, slope: int, row: Primitive, x: int) -> int:
        """The slopes of `row` at `x`; small ones, which have lost digits, are computed anew."""
        if self.is_known(slope):
            return slope
        made = self.instrs[slope]
        return self.enter(Instr(REFINE, (slope, x), made.shape, made.is_batched, row))

    def _as_read(self, row: Primitive, operands: Sequence[int]) -> Sequence[int]:
        """The operands as a row reads them: conditions as booleans, others as numbers."""
        if casts_booleans(row, [self.instrs[i].kind for i in operands]):
            return operands
        return [
            self.condition(i) if k in row.conditions else self.number(i)
            for k, i in enumerate(operands)
        ]

    def _computed(self, row: Primitive, operands: Sequence[int]) -> int:
        """The result on constants."""
        arrays = [np.asarray(self.instrs[i].values) for i in operands]
        if isinstance(row, Reduction):
            arrays = np.split(np.stack(np.broadcast_arrays(*arrays)), max(1, row.sequences))
        with np.errstate(all="ignore"):
            return self.constant(spelling(row)(*arrays))

    def condition(self, i: int) -> int:
        """The array as booleans: where a number is not 0."""
        is_condition = self.instrs[i].kind == "b"
        return i if is_condition else self.apply(ops.not_equal, [i, self.constant([0.0])])

    # What the identities of `algebra` ask

    def common_shape(self, operands: Sequence[int]) -> Shape:
        """The shape of an elementwise op on operands."""
        return np.broadcast_shapes(*[self.shape(i) for i in operands])

    def operands_of(self, i: int, row: Primitive) -> tuple[int, ...] | None:
        """The operands of `i` if it is a `row`."""
        instr = self.instrs[i]
        return instr.operands if instr.op is row else None

    def spans(self, i: int, operands: Sequence[int]) -> bool:
        """Whether `i` has the shape of an elementwise op on operands."""
        return self.shape(i) == self.common_shape(operands)

    def spread(self, i: int, operands: Sequence[int]) -> int:
        """`i` in the shape, and with the batch, of an elementwise op on operands."""
        is_batched = any(self.instrs[x].is_batched for x in operands)
        return self.broadcast(i, self.common_shape(operands), is_batched)

    def is_moderate(self, i: int) -> bool:
        """Whether `i` is a constant with which products may be reordered."""
        return is_moderate(self.instrs[i])

    def is_unsigned(self, i: int) -> bool:
        """Whether no element of `i` is negative or -0.0, as far as the rows tell."""
        return is_unsigned(self.instrs, i, self._unsigned)

    # Sums and products

    def reduce(self, row: Reduction, i: int) -> int:
        """A reduction of the last axis."""
        return self.add(REDUCE, [i], row)

    def logsumexp(self, i: int) -> int:
        """The reduction of that name, its exponentials and their sum arrays of their own.

        So the backward pass, which is a softmax, has them.
        """
        top = self.add(TOP, [i])
        powers = self.apply(ops.exp, [self.apply(ops.sub, [i, top])])
        total = self.sum(powers, (len(self.shape(i)) - 1,))
        logarithm = self.apply(ops.log, [total])
        return self.apply(ops.add, [logarithm, self.reshape(top, self.shape(total))])

    def matmul(self, a: int, b: int) -> int:
        """a @ b over the last two axes; stacked matrices have more."""
        return self.add(MATMUL, [a, b])

    def matmul_batch(self, a: int, b: int) -> int:
        """aᵀ @ b, summed over the batch: what the batch gives to unbatched matrices."""
        return self.add(MATMUL_BATCH, [a, b], is_batched=False)

    def sum(self, i: int, axes: tuple[int, ...]) -> int:
        """The sum over axes, counted from the first behind the batch's."""
        if not axes:
            return i
        if inner := self.operands_of(i, ops.neg):  # Σ -x → -Σ x
            return self.apply(ops.neg, [self.sum(inner[0], axes)])
        shape = self.shape(i)
        if all(shape[axis] == 1 for axis in axes):
            return self.reshape(i, tuple(n for axis, n in enumerate(shape) if axis not in axes))
        return self.add(SUM, [i], axes)

    def cumsum(self, i: int, *, is_reversed: bool = False) -> int:
        """The sums of all elements up to each along the last axis, or from each on."""
        return self.add(CUMSUM, [i], is_reversed)

    def sum_batch(self, i: int) -> int:
        """The sum over the batch."""
        if inner := self.operands_of(i, ops.neg):
            return self.apply(ops.neg, [self.sum_batch(inner[0])])
        return self.add(SUM_BATCH, [i], is_batched=False)

    # By indices known at run time

    def rows(self, matrix: int, index: int) -> int:
        """The rows of an unbatched matrix at `index`."""
        return self.add(ROWS, [matrix, index])

    def add_rows(self, ct: int, index: int, shape: Shape) -> int:
        """A matrix of zeros to which each row is added where `rows` has read it."""
        return self.add(ADD_ROWS, [ct, index], shape=shape, is_batched=False)

    def take(self, source: int, table: Gather, index: int) -> int:
        """The element at `table.places[lane, index[lane]]`, for each lane."""
        return self.add(TAKE, [source, index], table)

    def untake(self, ct: int, table: Gather, index: int, shape: Shape, is_batched: bool) -> int:
        """An array of zeros to which each lane is added where `take` has read it."""
        return self.add(UNTAKE, [ct, index], table, shape=shape, is_batched=is_batched)
