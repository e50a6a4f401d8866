"""The reports of `detect_anomaly`: the first nan or inf, its op, and the user's line."""

import linecache
from collections.abc import Sequence
from math import isfinite
from typing import NoReturn, Protocol
from weakref import WeakKeyDictionary

from autodiff.engine.frames import user_frame
from autodiff.engine.graph import interior
from autodiff.engine.reverse import Node
from autodiff.rows.row import Row

_SHOWN = 6  # operands in a message


class Recorded(Node, Protocol):
    """A node with what its op was applied to."""

    @property
    def label(self) -> str:
        """A name of the user's."""

    @property
    def op(self) -> Row | None:
        """The op; None for a leaf."""

    @property
    def operands(self) -> Sequence["Recorded"]:
        """The inputs of the op."""

    @property
    def arguments(self) -> Sequence["Recorded | float"]:
        """The operands, and the constants between them."""

    @property
    def _primal(self) -> float: ...


_places: WeakKeyDictionary[Recorded, str] = WeakKeyDictionary()


class AnomalyError(ArithmeticError):
    """A nan or an inf inside `detect_anomaly`; the message says where it came from."""


def check(row: Row, arguments: Sequence[Recorded | float], out: float) -> None:
    """Raise AnomalyError if the result of `row` on Values and numbers is nan or inf."""
    if not isfinite(out):
        raise AnomalyError(f"{_call(row, arguments)} is {out}, at {_place()}")


def remember(node: Recorded) -> None:
    """Keep the user's line that made `node` while the node lives."""
    _places[node] = _place()


def check_backward(root: Recorded, seed: float) -> None:
    """Raise AnomalyError if a cotangent from `root` to a leaf is nan or inf; change nothing."""
    cts = {root: seed}
    for node in reversed(interior(root)):
        if node in cts:
            ct = cts.pop(node)
            for i, (x, partial) in enumerate(zip(node.operands, node._partials, strict=True)):
                if partial is not None:
                    term = ct * partial
                    cts[x] = cts[x] + term if x in cts else term
                    check_edge(node, i, ct, partial, cts[x])


def check_edge(node: Recorded, i: int, ct: object, partial: object, total: object) -> None:
    """Raise AnomalyError if `total`, with the product ct · partial in it, is nan or inf.

    Values are skipped: they were checked when they were made.
    """
    if type(total) is float and not isfinite(total):
        _refuse(node, i, f"{ct} · {partial}", total)


def _refuse(node: Recorded, i: int, product: str, total: float) -> NoReturn:
    assert node.op is not None
    label = f", labelled {node.label!r}" if node.label else ""
    place = _places.get(node)
    made = (
        f"made at {place}"
        if place
        else "made before detect_anomaly was entered, so its line is not known"
    )
    raise AnomalyError(
        f"through {_call(node.op, node.arguments)} = {node._primal}{label}, the derivative by "
        f"operand {i} becomes {total} ({product}); {made}"
    )


def _call(row: Row, arguments: Sequence[Recorded | float]) -> str:
    """The op with its operands; if they are many, the first that are nan or inf, if any."""
    shown = list(enumerate(arguments))
    if len(shown) > _SHOWN:
        shown = [(i, x) for i, x in shown if not isfinite(_primal(x))] or shown
    texts = [_operand(i, x, len(arguments) > _SHOWN) for i, x in shown[:_SHOWN]]
    hidden = len(arguments) - len(texts)
    return f"{row.name}({', '.join(texts)}{f', and {hidden:,} more' if hidden else ''})"


def _operand(i: int, x: Recorded | float, is_numbered: bool) -> str:
    label = getattr(x, "label", "")
    return f"{f'[{i}] ' if is_numbered else ''}{f'{label}=' if label else ''}{_primal(x)}"


def _primal(x: Recorded | float) -> float:
    return x if isinstance(x, float) else x._primal


def _place() -> str:
    """The user's line: file, line, function, text."""
    frame = user_frame()
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line, frame.f_globals).strip()
    return f"{file}:{line} in {frame.f_code.co_qualname}{f': {text}' if text else ''}"
