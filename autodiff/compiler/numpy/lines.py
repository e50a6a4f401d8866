"""The line of NumPy for each op of the array program."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.layout import View, contiguous
from autodiff.compiler.arrays.ops import (
    ADD_ROWS,
    BROADCAST,
    CAST,
    CONCATENATE,
    CONSTANT,
    COPY,
    GATHER,
    MATMUL,
    MATMUL_BATCH,
    REDUCE,
    ROWS,
    SCATTER,
    SUM,
    SUM_BATCH,
    TAKE,
    TOP,
    UNTAKE,
    ArrayOp,
)
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.memory import is_disjoint, starts
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction

if TYPE_CHECKING:
    from autodiff.compiler.numpy.source import Emitter

_CALL = re.compile(r"np\.(\w+)\(([^()=]*)\)")
_OF_OPERANDS = re.compile(r"[^(){}]+\((\{\d+\}(, )?)+\)")
"""The spelling of a row as one call, in which a sign binds no less than anything else."""
_MANY_ROWS = 512
"""From how many rows on a matrix is not told from ones where a row was read."""

Line = Callable[..., None]


def line_of(instr: Instr) -> Line:
    """The function that writes the line of an instruction."""
    return elementwise if isinstance(instr.op, Primitive) else LINES[instr.op]


def elementwise(emitter: Emitter, i: int, instr: Instr, *operands: str) -> None:
    """The NumPy spelling of a row of the op table, into an array that is there."""
    row = instr.op
    assert isinstance(row, Primitive)
    if row is ops.where and operands[1] == "0.0" and _zeros(emitter, i, instr, *operands):
        return
    if i in emitter.homes.fused:
        emitter.names[i] = ""
        return
    operands = tuple(emitter.beside(i, operand) for operand in instr.operands)
    if isinstance(row, Reduction):
        text = f"np.{row.ufunc}({', '.join(operands)})"
    elif _OF_OPERANDS.fullmatch(row.array):
        text = row.array.format(*operands)
    else:
        text = row.array.format(*[f"({x})" if x.startswith("-") else x for x in operands])
    if row is ops.neg and not any(map(emitter.lies_in_one_piece, (i, *instr.operands))):
        # Of a column whose rows are 64 bytes apart (16 in float32) NumPy 2.4 negates the first
        # alone if it writes into a column.
        text = f"np.multiply({operands[0]}, -1.0)"
    own = emitter.out(i, instr, may_overwrite=True)
    is_ufunc = _takes_out(text)
    emitter.step(f"{text[:-1]}, out={own})" if is_ufunc else f"{own}[...] = {text}", i)


def _takes_out(text: str) -> bool:
    """Whether an expression is the call of a ufunc, to which the array of its result is given."""
    call = _CALL.fullmatch(text)
    ufunc = getattr(np, call[1], None) if call else None
    return call is not None and isinstance(ufunc, np.ufunc) and call[2].count(",") < ufunc.nin


def _zeros(emitter: Emitter, i: int, instr: Instr, mask: str, zero: str, kept: str) -> bool:
    """where(mask, 0, kept) by writing zeros over `kept`, or a copy of it."""
    made = emitter.program.instrs[instr.operands[2]]
    if (made.shape, made.is_batched) != (instr.shape, instr.is_batched):
        return False
    over = emitter.over(i, instr, instr.operands[2])
    own = over or emitter.out(i, instr)
    if not over:
        emitter.step(f"np.copyto({own}, {kept})", i)
    mask = emitter.beside(i, instr.operands[0])
    emitter.step(f"np.copyto({own}, {zero}, where={mask})", i)
    return True


def _matmul(emitter: Emitter, i: int, instr: Instr, a: str, b: str) -> None:
    x, w = (emitter.program.instrs[operand] for operand in instr.operands)
    own = emitter.out(i, instr)
    if emitter.batch_last and x.is_batched:  # (x w)ᵀ = wᵀ xᵀ
        a, b = _turned(emitter, b), a
    elif x.is_batched and not w.is_batched and len(x.shape) == 2:
        # A batch of matrices times one matrix: all rows below one another.
        is_run = emitter.lies_in_one_piece(i)
        a = _below(emitter, i, instr.operands[0], a, must=is_run)
        if is_run and a:
            rows, columns = instr.shape
            own = emitter.part(own, f"{own}.reshape(batch * {rows}, {columns})", f"{own}_rows")
        else:
            a = emitter.names[instr.operands[0]]
    emitter.step(f"{_product(emitter, i, instr, a, b)[:-1]}, out={own})", i)


def _turned(emitter: Emitter, name: str) -> str:
    """The name of a matrix's transpose."""
    straight = emitter.straight.get(name)
    return straight or emitter.part(name, f"{name}.T", f"{name}_T")


def _product(emitter: Emitter, i: int, instr: Instr, a: str, b: str) -> str:
    """The product of two matrices; by np.dot where they lie in one piece, as it takes less time.

    np.dot gives 0 for 0 times inf if one of them has a single element.
    """
    pieces = [emitter.lies_in_one_piece(operand) for operand in instr.operands]
    made = [emitter.program.instrs[operand] for operand in instr.operands]
    ranks = [len(x.shape) + x.is_batched for x in made]
    is_flat = all(rank == 2 for rank in ranks) or (
        len(made[0].shape) == 2 and not (instr.op is MATMUL and made[1].is_batched)
    )
    if not (is_flat and all(pieces) and emitter.lies_in_one_piece(i)):
        return f"np.matmul({a}, {b})"
    if any(x.size == 1 and not x.is_batched for x in made):
        return f"np.multiply({a}, {b})"
    if all(x.size > 1 for x in made):
        return f"np.dot({a}, {b})"
    dot = emitter.bind("np.multiply if batch == 1 else np.dot", "dot")
    names = [a, b]
    is_turned = emitter.batch_last and instr.op is MATMUL
    one = names[(made[1].size == 1) != is_turned]
    if one not in emitter.stepwise:
        number = emitter.bind(f"{one}.reshape(()) if batch == 1 else {one}", f"{one}_one")
        names[names.index(one)] = number
    return f"{dot}({', '.join(names)})"


def _below(emitter: Emitter, i: int, operand: int, name: str, must: bool = True) -> str:
    """A batch of matrices as one matrix, each below the other; a copy if they lie apart."""
    rows, columns = emitter.program.instrs[operand].shape
    if not emitter.lies_in_one_piece(operand, may_turn=False):
        if not must:
            return ""
        copy = emitter.numbered(f"{name}_copy")
        emitter.binding.append(f"{copy} = np.empty((batch, {rows}, {columns}), dtype)")
        emitter.line(f"np.copyto({copy}, {name})", i)
        return emitter.bind(f"{copy}.reshape(batch * {rows}, {columns})", f"{copy}_rows")
    return emitter.part(name, f"{name}.reshape(batch * {rows}, {columns})", f"{name}_rows")


def _matmul_batch(emitter: Emitter, i: int, instr: Instr, a: str, b: str) -> None:
    own = emitter.out(i, instr)
    left, right = instr.operands
    match len(emitter.program.instrs[left].shape):
        case 1:
            pass
        case 2:
            a, b = _below(emitter, i, left, a), _below(emitter, i, right, b)
        case _:
            product = f"np.matmul({a}.swapaxes(-1, -2), {b})"
            emitter.step(f"np.add.reduce({product}, axis=0, out={own})", i)
            return
    if emitter.batch_last:
        b = _turned(emitter, b)
    else:
        a = _turned(emitter, a)
    emitter.step(f"{_product(emitter, i, instr, a, b)[:-1]}, out={own})", i)


def _sum(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    (operand,) = instr.operands
    made = emitter.program.instrs[operand]
    own = emitter.out(i, instr)
    if operand in emitter.homes.fused:
        x, y = (emitter.names[x] for x in made.operands)
        emitter.step(f"np.vecdot({x}, {y}, out={own})", i)
        return
    axes = tuple(axis + made.is_batched for axis in instr.axes)
    text = axes[0] if len(axes) == 1 else axes
    emitter.step(f"np.add.reduce({source}, axis={text}, out={own})", i)


def _sum_batch(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    (operand,) = instr.operands
    made = emitter.program.instrs[operand]
    if operand in emitter.homes.fused:  # one number
        product = f"np.vdot({', '.join(emitter.names[x] for x in made.operands)})"
        emitter.step(f"{emitter.out(i, instr)}[...] = {product}", i)
    elif len(instr.shape) == 1:
        ones = emitter.bind("np.ones(batch, dtype)", "ones")
        product = f"{source}, {ones}" if emitter.batch_last else f"{ones}, {source}"
        emitter.step(f"np.matmul({product}, out={emitter.out(i, instr)})", i)
    else:
        emitter.step(f"np.add.reduce({source}, axis=0, out={emitter.out(i, instr)})", i)


def _reduce(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    own = emitter.out(i, instr)
    text = instr.reduction.array.format(source).replace("axis=0)", f"axis=-1, out={own})")
    emitter.step(text, i)


def _top(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    own = emitter.out(i, instr)
    limit = emitter.bind("np.finfo(dtype).max", "limit")
    emitter.step(f"np.maximum.reduce({source}, axis=-1, keepdims=True, out={own})", i)
    emitter.line(f"np.maximum({own}, -{limit}, out={own})", i)
    emitter.line(f"np.minimum({own}, {limit}, out={own})", i)


def _copy(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    place = emitter.homes.places.get(emitter.homes.base(instr.operands[0]))
    if place and place.whole == instr.operands[0] and instr.op is COPY:
        emitter.names[i] = source  # computed in this order
        return
    emitter.step(f"np.copyto({emitter.out(i, instr)}, {source})", i)


def _broadcast(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    source = emitter.beside(i, instr.operands[0])
    emitter.step(f"np.copyto({emitter.out(i, instr)}, {source})", i)


def _gather(emitter: Emitter, i: int, instr: Instr, source: str) -> None:
    made = emitter.program.instrs[instr.operands[0]]
    flat = _flat(emitter, instr.operands[0], source)
    at = emitter.array(instr.gather.places, "at")
    own = emitter.out(i, instr)
    axis = emitter.axis(made)
    emitter.step(f"np.take({flat}, {at}, axis={axis}, out={own}, mode='clip')", i)


def _flat(emitter: Emitter, i: int, name: str) -> str:
    """An array with one axis behind that of the batch."""
    instr = emitter.program.instrs[i]
    shape = (instr.size,)
    text = emitter.view_text(name, instr, View(0, shape, contiguous(shape)))
    return emitter.part(name, text, f"{name}_flat")


def _concatenate(emitter: Emitter, i: int, instr: Instr, *operands: str) -> None:
    own = emitter.whole(i, instr)
    for (start, operand), name in zip(starts(emitter.program, instr), operands, strict=True):
        made = emitter.program.instrs[operand]
        place = emitter.homes.places.get(operand)
        if made.op is CONSTANT or (place and (place.whole, place.view.offset) == (i, start)):
            continue
        span = emitter.span(instr, f"{start}:{start + made.size}")
        part = emitter.bind(f"{own}{span}", f"{own}_{start}")
        flat = _flat(emitter, operand, name) if len(made.shape) > 1 else name
        column = f"{flat}[:, None]" if emitter.batch_last and not made.is_batched else flat
        emitter.step(f"np.copyto({part}, {column if instr.is_batched else flat})", i)


# Adding up at places


def _scatter(emitter: Emitter, i: int, instr: Instr, *operands: str) -> None:
    own = emitter.whole(i, instr)
    disjoint = is_disjoint(instr)
    if not disjoint:
        emitter.step(f"{own}[...] = 0.0", i)
    there = emitter.homes.parts.get(i, ())
    for k, (access, ct) in enumerate(zip(instr.accesses, operands, strict=True)):
        if k not in there:
            _put(emitter, i, instr, access, ct, "=" if disjoint else "+=")


def _put(emitter: Emitter, i: int, instr: Instr, access: Any, ct: str, sign: str) -> None:
    own = emitter.names[i]
    if isinstance(access, View):
        part = emitter.part(own, emitter.view_text(own, instr, access), f"{own}_part")
        line = f"np.copyto({part}, {ct})" if sign == "=" else f"np.add({part}, {ct}, out={part})"
        emitter.line(line, i)
        return
    axis = emitter.axis(instr)
    own = _flat(emitter, i, own)
    places = access.places.ravel()
    flat = f"batch, {places.size}" if instr.is_batched else "-1"
    flat = ct if len(access.shape) == 1 else f"{ct}.reshape({flat})"
    order = np.argsort(places, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(places[order]) != 0])
    if len(first) == len(places):
        at = emitter.array(places, "at")
        emitter.line(f"{own}{emitter.span(instr, at)} {sign} {flat}", i)
        return
    # np.add.at is slow: equal places side by side are summed first.
    at = emitter.array(places[order][first], "at")
    by, start = emitter.array(order, "order"), emitter.array(first, "starts")
    ordered = emitter.numbered("sorted")
    emitter.line(f"{ordered} = np.take({flat}, {by}, axis={axis})", i)
    total = f"np.add.reduceat({ordered}, {start}, axis={axis})"
    emitter.line(f"{own}{emitter.span(instr, at)} {sign} {total}", i)


# What indices choose at run time


def _rows(emitter: Emitter, i: int, instr: Instr, matrix: str, index: str) -> None:
    emitter.step(f"np.take({matrix}, {index}, axis=0, out={emitter.out(i, instr)})", i)


def _add_rows(emitter: Emitter, i: int, instr: Instr, ct: str, index: str) -> None:
    own = emitter.out(i, instr)
    count, width = instr.shape
    made = emitter.program.instrs[instr.operands[0]]
    lead = "batch * " if made.is_batched else ""
    rows = made.size // width
    flat = f"{ct}.reshape({lead}{rows}, {width})"
    if count > _MANY_ROWS:
        emitter.step(f"{own}[...] = 0.0", i)
        emitter.line(f"np.add.at({own}, {index}.reshape(-1), {flat})", i)
        return
    hits = emitter.numbered("hits")
    emitter.binding.append(f"{hits} = np.empty(({lead}{rows}, {count}), dtype)")
    each = emitter.bind(f"np.arange({count})", "each_row")
    emitter.line(f"np.equal({index}.reshape(-1, 1), {each}, out={hits})", i)
    emitter.step(f"np.matmul({hits}.T, {flat}, out={own})", i)


def _take(emitter: Emitter, i: int, instr: Instr, source: str, index: str) -> None:
    made = emitter.program.instrs[instr.operands[0]]
    at = _at(emitter, i, instr, index, made)
    own = emitter.out(i, instr)
    emitter.step(f"np.take({source}.reshape(-1), {at}, out={own}, mode='clip')", i)


def _at(emitter: Emitter, i: int, instr: Instr, index: str, made: Instr) -> str:
    """Where each lane is among the elements of `made`, from the index of each lane."""
    table = emitter.array(instr.gather.places, "table")
    key = emitter.program.instrs[i].operands[1], table, made.is_batched and made.size
    if key in emitter.indices:
        return emitter.indices[key]
    at = emitter.indices[key] = emitter.numbered("at")
    if len(instr.gather.places) == 1:
        emitter.line(f"{at} = np.take({table}, {index})", i)
    else:
        lanes = emitter.bind(f"np.arange({len(instr.gather.places)})", "lanes")
        emitter.line(f"{at} = {table}[{lanes}, {index}]", i)
    if made.is_batched:
        offset = emitter.bind(f"np.arange(batch)[:, None] * {made.size}", "example")
        emitter.line(f"{at} = {at} + {offset}", i)
    return at


def _untake(emitter: Emitter, i: int, instr: Instr, ct: str, index: str) -> None:
    at = _at(emitter, i, instr, index, instr)
    own = emitter.out(i, instr)
    emitter.step(f"{own}[...] = 0.0", i)
    if len(np.unique(instr.gather.places)) == instr.gather.places.size and instr.is_batched:
        emitter.line(f"np.put({own}, {at}, {ct})", i)
    else:
        emitter.line(f"np.add.at({own}.reshape(-1), {at}.reshape(-1), {ct}.reshape(-1))", i)


LINES: dict[ArrayOp, Line] = {
    MATMUL: _matmul, MATMUL_BATCH: _matmul_batch, SUM: _sum, SUM_BATCH: _sum_batch,
    REDUCE: _reduce, TOP: _top, COPY: _copy, CAST: _copy, BROADCAST: _broadcast,
    GATHER: _gather, CONCATENATE: _concatenate, SCATTER: _scatter, ROWS: _rows,
    ADD_ROWS: _add_rows, TAKE: _take, UNTAKE: _untake,
}  # fmt: skip
"""The function that writes the line of each op that is not free."""
