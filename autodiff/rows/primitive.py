"""The mechanism of an op: one callable that runs on numbers, arrays and Values alike.

`Primitive.__call__` is the single interception point: the operands bring the interpreter that
says what the call means.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from math import inf
from operator import mul
from typing import Any

from autodiff.checks import number
from autodiff.rows.interpreter import NUMBERS, Interpreter, interpreter_of

Partial = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Domain:
    """The open interval in which forward and partials exist, except at the `kinks`."""

    low: float = -inf
    high: float = inf
    kinks: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Primitive:
    """One row of the op table: a function of a fixed number of scalars, and its derivative."""

    name: str
    forward: Callable[..., float]
    """Floats → float; total: inf or nan where there is no finite value."""
    partials: tuple[Partial | None, ...]
    """One callable an operand, over (*operands, out); None for an operand without derivative.

    They contain only ops, so given floats they return a number, given Values a graph.
    """
    array: str
    """The NumPy spelling, with {0}, {1}, … for the operands."""
    domain: tuple[Domain, ...]
    """One an operand."""
    label: str
    """What a drawing writes on the node."""
    ufunc: str = ""
    """The name of NumPy's equivalent ufunc, if there is one."""
    defaults: tuple[float, ...] = ()
    """Values of trailing operands that a call may leave out."""
    selects: bool = False
    """True where a partial of 0 means that the operand was not selected.

    No cotangent crosses such an edge, not even inf or nan, which a product would turn to nan.
    """

    ties: bool = False
    """True where the op has a kink wherever two of its operands are equal."""
    signed: tuple[int, ...] = ()
    """The operands in which 0.0 and -0.0 give other numbers, in the result or in a slope."""
    unsigned: bool = False
    """True where no result is negative or -0.0 (it may be nan)."""
    keeps_unsigned: bool = False
    """True where no result is negative or -0.0 if no operand is."""
    is_predicate: bool = False
    """True where the result is a condition: true or false, and as a number 1 or 0."""
    conditions: tuple[int, ...] = ()
    """The operands that are conditions: what is no condition is true there where it is not 0."""

    guards: bool = False
    """True where users choose between operands with it, to keep out one that has no value."""

    singular: bool = False
    """Whether a partial may be infinite, or nan, where the operands are finite."""

    hides_nan: bool = False
    """Whether the result may be a wrong number where an operand is nan."""

    signs: tuple[int, ...] = ()
    """1 or -1 for each operand where the result is the sum of operands with these signs."""

    textbook: tuple[Partial, ...] = ()
    """The partials as books write them, if those in `partials` differ to keep digits.

    They are for people to read; a test holds them equal to `partials`.
    """

    @property
    def arity(self) -> int | None:
        """The number of operands; None for any number."""
        return len(self.partials)

    @cached_property
    def has_conditions(self) -> bool:
        """Whether an operand beside others has no derivative, so that it has to be a number."""
        return None in self.partials and not self.is_predicate

    def bind(self, *args: Any) -> tuple[Any, ...]:
        """The operands of a call: arguments, then defaults; TypeError for a wrong number."""
        most = len(self.partials)
        least = most - len(self.defaults)
        if not least <= len(args) <= most:
            count = f"{most}" if least == most else f"{least} to {most}"
            plural = "" if most == 1 else "s"
            raise TypeError(f"{self.name} takes {count} operand{plural}, got {len(args)}")
        return args + self.defaults[len(args) - least :]

    def unbind(
        self, terms: list[Any], args: tuple[Any, ...], interpreter: Interpreter
    ) -> tuple[Any, ...]:
        """One term an operand → one an argument."""
        return tuple(terms[: len(args)])

    def value_at(self, operands: Sequence[float]) -> float:
        """The result on floats."""
        return self.forward(*operands)

    def partials_at(
        self, operands: Sequence[Any], out: Any, constants: Sequence[Any] | None = None
    ) -> Sequence[Any]:
        """d out / d operand for every operand; None for one that has no derivative.

        With `constants`, only for the operands at which it holds None.
        """
        partials = self.partials
        if constants is not None:
            partials = tuple(compress(partials, [c is None for c in constants]))
        return [None if p is None else p(*operands, out) for p in partials]

    def apply(self, operands: tuple[Any, ...]) -> Any:
        """The result on bound operands."""
        return interpreter_of(operands).apply(self, operands)

    def numbers(self, operands: Iterable[Any]) -> tuple[float, ...]:
        """The operands as floats; TypeError, naming the op, if one is no number."""
        try:
            return tuple(map(number, operands))
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None

    def __call__(self, *args: Any) -> Any:
        """The op on numbers, arrays or Values."""
        return self.apply(self.bind(*args))

    def vjp(self, cotangent: Any, *args: Any) -> Any:
        """`cotangent` times d out / d argument, on numbers, arrays or Values.

        An array's cotangent has its argument's shape and dtype (float64 for integers): axes
        that the op broadcast are summed. One argument gives its cotangent, several give a
        tuple, with None for an argument without derivative (a condition, an index). The
        arguments are not changed. Raises ValueError if `cotangent` and result differ in shape.
        """
        operands = self.bind(*args)
        interpreter = interpreter_of((cotangent, *args, *operands))
        if interpreter is NUMBERS:
            operands = self.numbers(operands)
        product = interpreter.select if self.selects else mul
        with interpreter.quiet():
            out = self.apply(operands)
            given, wanted = getattr(cotangent, "shape", ()), getattr(out, "shape", ())
            if given != wanted:
                raise ValueError(
                    f"{self.name}: the cotangent has shape {given}, the result {wanted}"
                )
            try:
                cotangent = interpreter.fit(cotangent, out)
            except TypeError as error:
                raise TypeError(f"{self.name}: {error}") from None
            terms = [
                None if partial is None else interpreter.fit(product(cotangent, partial), operand)
                for operand, partial in zip(operands, self.partials_at(operands, out), strict=True)
            ]
            cotangents = self.unbind(terms, args, interpreter)
        return cotangents[0] if len(args) == 1 else cotangents

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __deepcopy__(self, memo: dict[int, Any]) -> "Primitive":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _declared, (self.name,)


TABLE: dict[str, Primitive] = {}
"""Every op by name, in the order of declaration."""
INNER: dict[str, Primitive] = {}
"""The rows that are no ops for users, by name: what programs say besides, as comparisons."""
UFUNCS: dict[str, Primitive] = {}
"""The op that a ufunc of NumPy records on Values."""


def declare(row: Primitive, *, is_inner: bool = False) -> Primitive:
    """`row`, entered in the table of ops, or of inner rows; ValueError if its name is taken.

    So is a label that is taken.
    """
    for other in (*TABLE.values(), *INNER.values()):
        if row.name == other.name or row.label == other.label:
            what = f"name {row.name!r}" if row.name == other.name else f"label {row.label!r}"
            raise ValueError(f"{row.name}: the {what} is taken by {other!r}; take another")
    if is_inner:
        INNER[row.name] = row
        return row
    TABLE[row.name] = row
    if row.ufunc:
        UFUNCS.setdefault(row.ufunc, row)
    return row


def retract(row: Primitive) -> None:
    """Take `row` out of the table again."""
    del TABLE[row.name]
    if UFUNCS.get(row.ufunc) is row:
        del UFUNCS[row.ufunc]


def _declared(name: str) -> Primitive:
    row = TABLE.get(name) or INNER.get(name)
    if row is None:
        raise LookupError(f"there is no op {name!r}: declare it with custom_op, then unpickle")
    return row
