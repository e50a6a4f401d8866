"""Ops and their partials as formulas, by running the rows of the op table on symbols.

A formula is text with `{0}`, `{1}`, … for the operands of the op and `{out}` for its result.
"""

from collections.abc import Sequence
from contextvars import Context
from math import inf

from autodiff import ops
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive

LONGEST = 120
_DIGITS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
# How tightly each form binds.
_SUM, _PRODUCT, _NEGATIVE, _POWER, _ATOM = range(5)
_INFIX = {
    ops.add: (" + ", _SUM, _SUM),
    ops.sub: (" − ", _SUM, _PRODUCT),
    ops.mul: (" · ", _PRODUCT, _PRODUCT),
    ops.div: (" / ", _PRODUCT, _NEGATIVE),
}
Term = tuple[str, int]


def of_op(node: Value) -> str | None:
    """What `node` is, as a formula; None if that is longer than LONGEST."""
    assert node.op is not None
    symbols = map(_symbol, range(len(node.operands)))
    terms = [next(symbols) if isinstance(x, Value) else _number(x) for x in node.arguments]
    text, _ = _call(node.op, terms)
    return text if len(text) <= LONGEST else None


def of_partials(node: Value) -> list[str | None]:
    """d node / d operand for each operand, as formulas; None for what is too long or not known.

    A partial that looks at its numbers (a kink, a choice) is shown as it is at these numbers.
    """
    return Context().run(_of_partials, node)  # whatever modes hold outside


def _of_partials(node: Value) -> list[str | None]:
    assert node.op is not None
    out = Value(node.data)
    arguments = [Value(x.data) if isinstance(x, Value) else x for x in node.arguments]
    constants = [None if isinstance(x, Value) else x for x in arguments]
    operands = [x for x in arguments if isinstance(x, Value)]
    terms = {x: _symbol(i) for i, x in enumerate(operands)} | {out: ("{out}", _ATOM)}
    partials = node.op.partials_at(arguments, out, constants)
    return [_formula(partial, terms) for partial in partials]


def _formula(x: Value | float | None, symbols: dict[Value, Term]) -> str | None:
    """The formula of a graph over `symbols`, or of a number."""
    if not isinstance(x, Value):
        return None if x is None else _number(x)[0]
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
        text, _ = terms[node] = _simplified(node.op, arguments)
        if len(text) > LONGEST:
            return None
    return terms[x][0]


def _simplified(op: Primitive, arguments: Sequence[Term]) -> Term:
    """As `_call`, without what says nothing."""
    texts = [text for text, _ in arguments]
    if op is ops.mul and "1" in texts:  # 1 · x → x
        return arguments[1 - texts.index("1")]
    if op is ops.pow and texts[1] == "1":  # x^1 → x
        return arguments[0]
    if op is ops.stop_gradient:  # a number for the slope of the slope
        return arguments[0]
    if op is ops.where and texts[0] in ("0", "1"):  # where(1, x, y) → x
        return arguments[1 if texts[0] == "1" else 2]
    return _call(op, arguments)


def _call(op: Primitive, arguments: Sequence[Term]) -> Term:
    """The term of `op` on terms."""
    texts = [text for text, _ in arguments]
    if op in _INFIX:
        sign, binds, right = _INFIX[op]
        return _within(arguments[0], binds) + sign + _within(arguments[1], right), binds
    if op is ops.neg:
        return "−" + _within(arguments[0], _NEGATIVE), _NEGATIVE
    if op is ops.pow:
        return _power(*arguments)
    if op is ops.sum and len(texts) > 1:
        return " + ".join(_elided([_within(x, _SUM) for x in arguments])), _SUM
    if op is ops.dot and texts:
        half = len(texts) // 2
        pairs = zip(arguments[:half], arguments[half:], strict=True)
        products = [f"{_within(w, _PRODUCT)}·{_within(x, _PRODUCT)}" for w, x in pairs]
        return " + ".join(_elided(products)), _SUM if half > 1 else _PRODUCT
    return f"{op.label}({', '.join(_elided(texts))})", _ATOM


def _power(base: Term, exponent: Term) -> Term:
    raised = exponent[0].replace("−", "-")
    if raised.lstrip("-").isdigit():
        return _within(base, _ATOM) + raised.translate(_DIGITS), _POWER
    return f"{_within(base, _ATOM)}^{_within(exponent, _ATOM)}", _POWER


def _within(term: Term, binds: int) -> str:
    """A term as part of one that binds at least as `binds`."""
    return term[0] if term[1] >= binds else f"({term[0]})"


def _elided(texts: list[str]) -> list[str]:
    """The first three, and the last, of many."""
    return texts if len(texts) <= 5 else [*texts[:3], "…", texts[-1]]


def _symbol(i: int) -> Term:
    return f"{{{i}}}", _ATOM


def _number(x: float) -> Term:
    text = f"{x:.4g}".replace("inf", "∞") if abs(x) == inf else f"{x:.4g}"
    return text.replace("-", "−"), _NEGATIVE if x < 0 else _ATOM
