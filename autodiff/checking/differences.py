"""Derivatives by extrapolated central differences, with an estimate of their error."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite, nan

EPSILON = sys.float_info.epsilon
_TINY = sys.float_info.min  # numbers below have fewer digits
FIRST_STEP = 2.0**-10
_STEPS = tuple(1 / 16**k for k in range(7))
# A difference quotient is trusted if its estimated error is below this fraction of it.
_SETTLED = 1e-8


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference quotient with its estimated error."""

    slope: float = nan
    error: float = inf
    """An estimate of |slope − derivative|."""
    noise: float = 0.0
    """How far rounding of f alone may change `slope`."""
    is_kink: bool = False
    """Whether the slopes on both sides differ, or f jumps."""

    def is_settled(self, bend: float) -> bool:
        """Whether a smaller step cannot help or is not needed."""
        return self.error <= max(_SETTLED * abs(self.slope), _SETTLED * bend, 2 * self.noise)


def differentiate(
    f: Callable[[float], Sequence[float]],
    center: Sequence[float],
    size: float,
    first_step: float = FIRST_STEP,
    epsilon: float = EPSILON,
    level: float = 0.0,
) -> list[tuple[Difference, float]]:
    """The derivative at 0 and the bend of each number that f returns.

    f takes an offset from the point, and `center` is f(0). Steps start at `first_step`, times
    `size` (the size of the point) if that is above 1, and shrink until the quotients settle
    (Richardson's extrapolation). `epsilon` is the rounding error of f, relative to f's size or
    to `level`, whichever is larger. The bend is the steepest slope from the point to a first
    step away.
    """
    best = [Difference()] * len(center)
    bends = [0.0] * len(center)
    rises: list[list[float]] = [[] for _ in center]
    unsettled = list(range(len(center)))
    for relative_step in _STEPS:
        step = first_step * relative_step * max(1.0, size)
        values = [f(offset) for offset in (-step, -step / 2, step / 2, step)]
        for i in unsettled:
            around = [value[i] for value in values]
            if relative_step == 1:
                bends[i] = _bend(center[i], around, step)
            rises[i].append(around[-1] - around[0])
            candidate = _extrapolate(size, center[i], around, step, epsilon, level)
            if candidate.error < best[i].error:
                best[i] = candidate
        unsettled = [i for i in unsettled if not best[i].is_settled(bends[i])]
        if not unsettled:
            break
    for i in unsettled:
        if _is_jump(rises[i], 16 * best[i].noise * first_step):
            best[i] = Difference(best[i].slope, best[i].error, best[i].noise, is_kink=True)
    return list(zip(best, bends, strict=True))


def _bend(center: float, around: list[float], step: float) -> float:
    rise = max(abs(around[0] - center), abs(around[-1] - center))
    return rise / step if isfinite(rise) else 0.0


def _is_jump(rises: list[float], noise: float) -> bool:
    """Whether f rises as much across a step as across one that is 256 times smaller."""
    *_, first, last = rises[-3::2]
    return abs(last) > noise and abs(last - first) < 0.01 * abs(last)


def _extrapolate(
    size: float, center: float, around: list[float], step: float, epsilon: float, level: float
) -> Difference:
    """Richardson's extrapolation from the values of f at ± step and ± step / 2."""
    low, near_low, near_high, high = around
    wide = (high - low) / (2 * step)
    narrow = (near_high - near_low) / step
    slope = (4 * narrow - wide) / 3
    # The slope from the right minus the slope from the left shrinks with the step where f is
    # smooth, and stays the same at a kink.
    jump = (high - 2 * center + low) / step
    near_jump = (near_high - 2 * center + near_low) / (step / 2)
    # f is rounded, and so is the point, which changes both the step and the place of the point.
    rounded = max(level, _TINY, *map(abs, (center, *around))) + size * (abs(near_jump) + abs(slope))
    noise = 8 * epsilon * rounded / step  # a few ops' worth
    error = abs(narrow - wide) + noise
    if not isfinite(error):
        return Difference()
    is_kink = abs(near_jump) > max(0.75 * abs(jump), 1e-6 * abs(slope), 16 * noise)
    return Difference(slope, error, noise, is_kink)
