"""What `gradcheck` moves: a function of inputs in place, one by one or in random directions."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Protocol

from autodiff.checking.differences import EPSILON
from autodiff.ops import dot


class Variable(Protocol):
    """A number that can be changed in place: a Value, or an element of an array."""

    data: float


@dataclass(frozen=True, slots=True)
class Move:
    """A way to go from the point: by one input, or by all at once, each with its weight."""

    name: str
    places: tuple[int, ...]
    """Which inputs move."""
    weights: tuple[float, ...]
    size: float
    """That of the point, where the move is by one input."""

    def along(self, gradient: Sequence[Any]) -> Any:
        """The derivative along this move, given the derivatives by every input."""
        if len(self.places) == 1:
            return gradient[self.places[0]]
        return dot(list(self.weights), [gradient[i] for i in self.places])


def random_directions(
    named: list[tuple[str, Variable]], count: int, rng: random.Random
) -> Iterator[Move]:
    """Moves of every input at once, each by about its size; no weight is close to zero."""
    sizes = [max(1.0, abs(variable.data)) / sqrt(len(named)) for _, variable in named]
    places = tuple(range(len(named)))
    for k in range(count):
        weights = tuple([size * rng.choice((-1, 1)) * rng.uniform(0.5, 1.0) for size in sizes])
        yield Move(f"direction {k}", places, weights, 1.0)


class Subject:
    """A function of inputs that are moved in place."""

    epsilon = EPSILON
    """The rounding of its results, relative to them."""

    def __init__(self, named: list[tuple[str, Variable]]) -> None:
        self.named = named
        self.moves = [
            Move(name, (i,), (1.0,), abs(variable.data)) for i, (name, variable) in enumerate(named)
        ]

    def derivatives(self, order: int) -> list[float]:
        """The derivatives of that order at the point, by every tuple of moves."""
        raise NotImplementedError

    def moved(self, move: Move, offset: float, order: int) -> list[float]:
        """The derivatives at a point aside; the inputs are back where they were."""
        variables = [self.named[i][1] for i in move.places]
        start = [variable.data for variable in variables]
        try:
            for variable, x, weight in zip(variables, start, move.weights, strict=True):
                variable.data = x + offset * weight
            return self.derivatives(order)
        finally:
            for variable, x in zip(variables, start, strict=True):
                variable.data = x
