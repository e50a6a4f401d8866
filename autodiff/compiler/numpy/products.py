"""The lines of matrix products."""

from collections.abc import Sequence

from autodiff.compiler.arrays.ops import MATMUL
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.records import Expr, Piece, call, written
from autodiff.compiler.numpy.writer import Writer


def matmul(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """Products over the last two axes."""
    a, b = operands
    x, w = (writer.program.instrs[operand] for operand in instr.operands)
    own = writer.out(i)
    if writer.memory.batch_last and x.is_batched:  # (x w)ᵀ = wᵀ xᵀ
        a, b = writer.transpose(b), a
    elif x.is_batched and not w.is_batched and len(x.shape) == 2:
        # A batch of matrices times one matrix: the rows of all of them are one matrix.
        is_one_piece = writer.memory.is_one_piece(i)
        rows = _rows(writer, i, instr.operands[0], a, may_copy=is_one_piece)
        if is_one_piece and rows is not None:
            a, own = rows, _reshaped(writer, own, instr)
    _finish(writer, i, instr, (a, b), own)


def matmul_batch(writer: Writer, i: int, instr: Instr, operands: Sequence[Expr]) -> None:
    """aᵀ @ b, summed over the batch: one product where the batch is an axis of both matrices."""
    own = writer.out(i)
    left, right = instr.operands
    a, b = operands
    rank = len(writer.program.instrs[left].shape)
    if rank > 2:
        product = call("np.matmul", written("{}.swapaxes(-1, -2)", a), b)
        writer.finish(i, call("np.add.reduce", product, axis="0", out=own))
        return
    if rank == 2:
        a = _rows(writer, i, left, a) or a
        b = _rows(writer, i, right, b) or b
    if writer.memory.batch_last:
        b = writer.transpose(b)
    else:
        a = writer.transpose(a)
    _finish(writer, i, instr, (a, b), own)


def _finish(writer: Writer, i: int, instr: Instr, factors: tuple[Expr, Expr], out: Expr) -> None:
    """The product of two matrices; by np.dot where they lie in one piece, as it takes less time.

    np.dot gives 0 for 0 times inf if one of them has a single element.
    """
    made = [writer.program.instrs[operand] for operand in instr.operands]
    function: Piece = "np.matmul"
    if _may_dot(writer, i, instr):
        if any(x.size == 1 and not x.is_batched for x in made):
            function = "np.multiply"
        elif all(x.size > 1 for x in made):
            function = "np.dot"
        else:
            function = writer.bind(written("np.multiply if batch == 1 else np.dot"), "dot")
            is_swapped = writer.memory.batch_last and instr.op is MATMUL
            factors = _with_number(writer, factors, (made[1].size == 1) != is_swapped)
    writer.finish(i, call(function, *factors, out=out))


def _may_dot(writer: Writer, i: int, instr: Instr) -> bool:
    """Whether a product is one of two matrices, and they and the result lie in one piece."""
    a, b = (writer.program.instrs[operand] for operand in instr.operands)
    are_matrices = all(len(x.shape) + x.is_batched == 2 for x in (a, b))
    is_flat = are_matrices or (len(a.shape) == 2 and not (instr.op is MATMUL and b.is_batched))
    return is_flat and all(map(writer.memory.is_one_piece, (*instr.operands, i)))


def _with_number(writer: Writer, factors: tuple[Expr, Expr], k: int) -> tuple[Expr, Expr]:
    """Factor `k`, of one element an example, as a number where the batch is 1."""
    one, other = factors[k], factors[1 - k]
    if writer.is_bound_once(one):
        one = writer.bind(written("{}.reshape(()) if batch == 1 else {}", one, one), f"{one}_one")
    return (other, one) if k else (one, other)


def _rows(writer: Writer, i: int, operand: int, array: Expr, may_copy: bool = True) -> Expr | None:
    """A batch of matrices as one matrix, each below the one before.

    A copy if they lie apart, or None if that may not be.
    """
    instr = writer.program.instrs[operand]
    if writer.memory.is_one_piece(operand, may_turn=False):
        return _reshaped(writer, array, instr)
    if not may_copy:
        return None
    rows, columns = instr.shape
    empty = written("np.empty((batch, {}, {}), dtype)", rows, columns)
    copy = writer.assign(writer.names.numbered(f"{array}_copy"), empty)
    writer.write(i, call("np.copyto", copy, array))
    return _reshaped(writer, copy, instr)


def _reshaped(writer: Writer, array: Expr, instr: Instr) -> Expr:
    """A batch of matrices in one piece as one matrix."""
    rows, columns = instr.shape
    return writer.bind(written("{}.reshape(batch * {}, {})", array, rows, columns), f"{array}_rows")
