"""Identities: forms of an op that are simpler and have the same value, for scalars and arrays.

A program of scalars and a builder of arrays are both `Instructions`. A rule takes these and the
operands of its op, and makes the simpler form or returns None. Values are equal, signs of zeros
included; only powers, and the arrays' products with constants, may round otherwise.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from autodiff import ops
from autodiff.compiler.instructions import ArrayInstructions, Instructions
from autodiff.rows.primitive import Primitive

Rule = Callable[..., int | None]
Rules = Mapping[Primitive, Sequence[Rule]]


def simplified(
    rules: Rules, program: Instructions, row: Primitive, operands: Sequence[int]
) -> int | None:
    """A simpler form of an op on operands, not all of them constants; None without one."""
    if row.units and (same := unchanged(program, row, operands)) is not None:
        return same
    for rule in rules.get(row, ()):
        found = rule(program, *operands)
        if found is not None:
            return found
    return None


def unchanged(program: Instructions, row: Primitive, operands: Sequence[int]) -> int | None:
    """The operand that an op on operands leaves as it is; None where it changes it."""
    for k, unit in enumerate(row.units):  # 1 x → x, x / 1 → x, x - 0 → x, x ** 1 → x
        other = operands[1 - k]
        if unit is not None and _is(program, operands[k], unit) and program.spans(other, operands):
            return other
    return None


@cache
def waits(row: Primitive) -> bool:
    """Whether it shows only in the whole program if an op on scalars is better left as it is.

    Sums take products and sums in anyway, and other rules give an op another form.
    """
    return bool(row.units) and not (row.signs or row.bilinear or row in SCALARS)


def _is(program: Instructions, i: int, x: float) -> bool:
    """Whether `i` is the constant `x`, to the sign of a zero."""
    only = program.only(i)
    return only is not None and only == x and math.copysign(1.0, only) == math.copysign(1.0, x)


def _in_either_order(rule: Rule) -> Rule:
    """The rule for two operands as they are, else exchanged."""

    def either(program: Instructions, x: int, y: int) -> int | None:
        found = rule(program, x, y)
        return rule(program, y, x) if found is None else found

    return either


def _chosen(program: Instructions, condition: int, x: int, y: int) -> int | None:
    only = program.only(condition)
    return None if only is None else program.spread(x if only else y, (condition, x, y))


# Scalars


def _plus_zero(program: Instructions, x: int, zero: int) -> int | None:
    only = program.only(zero)
    if only != 0.0:
        return None
    return x if math.copysign(1.0, only) < 0 else _from_zero(program, x)


def _minus_negative_zero(program: Instructions, x: int, zero: int) -> int | None:
    return _from_zero(program, x) if program.only(zero) == 0.0 else None  # 0.0 is a unit


def _from_zero(program: Instructions, x: int) -> int:
    """0 + x, which differs from x at -0.0: a sum of one term, in one pack with longer sums."""
    return x if program.operands_of(x, ops.sum) is not None else program.apply(ops.sum, (x,))


def _small_power(program: Instructions, x: int, y: int) -> int | None:
    power = x
    for exponent in (1.0, 2.0, 3.0, 4.0):
        if _is(program, y, exponent):
            return power
        power = program.apply(ops.mul, (x, power))
    return None


def _sum_of_products(program: Instructions, *wx: int) -> int:
    half = len(wx) // 2
    products = [program.apply(ops.mul, pair) for pair in zip(wx[:half], wx[half:], strict=True)]
    return program.apply(ops.sum, products)


def _quotient_of_sum(program: Instructions, *xs: int) -> int:
    total = program.apply(ops.sum, xs)
    return program.apply(ops.div, (total, program.beside(total, float(len(xs)))))


def _only_operand(program: Instructions, *xs: int) -> int | None:
    return xs[0] if len(xs) == 1 else None


# Arrays


def _negated_twice(program: ArrayInstructions, x: int) -> int | None:
    inner = program.operands_of(x, ops.neg)
    return inner[0] if inner else None


def _negated_multiple(program: ArrayInstructions, x: int) -> int | None:
    if (found := _multiple(program, x, program.is_known)) is None:
        return None
    c, y = found
    return program.apply(ops.mul, [program.apply(ops.neg, [c]), y])


def _multiple(
    program: ArrayInstructions, x: int, is_factor: Callable[[int], bool]
) -> tuple[int, int] | None:
    """c and y if x is c y or y c, with such a factor c."""
    inner = program.operands_of(x, ops.mul)
    for c, y in (inner, inner[::-1]) if inner else ():
        if is_factor(c):
            return c, y
    return None


def _plus_negated(program: ArrayInstructions, x: int, y: int) -> int | None:
    inner = program.operands_of(y, ops.neg)
    return program.apply(ops.sub, [x, inner[0]]) if inner else None


def _minus_negated(program: ArrayInstructions, x: int, y: int) -> int | None:
    inner = program.operands_of(y, ops.neg)
    return program.apply(ops.add, [x, inner[0]]) if inner else None


def _times_minus_one(program: ArrayInstructions, c: int, x: int) -> int | None:
    is_negation = _is(program, c, -1.0) and program.spans(x, (c, x))
    return program.apply(ops.neg, [x]) if is_negation else None


def _times_multiple(program: ArrayInstructions, c: int, x: int) -> int | None:
    found = _multiple(program, x, program.is_moderate) if program.is_moderate(c) else None
    if found is None:
        return None
    d, y = found
    return program.apply(ops.mul, [program.apply(ops.mul, [c, d]), y])


def _times_negated(program: ArrayInstructions, x: int, y: int) -> int | None:
    inner = program.operands_of(y, ops.neg)
    return program.apply(ops.neg, [program.apply(ops.mul, [x, inner[0]])]) if inner else None


def _over_power_of_two(program: ArrayInstructions, x: int, y: int) -> int | None:
    only = program.only(y)
    is_exact = only is not None and math.frexp(only)[0] == 0.5 and math.isfinite(1 / only)
    return program.apply(ops.mul, [x, program.beside(y, 1 / only)]) if only and is_exact else None


def _negated_over(program: ArrayInstructions, x: int, y: int) -> int | None:
    inner = program.operands_of(x, ops.neg)
    return program.apply(ops.neg, [program.apply(ops.div, [inner[0], y])]) if inner else None


def _half_power(program: ArrayInstructions, x: int, y: int) -> int | None:
    """√x, as `np.power` has it; at -inf and -0.0 the values of `ops.pow`."""
    if not _is(program, y, 0.5):
        return None
    if program.is_unsigned(x):
        return program.apply(ops.sqrt, [x])
    root = program.apply(ops.sqrt, [program.apply(ops.add, [x, program.beside(x, 0.0)])])
    is_infinite = program.apply(ops.equal, [x, program.beside(x, -math.inf)])
    return program.apply(ops.where, [is_infinite, program.beside(x, math.inf), root])


def _never_less(program: ArrayInstructions, x: int, y: int) -> int | None:
    only = program.only(y)
    is_never = only is not None and only <= 0 and program.is_unsigned(x)
    return program.beside(x, False) if is_never else None


# Sums and products of scalars stay what they are, for the packs to find.
SCALARS: Rules = {
    ops.add: (_in_either_order(_plus_zero),),  # x + -0 → x, x + 0 → sum(x)
    ops.sub: (_minus_negative_zero,),  # x - -0 → sum(x)
    ops.pow: (_small_power,),  # x ** 2 → x x, up to 4
    ops.dot: (_sum_of_products,),  # w · x → sum(w x)
    ops.mean: (_quotient_of_sum,),  # mean(x) → sum(x) / n
    ops.prod: (_only_operand,),  # prod(x) → x
    ops.take: (_only_operand,),
    ops.where: (_chosen,),  # where(True, x, y) → x
}

# A sign or a constant that moves outward meets others, and is applied once.
ARRAYS: Rules = {
    ops.neg: (
        _negated_twice,  # -(-x) → x
        _negated_multiple,  # -(c x) → (-c) x
    ),
    ops.add: (_in_either_order(_plus_negated),),  # x + -y → x - y
    ops.sub: (_minus_negated,),  # x - -y → x + y
    ops.mul: (
        _in_either_order(_times_minus_one),  # -1 x → -x
        _in_either_order(_times_multiple),  # c (d x) → (c d) x
        _in_either_order(_times_negated),  # x -y → -(x y)
    ),
    ops.div: (
        _over_power_of_two,  # x / 2ⁿ → 2⁻ⁿ x
        _negated_over,  # -x / y → -(x / y)
    ),
    ops.pow: (_half_power,),  # x ** ½ → √x
    ops.less: (_never_less,),  # |x| < 0 → False
    ops.where: (_chosen,),
}
