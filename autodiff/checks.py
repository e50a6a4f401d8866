"""Checks of arguments: each returns what it accepts and raises with what it wanted and was given.

A wrong kind raises TypeError, a wrong size ValueError. `name` begins the message, so it may name
the function too: `integer("fit: epochs", epochs, least=1)` raises "fit: epochs must be a positive
integer, got 2.5". True and False are neither counts nor names; NumPy's integers are integers, and
a float never is.
"""

from collections.abc import Callable, Collection, Iterable
from math import inf, isfinite
from operator import index
from typing import TypeVar

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., object])

__all__ = [
    "brief",
    "flag",
    "function",
    "instance",
    "integer",
    "number",
    "one_of",
    "parameters",
    "show",
    "within",
]


def number(x: object) -> float:
    """`x` as a float: an int, float, bool, NumPy scalar or 0-d array, Fraction or Decimal.

    Raises TypeError for anything else, OverflowError for an integer too large for a float.
    """
    if type(x) is float:
        return x
    is_real = getattr(getattr(x, "dtype", None), "kind", "f") in "fiub"
    if is_real and not isinstance(x, str | bytes | bytearray) and not getattr(x, "ndim", 0):
        try:
            return float(x)  # type: ignore[arg-type]  # what has no __float__ raises TypeError
        except (TypeError, ValueError):
            pass
    raise TypeError(f"expected a real number, got {show(x)}")


def integer(name: str, x: object, *, least: int | None = None, most: int | None = None) -> int:
    """`x` as an int, at least `least` and at most `most`."""
    wanted = _wanted_integer(least, most)
    try:
        if isinstance(x, bool):
            raise TypeError
        found = index(x)  # type: ignore[arg-type]  # what has no __index__ raises TypeError
    except TypeError:
        raise TypeError(f"{name} must be {wanted}, got {brief(x)}") from None
    if (least is not None and found < least) or (most is not None and found > most):
        raise ValueError(f"{name} must be {wanted}, got {brief(x)}")
    return found


def within(
    name: str,
    x: object,
    *,
    least: float = -inf,
    above: float = -inf,
    below: float = inf,
    most: float = inf,
) -> float:
    """`x` as a finite float, from `least` to `most`, above `above` and below `below`."""
    try:
        found = number(x)
    except TypeError:
        raise TypeError(f"{name} must be a number, got {brief(x)}") from None
    except OverflowError:
        found = inf
    if not (isfinite(found) and least <= found <= most and above < found < below):
        wanted = _wanted_number(least, above, below, most)
        raise ValueError(f"{name} must be {wanted}, got {brief(x)}")
    return found


def one_of(name: str, x: object, names: Collection[str]) -> str:
    """`x`, which is one of `names`."""
    if isinstance(x, str) and x in names:
        return x
    *others, last = map(repr, names)
    wanted = f"{', '.join(others)} or {last}" if others else last
    kind = ValueError if isinstance(x, str) else TypeError
    raise kind(f"{name} must be {wanted}, got {brief(x)}")


def flag(name: str, x: object) -> bool:
    """`x`, which is True or False."""
    if isinstance(x, bool):
        return x
    raise TypeError(f"{name} must be True or False, got {brief(x)}")


def function(name: str, x: F) -> F:
    """`x`, which can be called and is not a class."""
    if isinstance(x, type):
        raise TypeError(f"{name} must be a function, got the class {x.__name__}")
    if not callable(x):
        raise TypeError(f"{name} must be a function, got {brief(x)}")
    return x


def instance(name: str, x: object, kind: type[T], wanted: str) -> T:
    """`x`, which is an instance of `kind`; `wanted` says that in words: "an optimizer"."""
    if isinstance(x, kind):
        return x
    if isinstance(x, type) and issubclass(x, kind):
        raise TypeError(f"{name} must be {wanted}, got the class {x.__name__}; pass an instance")
    raise TypeError(f"{name} must be {wanted}, got {brief(x)}")


def parameters(taker: str, given: object, kind: type[T]) -> list[T]:
    """`given` as a list of Values, which are `kind`; `taker` wants them: "an optimizer"."""
    if not isinstance(given, Iterable):
        raise TypeError(f"{taker} takes a list of parameters, got {type(given).__name__}")
    found = list(given)
    for own in dict.fromkeys(map(type, found)):  # sooner than one at a time
        if not issubclass(own, kind):
            raise TypeError(f"a parameter is a {kind.__name__}, got {own.__name__}")
    return found


def show(x: object) -> str:
    """`x` with its type, short enough for an error message."""
    return f"{type(x).__name__} {brief(x)}"


def brief(x: object) -> str:
    """`repr(x)`, cut to 40 characters."""
    try:
        text = repr(x)
    except TypeError:  # in a trace a Value does not show its number
        text = "…"
    return text if len(text) <= 40 else text[:37] + "..."


def _wanted_integer(least: int | None, most: int | None) -> str:
    if least is not None and most is not None:
        return f"an integer from {least} to {most}"
    if least is not None:
        return "a positive integer" if least == 1 else f"an integer of at least {least}"
    return "an integer" if most is None else f"an integer of at most {most}"


def _wanted_number(least: float, above: float, below: float, most: float) -> str:
    if above == 0 and below == most == inf:
        return "positive"
    bounds = {"at least": least, "above": above, "below": below, "at most": most}
    return " and ".join(f"{word} {x:g}" for word, x in bounds.items() if isfinite(x)) or "finite"
