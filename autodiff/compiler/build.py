"""The pipeline: from a function to the NumPy that runs, one pass per line.

A pass takes a program and returns one; it never writes into its input. Each form prints itself
and verifies itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from autodiff.compiler.arrays.differentiate import Wanted, differentiate
from autodiff.compiler.arrays.lowering.lower import lower
from autodiff.compiler.arrays.lowering.lowered import Lowered
from autodiff.compiler.numpy.function import Function
from autodiff.compiler.numpy.names import input_names, parameter_paths
from autodiff.compiler.numpy.source import write
from autodiff.compiler.scalars.identities import simplify
from autodiff.compiler.scalars.order import arrange
from autodiff.compiler.scalars.packing import pack
from autodiff.compiler.scalars.packs import Packs
from autodiff.compiler.scalars.program import Leaf
from autodiff.compiler.scalars.sums import reassociate
from autodiff.compiler.scalars.tracing import Traced, trace
from autodiff.engine.value import Value

VERIFIES = False
"""Whether each form is verified as soon as it is made; tests switch it on."""


class Form(Protocol):
    """What passes take and return."""

    def verify(self) -> None:
        """Raise AssertionError unless the form is valid."""


F = TypeVar("F", bound=Form)


@dataclass(frozen=True, eq=False)
class Analyzed:
    """A function for one structure of arguments, as arrays; with what it was on the way there."""

    traced: Traced
    packs: Packs
    lowered: Lowered
    order: tuple[int, ...]
    """The parameters in the order of the array program, by their lanes among the scalars."""
    paths: tuple[str, ...]
    """What the user calls each parameter, in this order."""

    @property
    def parameters(self) -> list[Value]:
        """The parameters in the order of the array program."""
        return [self.traced.scalars.parameters[lane] for lane in self.order]


def analyze(f: Callable[..., Any], specs: Sequence[Any]) -> Analyzed:
    """The front half, for one structure of arguments: `f` as arrays."""
    traced = _checked(trace(f, specs, input_names(f, specs)))  # one instruction per number
    traced = _checked(simplify(traced))  # x / 1 → x, for all lanes or for none
    sums = _checked(reassociate(traced.scalars, traced.results))  # chains of + → sums of terms
    packs = _checked(pack(sums))  # equal scalars → lanes
    order = arrange(packs)  # parameters: weights side by side, the bias behind
    lowered = _checked(lower(packs, order))  # one array per pack; dots → matrix products
    parameters = [traced.scalars.parameters[lane] for lane in order]
    return Analyzed(traced, packs, lowered, order, tuple(parameter_paths(f, parameters)))


def build(
    analyzed: Analyzed, wanted: Wanted, by: Sequence[Leaf] | None, dtype: np.dtype[Any]
) -> Function:
    """The back half, for what is wanted: values, gradients, or a Hessian's product."""
    traced, lowered = analyzed.traced, analyzed.lowered
    inputs = [item.leaf for item in traced.inputs]
    derived = _checked(differentiate(lowered, traced.are_conditions, wanted, inputs, by))
    written = write(
        derived.program, derived.arguments, derived.cotangent_of, derived.backward, analyzed.paths
    )
    return Function(derived.program, written, wanted, dtype)


def _checked(form: F) -> F:
    if VERIFIES:
        form.verify()
    return form
