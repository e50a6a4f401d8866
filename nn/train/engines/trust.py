"""Trust: whether a kernel computes for a few examples what eager execution does."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nn.data.inputs import Rows
from nn.module import Module
from nn.train.arrays import Floats
from nn.train.engines.snapshot import Snapshot, rehearsal
from nn.train.engines.training_mode import in_mode

Words: TypeAlias = Callable[[int, str, str], str]
"""The message for a difference: its place among the numbers, the number on Values, the compiled."""

_TRIALS = 8
"""How often eager execution is repeated with moved last digits before two numbers differ."""
_LAST_DIGITS = 2.0**-48
"""How far parameters and inputs are then moved, as a share: 16 units in the last place."""


class DiffersError(ValueError):
    """A kernel does not do what eager execution does; the message says where."""


def require_equal(
    model: Module,
    eager: Callable[[Rows], list[Floats]],
    compiled: Callable[[list[Floats]], list[Floats]],
    x: Rows,
    words: Sequence[Words],
) -> None:
    """Raise DiffersError where a kernel's numbers are not those of eager execution.

    `eager` computes arrays of numbers from inputs; `compiled` computes the same, given those of
    `eager`. They may differ by 1e-9 of a number or by 1e-12 of the largest beside it. A larger
    difference may still be rounding, where sums cancel or an example lies on a kink. `eager` is
    then repeated with parameters and inputs moved in their last digits, and ten times the
    change that this makes is allowed.
    """
    with rehearsal(model) as before:
        found = eager(x)
        kept = before
        if before.changed() is not None:
            _require_stateless(model, eager, x)
            kept = Snapshot(model)
        try:
            others = compiled(found)
        finally:
            kept.restore()  # a trace may have left tracers among the attributes
        slack = [np.zeros(numbers.shape) for numbers in found]
        if _difference(found, others, slack, words) is None:
            return
        if _difference(found, eager(x), slack, words) is not None:
            raise DiffersError("on Values the same call gives other numbers each time")
        text = _difference(found, others, _noise(model, eager, x, found), words)
        if text is not None:
            raise DiffersError(text)


def spread(wanted: int, x: Rows, y: Rows | None = None) -> npt.NDArray[np.int_]:
    """At most `wanted` different rows, the same at each call.

    They are the first and the last row, rows with the extremes of targets, with each class and
    with the extremes of inputs, and rows at equal distances; as many of each kind as there is
    room for.
    """
    groups = [np.array([0, len(x) - 1])]
    if y is not None:
        groups.append(_extremes(y))
        if y.dtype.kind == "i":
            groups.append(np.unique(y.reshape(len(y), -1)[:, 0], return_index=True)[1])
    groups += [_extremes(x), np.linspace(0, len(x) - 1, 2 * wanted).astype(int)]
    chosen: dict[int, None] = {}
    for k, group in enumerate(groups, start=1):
        new = [row for row in dict.fromkeys(group.tolist()) if row not in chosen]
        room = wanted - len(chosen)
        room = room if k == len(groups) else -(-room // 2)
        places = np.linspace(0, len(new) - 1, min(room, len(new))).round().astype(int)
        chosen |= dict.fromkeys(new[place] for place in places)
    return np.array(list(chosen), dtype=int)


def _require_stateless(model: Module, eager: Callable[[Rows], list[Floats]], x: Rows) -> None:
    """Raise DiffersError if calls change attributes of the model that later calls depend on."""

    def both() -> bytes:
        with in_mode(model, training=False):
            measured = eager(x)
        return b"".join(numbers.tobytes() for numbers in measured + eager(x))

    before, first = Snapshot(model), both()
    name = before.changed()
    if name is not None and both() != first:  # else it was made at the first call, or is not read
        raise DiffersError(
            f"a call changes {name} of the model, which later calls read; a kernel leaves it alone"
        )


def _difference(
    eager: Sequence[Floats],
    compiled: Sequence[Floats],
    slack: Sequence[Floats],
    words: Sequence[Words],
) -> str | None:
    """The message for the worst difference in the first array that differs."""
    largest = max((_largest(numbers) for numbers in eager), default=0.0)
    for ours, theirs, more, text in zip(eager, compiled, slack, words, strict=True):
        if ours.shape != theirs.shape:
            return f"there are {ours.size} numbers on Values, {theirs.size} compiled"
        allowed = 1e-9 * np.abs(ours) + 1e-12 * _largest(ours) + 1e-14 * largest + 10 * more
        with np.errstate(invalid="ignore", divide="ignore"):
            distance = np.abs(ours - theirs)
            is_same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
            excess = np.where(is_same, 0.0, np.nan_to_num(distance / allowed, nan=np.inf))
        if (excess > 1).any():
            worst = int(excess.argmax())
            return text(worst, f"{ours[worst]:.12g}", f"{theirs[worst]:.12g}")
    return None


def _noise(
    model: Module, eager: Callable[[Rows], list[Floats]], x: Rows, found: Sequence[Floats]
) -> list[Floats]:
    """How far `eager` moves when parameters and inputs move in their last digits.

    Inputs that are integers stay: they may be counts, classes or masks.
    """
    rng = np.random.default_rng(0)
    parameters = model.parameters()
    before = np.array([parameter.data for parameter in parameters])
    most = [np.zeros(numbers.shape) for numbers in found]
    is_free = (x != np.round(x)) & np.isfinite(x)
    try:
        for _ in range(_TRIALS):
            moves = 1 + _LAST_DIGITS * rng.uniform(-1, 1, len(before))
            for parameter, data in zip(parameters, (before * moves).tolist(), strict=True):
                parameter.data = data
            moved = x.copy()
            moved[is_free] *= 1 + _LAST_DIGITS * rng.uniform(-1, 1, np.count_nonzero(is_free))
            for farthest, numbers, start in zip(most, eager(moved), found, strict=True):
                with np.errstate(invalid="ignore"):
                    np.fmax(farthest, np.abs(numbers - start), out=farthest)
    except Exception:  # the model refuses such inputs: nothing is known of its rounding
        return [np.zeros(numbers.shape) for numbers in found]
    finally:
        for parameter, data in zip(parameters, before.tolist(), strict=True):
            parameter.data = data
    return most


def _extremes(array: Rows) -> npt.NDArray[np.int_]:
    """The rows with the least and the largest number of a column."""
    columns = array.reshape(len(array), -1)
    return np.unique(np.concatenate([columns.argmin(axis=0), columns.argmax(axis=0)]))


def _largest(numbers: Floats) -> float:
    return float(np.max(np.abs(numbers[np.isfinite(numbers)]), initial=0.0))
