"""How a view of an array is written in NumPy."""

import math
from dataclasses import replace
from itertools import pairwise

from autodiff.compiler.arrays.layout import View
from autodiff.compiler.arrays.program import Instr
from autodiff.compiler.numpy.records import Expr, written


def view_of(array: Expr, source: Instr, view: View, batch_last: bool = False) -> Expr:
    """The expression of `view` of an array, whose batch axis comes first or last."""
    if not (batch_last and source.is_batched):
        return Expr((view_text(str(array), source, view),), array.reads)
    if view.repeated:
        one = f"{view.offset}:{view.offset + 1}"
        return written("np.broadcast_to({}[{}], ({}, batch))", array, one, view.shape[0])
    # Its rows are the elements of one example.
    return view_of(array, replace(source, is_batched=False), view)


def view_text(array: str, source: Instr, view: View) -> str:
    """The expression of `view` of an array, which lies in one piece, as `source` says.

    By slices, reshapes that copy nothing, and exchanged axes; else by `strided`.
    """
    batch, lead = (":, ", "batch, ") if source.is_batched else ("", "")
    if view.is_whole(source.shape):
        return array
    whole = math.prod(view.shape) == source.size
    if view.is_run():
        if whole:
            return f"{array}.reshape({_tuple(lead, view.shape)})"
        flat = _flat(array, source, lead)
        part = f"{flat}[{batch}{view.offset}:{view.offset + math.prod(view.shape)}]"
        is_flat = len(view.shape) == 1
        return part if is_flat else f"{part}.reshape({_tuple(lead, view.shape)})"
    return _sliced(array, source, view) or (
        f"strided({_flat(array, source, lead)}, {view.offset}, {view.shape}, {view.strides})"
    )


def _sliced(array: str, source: Instr, view: View) -> str | None:
    """A view as slices of an array of more axes; None where there is no such array."""
    batch, lead = (":, ", "batch, ") if source.is_batched else ("", "")
    axes = sorted(view.squeezed(), key=lambda axis: -axis[1])
    strides = [stride for _, stride in axes]
    if 0 in strides or any(far % near for far, near in pairwise(strides)):
        return None
    count, stride = axes[0]
    if len(axes) == 1:
        end = view.offset + (count - 1) * stride + 1
        part = f"{_flat(array, source, lead)}[{batch}{view.offset}:{end}:{stride}]"
        return _turned(part, source, view)
    # Blocks of the outermost stride that hold all elements, and where in a block they begin.
    inside = max(0, view.offset + count * stride - source.size)
    begin = view.offset - inside
    if begin < 0:
        return None
    shape, spans = [count], [":"]
    for (size, near), far in zip(axes[1:], strides, strict=False):
        length, start = far // near, inside // near % (far // near)
        if start + size > length:
            return None
        shape.append(length)
        spans.append(":" if size == length else f"{start}:{start + size}")
    if strides[-1] > 1:
        shape.append(strides[-1])
        spans.append(str(inside % strides[-1]))
    text = array
    if count * stride < source.size:
        text = f"{_flat(array, source, lead)}[{batch}{begin}:{begin + count * stride}]"
    if count * stride < source.size or tuple(shape) != source.shape:
        text = f"{text}.reshape({_tuple(lead, tuple(shape))})"
    if any(span != ":" for span in spans):
        while spans[-1] == ":":
            spans.pop()
        text = f"{text}[{batch}{', '.join(spans)}]"
    return _turned(text, source, view)


def _turned(text: str, source: Instr, view: View) -> str:
    """The sorted axes in the order, and with the axes of one element, that `view` has."""
    lead = 1 if source.is_batched else 0
    real = [axis for axis, size in enumerate(view.shape) if size > 1]
    order = sorted(real, key=lambda axis: -view.strides[axis])
    if order != real:
        axes = [order.index(axis) + lead for axis in real]
        text = f"{text}.transpose({_tuple('0, ' * lead, tuple(axes))})"
    if len(real) < len(view.shape):
        keep = [":"] * lead + [":" if size > 1 else "None" for size in view.shape]
        text = f"{text}[{', '.join(keep)}]"
    return text


def _flat(array: str, source: Instr, lead: str) -> str:
    if len(source.shape) == 1:
        return array
    # With a batch of none, -1 could be any number.
    return f"{array}.reshape({lead}{source.size})" if lead else f"{array}.reshape(-1)"


def _tuple(lead: str, sizes: tuple[int, ...]) -> str:
    return (lead + ", ".join(map(str, sizes))).removesuffix(", ") or "()"
