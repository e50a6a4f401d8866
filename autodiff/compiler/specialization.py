"""`Specialization`: a function compiled for one structure of arguments."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arguments import Part
from autodiff.compiler.arrays.differentiate import Wanted
from autodiff.compiler.build import Analyzed, analyze, build
from autodiff.compiler.numpy.function import Function
from autodiff.compiler.scalars.program import TAKE, Scalars
from autodiff.compiler.scalars.tracing import Input
from autodiff.engine.collector import collector_paused
from autodiff.engine.value import Value
from autodiff.rows.primitive import Primitive

Array = npt.NDArray[Any]


class Specialization:
    """A function for one structure of arguments, and the programs made of it so far."""

    def __init__(self, f: Callable[..., Any], specs: tuple[Any, ...], dtype: np.dtype[Any]) -> None:
        start = time.perf_counter()
        self.specs = specs
        self._dtype = dtype
        self._functions: dict[tuple[Wanted, tuple[int, ...]], Function] = {}
        with collector_paused():
            self.analyzed: Analyzed = analyze(f, specs)
        traced, lowered = self.analyzed.traced, self.analyzed.lowered
        self.inputs: tuple[Input, ...] = traced.inputs
        self.parameters: list[Value] = self.analyzed.parameters
        """In the order of the array program."""
        self.structure: Any = traced.structure
        self.are_conditions = traced.are_conditions
        self.indices = [k for k, item in enumerate(self.inputs) if item.leaf.is_index]
        """The inputs that choose elements."""
        self.is_ragged = bool(lowered.ragged)
        """Whether padding with zeros may meet an infinity in the results."""
        self.may_differ = lowered.has_spare or self.is_ragged or _cuts(traced.scalars)
        """Whether a cotangent of 0 that eager execution does not send may meet an infinity."""
        self.is_batched = any(lowered.instrs[array].is_batched for array, _ in lowered.results)
        """Whether a result differs from example to example."""
        self.seconds = time.perf_counter() - start

    @property
    def is_scalar(self) -> bool:
        """Whether the function returns one number, so that it has a gradient."""
        is_number = isinstance(self.structure, Part) and not self.structure.shape
        return is_number and not self.are_conditions[0]

    def check_scalar(self) -> None:
        """Raise TypeError unless the function returns one number."""
        if not self.is_scalar:
            raise TypeError("a gradient needs a function that returns a single number")

    def check_indices(self, arrays: Sequence[Array]) -> None:
        """Raise IndexError if an index is negative: a kernel does not count from the end."""
        for k in self.indices:
            least = arrays[k].min(initial=0)
            if least < 0:
                name = self.inputs[k].leaf.name
                raise IndexError(f"argument {name}: index {least} is negative")

    def inputs_of(self, argnums: Sequence[int]) -> list[Input]:
        """The inputs that belong to some arguments."""
        chosen = set(argnums)
        return [item for item in self.inputs if item.argument in chosen]

    def function(self, wanted: Wanted, argnums: tuple[int, ...] = ()) -> Function:
        """The program for the values alone ("call"), with gradients ("grad"), or "hvp"."""
        found = self._functions.get((wanted, argnums))
        if found is None:  # two threads may both make it
            start = time.perf_counter()
            by = [item.leaf for item in self.inputs_of(argnums)] if argnums else None
            made = build(self.analyzed, wanted, by, self._dtype)
            self.seconds += time.perf_counter() - start
            found = self._functions.setdefault((wanted, argnums), made)
        return found

    @property
    def shown(self) -> Function:
        """The function whose source says most: with gradients if there are any."""
        return self.function("grad" if self.is_scalar else "call")


def _cuts(scalars: Scalars) -> bool:
    """Whether some op sends nothing to an operand: to what was not chosen, to conditions."""
    rows = {op for op in scalars.ops if isinstance(op, Primitive)}
    return TAKE in scalars.ops or any(row.selects or None in row.partials for row in rows)
