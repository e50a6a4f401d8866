"""The text of a program as records: expressions that know what they read, and lines of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expr:
    """A NumPy expression, and the arrays that it names."""

    atoms: tuple[str, ...]
    """Text that a space joins; a line may be broken between two of them."""
    reads: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join(self.atoms)

    @property
    def is_name(self) -> bool:
        """Whether this is the name of an array and no more."""
        return self.reads == self.atoms


Piece = Expr | str | int
"""What an expression is made of."""

NOTHING = Expr(())


def name(text: str) -> Expr:
    """The expression that reads the array of this name."""
    return Expr((text,), (text,))


def written(template: str, *pieces: Piece) -> Expr:
    """`template` with a piece at each {}; a line is not broken in it."""
    return Expr((template.format(*pieces),), _reads(pieces))


def all_of(array: Expr) -> Expr:
    """All elements of an array, as what a line writes into."""
    return written("{}[...]", array)


def call(function: Piece, *operands: Piece, **options: Piece) -> Expr:
    """`function(operand, …, option=…)`; a line may be broken before `out`, or the last of them."""
    pieces = (function, *operands, *options.values())
    given = [*map(str, operands), *(f"{key}={value}" for key, value in options.items())]
    at = len(operands) + list(options).index("out") if "out" in options else len(given) - 1
    last = f"{', '.join(given[at:])})"
    if not at:
        return Expr((f"{function}({last}",), _reads(pieces))
    return Expr((f"{function}({', '.join(given[:at])},", last), _reads(pieces))


def _reads(pieces: tuple[Piece, ...]) -> tuple[str, ...]:
    return tuple(read for piece in pieces if isinstance(piece, Expr) for read in piece.reads)


@dataclass(frozen=True, slots=True)
class Line:
    """A statement: `name = …`, `array[…] = …`, or a call that writes into an array."""

    expression: Expr
    binds: str = ""
    """The name that the expression is given; the line is left out if nothing reads the name."""
    into: Expr | None = None
    """The elements that the expression is written to, as `z1[...]`."""
    sign: str = "="
    when: Expr | None = None
    """The condition under which the line runs."""
    comment: str = ""
    """The shape of the result, say; only lines with a comment or a name are broken."""
    is_step: bool = True
    """Whether each step runs the line; else `bind` does, once."""

    @property
    def reads(self) -> tuple[str, ...]:
        """The names that must be bound before."""
        others = [x.reads for x in (self.into, self.when) if x]
        return self.expression.reads + tuple(read for reads in others for read in reads)
