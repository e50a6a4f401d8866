"""`trace`: a function, run once on tracers, as a scalar program."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from autodiff.compiler.arguments import Block, filled, flattened
from autodiff.compiler.scalars.operators import Tracer
from autodiff.compiler.scalars.program import TAKE, Leaf, Scalars
from autodiff.compiler.scalars.tracer import (
    CONDITION,
    KIND_OF_ELEMENTS,
    TraceRecorder,
    kind_of,
    number_of,
)
from autodiff.engine.modes import tracing


@dataclass(frozen=True, eq=False, slots=True)
class Input:
    """One array of the arguments."""

    leaf: Leaf
    block: Block
    """Its shape and kind, for one example."""
    argument: int
    """Which argument it belongs to."""


@dataclass(frozen=True, eq=False, slots=True)
class Traced:
    """What a function did with its arguments: the scalars, and which of them it returned."""

    scalars: Scalars
    inputs: tuple[Input, ...]
    results: tuple[int, ...]
    are_conditions: tuple[bool, ...]
    """For each result, whether it is a condition."""
    structure: Any
    """The structure of what the function returned, with a `Part` per number and array."""

    def __str__(self) -> str:
        return f"{self.scalars}\nreturn {', '.join(f'%{i}' for i in self.results)}"

    def verify(self) -> None:
        """Raise AssertionError unless the scalars are valid and hold the results."""
        self.scalars.verify()
        assert all(0 <= i < len(self.scalars.ops) for i in self.results), "a result is missing"


def trace(f: Callable[..., Any], specs: Sequence[Any], names: Sequence[str]) -> Traced:
    """What `f` does with arguments of these specs; `names` are those of the arrays in them.

    Raises TraceError where `f` does what depends on the data.
    """
    scalars = Scalars()
    inputs: list[Input] = []
    try:
        args = [_tracers(scalars, spec, k, inputs, names) for k, spec in enumerate(specs)]
        with tracing(TraceRecorder(scalars)):
            found, structure = flattened(f(*args))
            results = tuple([number_of(scalars, x) for x in found])
            are_conditions = tuple([kind_of(x) <= CONDITION for x in found])
    finally:
        scalars.close()
    _mark_indices(scalars, inputs)
    return Traced(scalars, tuple(inputs), results, are_conditions, structure)


def _tracers(
    scalars: Scalars, spec: Any, argument: int, inputs: list[Input], names: Sequence[str]
) -> Any:
    """The argument that `spec` describes, tracers for its numbers; its arrays join `inputs`."""

    def tracers(block: Block, _: str) -> Any:
        leaf = Leaf(names[len(inputs)], True, block.kind != "f", prod(block.shape))
        inputs.append(Input(leaf, block, argument))
        numbers = [scalars.add(leaf, (k,)) for k in range(leaf.size)]
        kind = KIND_OF_ELEMENTS[block.kind]
        return block.filled([Tracer(scalars, number, kind) for number in numbers])

    return filled(spec, tracers)


def _mark_indices(scalars: Scalars, inputs: Sequence[Input]) -> None:
    """Tell the inputs that choose elements; other integers are numbers like any."""
    instructions = zip(scalars.ops, scalars.operands, strict=True)
    found = {scalars.ops[operands[-1]] for op, operands in instructions if op is TAKE}
    for item in inputs:
        item.leaf.is_index = item.leaf in found
