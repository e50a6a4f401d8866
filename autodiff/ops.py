"""The op table: one row per op, with all that passes, tests and pictures need to know of it.

A partial is written in ops and in + - *, which are total on floats; / and ** are not, so
partials say `div` and `pow`. Given Values they build a graph, so derivatives of every order need
no further rule. At a kink the partial follows PyTorch's five rules (docs/source/notes/autograd.rst,
"Gradients for non-differentiable functions"): where the function is convex, the subgradient of
least norm. So relu'(0) = abs'(0) = 0, and a tie in maximum splits evenly.
"""
# mypy: disable-error-code="has-type,comparison-overlap"
# (rows name one another, also those below them; partials ask whether an operand is a float)

import builtins
import math
import operator
import sys
from collections.abc import Callable, Sequence
from itertools import accumulate
from math import inf, nan, pi
from typing import Any, TypeVar

from autodiff.rows import ieee
from autodiff.rows.documentation import document
from autodiff.rows.primitive import INNER, TABLE, Domain, Partial, Primitive, declare
from autodiff.rows.reduction import Reduction
from autodiff.rows.signatures import (
    Binary,
    Choice,
    Clip,
    OfOperands,
    OfSequence,
    OfSequences,
    Operand,
    Scaled,
    Sloped,
    Take,
    Unary,
)

__all__ = ["TABLE"]  # besides the rows

LARGEST = sys.float_info.max
REAL = Domain()
KINK = Domain(kinks=(0.0,))
POSITIVE = Domain(low=0.0)
UNIT = Domain(-1.0, 1.0)

P = TypeVar("P", bound=Primitive)
R = TypeVar("R", bound=Reduction)


def _row(
    kind: type[P],
    name: str,
    meaning: str,
    forward: Callable[..., float],
    *partials: Partial | None,
    array: str = "",
    **facts: Any,
) -> P:
    """Declare an op on as many operands as it has partials.

    The NumPy spelling is the ufunc of that name unless `ufunc` or `array` says otherwise.
    """
    ufunc = facts.pop("ufunc", "" if array else name)
    holes = ", ".join(f"{{{i}}}" for i in range(len(partials)))
    facts = {"domain": (REAL,) * len(partials), "label": name} | facts
    array = array or f"np.{ufunc}({holes})"
    row = kind(name, forward, partials, array=array, ufunc=ufunc, meaning=meaning, **facts)
    return declare(row)


def _reduction(
    kind: type[R],
    name: str,
    meaning: str,
    forward: Callable[[Sequence[float]], float],
    partials: Partial,
    array: str,
    **facts: Any,
) -> R:
    """Declare an op on any number of operands; `partials` returns the partials of all."""
    facts = {"domain": (REAL,), "label": name} | facts
    return declare(kind(name, forward, (partials,), array=array, meaning=meaning, **facts))


def _one(*_: object) -> float:
    return 1.0


def _softmax(xs: Sequence[Operand], out: Operand) -> list[Operand]:
    """e^x / Σ e^x, both divided by e^out, which cancels and so has no derivative.

    As `out` is log Σ e^x, e^(x - out) is the quotient already, up to the rounding of `out`.
    Beside an infinite operand the finite ones have a share of 0.
    """
    if type(out) is not float or out == inf:
        out = stop_gradient(where(out < inf, out, LARGEST))
    exponentials = [exp(x - out) for x in xs]
    scale = div(1.0, sum(exponentials))
    return [e * scale for e in exponentials]


def _predicate(
    name: str, meaning: str, forward: Callable[..., bool], label: str, **facts: Any
) -> Binary:
    """Declare a condition on two operands; in a trace the operator of that label records it."""
    facts |= {"ufunc": name, "is_predicate": True, "unsigned": True, "meaning": meaning}
    array = f"np.{name}({{0}}, {{1}})"
    return declare(
        Binary(name, forward, (None, None), array, (REAL, REAL), label, **facts), is_inner=True
    )


# fmt: off
# Arithmetic
add = _row(Binary, "add", "x + y", operator.add, _one, _one, label="+", keeps_unsigned=True, signs=(1, 1), infix="+")
sub = _row(Binary, "sub", "x - y", operator.sub, _one, lambda x, y, out: -1.0, label="-", ufunc="subtract", signs=(1, -1), infix="−", units=(None, 0.0))
mul = _row(Binary, "mul", "x y", operator.mul, lambda x, y, out: y, lambda x, y, out: x, label="*", ufunc="multiply", keeps_unsigned=True, bilinear=True, infix="·", units=(1.0, 1.0))
div = _row(Binary, "div", "x / y", ieee.divide,
    lambda x, y, out: div(1.0, y),
    lambda x, y, out: -div(out, y),  # not -x / y²: y² underflows at 1e-200
    label="/", ufunc="divide", domain=(REAL, KINK), keeps_unsigned=True, signed=(1,), singular=True, infix="/", units=(None, 1.0))
pow = _row(Binary, "pow", "x^y; 1 where y is 0", ieee.power,
    lambda x, y, out: _power_slope(x, y),
    lambda x, y, out: _power_slope_by_exponent(x, y, out * log(x)),
    label="**", label_at_constant="**{0:.15g}", ufunc="power", domain=(POSITIVE, REAL), keeps_unsigned=True, signed=(0,), singular=True, infix="^", units=(None, 1.0),
    textbook=(lambda x, y, out: y * pow(x, y - 1.0), lambda x, y, out: out * log(x)))
neg = _row(Unary, "neg", "-x", operator.neg, lambda x, out: -1.0, ufunc="negative", signs=(-1,))
abs = _row(Unary, "abs", "|x|", builtins.abs, lambda x, out: sign(x), ufunc="absolute", domain=(KINK,), unsigned=True)
sign = _row(Unary, "sign", "-1, 0 or 1, as x is negative, 0 or positive", ieee.sign, lambda x, out: 0.0, domain=(KINK,), selects=True)

# Exponentials, logarithms, roots. Where a logarithm is nan, so are its derivatives.
sqrt = _row(Unary, "sqrt", "The square root of x", ieee.sqrt, lambda x, out: div(0.5, out), domain=(POSITIVE,), keeps_unsigned=True, signed=(0,), singular=True, textbook=(lambda x, out: div(1.0, 2.0 * out),))
exp = _row(Unary, "exp", "e^x", ieee.exp, lambda x, out: out, unsigned=True, singular=True)
expm1 = _row(Unary, "expm1", "e^x - 1, with all digits near x = 0", ieee.expm1, lambda x, out: exp(x), singular=True)
log = _row(Unary, "log", "The natural logarithm of x", ieee.log, lambda x, out: div(where(x < 0, nan, 1.0), x), domain=(POSITIVE,), signed=(0,), singular=True, textbook=(lambda x, out: div(1.0, x),))
log1p = _row(Unary, "log1p", "log(1 + x), with all digits near x = 0", ieee.log1p, lambda x, out: div(where(x < -1, nan, 1.0), 1.0 + x), domain=(Domain(low=-1.0),), singular=True, textbook=(lambda x, out: div(1.0, 1.0 + x),))

# Trigonometric and hyperbolic functions
sin = _row(Unary, "sin", "The sine of x", ieee.sin, lambda x, out: cos(x))
cos = _row(Unary, "cos", "The cosine of x", ieee.cos, lambda x, out: -sin(x))
tan = _row(Unary, "tan", "The tangent of x", ieee.tan, lambda x, out: 1.0 + out * out, domain=(Domain(-pi / 2, pi / 2),))
asin = _row(Unary, "asin", "The angle in [-π/2, π/2] whose sine is x", ieee.asin, lambda x, out: div(1.0, sqrt((1.0 - x) * (1.0 + x))), ufunc="arcsin", domain=(UNIT,), singular=True)
acos = _row(Unary, "acos", "The angle in [0, π] whose cosine is x", ieee.acos, lambda x, out: div(-1.0, sqrt((1.0 - x) * (1.0 + x))), ufunc="arccos", domain=(UNIT,), singular=True)
atan = _row(Unary, "atan", "The angle in [-π/2, π/2] whose tangent is x", math.atan, lambda x, out: div(1.0, 1.0 + x * x), ufunc="arctan")
atan2 = _row(Binary, "atan2", "The angle from the x axis to the point (x, y), in [-π, π]", math.atan2,
    lambda y, x, out: _over_square(x, y, x),
    lambda y, x, out: -_over_square(y, y, x),
    ufunc="arctan2", domain=(KINK, KINK), signed=(0, 1), singular=True,
    textbook=(lambda y, x, out: div(x, x * x + y * y), lambda y, x, out: -div(y, x * x + y * y)))
sinh = _row(Unary, "sinh", "(e^x - e^-x) / 2", ieee.sinh, lambda x, out: cosh(x), singular=True)
cosh = _row(Unary, "cosh", "(e^x + e^-x) / 2", ieee.cosh, lambda x, out: sinh(x), unsigned=True, singular=True)
tanh = _row(Unary, "tanh", "sinh(x) / cosh(x)", math.tanh,
    lambda x, out: 4.0 * (sigmoid(2.0 * x) * sigmoid(-2.0 * x)),  # 1 - out² has lost every digit at 20
    textbook=(lambda x, out: 1.0 - out * out,), refined="np.square(1.0 / np.cosh({0}))")
erf = _row(Unary, "erf", "2/√π times the integral of e^-t² from 0 to x", math.erf, lambda x, out: 2 / math.sqrt(pi) * exp(-(x * x)),
    array="erf({0})")
erfc = _row(Unary, "erfc", "1 - erf(x), with all digits for large x", math.erfc, lambda x, out: -2 / math.sqrt(pi) * exp(-(x * x)),
    array="erfc({0})", unsigned=True)

# Activations
relu = _row(Unary, "relu", "max(x, 0)", lambda x: 0.0 if x <= 0 else x, lambda x, out: 1.0 - (out <= 0),
    array="np.maximum({0}, 0.0)", label="ReLU", domain=(KINK,), selects=True, unsigned=True)
leaky_relu = _row(Sloped, "leaky_relu", "x where x > 0, else slope x", lambda x, slope: x if x > 0 else slope * x,
    lambda x, slope, out: where(x > 0, 1.0, slope),
    lambda x, slope, out: where(x > 0, 0.0, x),
    array="np.where({0} > 0, {0}, {1} * {0})", domain=(KINK, REAL), defaults=(0.01,))
sigmoid = _row(Unary, "sigmoid", "1 / (1 + e^-x)", ieee.sigmoid, lambda x, out: out * sigmoid(-x),
    textbook=(lambda x, out: out * (1.0 - out),), refined="0.25 * np.square(1.0 / np.cosh(0.5 * {0}))", array="sigmoid({0})", unsigned=True)
softplus = _row(Unary, "softplus", "log(1 + e^x)", ieee.softplus, lambda x, out: sigmoid(x), array="softplus({0})", unsigned=True)
gelu = _row(Unary, "gelu", "x Φ(x), with Φ the normal distribution function", lambda x: 0.5 * x * math.erfc(-x * math.sqrt(0.5)),
    lambda x, out: 0.5 * erfc(-x * math.sqrt(0.5)) + x * (exp(-0.5 * (x * x)) * (1 / math.sqrt(2 * pi))),
    array="0.5 * {0} * erfc(-{0} * math.sqrt(0.5))", composed=lambda x: x * (0.5 * erfc(-x * math.sqrt(0.5))))
silu = _row(Unary, "silu", "x sigmoid(x)", lambda x: x * ieee.sigmoid(x), lambda x, out: sigmoid(x) * (1.0 + x * sigmoid(-x)),
    array="{0} * sigmoid({0})", composed=lambda x: x * sigmoid(x))
elu = _row(Scaled, "elu", "x where x > 0, else alpha (e^x - 1)", lambda x, alpha: x if x > 0 else alpha * ieee.expm1(x),
    lambda x, alpha, out: where(x > 0, 1.0, alpha * exp(x)),
    lambda x, alpha, out: where(x > 0, 0.0, expm1(x)),
    array="np.where({0} > 0, {0}, {1} * np.expm1({0}))", domain=(KINK, REAL), defaults=(1.0,))

# Choices
where = _row(Choice, "where", "x where the condition holds, else y", lambda condition, x, y: x if condition else y,
    None,
    lambda condition, x, y, out: where(condition, 1.0, 0.0),
    lambda condition, x, y, out: where(condition, 0.0, 1.0),
    array="np.where({0}, {1}, {2})", selects=True, conditions=(0,), keeps_unsigned=True, guards=True)
clip = _row(Clip, "clip", "min(max(x, low), high): the upper bound wins where low > high", ieee.clip,
    lambda x, low, high, out: where((x > low) & (x < high), 1.0, 0.0),
    lambda x, low, high, out: where((x < low) & (low < high), 1.0, 0.0),
    lambda x, low, high, out: where((x > high) | (low > high), 1.0, 0.0),
    array="np.minimum(np.maximum({0}, {1}), {2})", ufunc="clip", selects=True, ties=True, keeps_unsigned=True, guards=True)
# Not in the table: difference quotients do not have its slope.
stop_gradient = Unary("stop_gradient", lambda x: x, (lambda x, out: 0.0,), "np.positive({0})", (REAL,), "stop_gradient", selects=True, keeps_unsigned=True, guards=True, stops=True, meaning="x, with no derivative")
take = declare(Take("take", lambda x: x, (_one,), array="np.positive({0})", domain=(REAL,), label="take", keeps_unsigned=True, meaning="xs[index]; of a table, the row"))

# Conditions; the last three join conditions
less = _predicate("less", "x < y", operator.lt, "<")
less_equal = _predicate("less_equal", "x <= y", operator.le, "<=")
greater = _predicate("greater", "x > y", operator.gt, ">")
greater_equal = _predicate("greater_equal", "x >= y", operator.ge, ">=")
equal = _predicate("equal", "x == y", operator.eq, "==")
not_equal = _predicate("not_equal", "x != y", operator.ne, "!=")
logical_and = _predicate("logical_and", "Both conditions hold", lambda x, y: bool(x) and bool(y), "&", conditions=(0, 1))
logical_or = _predicate("logical_or", "At least one condition holds", lambda x, y: bool(x) or bool(y), "|", conditions=(0, 1))
logical_xor = _predicate("logical_xor", "Exactly one condition holds", lambda x, y: bool(x) is not bool(y), "^", conditions=(0, 1))

# Reductions over the sequence of operands; dot binds its two sequences one after the other
sum = _reduction(OfSequence, "sum", "The sum of the xs; 0 for none", lambda xs: builtins.sum(xs, 0.0), lambda xs, out: (1.0,) * len(xs),
    "np.sum({0}, axis=0)", neutral=0.0, takes_none=True, keeps_unsigned=True, signs=(1,), infix="+")
mean = _reduction(OfSequence, "mean", "The arithmetic mean of the xs", lambda xs: builtins.sum(xs, 0.0) / len(xs), lambda xs, out: (1 / len(xs),) * len(xs),
    "np.mean({0}, axis=0)")
prod = _reduction(OfSequence, "prod", "The product of the xs; 1 for none", math.prod, lambda xs, out: _products_of_others(xs),
    "np.prod({0}, axis=0)", neutral=1.0, takes_none=True)
dot = _reduction(OfSequences, "dot", "The sum of w x over pairs; 0 for none", lambda wx: builtins.sum(map(operator.mul, wx, wx[len(wx) // 2 :]), 0.0),
    lambda wx, out: (*wx[len(wx) // 2 :], *wx[: len(wx) // 2]),
    "np.sum({0} * {1}, axis=0)", sequences=2, neutral=0.0, takes_none=True, bilinear=True)
maximum = _reduction(OfOperands, "maximum", "The largest of the xs", ieee.maximum, lambda xs, out: _shares([x >= out for x in xs]),
    "np.max({0}, axis=0)", sequences=0, label="max", ufunc="maximum", neutral=-inf, selects=True, ties=True, by_element=True, keeps_unsigned=True, guards=True)
minimum = _reduction(OfOperands, "minimum", "The smallest of the xs", ieee.minimum, lambda xs, out: _shares([x <= out for x in xs]),
    "np.min({0}, axis=0)", sequences=0, label="min", ufunc="minimum", neutral=inf, selects=True, ties=True, by_element=True, keeps_unsigned=True, guards=True)
logsumexp = _reduction(OfSequence, "logsumexp", "log of the sum of e^x; -inf for none", ieee.logsumexp, lambda xs, out: _softmax(xs, out),  # noqa: PLW0108
    "np.logaddexp.reduce({0}, axis=0)", neutral=-inf, takes_none=True,
    textbook=(lambda xs, out: [exp(x - out) for x in xs],))
# fmt: on


def _power_slope(x: Operand, y: Operand) -> Operand:
    """y x^(y - 1); 0 for y = 0, where x^(y - 1) may be nan, with a slope by y there too."""
    power = pow(x, y - 1.0)
    slope = y * power
    if type(y) is float and y:
        return slope
    # At x = 0 and 0 < y ≤ 1 the slope by y is -inf: the limit of x^(y - 1) (1 + y log x).
    steep = power - where(y >= 1, sqrt(y - 1.0), 0.0)
    elsewhere = where((y >= 0) & (y <= 1), where(y == 0, 0.0, steep), slope)
    return where((x > 0) | (x < 0), slope, elsewhere)


def _power_slope_by_exponent(x: Operand, y: Operand, slope: Operand) -> Operand:
    """`slope`, which is x^y log x; at x = 0 and y ≥ 0 its limit 0, with limits as slopes.

    -x^(y - ε) has these slopes for every ε > 0; we take ε below the spacing of floats.
    """
    if type(x) is float and x:
        return slope
    limit = where(y > 0, 0.0 - pow(x, y * (1.0 - 2.0**-53)), 0.0)
    return where((x == 0) & (y >= 0), limit, slope)


def _over_square(numerator: Operand, y: Operand, x: Operand) -> Operand:
    """numerator / (x² + y²), scaled by the larger of |x| and |y|: no square over- or underflows.

    The numerator is x or y, so at infinity the limit is 0.
    """
    scale = maximum(abs(x), abs(y))
    u, v = div(x, scale), div(y, scale)
    return where(scale >= inf, 0.0, div(div(numerator, scale), (u * u + v * v) * scale))


def _products_of_others(xs: Sequence[Operand]) -> list[Operand | float]:
    """For every x the product of the others: right with zeros among them, unlike out / x."""
    if not xs:
        return []
    before = accumulate(xs[:-1], operator.mul, initial=1.0)
    after = list(accumulate(xs[:0:-1], operator.mul, initial=1.0))
    return list(map(operator.mul, before, reversed(after)))


def _shares(wins: list[bool]) -> list[float]:
    """1 / the number of winners for each winner, 0 for each loser; nan where nobody wins."""
    ones = [where(won, 1.0, 0.0) for won in wins]
    count = sum(ones)
    return [div(one, count) for one in ones]


for _declared in (*TABLE.values(), *INNER.values(), stop_gradient):
    document(_declared)
