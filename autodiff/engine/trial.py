"""The trial of a user's row: all its parts, at one point of its domain."""

from collections.abc import Callable
from math import isclose, isfinite
from typing import Any

import numpy as np

from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive


def _sample(row: Primitive) -> list[float]:
    """A point inside the domain, off its kinks, with no two operands equal."""
    point = []
    for i, domain in enumerate(row.domain):
        step = 0.5 + 0.05 * i
        if isfinite(domain.low) and isfinite(domain.high):
            x = domain.low + (domain.high - domain.low) * step / (1 + step)
        else:
            x = domain.low + step if isfinite(domain.low) else min(domain.high, 1.0) - step
        while x in domain.kinks:
            x += 0.01
        point.append(x)
    return point


def try_row(row: Primitive) -> None:
    """Raise if a part of the row fails at one point, or two parts disagree there."""
    point = _sample(row)
    at = ", ".join(f"{x:g}" for x in point)
    out = _attempt(f"{row.name}: forward fails at ({at})", row.value_at, point)
    _attempt(f"{row.name}: a partial fails at ({at})", row.partials_at, point, out)
    values = [x if p is None else Value(x) for x, p in zip(point, row.partials, strict=True)]
    _attempt(
        f"{row.name}: a partial fails on Values; write it in autodiff's ops",
        row.partials_at,
        values,
        row.apply(tuple(values)),
    )
    _try_facts(row, point, at, out)
    arrays = [np.array([x, x]) for x in point]
    on_arrays = _attempt(f"{row.name}: the array form fails at ({at})", row.apply, tuple(arrays))
    if np.shape(on_arrays) != (2,):
        raise ValueError(f"{row.name}: its array form gave {np.shape(on_arrays)} on shape (2,)")
    if not np.allclose(on_arrays, out, rtol=1e-6, equal_nan=True):
        raise ValueError(f"{row.name}: at ({at}) forward gives {out:g}, array {on_arrays[0]:g}")


def _try_facts(row: Primitive, point: list[float], at: str, out: float) -> None:
    """Raise if the row's signs or textbook partials do not hold at `point`."""
    if row.signs:
        _try_signs(row, point)
    for i, (partial, book) in enumerate(zip(row.partials, row.textbook, strict=False)):
        if partial is not None and book is not None:
            slope = partial(*point, out)
            found = _attempt(f"{row.name}: textbook {i} fails at ({at})", book, *point, out)
            if not isclose(found, slope, rel_tol=1e-6):
                raise ValueError(
                    f"{row.name}: at ({at}) partial {i} gives {slope:g}, the textbook's {found:g}"
                )


def _try_signs(row: Primitive, point: list[float]) -> None:
    """Raise unless the row is the signed sum of its operands, with operands of either sign."""
    for turn in range(3):
        xs = [-x if turn and (i + turn) % 2 else x for i, x in enumerate(point)]
        at = ", ".join(f"{x:g}" for x in xs)
        out = row.value_at(xs)
        total = sum([sign * x for sign, x in zip(row.signs, xs, strict=True)])
        if not isclose(total, out, rel_tol=1e-6):
            raise ValueError(
                f"{row.name}: at ({at}) forward gives {out:g}, the signed sum {total:g}"
            )
        slopes = [0.0 if p is None else float(p) for p in row.partials_at(xs, out)]
        if slopes != list(row.signs):
            raise ValueError(f"{row.name}: at ({at}) the partials are {slopes}, not the signs")


def _attempt(what: str, function: Callable[..., Any], *args: Any) -> Any:
    """The result; ValueError for whatever it raises."""
    try:
        return function(*args)
    except Exception as error:
        raise ValueError(f"{what}: {type(error).__name__}: {error}") from error
