"""Expressions over the op table, each built from a list of choices, and where they are smooth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations
from math import isfinite
from typing import Any, Protocol, TypeVar

from autodiff.ops import TABLE
from autodiff.rows.primitive import Domain, Primitive
from autodiff.rows.reduction import Reduction, Selection

Operand = TypeVar("Operand")

MARGIN = 0.2
"""How far operands stay from kinks, from ends of domains and, where equal ones tie, apart."""
_LARGEST, _STEEPEST = 10.0, 30.0  # a result and its slope: this keeps differences accurate
# The simplest come first, as shrinking moves a choice to the front.
_NUMBERS = sorted([k / 10 for k in range(-20, 25)], key=lambda x: (x % 1 != 0, x < 0, abs(x - 1)))


class _Printer(Protocol):
    """The pretty-printer of Hypothesis or IPython."""

    def text(self, text: str) -> None:
        """Print `text`."""


@dataclass(frozen=True)
class Expression:
    """A function of numbers, Values or arrays, and a point around which it is smooth.

    `repr` shows the Python code that runs, in which ops have their names.
    """

    source: str
    point: tuple[float, ...]
    rows: tuple[Primitive, ...]
    """The ops that the code calls, each once."""

    @cached_property
    def _function(self) -> Callable[..., Any]:
        names: dict[str, Any] = {row.name: row for row in (*self.rows, TABLE["sum"])}
        # ExpressionBuilder wrote the code, with nothing in it but names of rows and numbers.
        exec(compile(self.source, "<expression>", "exec"), names)
        function: Callable[..., Any] = names["f"]
        return function

    def __call__(self, *inputs: Operand) -> Operand:
        """The result, of the kind of the inputs: a number, a Value or an array."""
        result: Operand = self._function(*inputs)
        return result

    def __repr__(self) -> str:
        return f"Expression at {self.point}:\n{self.source.rstrip()}"

    def _repr_pretty_(self, printer: _Printer, is_cycle: bool) -> None:
        # Hypothesis and IPython call it; without it they show the fields.
        printer.text(repr(self))


def sequences(row: Primitive) -> int:
    """How many sequences of equal length the operands of a call form."""
    return max(1, row.sequences) if isinstance(row, Reduction) else 1


def arranged(
    row: Primitive, operands: list[Operand], index: int = 0
) -> list[Operand | list[Operand] | int]:
    """The arguments of a call with `operands`; an op that picks one of them picks `index`."""
    if isinstance(row, Selection):
        return [operands, index]
    if isinstance(row, Reduction) and (row.sequences or len(operands) == 1):
        size = len(operands) // sequences(row)
        return [operands[i : i + size] for i in range(0, len(operands), size)]
    return list(operands)


@dataclass(frozen=True)
class _Term:
    """A number, an input, a result or a comparison, as an operand of the next call."""

    text: str
    primal: float
    slope: float = 0.0
    """A bound of its slope as a function of the inputs."""
    uses: str = ""
    """The name in `text`, if there is one."""


class ExpressionBuilder:
    """Builds an expression call by call, and knows each result at the expression's point."""

    def __init__(self, max_inputs: int) -> None:
        self._max_inputs = max_inputs
        self._inputs: list[_Term] = []
        self._names: list[_Term] = []  # of inputs and results
        self._lines: dict[str, str] = {}
        self._used: set[str] = set()
        self._rows: dict[Primitive, None] = {}

    def call(self, row: Primitive, choices: list[int]) -> None:
        """Add a call of `row`, unless its result were constant, at a tie, large or steep."""
        first = next(i for i in range(len(choices)) if domain_of(row, i))
        if isinstance(row, Selection):
            first = choices[-1] % len(choices)
        operands = [self._operand(row, i, choice, first) for i, choice in enumerate(choices)]
        is_constant = not operands[first].uses
        if is_constant or (row.ties and has_tie([operand.primal for operand in operands])):
            return
        bound = row.bind(*arranged(row, operands, first))
        primals = tuple([operand.primal for operand in bound])
        out = row.apply(primals)
        slope = sum(
            abs(partial) * operand.slope
            for operand, partial in zip(bound, row.partials_at(primals, out), strict=True)
            if partial is not None
        )
        if abs(out) < _LARGEST and slope < _STEEPEST:
            name = f"y{len(self._lines)}"
            self._lines[name] = _call(row, arranged(row, [x.text for x in operands], first))
            self._names.append(_Term(name, out, slope, name))
            self._used.update(operand.uses for operand in operands)
            self._rows[row] = None

    def _operand(self, row: Primitive, i: int, choice: int, first: int) -> _Term:
        """A result, a new input or a constant inside the domain.

        The operand at `first` is a constant only if no result fits and no input may be added.
        """
        domain = domain_of(row, i)
        if domain is None:
            return self._comparison(choice)
        found = [x for x in reversed(self._names) if is_inside(domain, x.primal)]
        may_be_new = len(self._inputs) < self._max_inputs
        choice, slot = divmod(choice, len(found) + may_be_new + 2 * (i != first) or 1)
        if slot < len(found):
            return found[slot]
        numbers = numbers_inside(domain)
        number = numbers[choice % len(numbers)]
        if slot > len(found) or not may_be_new:
            return _Term(repr(number), number)
        name = f"x{len(self._inputs)}"
        self._inputs.append(_Term(name, number, 1.0, name))
        self._names.append(self._inputs[-1])
        return self._inputs[-1]

    def _comparison(self, choice: int) -> _Term:
        """A condition that does not change near the point."""
        if not self._names:
            return _Term(str(choice % 2 > 0), float(choice % 2))
        choice, slot = divmod(choice, len(self._names))
        left = self._names[slot]
        bounds = [x for x in _NUMBERS if abs(x - left.primal) >= MARGIN]
        bound = bounds[choice % len(bounds)]
        return _Term(f"{left.text} > {bound}", float(left.primal > bound), uses=left.text)

    @property
    def has_calls(self) -> bool:
        """Whether a call was added."""
        return bool(self._lines)

    def expression(self) -> Expression:
        """The expression; it returns the sum of all results that no call uses."""
        results = [name for name in self._lines if name not in self._used]
        lines = [f"    {name} = {text}" for name, text in self._lines.items()]
        if len(results) == 1:
            lines[-1] = f"    return {self._lines[results[0]]}"
        else:
            lines.append(f"    return sum([{', '.join(results)}])")
        source = "\n".join([f"def f({', '.join(x.text for x in self._inputs)}):", *lines, ""])
        return Expression(source, tuple(x.primal for x in self._inputs), tuple(self._rows))


def _call(row: Primitive, arguments: Sequence[str | list[str] | int]) -> str:
    """The code of a call, with an operator if there is one."""
    texts = [f"[{', '.join(x)}]" if isinstance(x, list) else str(x) for x in arguments]
    if row.arity == 2 and row.label in ("+", "-", "*", "/", "**"):
        return f" {row.label} ".join(texts)
    return f"{row.name}({', '.join(texts)})"


def domain_of(row: Primitive, i: int) -> Domain | None:
    """The domain of operand i; None for a condition."""
    if row.arity is None or isinstance(row, Selection):
        return row.domain[0]
    return row.domain[i] if row.partials[i] else None


def is_inside(domain: Domain, x: float) -> bool:
    """Whether x lies in the domain, away from its ends and kinks."""
    low = domain.low + MARGIN if isfinite(domain.low) else -_LARGEST
    high = domain.high - MARGIN if isfinite(domain.high) else _LARGEST
    return low <= x <= high and all(abs(x - kink) >= MARGIN for kink in domain.kinks)


@cache
def numbers_inside(domain: Domain) -> list[float]:
    """Short numbers that are inside the domain, the simplest first."""
    return [x for x in _NUMBERS if is_inside(domain, x)]


def has_tie(xs: Sequence[float]) -> bool:
    """Whether two of `xs` are nearly equal."""
    return any(abs(x - y) < MARGIN for x, y in combinations(xs, 2))
