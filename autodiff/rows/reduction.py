"""Ops on sequences: any number of operands in one node, or one operand picked by an index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter, Signature
from itertools import chain, compress
from operator import index as integer
from typing import Any

from autodiff.checks import show
from autodiff.rows.interpreter import Interpreter, interpreter_of, interpreter_of_type
from autodiff.rows.primitive import Primitive


@dataclass(frozen=True, eq=False, repr=False)
class Reduction(Primitive):
    """A row of any number of operands, which make one node in a graph.

    `forward` takes the sequence of all operands, and the one callable in `partials`, over
    (operands, out), returns those of all. The NumPy spelling gets each sequence stacked along
    a new first axis.
    """

    sequences: int = 1
    """How many sequences of equal length a call takes; 0: operands one by one, or a sequence."""
    neutral: float | None = None
    """A number that changes no result as one more operand of each sequence, if there is one."""
    takes_none: bool = False
    """True where no operands have a result: then it is `neutral`."""
    by_element: bool = False
    """True where each partial depends only on its operand, `out` and sums over all operands.

    Then `partials` maps the stacked operands to the stacked partials.
    """

    @property
    def arity(self) -> None:
        return None

    @cached_property
    def signature(self) -> Signature:
        if not self.sequences:
            return Signature([Parameter("xs", Parameter.VAR_POSITIONAL)])
        names = ("xs",) if self.sequences == 1 else ("ws", "xs")
        return Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in names])

    def bind(self, *args: Any) -> tuple[Any, ...]:
        # The usual case, lists, skips the checks below.
        if self.sequences == 2 and len(args) == 2:
            ws, xs = args
            if type(ws) is type(xs) is list and len(ws) == len(xs) > 0:
                return (*ws, *xs)
        elif self.sequences < 2 and len(args) == 1 and type(args[0]) is list and args[0]:
            return tuple(args[0])
        if self._is_variadic(args):
            operands = args
        else:
            if len(args) != max(1, self.sequences) or not all(map(_is_sequence, args)):
                wanted = "two sequences" if self.sequences == 2 else "one sequence"
                raise TypeError(f"{self.name} takes {wanted}, got {', '.join(map(show, args))}")
            sequences = list(map(tuple, args))
            if len(set(map(len, sequences))) > 1:
                lengths = " and ".join(str(len(sequence)) for sequence in sequences)
                raise ValueError(f"{self.name} of sequences of different length: {lengths}")
            operands = tuple(chain(*sequences))
        if not operands and not self.takes_none:
            raise ValueError(f"{self.name} of no operands")
        if not operands and any(getattr(arg, "ndim", 1) > 1 for arg in args):
            raise ValueError(f"{self.name} of an array without rows")
        return operands

    def _is_variadic(self, args: tuple[object, ...]) -> bool:
        """True if a call gives the operands one by one."""
        return self.sequences == 0 and (len(args) != 1 or not _is_sequence(args[0]))

    def apply(self, operands: tuple[object, ...]) -> Any:
        if not operands:
            return self.neutral
        # Asking every operand for its kind would take as long as the op itself.
        interpreter = interpreter_of_type(type(operands[0]))
        if not interpreter.hands_over:
            interpreter = interpreter_of(operands)
        return interpreter.apply(self, operands)

    def value_at(self, operands: Sequence[float]) -> float:
        return self.forward(operands)

    def partials_at(
        self,
        operands: Sequence[object],
        out: object,
        constants: Sequence[float | None] | None = None,
    ) -> Sequence[Any]:
        (partials,) = self.partials
        every: Sequence[Any] = partials(operands, out)  # type: ignore[misc]  # there is one
        return every if constants is None else list(compress(every, [c is None for c in constants]))

    def unbind(
        self, terms: list[object], args: tuple[object, ...], interpreter: Interpreter
    ) -> tuple[object, ...]:
        if self._is_variadic(args):
            return tuple(terms)
        size = len(terms) // len(args)
        parts = [terms[i * size : (i + 1) * size] for i in range(len(args))]
        return tuple(
            interpreter.fit(part, arg) if hasattr(arg, "shape") else part
            for part, arg in zip(parts, args, strict=True)
        )


def _is_sequence(x: object) -> bool:
    return type(x) is list or (isinstance(x, Iterable) and getattr(x, "ndim", 1) > 0)


@dataclass(frozen=True, eq=False, repr=False)
class Selection(Primitive):
    """The row that picks one of a sequence by an integer index, which is not an operand."""

    @cached_property
    def signature(self) -> Signature:
        return Signature(
            [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in ("xs", "index")]
        )

    def bind(self, *args: Any) -> tuple[Any, ...]:
        if len(args) != 2 or not (isinstance(args[0], Sequence) or getattr(args[0], "ndim", 0) > 0):
            raise TypeError(
                f"{self.name} takes a sequence and an index, got {', '.join(map(show, args))}"
            )
        values, index = args
        try:
            return (values[integer(index)],)
        except TypeError:
            raise TypeError(
                f"{self.name}: the index must be an integer, got {show(index)}"
            ) from None
        except IndexError:
            raise IndexError(f"{self.name}: index {index} of {len(values)} values") from None

    def __call__(self, *args: Any, **named: Any) -> Any:
        """The chosen value; a chosen list (the row of a table) gives a list of values."""
        if named:
            args = self.positional(args, named)
        if len(args) == 2:
            interpreter: Any = interpreter_of_type(type(args[1]))
            if hasattr(interpreter, "take"):  # the index is not known yet
                return interpreter.take(*args)
        (chosen,) = operands = self.bind(*args)
        if isinstance(chosen, list | tuple):
            return [self.apply((value,)) for value in chosen]
        return self.apply(operands)

    def unbind(
        self, terms: list[object], args: tuple[Any, ...], interpreter: Interpreter
    ) -> tuple[object, ...]:
        values, index = args
        part = [interpreter.select(value, 0.0) for value in values]
        part[integer(index)] = terms[0]
        return (interpreter.fit(part, values) if hasattr(values, "shape") else part), None
