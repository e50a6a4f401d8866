"""What `help` says about an op, from its row: call, meaning, domain, derivatives, NumPy form."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from math import inf, pi
from typing import NoReturn

from autodiff.rows.interpreter import interpret
from autodiff.rows.reduction import Reduction, Selection
from autodiff.rows.row import Domain, Row

_COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
_LEVELS = (_COMPARISONS, ("|",), ("^",), ("&",), ("+", "-"), ("*", "/"), ("**",))
"""Infix labels by precedence, the loosest first, as in Python."""
_BINDS = {label: level for level, labels in enumerate(_LEVELS) for label in labels}
_NEGATIVE, _ATOM = _BINDS["*"], len(_LEVELS)


class Symbol:
    """A formula; a partial that runs on formulas writes its own."""

    __slots__ = ("binds", "text")

    def __init__(self, text: str, binds: int = _ATOM) -> None:
        self.text = text
        self.binds = binds

    def __bool__(self) -> NoReturn:
        raise TypeError("a formula is neither true nor false")

    def __neg__(self) -> "Symbol":
        return Symbol(f"-{_within(self, _NEGATIVE + 1)}", _NEGATIVE)


def _within(x: object, binds: int) -> str:
    """`x` as a part of a formula, in parentheses if it binds less tightly than `binds`."""
    if isinstance(x, Symbol):
        return x.text if x.binds >= binds else f"({x.text})"
    return f"{x:g}" if isinstance(x, float | int) else str(x)


def _infix(label: str) -> Callable[[object, object], Symbol]:
    level = _BINDS[label]
    is_power = label == "**"

    def write(x: object, y: object) -> Symbol:
        if label == "*":  # 1 * x → x
            if isinstance(y, Symbol) and isinstance(x, float) and x == 1.0:
                return y
            if isinstance(x, Symbol) and isinstance(y, float) and y == 1.0:
                return x
        left, right = _within(x, level + is_power), _within(y, level + (not is_power))
        return Symbol(f"{left} {label} {right}", level)

    return write


def _reflected(write: Callable[[object, object], Symbol]) -> Callable[[object, object], Symbol]:
    return lambda x, y: write(y, x)


_WRITERS = {label: _infix(label) for label in _BINDS}
for _name, _label in {
    "add": "+", "sub": "-", "mul": "*", "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==",
    "ne": "!=", "and": "&", "or": "|", "xor": "^",
}.items():  # fmt: skip
    setattr(Symbol, f"__{_name}__", _WRITERS[_label])
    if _label not in _COMPARISONS:
        setattr(Symbol, f"__r{_name}__", _reflected(_WRITERS[_label]))


class _Symbols:
    rank = 9
    hands_over = False

    def apply(self, primitive: Row, operands: tuple[object, ...]) -> Symbol:
        if primitive.label in _BINDS:
            return _WRITERS[primitive.label](*operands)
        texts = ", ".join(_within(x, 0) for x in operands)
        is_list = isinstance(primitive, Reduction) and primitive.sequences == 1
        return Symbol(f"{primitive.name}({f'[{texts}]' if is_list else texts})")

    def quiet(self) -> AbstractContextManager[None]:
        return nullcontext()

    def fit(self, cotangent: object, operand: object) -> object:
        return cotangent

    def select(self, cotangent: object, partial: object) -> NoReturn:
        raise NotImplementedError


interpret(Symbol, _Symbols())


def operands_of(row: Row) -> list[str]:
    """The names of the operands; a reduction is shown with two per sequence."""
    names = list(row.signature.parameters)
    if isinstance(row, Selection):
        return names[:1]
    if isinstance(row, Reduction):
        return [f"{name[0]}{i}" for name in names for i in (0, 1)]
    return names


def derivatives(row: Row) -> dict[str, str | None]:
    """The derivative by each operand as a formula, from the textbook if the row has one."""
    names = operands_of(row)
    symbols = [Symbol(name) for name in names]
    out = Symbol("out")
    if isinstance(row, Reduction):
        (partials,) = row.textbook or row.partials
        assert partials is not None
        return {name: _within(p, 0) for name, p in zip(names, partials(symbols, out), strict=True)}
    return {
        name: None if partial is None else _within(partial(*symbols, out), 0)
        for name, partial in zip(names, row.textbook or row.partials, strict=True)
    }


def domain_in_words(row: Row) -> str:
    """Where the op is smooth, as inequalities of its operands; ℝ if everywhere."""
    names = ["x"] if row.arity is None else list(row.signature.parameters)
    texts = [_bounds(name, domain) for name, domain in zip(names, row.domain, strict=False)]
    texts.append("no two equal" if row.ties else "")
    return ", ".join(filter(None, texts)) or "ℝ"


def _bounds(name: str, domain: Domain) -> str:
    words = {-inf: "", inf: "", pi / 2: "π/2", -pi / 2: "-π/2"}
    low = words.get(domain.low, f"{domain.low:g}")
    high = words.get(domain.high, f"{domain.high:g}")
    parts = [f"{low} < {name} < {high}" if low and high else ""]
    if not parts[0]:
        parts = [f"{name} > {low}" if low else "", f"{name} < {high}" if high else ""]
    return ", ".join(filter(None, [*parts, *(f"{name} ≠ {kink:g}" for kink in domain.kinks)]))


def documentation(row: Row, about: str = "") -> str:
    """The docstring of an op: call, meaning, then `about`, domain, derivatives and NumPy form."""
    lines = [f"{row.name}{row.signature}", ""]
    lines += [text if text.endswith(".") else f"{text}." for text in [row.meaning] if text]
    lines += [about, ""] if about else [""] if row.meaning else []
    if not row.is_predicate:
        lines.append(f"Smooth inside: {domain_in_words(row)}")
        try:
            slopes = derivatives(row)
        except Exception:  # a user's partial may branch, which a formula cannot
            slopes = {}
        if isinstance(row, Reduction) and slopes:
            lines.append(f"With two operands{' per sequence' * (row.sequences == 2)}:")
        for i, (name, slope) in enumerate(slopes.items()):
            reason = "none, as it is a condition" if i in row.conditions else "none"
            lines.append(f"d/d{name}: {slope if slope is not None else reason}")
        if any("out" in (slope or "") for slope in slopes.values()):
            lines.append("out: the result")
    if "custom[" not in row.array and not isinstance(row, Selection):
        lines.append(f"NumPy: {row.array.format(*row.signature.parameters)}")
    return "\n".join(lines).rstrip()


def document(row: Row, about: str = "") -> None:
    """Give an op its docstring."""
    object.__setattr__(row, "__doc__", documentation(row, about))
