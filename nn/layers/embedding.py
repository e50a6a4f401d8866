"""`Embedding`: a table with one vector per index."""

from collections.abc import Sequence
from typing import TypeAlias, cast, overload

import numpy as np
import numpy.typing as npt

from autodiff import Value, take
from autodiff.checks import integer
from nn.layers.init import generator
from nn.layers.vectors import Nested, NestedValues, map_numbers
from nn.module import Module

Indices: TypeAlias = int | np.integer | Sequence["Indices"] | npt.NDArray[np.generic]
"""An integer, or integers in nested sequences."""


class Embedding(Module):
    """The rows of `weight`, of shape (num_embeddings, embedding_dim), by their index.

    Rows start as independent standard normal numbers, as in torch.nn.Embedding.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        count = integer("num_embeddings", num_embeddings, least=1)
        width = integer("embedding_dim", embedding_dim, least=1)
        table = generator(rng, seed).standard_normal((count, width))
        self.weight = [[Value(x) for x in row] for row in table.tolist()]

    @overload
    def __call__(self, index: int) -> list[Value]: ...
    @overload
    def __call__(self, index: Sequence[int]) -> list[list[Value]]: ...
    @overload
    def __call__(self, index: Indices) -> NestedValues: ...
    def __call__(self, index: Indices) -> NestedValues:
        """The row at an integer, or a list of rows at a sequence of integers.

        Raises IndexError outside 0 … num_embeddings - 1, TypeError for a non-integer.
        """
        return map_numbers(self._row, cast(Nested, index))

    def _row(self, index: object) -> list[Value]:
        if isinstance(index, np.generic):
            index = index.item()
        if isinstance(index, bool | float | str | Value) or index is None:
            raise TypeError(f"Embedding takes integers, got {index!r}")
        if isinstance(index, int) and not 0 <= index < len(self.weight):
            raise IndexError(f"Embedding: index {index} is not in 0 … {len(self.weight) - 1}")
        return take(self.weight, cast(int, index))  # an int, or a traced one

    def __repr__(self) -> str:
        return f"Embedding({len(self.weight)}, {len(self.weight[0])})"
