"""The lines of sums and of reductions, along axes or over the batch."""

from collections.abc import Sequence

from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.records import Expr, all_of, call, written
from autodiff.compiler.numpy.writer import Writer


def sum(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """The sum over axes."""
    (operand,) = instr.operands
    made = writer.program.instrs[operand]
    own = writer.out(i)
    if operand in writer.live.fused:
        writer.finish(i, call("np.vecdot", *writer.operands(made), out=own))
        return
    axes = tuple(axis + made.is_batched for axis in instr.axes)
    axis = str(axes[0] if len(axes) == 1 else axes)
    writer.finish(i, call("np.add.reduce", *operands, axis=axis, out=own))


def sum_batch(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """The sum over the batch."""
    (operand,) = instr.operands
    if operand in writer.live.fused:  # one number
        product = call("np.vdot", *writer.operands(writer.program.instrs[operand]))
        writer.finish(i, product, into=all_of(writer.out(i)))
    elif len(instr.shape) == 1:
        ones = writer.bind(written("np.ones(batch, dtype)"), "ones")
        factors = (*operands, ones) if writer.memory.batch_last else (ones, *operands)
        writer.finish(i, call("np.matmul", *factors, out=writer.out(i)))
    else:
        writer.finish(i, call("np.add.reduce", *operands, axis="0", out=writer.out(i)))


def cumsum(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Sums of all elements up to each, or from each on."""
    is_first = writer.memory.has_batch_last(instr)
    backwards = "" if not instr.is_reversed else "[::-1]" if is_first else "[..., ::-1]"
    source, own = (written(f"{{}}{backwards}", x) for x in (*operands, writer.out(i)))
    axis = "0" if is_first else "-1"
    writer.finish(i, call("np.add.accumulate", source, axis=axis, out=own))


def reduce(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """A reduction of the last axis."""
    own = writer.out(i)
    function = instr.reduction.array.partition("(")[0]
    writer.finish(i, call(function, *operands, axis="-1", out=own))


def top(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """The largest along the last axis, within the finite numbers."""
    own = writer.out(i)
    limit = writer.bind(written("np.finfo(dtype).max"), "limit")
    top = call("np.maximum.reduce", *operands, axis="-1", keepdims="True", out=own)
    writer.finish(i, top)
    writer.write(i, call("np.maximum", own, written("-{}", limit), out=own))
    writer.write(i, call("np.minimum", own, limit, out=own))
