"""Identities: forms of an op that are simpler and have the same value, for scalars and arrays.

A rule is given the terms that a program consists of and the operands of its op, and makes the
simpler form, or returns None. Values are equal to the bit, signs of zeros included, except that
the arrays' products and quotients by constants may round once less.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from autodiff import ops
from autodiff.rows.primitive import Primitive


class Terms(Protocol):
    """What a rule asks of a program, and how it makes another term; terms have numbers."""

    def only(self, i: int) -> float | None:
        """The number that a constant is everywhere; None for anything else."""

    def operands_of(self, i: int, row: Primitive) -> tuple[int, ...] | None:
        """The operands of `i` if it is a `row`."""

    def apply(self, row: Primitive, operands: Sequence[int]) -> int:
        """An op on operands, in simplest form."""

    def beside(self, i: int, x: float) -> int:
        """The constant `x`, to be an operand beside `i`."""

    def spans(self, i: int, operands: Sequence[int]) -> bool:
        """Whether `i` has the shape of an op on `operands`, one of which it is."""

    def spread(self, i: int, operands: Sequence[int]) -> int:
        """`i` in the shape of an op on `operands`."""


class ArrayTerms(Terms, Protocol):
    """What the rules for arrays ask besides."""

    def is_known(self, i: int) -> bool:
        """Whether `i` is a constant."""

    def is_moderate(self, i: int) -> bool:
        """Whether `i` is a constant with which products may be reordered."""

    def is_unsigned(self, i: int) -> bool:
        """Whether no element of `i` is negative or -0.0."""


Rule = Callable[..., int | None]
Rules = Mapping[Primitive, Sequence[Rule]]


def simplified(rules: Rules, terms: Terms, row: Primitive, operands: Sequence[int]) -> int | None:
    """A simpler form of an op on operands, not all of them constants; None without one."""
    if row.units and (other := _other_than_unit(terms, row, operands)) is not None:
        return other
    for rule in rules.get(row, ()):
        found = rule(terms, *operands)
        if found is not None:
            return found
    return None


def _other_than_unit(terms: Terms, row: Primitive, operands: Sequence[int]) -> int | None:
    """1 x → x, x / 1 → x, x - 0 → x, x ** 1 → x: as `units` of the row say."""
    for unit, i, other in zip(row.units, operands, operands[::-1], strict=True):
        if unit is not None and _is(terms, i, unit) and terms.spans(other, operands):
            return other
    return None


def _is(terms: Terms, i: int, x: float) -> bool:
    """Whether `i` is the constant `x`, to the sign of a zero."""
    only = terms.only(i)
    return only is not None and only == x and math.copysign(1.0, only) == math.copysign(1.0, x)


def _in_either_order(rule: Rule) -> Rule:
    """The rule for two operands as they are, else exchanged."""

    def either(terms: Terms, x: int, y: int) -> int | None:
        found = rule(terms, x, y)
        return rule(terms, y, x) if found is None else found

    return either


def _chosen(terms: Terms, condition: int, x: int, y: int) -> int | None:
    only = terms.only(condition)
    return None if only is None else terms.spread(x if only else y, (condition, x, y))


# Scalars


def _plus_nothing(terms: Terms, x: int, zero: int) -> int | None:
    return x if _is(terms, zero, -0.0) else None


def _plus_zero(terms: Terms, x: int, zero: int) -> int | None:
    return _from_zero(terms, x) if _is(terms, zero, 0.0) else None


def _minus_minus_zero(terms: Terms, x: int, zero: int) -> int | None:
    return _from_zero(terms, x) if _is(terms, zero, -0.0) else None


def _from_zero(terms: Terms, x: int) -> int:
    """0 + x, which is x but for -0.0: where a loop of sums began.

    It is a sum of one term, in one pack with the longer ones.
    """
    return x if terms.operands_of(x, ops.sum) is not None else terms.apply(ops.sum, (x,))


def _small_power(terms: Terms, x: int, y: int) -> int | None:
    power = x
    for exponent in (1.0, 2.0, 3.0, 4.0):
        if _is(terms, y, exponent):
            return power
        power = terms.apply(ops.mul, (x, power))
    return None


def _sum_of_products(terms: Terms, *wx: int) -> int:
    half = len(wx) // 2
    products = [terms.apply(ops.mul, pair) for pair in zip(wx[:half], wx[half:], strict=True)]
    return terms.apply(ops.sum, products)


def _quotient_of_sum(terms: Terms, *xs: int) -> int:
    total = terms.apply(ops.sum, xs)
    return terms.apply(ops.div, (total, terms.beside(total, float(len(xs)))))


def _only_operand(terms: Terms, *xs: int) -> int | None:
    return xs[0] if len(xs) == 1 else None


# Arrays


def _negated_twice(terms: ArrayTerms, x: int) -> int | None:
    inner = terms.operands_of(x, ops.neg)
    return inner[0] if inner else None


def _negated_multiple(terms: ArrayTerms, x: int) -> int | None:
    c, y = _multiple(terms, x, terms.is_known) or (None, None)
    if c is None or y is None:
        return None
    return terms.apply(ops.mul, [terms.apply(ops.neg, [c]), y])


def _multiple(
    terms: ArrayTerms, x: int, is_factor: Callable[[int], bool]
) -> tuple[int, int] | None:
    """c and y if x is c y or y c, with such a factor c."""
    inner = terms.operands_of(x, ops.mul)
    for c, y in (inner, inner[::-1]) if inner else ():
        if is_factor(c):
            return c, y
    return None


def _plus_negated(terms: ArrayTerms, x: int, y: int) -> int | None:
    inner = terms.operands_of(y, ops.neg)
    return terms.apply(ops.sub, [x, inner[0]]) if inner else None


def _minus_negated(terms: ArrayTerms, x: int, y: int) -> int | None:
    inner = terms.operands_of(y, ops.neg)
    return terms.apply(ops.add, [x, inner[0]]) if inner else None


def _times_minus_one(terms: ArrayTerms, c: int, x: int) -> int | None:
    is_negation = _is(terms, c, -1.0) and terms.spans(x, (c, x))
    return terms.apply(ops.neg, [x]) if is_negation else None


def _times_multiple(terms: ArrayTerms, c: int, x: int) -> int | None:
    found = _multiple(terms, x, terms.is_moderate) if terms.is_moderate(c) else None
    return terms.apply(ops.mul, [terms.apply(ops.mul, [c, found[0]]), found[1]]) if found else None


def _times_negated(terms: ArrayTerms, x: int, y: int) -> int | None:
    inner = terms.operands_of(y, ops.neg)
    return terms.apply(ops.neg, [terms.apply(ops.mul, [x, inner[0]])]) if inner else None


def _over_power_of_two(terms: ArrayTerms, x: int, y: int) -> int | None:
    only = terms.only(y)
    is_exact = only is not None and math.frexp(only)[0] == 0.5 and math.isfinite(1 / only)
    return terms.apply(ops.mul, [x, terms.beside(y, 1 / only)]) if only and is_exact else None


def _negated_over(terms: ArrayTerms, x: int, y: int) -> int | None:
    inner = terms.operands_of(x, ops.neg)
    return terms.apply(ops.neg, [terms.apply(ops.div, [inner[0], y])]) if inner else None


def _half_power(terms: ArrayTerms, x: int, y: int) -> int | None:
    """What `np.power` makes of it, though not at -inf and -0.0, as `power` does."""
    if not _is(terms, y, 0.5):
        return None
    if terms.is_unsigned(x):
        return terms.apply(ops.sqrt, [x])
    root = terms.apply(ops.sqrt, [terms.apply(ops.add, [x, terms.beside(x, 0.0)])])
    is_infinite = terms.apply(ops.equal, [x, terms.beside(x, -math.inf)])
    return terms.apply(ops.where, [is_infinite, terms.beside(x, math.inf), root])


def _never_less(terms: ArrayTerms, x: int, y: int) -> int | None:
    only = terms.only(y)
    is_never = only is not None and only <= 0 and terms.is_unsigned(x)
    return terms.beside(x, False) if is_never else None


# Sums and products of scalars stay what they are, for the packs to find.
SCALARS: Rules = {
    ops.add: (
        _in_either_order(_plus_nothing),  # x + -0 → x
        _in_either_order(_plus_zero),  # x + 0 → sum(x)
    ),
    ops.sub: (_minus_minus_zero,),  # x - -0 → sum(x)
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
