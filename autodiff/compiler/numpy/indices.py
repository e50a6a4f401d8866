"""The lines of what reads or adds at positions: fixed ones, or those that indices choose."""

from collections.abc import Sequence

import numpy as np

from autodiff.compiler.arrays.layout import Gather, Positions, View
from autodiff.compiler.arrays.ops import CONSTANT
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.memory import starts
from autodiff.compiler.numpy.records import Expr, all_of, call, written
from autodiff.compiler.numpy.writer import Writer

MANY_ROWS = 32
"""Above this many rows, np.add.at, number by number, is quicker than a one-hot product."""

ZERO = Expr(("0.0",))


# Positions known now


def gather(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Elements at any positions."""
    made = writer.program.instrs[instr.operands[0]]
    flat = writer.flat(instr.operands[0], operands[0])
    at = writer.array(instr.gather.places, "at")
    own = writer.out(i)
    axis = writer.memory.axis(made)
    writer.finish(i, call("np.take", flat, at, axis=axis, out=own, mode="'clip'"))


def scatter(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Zeros, to which each operand is added at its positions."""
    own = writer.whole(i)
    is_disjoint = i in writer.memory.disjoint
    if not is_disjoint:
        writer.finish(i, ZERO, into=all_of(own))
    there = writer.memory.held.get(i, ())
    for k, (access, ct) in enumerate(zip(instr.accesses, operands, strict=True)):
        if k in there:
            continue
        operand = instr.operands[k]
        if not writer.program.instrs[operand].is_batched:
            ct = writer.beside(i, operand)
        if isinstance(access, View):
            part = writer.bind(writer.view(own, instr, access), f"{own}_part")
            added = call("np.add", part, ct, out=part)
            writer.write(i, call("np.copyto", part, ct) if is_disjoint else added)
        else:
            _put(writer, i, instr, access, ct)


def _put(writer: Writer, i: int, instr: Instr, access: Gather, ct: Expr) -> None:
    """Add a cotangent at positions that are not evenly spaced."""
    axis, sign = writer.memory.axis(instr), "=" if i in writer.memory.disjoint else "+="
    own = writer.flat(i, writer.names.of[i])
    positions = access.places.ravel()
    if len(access.shape) > 1:
        sizes = f"batch, {positions.size}" if instr.is_batched else "-1"
        ct = written("{}.reshape({})", ct, sizes)
    order = np.argsort(positions, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(positions[order]) != 0])
    if len(first) == len(positions):
        at = writer.array(positions, "at")
        writer.write(i, ct, into=writer.indexed(own, instr, at), sign=sign)
        return
    # np.add.at is slow: equal positions side by side are summed first.
    at = writer.array(positions[order][first], "at")
    by, start = writer.array(order, "order"), writer.array(first, "starts")
    taken = written("np.take({}, {}, axis={})", ct, by, axis)
    ordered = writer.compute(i, "sorted", taken)
    total = written("np.add.reduceat({}, {}, axis={})", ordered, start, axis)
    writer.write(i, total, into=writer.indexed(own, instr, at), sign=sign)


def concatenate(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Flattened arrays one behind the other."""
    own = writer.whole(i)
    there = writer.memory.held.get(i, ())
    for k, (start, operand) in enumerate(starts(writer.program, instr)):
        made = writer.program.instrs[operand]
        if made.op is CONSTANT or k in there:
            continue
        span = writer.indexed(own, instr, f"{start}:{start + made.size}")
        part = writer.bind(span, f"{own}_{start}")
        flat = writer.flat(operand, operands[k]) if len(made.shape) > 1 else operands[k]
        is_column = writer.memory.batch_last and instr.is_batched and not made.is_batched
        column = written("{}[:, None]", flat) if is_column else flat
        writer.finish(i, call("np.copyto", part, column))


# Positions known at run time


def rows(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Rows of a matrix."""
    matrix, index = operands
    writer.finish(i, call("np.take", matrix, index, axis="0", out=writer.out(i)))


def add_rows(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Zeros, to which each row is added where `rows` has read it."""
    ct, index = operands
    own = writer.out(i)
    count, width = instr.shape
    made = writer.program.instrs[instr.operands[0]]
    size = f"{'batch * ' * made.is_batched}{made.size // width}"
    if count > MANY_ROWS and writer.memory.is_one_piece(i, may_turn=False):
        columns = writer.bind(written("np.arange({})", width), "columns")
        at = written("{}.reshape(-1, 1) * {} + {}", index, width, columns)
        each = writer.compute(i, "at", at)
        writer.finish(i, ZERO, into=all_of(own))
        numbers = [written("{}.reshape(-1)", x) for x in (own, each, ct)]
        writer.write(i, call("np.add.at", *numbers))
        return
    flat = written("{}.reshape({}, {})", ct, size, width)
    empty = written("np.empty(({}, {}), dtype)", size, count)
    hits = writer.assign(writer.names.numbered("hits"), empty)
    each = writer.bind(written("np.arange({})", count), "each_row")
    writer.write(i, call("np.equal", written("{}.reshape(-1, 1)", index), each, out=hits))
    writer.finish(i, call("np.matmul", written("{}.T", hits), flat, out=own))


def take(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """An element for each lane."""
    source, index = operands
    at = _at(writer, i, instr, index, writer.program.instrs[instr.operands[0]])
    own = writer.out(i)
    flat = written("{}.reshape(-1)", source)
    writer.finish(i, call("np.take", flat, at, out=own, mode="'clip'"))


def untake(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Zeros, to which each lane is added where `take` has read it."""
    ct, index = operands
    at = _at(writer, i, instr, index, instr)
    own = writer.out(i)
    writer.finish(i, ZERO, into=all_of(own))
    table: Positions = instr.gather.places
    if len(np.unique(table)) == table.size and instr.is_batched:
        writer.write(i, call("np.put", own, at, ct))
    else:
        flat = [written("{}.reshape(-1)", x) for x in (own, at, ct)]
        writer.write(i, call("np.add.at", *flat))


def _at(writer: Writer, i: int, instr: Instr, index: Expr, made: Instr) -> Expr:
    """The position of each lane among the elements of `made`, given the index of each lane."""
    positions: Positions = instr.gather.places
    table = writer.array(positions, "table")
    key = instr.operands[1], str(table), made.is_batched * made.size
    if key in writer.indices:
        return writer.indices[key]
    if len(positions) == 1:
        found = call("np.take", table, index)
    else:
        lanes = writer.bind(written("np.arange({})", len(positions)), "lanes")
        found = written("{}[{}, {}]", table, lanes, index)
    at = writer.indices[key] = writer.compute(i, "at", found)
    if made.is_batched:
        offset = writer.bind(written("np.arange(batch)[:, None] * {}", made.size), "example")
        together = written("{} + {}", at, offset)
        writer.assign(str(at), together, is_step=writer.is_step(i))
    return at
