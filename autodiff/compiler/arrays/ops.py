"""The table of array ops: one row per op that is not a row of the scalar table `autodiff.ops`.

An instruction applies an `ArrayOp`, or a scalar row to each element. Three passes hold a function
per row: `reverse.rules` (adjoints), `reverse.reach` and `numpy.lines`; a test proves that each
covers the table. `Builder` has a method that makes each op.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.layout import Access, Gather, Shape, View
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction

Values = npt.NDArray[np.float64 | np.bool_]
"""The elements of a constant."""

Fact = str | bool | Values | View | Gather | tuple[int, ...] | tuple[Access, ...] | Primitive | None
"""What an instruction needs besides its operands."""


class Array(Protocol):
    """An operand, as a row sees it."""

    @property
    def shape(self) -> Shape:
        """Without the batch axis."""

    @property
    def is_batched(self) -> bool:
        """Whether the batch axis comes first."""

    @property
    def size(self) -> int:
        """The number of elements per example."""


@dataclass(frozen=True, eq=False, repr=False)
class ArrayOp:
    """A row of the table."""

    name: str
    meaning: str
    fact: type | UnionType = NoneType
    """The type of the fact of an instruction."""
    shape: Callable[[Fact, Sequence[Array]], Shape] | None = None
    """The shape of the result; None where whoever makes the instruction says it."""
    needs: Callable[[Fact, Sequence[Array]], bool] = lambda fact, operands: True
    """What holds of the operands and the fact, besides shapes and kinds."""
    moves: bool = False
    """Whether it computes no number, but puts elements elsewhere (some of them added up)."""
    changes_batch: bool = False
    """Whether the result may be batched where no operand is, or the reverse."""
    reads_conditions: bool = False
    """Whether operands may be booleans; other ops read numbers."""
    keeps_unsigned: bool = True
    """Whether no element is negative or -0.0 if no element of an operand is."""

    stem: str = ""
    """What the text names its array after."""
    is_free: bool = False
    """Whether nothing runs for it: its array is given, known, or a view of another."""
    holds_parts: bool = False
    """Whether operands may be computed at their place in its array."""
    writes_over: bool = False
    """Whether its array may be that of its first operand, if nothing reads this any more."""
    takes_numbers: bool = False
    """Whether the text may write a constant operand as a number."""
    may_have_batch_last: bool = True
    """Whether its lines can be written for arrays of shape (n, batch) too."""

    @property
    def label(self) -> str:
        """What a drawing writes on the box."""
        return self.name

    def __repr__(self) -> str:
        return f"<array op {self.name}>"

    def __reduce__(self) -> tuple[Callable[[str], "ArrayOp"], tuple[str]]:
        return _declared, (self.name,)


TABLE: dict[str, ArrayOp] = {}
"""Every array op by name."""


def _op(row: ArrayOp) -> ArrayOp:
    return TABLE.setdefault(row.name, row)


def _declared(name: str) -> ArrayOp:
    return TABLE[name]


# Shapes


def _same(fact: Fact, operands: Sequence[Array]) -> Shape:
    return operands[0].shape


def _of_values(fact: Fact, operands: Sequence[Array]) -> Shape:
    assert isinstance(fact, np.ndarray)
    return fact.shape


def _of_access(fact: Fact, operands: Sequence[Array]) -> Shape:
    assert isinstance(fact, View | Gather)
    return fact.shape


def _product(fact: Fact, operands: Sequence[Array]) -> Shape:
    a, b = operands
    return (*a.shape[:-1], b.shape[-1])


def _product_over_batch(fact: Fact, operands: Sequence[Array]) -> Shape:
    a, b = operands
    *outer, columns = a.shape  # of a row, or of a stack of matrices
    return (*outer[:-1], columns, b.shape[-1])


def _without_axes(fact: Fact, operands: Sequence[Array]) -> Shape:
    assert isinstance(fact, tuple)
    return tuple(size for axis, size in enumerate(operands[0].shape) if axis not in fact)


def _joined(fact: Fact, operands: Sequence[Array]) -> Shape:
    return (sum(operand.size for operand in operands),)


# What besides shapes must hold


def _is_inside(fact: Fact, operands: Sequence[Array]) -> bool:
    assert isinstance(fact, View | Gather)
    return bool(0 <= fact.positions().max(initial=0) < max(1, operands[0].size))


def _is_product(fact: Fact, operands: Sequence[Array]) -> bool:
    """The inner sizes agree, and a batch of rows meets one matrix."""
    a, b = operands
    return a.shape[-1] == b.shape[-2] and not (len(a.shape) == 1 and b.is_batched)


def _are_batched(fact: Fact, operands: Sequence[Array]) -> bool:
    return all(operand.is_batched for operand in operands)


def _are_alike(fact: Fact, operands: Sequence[Array]) -> bool:
    first, *others = operands
    return all((x.shape, x.is_batched) == (first.shape, first.is_batched) for x in others)


def _has_axes(fact: Fact, operands: Sequence[Array]) -> bool:
    assert isinstance(fact, tuple)
    return set(range(len(operands[0].shape))).issuperset(fact)


def _has_places(fact: Fact, operands: Sequence[Array]) -> bool:
    """Each operand has the shape of its access."""
    assert isinstance(fact, tuple)
    return [getattr(access, "shape", None) for access in fact] == [x.shape for x in operands]


# fmt: off
# Given or known
LEAF = _op(ArrayOp("leaf", "an array that the caller gives; fact: its name", str,
    is_free=True, keeps_unsigned=False))
CONSTANT = _op(ArrayOp("constant", "an array known now; fact: its elements", np.ndarray,
    _of_values, is_free=True, keeps_unsigned=False))

# The same elements elsewhere
CAST = _op(ArrayOp("cast", "integers or booleans as floats",
    shape=_same, reads_conditions=True, keeps_unsigned=False, stem="float"))
VIEW = _op(ArrayOp("view", "elements of an array that is not a view; fact: the View", View,
    _of_access, _is_inside, moves=True, reads_conditions=True, is_free=True))
GATHER = _op(ArrayOp("gather", "elements of an array that is not a view; fact: the Gather", Gather,
    _of_access, _is_inside, moves=True, reads_conditions=True, stem="g"))
COPY = _op(ArrayOp("copy", "the elements of a view, one behind the other",
    shape=_same, moves=True, reads_conditions=True, stem="copy"))
BROADCAST = _op(ArrayOp("broadcast", "repeated along the batch",
    shape=_same, moves=True, changes_batch=True, reads_conditions=True, stem="each", takes_numbers=True))
CONCATENATE = _op(ArrayOp("concatenate", "flattened arrays one behind the other",
    shape=_joined, moves=True, stem="joined", holds_parts=True, takes_numbers=True))
SCATTER = _op(ArrayOp("scatter", "zeros, to which each operand is added at its places; fact: an access each", tuple,
    needs=_has_places, moves=True, stem="s", holds_parts=True, takes_numbers=True))

# Sums and products
MATMUL = _op(ArrayOp("matmul", "products over the last two axes; a batch of rows times one matrix",
    shape=_product, needs=_is_product, stem="z"))
MATMUL_BATCH = _op(ArrayOp("matmul_batch", "aᵀ @ b, summed over the batch",
    shape=_product_over_batch, needs=_are_batched, changes_batch=True, stem="m"))
SUM = _op(ArrayOp("sum", "the sum over axes; fact: which", tuple,
    _without_axes, _has_axes, stem="total", may_have_batch_last=False))
SUM_BATCH = _op(ArrayOp("sum_batch", "the sum over the batch",
    shape=_same, changes_batch=True, stem="total"))
CUMSUM = _op(ArrayOp("cumsum", "sums of all elements up to each along the last axis; fact: whether from its end", bool,
    _same, lambda fact, operands: bool(operands[0].shape), stem="sums"))
REDUCE = _op(ArrayOp("reduce", "a reduction of the last axis; fact: its row of the op table", Reduction,
    lambda fact, operands: operands[0].shape[:-1], keeps_unsigned=False, stem="r", may_have_batch_last=False))
TOP = _op(ArrayOp("top", "the largest along the last axis, within the finite numbers, as a constant",
    shape=lambda fact, operands: (*operands[0].shape[:-1], 1), stem="top", may_have_batch_last=False))

# Slopes that have lost digits
REFINE = _op(ArrayOp("refine", "the slopes of a row at the last operand, computed anew where they are small; fact: the row", Primitive,
    shape=_same, needs=_are_alike, stem="slope", writes_over=True))

# By indices known at run time, which are the last operand
ROWS = _op(ArrayOp("rows", "rows of a matrix",
    shape=lambda fact, operands: (*operands[1].shape, operands[0].shape[-1]), moves=True, stem="row", may_have_batch_last=False))
ADD_ROWS = _op(ArrayOp("add_rows", "zeros, to which each operand's row is added where `rows` has read it",
    moves=True, changes_batch=True, stem="added", may_have_batch_last=False))
TAKE = _op(ArrayOp("take", "an element for each lane; fact: where each may be", Gather,
    lambda fact, operands: operands[1].shape, moves=True, stem="taken", may_have_batch_last=False))
UNTAKE = _op(ArrayOp("untake", "zeros, to which each lane is added where `take` has read it; fact: as of `take`", Gather,
    moves=True, changes_batch=True, stem="given", may_have_batch_last=False))
# fmt: on
