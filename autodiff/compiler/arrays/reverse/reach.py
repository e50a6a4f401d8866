"""The elements that eager execution sends a cotangent to: none crosses to an unchosen operand.

They depend on the program alone: a cotangent of 0 is sent like any other. They matter where a
partial may be infinite, since 0 times infinity is nan. A sweep back finds them, in which each
instruction says which elements of its operands it reaches. The answer may include too many.
"""

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Shape
from autodiff.compiler.arrays.ops import (
    ADD_ROWS,
    BROADCAST,
    CAST,
    CONCATENATE,
    CONSTANT,
    COPY,
    CUMSUM,
    GATHER,
    LEAF,
    MATMUL,
    MATMUL_BATCH,
    REDUCE,
    REFINE,
    ROWS,
    SCATTER,
    SUM,
    SUM_BATCH,
    TAKE,
    TOP,
    UNTAKE,
    VIEW,
    ArrayOp,
)
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.arrays.reverse.choices import choice, elementwise, is_singular, reduced_slope
from autodiff.compiler.arrays.reverse.masks import NOT, Literals, Mask
from autodiff.compiler.arrays.reverse.readers import Change, Reached
from autodiff.rows.primitive import Domain, Primitive

Rule = Callable[[Reached, int, Instr, Mask], None]
"""Given the elements that an instruction is reached at, gives its operands theirs."""


def unreached(
    builder: Builder, results: Sequence[int], dependent: Collection[int]
) -> dict[int, int]:
    """For rows with a partial that may be infinite, the elements that receive no cotangent.

    `dependent` are the instructions that depend on what is differentiated by. A row is left out
    if all its elements are reached, or if the others read nothing that these do not read.
    """
    asked: set[int] = set()  # rows whose partial may be infinite, and what depends on them
    for i in sorted(dependent):
        instr = builder.instrs[i]
        if is_singular(builder, instr) or not asked.isdisjoint(instr.operands):
            asked.add(i)
    reached = Reached(builder, asked)
    for result in results:
        reached.give(result, Mask())
    found = {}
    for i in range(max(results, default=-1), -1, -1):
        if i not in reached:
            continue
        instr = builder.instrs[i]
        mask = reached.total(i)
        if is_singular(builder, instr):
            missed = _missed(reached, instr, mask)
            if missed is not None:
                found[i] = missed
        if isinstance(instr.op, Primitive):
            elementwise(reached, i, instr.op, mask)
        else:
            RULES[instr.op](reached, i, instr, mask)
    return found


def _missed(reached: Reached, instr: Instr, mask: Mask) -> int | None:
    """The elements of a row outside a mask; None if it may as well be computed for all."""
    masks = reached.masks
    terms = [masks.holding(i, not holds) for i, holds in mask.literals]
    if mask.static is not None and _reads_more(reached, instr, mask.static):
        terms.append(reached.builder.apply(NOT, [mask.static]))
    return masks.joined(ops.logical_or, terms) if terms else None


def _reads_more(reached: Reached, instr: Instr, static: int) -> bool:
    """Whether elements not reached read something else that may be an edge of a domain."""
    assert isinstance(instr.op, Primitive)
    is_reached = np.broadcast_to(reached.masks.values(static), instr.shape)
    for operand, domain in zip(instr.operands, instr.op.domain, strict=False):
        if domain != Domain():
            places = np.broadcast_to(reached.builder.place(operand)[1], instr.shape)
            if np.setdiff1d(places[~is_reached], places[is_reached]).size:
                return True
    return False


# Array ops


def _nothing(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    """It has no operands."""


def _same(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    reached.give(instr.operands[0], mask)


def _view(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    reached.give(instr.operands[0], mask, access=instr.view.narrowed())


def _gather(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    reached.give(instr.operands[0], mask, access=instr.gather)


def _anything(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    """All of the operands or nothing: the elements that an index chooses are not asked for."""
    ones = (1,) * len(instr.shape)
    for operand in instr.operands:
        reached.give(operand, mask, lambda x: reached.masks.fitted(x, ones))


def _sum(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    reached.give(instr.operands[0], mask, lambda x: _opened(reached, x, instr.axes))


def _cumsum(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    """All along the axis or nothing."""
    ones = (*instr.shape[:-1], 1)
    reached.give(instr.operands[0], mask, lambda x: reached.masks.fitted(x, ones))


def _reduce(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    row, axis = instr.reduction, len(instr.shape)

    def chosen() -> Literals:
        return choice(reached.masks, reduced_slope(reached.builder, i))

    chooses = row.guards and row.by_element
    open_last = partial(_opened, reached, axes=[axis])
    reached.give(instr.operands[0], mask, open_last, choice=chosen if chooses else None)


def _opened(reached: Reached, i: int, axes: Sequence[int]) -> int:
    """With axes of one element put in."""
    sizes = list(reached.builder.shape(i))
    for axis in sorted(axes):
        sizes.insert(axis, 1)
    return reached.builder.reshape(i, tuple(sizes))


def _matmul(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    shape, fitted = instr.shape, reached.masks.fitted
    row = (*shape[:-2], 1, shape[-1])
    reached.give(instr.operands[0], mask, lambda x: fitted(x, (*shape[:-1], 1)))
    reached.give(instr.operands[1], mask, lambda x: fitted(x, row))


def _matmul_batch(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    builder, fitted = reached.builder, reached.masks.fitted
    left, right = instr.operands
    *outer, rows, columns = instr.shape
    is_row = len(builder.shape(left)) == 1

    def to_left(x: int) -> int:
        found = fitted(x, (*outer, rows, 1))
        *stack, size, _ = builder.shape(found)
        return builder.reshape(found, (size,) if is_row else (*stack, 1, size))

    def to_right(x: int) -> int:
        found = fitted(x, (*outer, 1, columns))
        *stack, _, size = builder.shape(found)
        return builder.reshape(found, (size,) if is_row else (*stack, 1, size))

    reached.give(left, mask, to_left)
    reached.give(right, mask, to_right)


def _concatenate(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    start = 0
    for operand in instr.operands:
        part = np.arange(start, start + reached.builder.instrs[operand].size)
        start += len(part)
        reached.give(operand, mask, _picking(reached, operand, instr.shape, part))


def _scatter(reached: Reached, i: int, instr: Instr, mask: Mask) -> None:
    for operand, access in zip(instr.operands, instr.accesses, strict=True):
        picked = _picking(reached, operand, instr.shape, access.positions())
        reached.give(operand, mask, picked)


def _picking(reached: Reached, operand: int, shape: Shape, places: npt.NDArray[np.intp]) -> Change:
    """The change from a mask of `shape` to that of an operand whose elements went to `places`."""
    builder = reached.builder

    def picked(x: int) -> int:
        if builder.instrs[x].size == 1:
            return x
        found = builder.fetch(builder.broadcast(x, shape), places)
        return builder.reshape(found, builder.shape(operand))

    return picked


RULES: dict[ArrayOp, Rule] = {
    LEAF: _nothing,
    CONSTANT: _nothing,
    CAST: _same,
    VIEW: _view,
    GATHER: _gather,
    COPY: _same,
    BROADCAST: _same,
    CONCATENATE: _concatenate,
    SCATTER: _scatter,
    MATMUL: _matmul,
    MATMUL_BATCH: _matmul_batch,
    SUM: _sum,
    SUM_BATCH: _same,
    CUMSUM: _cumsum,
    REDUCE: _reduce,
    TOP: _anything,
    REFINE: _same,
    ROWS: _anything,
    ADD_ROWS: _anything,
    TAKE: _anything,
    UNTAKE: _anything,
}
