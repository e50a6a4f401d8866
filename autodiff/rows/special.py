"""Functions on arrays that NumPy does not have, or has slowly; each takes `out`, as NumPy's do.

Programs that stand alone hold the source of this module, so it names NumPy and the standard
library alone. The coefficients are Chebyshev interpolants, computed with 60 digits: `ERF` of
erf(x) / x in x² on [0, 1/4], `ERFC` of (1 + 2x) e^x² erfc(x) in (x - 4) / (x + 4) on [0, 28], as
in M. M. Shepherd and J. G. Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x in
0 ≤ x < ∞, Mathematics of Computation 36 (1981).
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]

BLOCK = 16384
"""How many elements are computed at a time, so that what comes between stays in the cache."""
ROWS = 7
"""How many arrays of a block there are beside it."""
FEW = 128
"""Up to so many elements, one at a time is quicker."""

ERF = tuple(map(np.array, [
    1.1283791670955126, -0.3761263890318375, 0.1128379167095487, -0.02686617064499972,
    0.0052239776220169365, -0.0008548326510724796, 0.00012055286202005714, -1.4923003368152099e-05,
    1.637123442577e-06, -1.462091340945175e-07,
]))  # fmt: skip
"""Coefficients, the constant first, as NumPy takes numbers soonest."""
ERFC = tuple(map(np.array, [
    1.2329951186255526, -0.13962111684056253, 0.015379652102619558, 0.06809705425469323,
    -0.10103906603629459, 0.09373283499833023, -0.0663303658124095, 0.03716751553777026,
    -0.01619773405599449, 0.005031969975753176, -0.0007577732973669146, -0.00019925668432389153,
    0.00015062169704678355, -2.439924428312988e-05, -1.1222046316669005e-05, 5.709784760966506e-06,
    2.9377854943443786e-07, -8.254699744871162e-07, 7.471952780500971e-08, 1.1005996198640057e-07,
    -1.799947545903142e-08, -1.4091982822555755e-08, 1.868487385473519e-09, 1.263782858042137e-09,
]))  # fmt: skip
EXPM1 = tuple(map(np.array, [0.0, 1.0, 1 / 2, 1 / 6]))


def erf(x: npt.ArrayLike, out: Floats | None = None) -> Floats:
    """2/√π times the integral of e^-t² from 0 to x; within 3 units in the last place."""
    return _in_blocks(_erf, x, out)


def erfc(x: npt.ArrayLike, out: Floats | None = None) -> Floats:
    """1 - erf(x), with all digits for large x; within 4 units in the last place."""
    return _in_blocks(_erfc, x, out)


def sigmoid(x: npt.ArrayLike, out: Floats | None = None) -> Floats:
    """1 / (1 + e^-x); within 3 units in the last place."""
    return _in_blocks(_sigmoid, x, out)


def softplus(x: npt.ArrayLike, out: Floats | None = None) -> Floats:
    """log(1 + e^x); within 3 units in the last place."""
    return _in_blocks(_softplus, x, out)


def _in_blocks(
    function: Callable[[Floats, Floats, Floats], object], x: npt.ArrayLike, out: Floats | None
) -> Floats:
    """A function of each element of `x`, written into `out` if that is given.

    `function` computes in the rows of its last operand: arrays of its own would go back to the
    system, and come anew, with each block.
    """
    given = np.asarray(x)
    if given.dtype.kind != "f":
        given = given.astype(float)
    made = np.empty(given.shape, given.dtype) if out is None else out
    is_one_piece = given.flags.c_contiguous and made.flags.c_contiguous
    if is_one_piece and given.ndim and given.size <= BLOCK:
        function(given, made, np.empty((ROWS, *given.shape), made.dtype))
        return made
    numbers = given.reshape(-1)
    results = made.reshape(-1) if is_one_piece else np.empty(numbers.shape, made.dtype)
    rows = np.empty((ROWS, min(numbers.size, BLOCK)), made.dtype)
    for start in range(0, numbers.size, BLOCK):
        block = numbers[start : start + BLOCK]
        function(block, results[start : start + BLOCK], rows[:, : block.size])
    if not is_one_piece:
        made[...] = results.reshape(made.shape)
    return made


def _erf(x: Floats, out: Floats, rows: Floats) -> None:
    if x.size <= FEW:
        out[...] = np.reshape(list(map(math.erf, x.reshape(-1).tolist())), x.shape)
        return
    small, size, large, *rest = rows.astype(float, copy=False)
    np.multiply(x, x, out=size, dtype=float)
    _polynomial(ERF, size, small)
    small *= x
    np.abs(x, out=size)
    _tail(size, large, rest)
    np.subtract(1.0, large, out=large)
    np.copysign(large, x, out=large)
    out[...] = np.where(size < 0.5, small, large)


def _erfc(x: Floats, out: Floats, rows: Floats) -> None:
    if x.size <= FEW:
        out[...] = np.reshape(list(map(math.erfc, x.reshape(-1).tolist())), x.shape)
        return
    size, tail, _, *rest = rows.astype(float, copy=False)
    np.abs(x, out=size)
    _tail(size, tail, rest)
    np.copysign(tail, x, out=tail)
    np.copysign(1.0, x, out=size)
    np.subtract(1.0, size, out=size)
    np.add(size, tail, out=out)  # 0 + tail on the right, 2 - tail on the left


def _tail(x: Floats, value: Floats, rows: Sequence[Floats]) -> None:
    """Write erfc(x) into `value`, for x that are not negative."""
    near, variable, other, high = rows
    np.minimum(x, 28.0, out=near)  # where it is 0
    np.subtract(near, 4.0, out=variable)
    np.add(near, 4.0, out=other)
    variable /= other
    _polynomial(ERFC, variable, value)
    np.multiply(near, 2.0, out=other)
    other += 1.0
    value /= other
    # e^-x² is e^-h² e^d; the square of h, which has 24 bits, has no rounding error.
    high[...] = near.astype(np.float32)
    np.subtract(high, near, out=variable)
    near += high
    variable *= near
    _polynomial(EXPM1, variable, other)
    other *= value
    value += other
    high *= high
    np.negative(high, out=high)
    value *= np.exp(high, out=high)


def _polynomial(coefficients: Sequence[npt.NDArray[np.float64]], x: Floats, out: Floats) -> None:
    np.multiply(coefficients[-1], x, out=out)
    for coefficient in coefficients[-2:0:-1]:
        out += coefficient
        out *= x
    out += coefficients[0]


def _sigmoid(x: Floats, out: Floats, rows: Floats) -> None:
    e, total, *_ = rows
    np.minimum(x, 40.0, out=e)  # from where on the result is 1
    np.exp(e, out=e)
    np.add(e, 1.0, out=total)
    np.divide(e, total, out=out)


def _softplus(x: Floats, out: Floats, rows: Floats) -> None:
    e = rows[0]
    np.minimum(x, 40.0, out=e)  # from where on the result is x
    np.exp(e, out=e)
    np.log1p(e, out=e)
    np.maximum(e, x, out=out)
