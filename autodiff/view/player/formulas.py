"""Ops and their partials as formulas, by running the rows of the op table on symbols.

A formula is text with `{0}`, `{1}`, … for the operands of the op and `{out}` for its result.
"""

from collections.abc import Sequence
from contextvars import Context
from dataclasses import replace
from math import inf
from typing import NamedTuple

from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive

LONGEST = 120
"""The most characters of a formula."""

_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# How tightly each form binds, the loosest first.
_SUM, _PRODUCT, _NEGATIVE, _POWER, _ATOM = range(5)
# How tightly a sign binds, and how tightly what stands on its right has to.
_SIGNS = {
    "+": (_SUM, _SUM),
    "−": (_SUM, _PRODUCT),
    "·": (_PRODUCT, _PRODUCT),
    "/": (_PRODUCT, _NEGATIVE),
    "^": (_POWER, _ATOM),
}


class Term(NamedTuple):
    """A formula, or part of one, and how tightly its outermost form binds."""

    text: str
    binds: int


def formula_of(node: Value) -> str | None:
    """The op of `node` on its operands; None if the formula is longer than LONGEST."""
    assert node.op is not None
    symbols = map(_symbol, range(len(node.operands)))
    terms = [next(symbols) if isinstance(x, Value) else _number(x) for x in node.arguments]
    text = _call(node.op, terms).text
    return text if len(text) <= LONGEST else None


def partial_formulas(node: Value) -> list[str | None]:
    """d node / d operand for each operand; None where there is none or it is longer than LONGEST.

    These are the partials as books write them, where the row has such. A partial that depends on
    a condition (at a kink, in a choice) is shown as it is at the numbers of `node`.
    """
    return Context().run(_partial_formulas, node)  # whatever modes hold outside


def _partial_formulas(node: Value) -> list[str | None]:
    assert node.op is not None
    row = replace(node.op, partials=node.op.textbook) if node.op.textbook else node.op
    out = Value(node.data)
    arguments = [Value(x.data) if isinstance(x, Value) else x for x in node.arguments]
    constants = [None if isinstance(x, Value) else x for x in arguments]
    operands = [x for x in arguments if isinstance(x, Value)]
    terms = {x: _symbol(i) for i, x in enumerate(operands)} | {out: Term("{out}", _ATOM)}
    return [_formula(partial, terms) for partial in row.partials_at(arguments, out, constants)]


def _formula(x: Value | float | None, symbols: dict[Value, Term]) -> str | None:
    """The formula of a graph over `symbols`, or of a number."""
    if not isinstance(x, Value):
        return None if x is None else _number(x).text
    terms = dict(symbols)
    for node in toposort(x):
        if node in terms:
            continue
        if node.op is None:
            terms[node] = _number(node.data)
            continue
        arguments = [
            terms[argument] if isinstance(argument, Value) else _number(argument)
            for argument in node.arguments
        ]
        terms[node] = _simplified(node.op, arguments)
        if len(terms[node].text) > LONGEST:
            return None
    return terms[x].text


def _simplified(op: Primitive, arguments: Sequence[Term]) -> Term:
    """As `_call`, in the shorter form that a book has."""
    for i, unit in enumerate(op.units):
        if unit is not None and arguments[i] == _number(unit):  # 1 · x → x, x^1 → x
            return arguments[1 - i]
    if op.bilinear and len(arguments) == 2 and arguments[0] == arguments[1]:  # x · x → x²
        return _power(arguments[0], _number(2.0))
    if op.stops:  # it matters for the next derivative only
        return arguments[0]
    if op.chooses and arguments[0].text in ("0", "1"):  # where(1, x, y) → x
        return arguments[1 if arguments[0].text == "1" else 2]
    return _call(op, arguments)


def _call(op: Primitive, arguments: Sequence[Term]) -> Term:
    """The term of `op` on terms."""
    if op.infix == "^":
        return _power(*arguments)
    if op.infix and len(arguments) > 1:
        binds, on_right = _SIGNS[op.infix]
        first, *others = arguments
        texts = [_within(first, binds), *(_within(x, on_right) for x in others)]
        return Term(f" {op.infix} ".join(_elided(texts)), binds)
    if op.signs == (-1,):
        return Term("−" + _within(arguments[0], _NEGATIVE), _NEGATIVE)
    if op.bilinear and arguments:
        half = len(arguments) // 2
        pairs = zip(arguments[:half], arguments[half:], strict=True)
        products = [f"{_within(w, _PRODUCT)}·{_within(x, _PRODUCT)}" for w, x in pairs]
        return Term(" + ".join(_elided(products)), _SUM if half > 1 else _PRODUCT)
    return Term(f"{op.label}({', '.join(_elided([x.text for x in arguments]))})", _ATOM)


def _power(base: Term, exponent: Term) -> Term:
    digits = exponent.text.replace("−", "-")
    if digits.lstrip("-").isdigit():
        return Term(_within(base, _ATOM) + digits.translate(_SUPERSCRIPTS), _POWER)
    return Term(f"{_within(base, _ATOM)}^{_within(exponent, _ATOM)}", _POWER)


def _within(term: Term, binds: int) -> str:
    """The text of `term` inside a form that binds like `binds`, in brackets if it is looser."""
    return term.text if term.binds >= binds else f"({term.text})"


def _elided(texts: list[str]) -> list[str]:
    """All of `texts` up to five, else the first three and the last."""
    return texts if len(texts) <= 5 else [*texts[:3], "…", texts[-1]]


def _symbol(i: int) -> Term:
    return Term(f"{{{i}}}", _ATOM)


def _number(x: float) -> Term:
    text = f"{x:.4g}".replace("inf", "∞") if abs(x) == inf else f"{x:.4g}"
    return Term(text.replace("-", "−"), _NEGATIVE if x < 0 else _ATOM)
