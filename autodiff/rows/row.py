"""A row of the op table: the functions of one op on floats, and facts about it."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from math import inf
from typing import Any

from autodiff.checks import number

Partial = Callable[..., Any]
"""A function of (*operands, out) that contains only ops: floats give a float, Values a graph."""

_NAMES = "xyzuvw"


@dataclass(frozen=True, slots=True)
class Domain:
    """The open interval in which forward and partials exist, except at the `kinks`."""

    low: float = -inf
    high: float = inf
    kinks: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False, repr=False)
class Row:
    """A function of a fixed number of scalars, its derivative, and its facts."""

    name: str
    forward: Callable[..., float]
    """Floats → float; total: inf or nan where there is no finite value."""
    partials: tuple[Partial | None, ...]
    """One per operand; None for an operand without derivative."""
    array: str
    """The NumPy expression, with {0}, {1}, … for the operands."""
    domain: tuple[Domain, ...]
    """One per operand."""
    label: str
    """The text on the node in a drawing."""
    ufunc: str = ""
    """The name of NumPy's equivalent ufunc, if there is one."""
    defaults: tuple[float, ...] = ()
    """The values of trailing operands that a call may omit."""
    selects: bool = False
    """True where a partial of 0 means that the operand was not selected.

    No cotangent crosses such an edge, not even inf or nan, whose product with 0 is nan.
    """
    ties: bool = False
    """True where the op has a kink wherever two of its operands are equal."""
    signed: tuple[int, ...] = ()
    """The operands in which 0.0 and -0.0 give different results or slopes."""
    unsigned: bool = False
    """True where no result is negative or -0.0 (it may be nan)."""
    keeps_unsigned: bool = False
    """True where no result is negative or -0.0 if no operand is."""
    is_predicate: bool = False
    """True where the result is a condition: true or false, and as a number 1 or 0."""
    conditions: tuple[int, ...] = ()
    """The operands that are conditions: there any other number means `≠ 0`."""
    guards: bool = False
    """True where users choose between operands with it, to keep out one without a value."""
    singular: bool = False
    """True where a partial may be infinite, or nan, at finite operands."""
    hides_nan: bool = False
    """True where the result may be a number although an operand is nan."""
    stops: bool = False
    """True where no cotangent ever crosses to an operand."""
    signs: tuple[int, ...] = ()
    """1 or -1 per operand (one for all, in a reduction) where the result is their signed sum."""
    bilinear: bool = False
    """True where the result is Σ wᵢ xᵢ: operands of the first half times those of the second."""
    infix: str = ""
    """The sign that a formula has between the operands; "" where it has a call."""
    units: tuple[float | None, ...] = ()
    """The constant for each of two operands at which the result is the other operand."""
    textbook: tuple[Partial, ...] = ()
    """The partials as books write them, if those in `partials` differ to keep digits.

    They are for people to read; a test holds them equal to `partials`.
    """
    refined: str = ""
    """The NumPy spelling of a derivative, {0} for the operand, that keeps all digits near 0.

    With it kernels write the textbook's partial, which is shorter, and compute it anew by this
    one where it is small: below the cube root of the precision, so that what is left of the
    textbook's has a relative error of at most the square of that root (4e-11 in double
    precision).
    """
    composed: Callable[..., Any] | None = None
    """The op made of others that its partials need too, which kernels so compute once."""
    meaning: str = ""
    """The op in one line of mathematics."""
    parameters: tuple[str, ...] = ()
    """The names of the operands in a call; by default those in `partials`."""
    label_at_constant: str = ""
    """The label where the last operand, {0}, is a constant; empty if it is the same."""

    @property
    def arity(self) -> int | None:
        """The number of operands; None for any number."""
        return len(self.partials)

    @cached_property
    def needs_numbers(self) -> bool:
        """True if an operand beside others has no derivative, so that it has to be a number."""
        return None in self.partials and not self.is_predicate

    def gives_unsigned(self, operands: Sequence[int], are_unsigned: bool) -> bool:
        """Whether no result on these operands is negative or -0.0.

        `operands` are numbers of instructions: a product of two equal ones is a square.
        `are_unsigned` says that none of them is negative or -0.0.
        """
        is_square = self.bilinear and len(operands) == 2 and operands[0] == operands[1]
        return self.unsigned or is_square or (self.keeps_unsigned and are_unsigned)

    @cached_property
    def chooses(self) -> bool:
        """True where the first operand, a condition, chooses one of the others as the result."""
        return self.selects and self.conditions == (0,)

    @cached_property
    def multiplies(self) -> bool:
        """True where the result is the product of two operands."""
        return self.bilinear and self.arity == 2

    @cached_property
    def adds(self) -> bool:
        """True where the result is the sum of the operands."""
        return set(self.signs) == {1}

    @cached_property
    def signature(self) -> inspect.Signature:
        """The parameters of a call, with their defaults."""
        names = self.parameters or _parameters(self.partials)
        defaults = (inspect.Parameter.empty,) * (len(names) - len(self.defaults)) + self.defaults
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature(
            [
                inspect.Parameter(name, kind, default=default)
                for name, default in zip(names, defaults, strict=True)
            ]
        )

    def bind(self, *args: object) -> tuple[Any, ...]:
        """The operands of a call: arguments, then defaults; TypeError for a wrong number."""
        most = len(self.partials)
        if len(args) == most:
            return args
        least = most - len(self.defaults)
        if not least <= len(args) <= most:
            count = f"{most}" if least == most else f"{least} to {most}"
            plural = "" if most == 1 else "s"
            raise TypeError(f"{self.name} takes {count} operand{plural}, got {len(args)}")
        return args + self.defaults[len(args) - least :]

    def positional(self, args: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
        """The arguments of a call in order; TypeError, with the parameters, if they do not fit."""
        call = f"{self.name}{self.signature}"
        if strange := named.keys() - self.signature.parameters.keys():
            raise TypeError(f"{call} has no parameter {min(strange)!r}")
        try:
            bound = self.signature.bind(*args, **named)
        except TypeError as error:
            raise TypeError(f"{call}: {error}") from None
        bound.apply_defaults()
        return bound.args

    def value_at(self, operands: Sequence[float]) -> float:
        """The result on floats."""
        return self.forward(*operands)

    def partials_at(
        self,
        operands: Sequence[object],
        out: object,
        constants: Sequence[float | None] | None = None,
    ) -> Sequence[Any]:
        """d out / d operand for every operand; None for one that has no derivative.

        With `constants`, only for the operands at which it holds None.
        """
        partials = self.partials
        if constants is not None:
            partials = tuple(compress(partials, [c is None for c in constants]))
        return [None if p is None else p(*operands, out) for p in partials]

    def numbers(self, operands: Iterable[object]) -> tuple[float, ...]:
        """The operands as floats; TypeError, naming the op, if one is not a number."""
        try:
            return tuple(map(number, operands))
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def _parameters(partials: Sequence[Partial | None]) -> tuple[str, ...]:
    """The operands as a partial names them; its last parameter is the result."""
    for partial in filter(None, partials):
        try:
            names = list(inspect.signature(partial).parameters)[:-1]
        except ValueError:  # a builtin that does not say
            continue
        if len(names) == len(partials):
            return tuple(names)
    count = len(partials)
    return tuple(_NAMES[:count]) if count <= len(_NAMES) else tuple(f"x{i}" for i in range(count))
