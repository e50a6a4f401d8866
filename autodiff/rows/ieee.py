"""Float functions with IEEE 754 results where `math` raises or leaves the reals.

`exp(1000)` is inf, `log(0)` is -inf, `log(-1)` is nan, `divide(1, 0)` is inf and
`power(-8, 1/3)` is nan, as in NumPy and PyTorch. Arguments are floats.
"""

import math
from collections.abc import Callable, Sequence
from math import inf, nan


def _nan_outside(f: Callable[[float], float]) -> Callable[[float], float]:
    """`f`, with nan where `math` raises a domain error."""

    def total(x: float) -> float:
        try:
            return f(x)
        except ValueError:
            return nan

    return total


def _inf_beyond(f: Callable[[float], float]) -> Callable[[float], float]:
    """`f`, increasing on x > 0, with inf where `math` raises an overflow error."""

    def total(x: float) -> float:
        try:
            return f(x)
        except OverflowError:
            return inf

    return total


exp = _inf_beyond(math.exp)
expm1 = _inf_beyond(math.expm1)
cosh = _inf_beyond(math.cosh)
sqrt = _nan_outside(math.sqrt)
sin = _nan_outside(math.sin)
cos = _nan_outside(math.cos)
tan = _nan_outside(math.tan)
asin = _nan_outside(math.asin)
acos = _nan_outside(math.acos)


def sinh(x: float) -> float:
    """(e^x - e^-x) / 2; signed inf beyond the range."""
    try:
        return math.sinh(x)
    except OverflowError:
        return math.copysign(inf, x)


def log(x: float) -> float:
    """Natural logarithm; -inf at 0, nan below."""
    try:
        return math.log(x)
    except ValueError:
        return -inf if x == 0 else nan


def log1p(x: float) -> float:
    """log(1 + x); -inf at -1, nan below."""
    try:
        return math.log1p(x)
    except ValueError:
        return -inf if x == -1 else nan


def divide(x: float, y: float) -> float:
    """x / y; signed inf for x / ±0, nan for 0 / 0."""
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0 or x != x:
            return nan
        return math.copysign(inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """x ** y by the rules of C's `pow`; 0 ** 0 is 1, nan where the result is not real."""
    try:
        return math.pow(x, y)
    except OverflowError:
        return -inf if x < 0 and math.fmod(y, 2) else inf
    except ValueError:
        if x != 0:  # a negative base with a fractional exponent
            return nan
        is_odd = abs(math.fmod(y, 2)) == 1  # 0 to a negative power is a pole
        return math.copysign(inf, x) if is_odd else inf


def sign(x: float) -> float:
    """-1, 0 or 1 with the sign of x; nan for nan."""
    if x > 0:
        return 1.0
    if x < 0:
        return -1.0
    return nan if x != x else 0.0


def sigmoid(x: float) -> float:
    """1 / (1 + e^-x), by the exponential of -|x|, which cannot overflow."""
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    e = math.exp(x)
    return e / (1 + e)


def softplus(x: float) -> float:
    """log(1 + e^x), by log(1 + e^-|x|) + max(x, 0)."""
    if x != x:
        return x
    return math.log1p(math.exp(-abs(x))) + (x if x > 0 else 0.0)


def maximum(xs: Sequence[float]) -> float:
    """The largest; nan if any is nan."""
    top = xs[0]
    for x in xs:
        if x > top or x != x:
            top = x
    return top


def minimum(xs: Sequence[float]) -> float:
    """The smallest; nan if any is nan."""
    return -maximum([-x for x in xs])


def clip(x: float, low: float, high: float) -> float:
    """min(max(x, low), high); nan if any is nan."""
    return minimum((maximum((x, low)), high))


def logsumexp(xs: Sequence[float]) -> float:
    """log of the sum of e^x, shifted by the largest x so that no term overflows."""
    top = maximum(xs)
    if not math.isfinite(top):
        return top
    return top + math.log(sum([math.exp(x - top) for x in xs]))
