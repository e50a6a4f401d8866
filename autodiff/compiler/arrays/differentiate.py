"""`differentiate`: the array program of what is wanted: values, gradients, a Hessian's product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.doubt import doubtful
from autodiff.compiler.arrays.lowering.lowered import Lowered
from autodiff.compiler.arrays.parts import taken_apart
from autodiff.compiler.arrays.program import Program, verify
from autodiff.compiler.arrays.reverse.adjoint import adjoint
from autodiff.compiler.scalars.program import Leaf

Wanted = Literal["call", "grad", "hvp"]
"""The values alone; with gradients; or the Hessian by the parameters times a vector."""


@dataclass(frozen=True, eq=False)
class Derived:
    """An array program, and what its instructions are to a reader."""

    program: Program
    arguments: tuple[str, ...]
    """The names of its leaves, in the order in which the program takes them."""
    cotangent_of: Mapping[int, int]
    """For arrays of the backward pass, the array that each is the cotangent of."""
    backward: int
    """The first instruction of the backward pass; -1 where there is none."""

    def __str__(self) -> str:
        return str(self.program)

    def verify(self) -> None:
        """Raise AssertionError unless the program is valid."""
        verify(self.program)


def differentiate(
    lowered: Lowered,
    are_conditions: Sequence[bool],
    wanted: Wanted,
    inputs: Sequence[Leaf],
    by: Sequence[Leaf] | None = None,
) -> Derived:
    """The program that computes what is `wanted` of a function with `inputs`.

    "call": its results. "grad": the result and its gradients by the leaves `by`, or, where that
    is None, the mean over the batch and its gradient by the parameters. "hvp": the Hessian of
    this mean times the leaf `vector`.
    """
    builder = Builder(lowered.instrs)
    outputs, doubts = _outputs(builder, lowered, are_conditions)
    backward = len(builder.instrs)
    arguments = ("parameters", *(leaf.name for leaf in inputs))
    cotangent_of: dict[int, int] = {}
    if wanted == "call":
        results = [_unless(builder, *pair) for pair in zip(outputs, doubts, strict=True)]
    else:
        sources = _parameters(builder, lowered) if by is None else _leaves(builder, by)
        seed = builder.leaf("seed", 1, True)
        gradients, cotangent_of = adjoint(builder, [(outputs[0], seed)], sources)
        value = _unless(builder, outputs[0], doubts[0])
        if by is None and builder.instrs[value].is_batched:  # the mean
            value = builder.sum_batch(builder.apply(ops.mul, [value, seed]))
        results = [value, *gradients]
    if wanted == "hvp":
        arguments = (*arguments, "vector")
        product, further = _hessian_product(builder, value, gradients[0], sources)
        results, cotangent_of = [product], further | cotangent_of
    whole, parts = taken_apart(builder.instrs)
    program, new = whole.program([parts[i] for i in results])
    pairs = [(parts[ct], parts[of]) for ct, of in cotangent_of.items()]
    names = {new[ct]: new[of] for ct, of in pairs if ct in new and of in new}
    forward = max(parts[:backward], default=-1)
    first = min((place for old, place in new.items() if old > forward), default=-1)
    return Derived(program, arguments, names, first)


def _outputs(
    builder: Builder, lowered: Lowered, are_conditions: Sequence[bool]
) -> tuple[list[int], list[int | None]]:
    """The results, and for each an array that is nan where the result may hide a nan."""
    outputs = []
    for result, is_condition in zip(lowered.results, are_conditions, strict=True):
        array = builder.fetch(*result)
        outputs.append(builder.condition(array) if is_condition else builder.number(array))
    return outputs, doubtful(builder, outputs, lowered.ragged)


def _parameters(builder: Builder, lowered: Lowered) -> list[int]:
    return [builder.leaf("parameters", lowered.parameter_count, False)]


def _leaves(builder: Builder, by: Sequence[Leaf]) -> list[int]:
    """Leaves to differentiate by; an index as the number that ops see."""
    arrays = [builder.leaf(x.name, x.size, True, "i" if x.is_index else "f") for x in by]
    return [builder.cast(i) if x.is_index else i for i, x in zip(arrays, by, strict=True)]


def _hessian_product(
    builder: Builder, value: int, gradient: int, sources: Sequence[int]
) -> tuple[int, dict[int, int]]:
    """The Hessian times `vector`: the gradient is a function of the parameters, with an adjoint.

    Masks send nothing through a relu of nan, whose slope is 1. So where the value is nan the
    product is made nan too, and examples are evaluated again. The second value maps cotangents
    to what they are the cotangents of.
    """
    (shape,) = (builder.shape(source) for source in sources)
    vector = builder.leaf("vector", shape[0], False)
    (product,), cotangent_of = adjoint(builder, [(gradient, vector)], sources)
    zero = builder.constant(np.zeros(1))
    nothing = builder.apply(ops.clip, [builder.number(value), zero, zero])
    return builder.broadcast(_unless(builder, product, nothing), shape), cotangent_of


def _unless(builder: Builder, output: int, doubt: int | None) -> int:
    """`output`, but nan where that is in doubt."""
    if doubt is None:
        return output
    output = builder.number(output)
    if builder.instrs[doubt].is_batched and not builder.instrs[output].is_batched:
        doubt = builder.sum_batch(doubt)
    return builder.apply(ops.sub, [output, doubt])  # which keeps the sign of a zero
