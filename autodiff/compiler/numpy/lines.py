"""Array program → lines: the function of each op that adds its lines to a writer."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

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
from autodiff.compiler.numpy import indices, products, sums
from autodiff.compiler.numpy.records import NOTHING, Expr, Line, all_of, call, written
from autodiff.compiler.numpy.writer import Writer
from autodiff.rows.arrays import SPECIAL
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


def lines_of(writer: Writer, backward: int = -1) -> list[Line]:
    """The lines of a program, with a comment before instruction `backward`."""
    for i, instr in enumerate(writer.program.instrs):
        if i == backward:
            writer.lines.append(Line(NOTHING, comment="backward"))
        write = elementwise if isinstance(instr.op, Primitive) else LINES[instr.op]
        write(writer, i, instr, writer.operands(instr))
    return writer.lines


# Arrays that are there


def _leaf(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    given, of = instr.leaf, writer.names.of
    leaf = Expr((given,), (given,))
    has_batch_last = writer.memory.has_batch_last(instr)
    if given == "seed":
        full = written("np.full({}, scale, dtype)", writer.shape(instr))
        of[i] = writer.assign(given, full)
    elif writer.memory.is_copied(i):
        stem = "theta" if given == "parameters" else f"{given}_"
        of[i] = writer.assign(writer.names.plain(stem), writer.empty(instr))
        copied = written("{}.T", leaf) if has_batch_last else leaf
        writer.write(i, copied, into=all_of(of[i]))
    elif has_batch_last:
        of[i] = writer.bind(written("{}.T", leaf), f"{given}_T")
        writer.transposed[str(of[i])] = leaf
    else:
        of[i] = leaf


def _constant(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    writer.constant(i)


def _view(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    if i in writer.names.of:  # its source is computed in its order
        return
    (source,) = operands
    made = writer.program.instrs[instr.operands[0]]
    view = instr.view
    straight = view.transposed() if view.is_turned else view
    is_parameters = made.leaf == "parameters"
    names = writer.names
    stem = names.parameters(straight) if is_parameters else names.cotangent(i)
    stem = stem or f"{str(source).rstrip('_')}_v"
    array = writer.bind(writer.view(source, made, straight), stem)
    if view.is_turned:
        is_matrix = len(view.shape) == 2 and not made.is_batched
        turned = written("{}.T" if is_matrix else "{}.swapaxes(-1, -2)", array)
        matrix, array = array, writer.bind(turned, f"{array}_T")
        writer.transposed[str(array)] = matrix
    names.of[i] = array


# Rows of the scalar table


class Form(NamedTuple):
    """How a row is written in NumPy."""

    words: tuple[str, ...]
    is_plain_call: bool
    """Whether this is one call of the operands, in which a sign needs no brackets."""
    takes_out: bool
    """Whether this is one call of a function that can be given the array of its result."""


@lru_cache(maxsize=256)
def form(template: str) -> Form:
    """The form of a row's NumPy text, which has {0}, {1}, … for the operands."""
    function, _, inside = template.removesuffix(")").partition("(")
    operands = inside.split(", ")
    are_bare = all(x[:1] + x[-1:] == "{}" and x[1:-1].isdigit() for x in operands)
    ufunc = getattr(np, function.removeprefix("np."), None)
    count = ufunc.nin if isinstance(ufunc, np.ufunc) else int(function in SPECIAL)
    takes_out = set("()=").isdisjoint(inside) and inside.count(",") < count
    return Form(tuple(template.split(" ")), are_bare and "{" not in function, takes_out)


def elementwise(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """A row on whole arrays, which writes its result by `out` if it is a ufunc."""
    row = instr.op
    assert isinstance(row, Primitive)
    if writer.memory.zeroes(i):
        _zeros(writer, i, instr, operands[2])
        return
    if i in writer.live.fused:
        return
    given = [writer.beside(i, operand) for operand in instr.operands]
    if isinstance(row, Reduction):
        writer.finish(i, call(f"np.{row.ufunc}", *given, out=writer.out(i)))
        return
    if row.signs == (-1,) and not any(map(writer.memory.is_one_piece, (i, *instr.operands))):
        # If the rows of a column are 64 bytes apart (16 in float32), NumPy 2.4 negates the first
        # alone when it writes into a column.
        writer.finish(i, call("np.multiply", given[0], "-1.0", out=writer.out(i)))
        return
    found = form(row.array)
    if not found.is_plain_call:
        numbers = map(writer.live.numbers.get, instr.operands)
        given = [_in_brackets(x, number) for x, number in zip(given, numbers, strict=True)]
    words = [word.format(*given) for word in found.words]
    own = writer.out(i)
    reads = tuple(read for x in given for read in x.reads)
    if found.takes_out:
        text = " ".join(words).removesuffix(")")
        writer.finish(i, Expr((f"{text},", f"out={own})"), (*reads, *own.reads)))
    else:
        writer.finish(i, Expr(tuple(words), reads), into=all_of(own))


def _in_brackets(operand: Expr, number: float | None) -> Expr:
    """An operand that binds more than any operator."""
    is_signed = number is not None and math.copysign(1, number) < 0
    return written("({})", operand) if is_signed else operand


def _zeros(writer: Writer, i: int, instr: Instr, kept: Expr) -> None:
    """where(mask, 0, kept) by writing zeros over `kept`, or a copy of it."""
    own = writer.out(i)
    if i not in writer.memory.over:
        writer.finish(i, call("np.copyto", own, kept))
    mask, zero, _ = instr.operands
    where = writer.beside(i, mask)
    writer.finish(i, call("np.copyto", own, writer.names.of[zero], where=where))


def _refine(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Slopes, and those that are small anew, by the spelling that keeps their digits."""
    slope, x = operands
    own = writer.out(i)
    if i not in writer.memory.over:
        writer.finish(i, call("np.copyto", own, slope))
    precision = written("np.finfo(dtype).eps ** 0.25")
    least = writer.bind(precision, "least", "slopes below it have lost digits")
    small = writer.compute(i, "small", written("{} < {}", own, least))
    again = Expr(tuple(instr.row.refined.format(f"{x}[{small}]").split(" ")), x.reads)
    some = written("{}.any()", small)
    writer.write(i, again, into=written("{}[{}]", own, small), when=some)


# Copies


def _copy(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    if writer.memory.is_ordered(i):
        (writer.names.of[i],) = operands
    else:
        writer.finish(i, call("np.copyto", writer.out(i), *operands))


def _broadcast(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    source = writer.beside(i, instr.operands[0])
    writer.finish(i, call("np.copyto", writer.out(i), source))


LINES: dict[ArrayOp, Callable[[Writer, int, Instr, Sequence[Expr]], None]] = {
    LEAF: _leaf, CONSTANT: _constant, VIEW: _view,
    MATMUL: products.matmul, MATMUL_BATCH: products.matmul_batch,
    SUM: sums.sum, SUM_BATCH: sums.sum_batch, CUMSUM: sums.cumsum,
    REDUCE: sums.reduce, TOP: sums.top, REFINE: _refine,
    COPY: _copy, CAST: _copy, BROADCAST: _broadcast, CONCATENATE: indices.concatenate,
    GATHER: indices.gather, SCATTER: indices.scatter,
    ROWS: indices.rows, ADD_ROWS: indices.add_rows,
    TAKE: indices.take, UNTAKE: indices.untake,
}  # fmt: skip
"""For each array op, the function that adds its lines."""
