"""Directions in which `gradcheck` moves the inputs of a function."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol, TypeVar

from autodiff.engine.value import Value
from autodiff.ops import dot

Scalar = TypeVar("Scalar", float, Value)


class Variable(Protocol):
    """A number that can be changed in place: a Value, or an element of an array."""

    data: float


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction in the space of all inputs: along one of them, or a mixture."""

    name: str
    inputs: tuple[int, ...]
    """The inputs that move, by index."""
    weights: tuple[float, ...]
    """How far each of them moves, per unit of the offset."""
    size: float
    """The size of the input, to which steps are scaled; 1 for a mixture, whose weights are."""

    def slope(self, gradient: Sequence[Scalar]) -> Scalar:
        """The derivative along this direction, given the derivatives by all inputs."""
        if len(self.inputs) == 1:
            return gradient[self.inputs[0]]
        slope: Scalar = dot(list(self.weights), [gradient[i] for i in self.inputs])
        return slope


def along_inputs(variables: Sequence[tuple[str, Variable]]) -> list[Direction]:
    """A direction per input."""
    return [
        Direction(name, (i,), (1.0,), abs(variable.data))
        for i, (name, variable) in enumerate(variables)
    ]


def random_directions(
    variables: Sequence[tuple[str, Variable]], count: int, rng: random.Random
) -> Iterator[Direction]:
    """`count` directions in which every input moves by about its size, none by almost nothing."""
    sizes = [max(1.0, abs(variable.data)) / sqrt(len(variables)) for _, variable in variables]
    inputs = tuple(range(len(variables)))
    for k in range(count):
        weights = tuple([size * rng.choice((-1, 1)) * rng.uniform(0.5, 1.0) for size in sizes])
        yield Direction(f"direction {k}", inputs, weights, 1.0)
