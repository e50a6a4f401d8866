"""`Embedding`: a table with a vector for each of finitely many things."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff import Value, take
from nn.layers.init import generator
from nn.layers.sizes import positive
from nn.module import Module


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
        count = positive("num_embeddings", num_embeddings)
        width = positive("embedding_dim", embedding_dim)
        table = generator(rng, seed).standard_normal((count, width))
        self.weight = [[Value(x) for x in row] for row in table.tolist()]

    def __call__(self, index: Any) -> list[Any]:
        """The row at an integer; a list of rows at a sequence of integers.

        Raises IndexError outside of 0 … num_embeddings - 1, TypeError for no integer.
        """
        if isinstance(index, np.ndarray | np.generic):
            index = index.tolist()
        if isinstance(index, Sequence) and not isinstance(index, str):
            return [self(i) for i in index]
        if isinstance(index, bool | float | str | Value) or index is None:
            raise TypeError(f"Embedding takes integers, got {index!r}")
        if isinstance(index, int) and not 0 <= index < len(self.weight):
            raise IndexError(f"Embedding: index {index} of {len(self.weight)} rows")
        row: list[Any] = take(self.weight, index)
        return row

    def __repr__(self) -> str:
        return f"Embedding({len(self.weight)}, {len(self.weight[0])})"
