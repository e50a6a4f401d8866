"""Lanes of several arrays side by side: one shape and order in which all are read as views."""

from collections.abc import Sequence

import numpy as np

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import (
    ANY,
    Positions,
    Shape,
    View,
    common_shape,
    contiguous,
    periods,
)
from autodiff.compiler.arrays.lowering.contract import FILLED
from autodiff.compiler.arrays.lowering.lowered import Operand

ORDERS = 8
"""At most this many orders of lanes are compared: time is linear in the operands."""


def aligned(builder: Builder, operands: Sequence[Operand]) -> tuple[list[int], Shape, Positions]:
    """Arrays of equal rank for NumPy to broadcast, their shape, and the place of each lane.

    Lanes keep their order if that makes views of all operands; else that of the operand
    whose order gathers least, even if a part of its elements is computed in vain.
    """
    layouts = [_in_lane_order(builder, operands)]
    if layouts[0][0]:
        layouts += [
            _in_order_of(builder, operand, operands) for operand in _orders(builder, operands)
        ]
    _, shape, places = min(layouts, key=lambda layout: layout[0])
    views = []
    for array, lanes in operands:
        positions = np.full(int(np.prod(shape)), ANY, dtype=np.intp)
        positions[places] = lanes
        if (lanes == lanes[0]).all():
            positions[:] = lanes[0]
        views.append(builder.narrowed(builder.fetch(array, positions.reshape(shape))))
    return views, shape, places


def _in_lane_order(builder: Builder, operands: Sequence[Operand]) -> tuple[int, Shape, Positions]:
    """How many elements are gathered, the shape, and the place of each lane."""
    count = len(operands[0][1])
    if count == 1:
        return 0, (1,), np.arange(1)
    blocks: set[int] = set()
    shape: Shape = (count,)
    gathered = 0
    for array, lanes in operands:
        found = [] if (lanes == lanes[0]).all() else periods(lanes)
        tried = common_shape([blocks, found], count) if found is not None else None
        is_view = (
            tried is not None
            and found is not None
            and View.of(lanes.reshape(tried), builder.instrs[array].size) is not None
        )
        if is_view and tried is not None and found is not None:
            shape = tried
            blocks.update(found)
            own = contiguous(builder.shape(array))
            natural = common_shape([blocks, own], count)
            if natural and found == [count] and builder.instrs[array].size == count:
                shape = natural
                blocks.update(own)
        else:
            gathered += count
    return gathered, shape, np.arange(count)


def _orders(builder: Builder, operands: Sequence[Operand]) -> list[Operand]:
    """Operands with each lane once, in an order of their own that many of them have."""
    found: dict[tuple[Shape, bytes], list[Operand]] = {}
    for array, places in operands:
        instr = builder.instrs[array]
        if not instr.operands or len(places) < FILLED * instr.size:
            continue
        if len(np.unique(places)) == len(places):
            found.setdefault((instr.shape, places.tobytes()), []).append((array, places))
    often = sorted(found, key=lambda order: -len(found[order]))[:ORDERS]
    return [alike[0] for order, alike in found.items() if order in often]


def _in_order_of(
    builder: Builder, operand: Operand, operands: Sequence[Operand]
) -> tuple[int, Shape, Positions]:
    """As `_in_lane_order`, lanes where `operand` has them."""
    array, places = operand
    instr = builder.instrs[array]
    gathered = 0
    for other, lanes in operands:
        if not (lanes == lanes[0]).all():
            positions = np.full(instr.size, ANY, dtype=np.intp)
            positions[places] = lanes
            view = View.of(positions.reshape(instr.shape), builder.instrs[other].size)
            gathered += instr.size * (view is None)
    return gathered, instr.shape, places


def settled(builder: Builder, made: int, shape: Shape, places: Positions) -> Operand:
    """The array that holds what was computed in `shape`, and where `places` are in it."""
    found = builder.shape(made)
    if found != shape:  # an operand that is the same along an axis was not repeated
        coordinates = np.unravel_index(places, shape)
        narrow = [np.minimum(c, size - 1) for c, size in zip(coordinates, found, strict=True)]
        places = np.ravel_multi_index(narrow, found)
    array, inner = builder.place(made)
    return array, inner.reshape(-1)[places]
