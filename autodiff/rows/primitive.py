"""The mechanism of an op: one callable that runs on numbers, arrays and Values alike.

`Primitive.__call__` is the single interception point: the operands bring the interpreter that
says what the call means. `TABLE` holds every op by its name.
"""

from dataclasses import dataclass
from operator import mul
from typing import Any, TypeVar

from autodiff.rows.interpreter import NUMBERS, Interpreter, interpreter_of, interpreter_of_type
from autodiff.rows.row import Domain, Partial, Row

__all__ = [
    "INNER", "TABLE", "UFUNCS", "Domain", "Partial", "Primitive", "declare", "retract",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Primitive(Row):
    """A row that can be called: the op itself."""

    def __post_init__(self) -> None:
        # What `inspect.signature` and `help` read; the class itself keeps its own.
        object.__setattr__(self, "__signature__", self.signature)
        object.__setattr__(self, "__name__", self.name)

    def apply(self, operands: tuple[object, ...]) -> Any:
        """The result on bound operands."""
        if len(operands) == 1:
            return interpreter_of_type(type(operands[0])).apply(self, operands)
        return interpreter_of(operands).apply(self, operands)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The op on numbers, arrays or Values."""
        if named:
            args = self.positional(args, named)
        return self.apply(self.bind(*args))

    def vjp(self, cotangent: object, *args: object) -> Any:
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

    def unbind(
        self, terms: list[object], args: tuple[object, ...], interpreter: Interpreter
    ) -> tuple[object, ...]:
        """One term per operand → one per argument."""
        return tuple(terms[: len(args)])

    def __deepcopy__(self, memo: dict[int, object]) -> "Primitive":
        return self

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return _declared, (self.name,)


P = TypeVar("P", bound=Primitive)

TABLE: dict[str, Primitive] = {}
"""Every op by name, in the order of declaration."""
INNER: dict[str, Primitive] = {}
"""The rows that are not ops for users, by name: what programs say besides, as comparisons."""
UFUNCS: dict[str, Primitive] = {}
"""The op that a ufunc of NumPy records on Values."""


def declare(row: P, *, is_inner: bool = False) -> P:
    """`row`, entered in the table of ops, or of inner rows.

    Raises ValueError if its name or its label is taken.
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
