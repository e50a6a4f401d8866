"""The line of a row of the op table."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.records import Expr, all_of, call, written
from autodiff.compiler.numpy.writer import Writer
from autodiff.rows.primitive import Primitive
from autodiff.rows.reduction import Reduction


class Form(NamedTuple):
    """How a row is written in NumPy."""

    words: tuple[str, ...]
    is_plain_call: bool
    """Whether this is one call of the operands, in which a sign needs no brackets."""
    takes_out: bool
    """Whether this is one call of a ufunc, which can be given the array of its result."""


@lru_cache(maxsize=256)
def form(template: str) -> Form:
    """The form of a row's NumPy text, which has {0}, {1}, … for the operands."""
    function, _, inside = template.removesuffix(")").partition("(")
    is_plain_call = all(word[:1] + word[-1:] == "{}" for word in inside.split(", "))
    ufunc = getattr(np, function.removeprefix("np."), None)
    takes_out = (
        isinstance(ufunc, np.ufunc)
        and set("()=").isdisjoint(inside)
        and inside.count(",") < ufunc.nin
    )
    return Form(tuple(template.split(" ")), is_plain_call, takes_out)


def elementwise(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """A row on whole arrays, in place where its ufunc allows it."""
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
    if row is ops.neg and not any(map(writer.memory.is_one_piece, (i, *instr.operands))):
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
