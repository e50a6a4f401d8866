"""`SelfAttention`: each vector of a sequence looks at itself and at those before it."""

from math import sqrt
from typing import TypeGuard

import numpy as np

from autodiff import Value, dot
from autodiff.checks import integer
from nn.layers.functional import softmax
from nn.layers.init import generator, weights
from nn.layers.mlp import Linear
from nn.layers.vectors import Nested, Scalar, check_width, map_vectors
from nn.module import Module


class SelfAttention(Module):
    """softmax(q · k / √d) over positions, times v, in `num_heads` heads; then `out_proj`.

    `in_proj_weight` makes a query, a key and a value from each vector, and each head sees its
    share of them, d = embed_dim / num_heads numbers (Vaswani et al. 2017). With `causal`, a
    position sees itself and those before it. Names and shapes of the parameters are those of
    torch.nn.MultiheadAttention, whose `state_dict` this loads.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        *,
        bias: bool = True,
        causal: bool = True,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        self.embed_dim = integer("embed_dim", embed_dim, least=1)
        self.num_heads = integer("num_heads", num_heads, least=1)
        if self.embed_dim % self.num_heads:
            raise ValueError(f"embed_dim {embed_dim} must be a multiple of num_heads {num_heads}")
        self.causal = causal
        rng = generator(rng, seed)
        rows = 3 * self.embed_dim
        self.in_proj_weight = [
            [Value(w) for w in weights(rng, self.embed_dim, rows, None)] for _ in range(rows)
        ]
        self.in_proj_bias = [Value(0.0) for _ in range(rows)] if bias else None
        self.out_proj = Linear(self.embed_dim, self.embed_dim, bias, rng=rng)

    def __call__(self, xs: Nested) -> list[list[Value]]:
        """A vector for each vector in `xs`; both of width `embed_dim`.

        Takes time in the square of the length of `xs`.
        """
        projected = map_vectors("SelfAttention", self._projected, xs)
        if not _is_matrix(projected):
            raise ValueError("SelfAttention takes a list of vectors: one sequence")
        found = [self._attended(projected, t) for t in range(len(projected))]
        return [self.out_proj(x) for x in found]

    def _projected(self, x: list[Scalar]) -> list[Value]:
        """Query, key and value of a vector, one behind the other; the query times 1 / √d."""
        check_width(self, self.embed_dim, x)
        out: list[Value] = [dot(row, x) for row in self.in_proj_weight]
        if self.in_proj_bias is not None:
            out = [z + b for z, b in zip(out, self.in_proj_bias, strict=True)]
        scale = 1 / sqrt(self.embed_dim / self.num_heads)
        return [q * scale for q in out[: self.embed_dim]] + out[self.embed_dim :]

    def _attended(self, projected: list[list[Value]], t: int) -> list[Value]:
        """What position `t` finds, head by head."""
        seen = projected[: t + 1] if self.causal else projected
        width, n = self.embed_dim // self.num_heads, self.embed_dim
        out: list[Value] = []
        for h in range(0, n, width):
            query = projected[t][h : h + width]
            attention = softmax([dot(query, x[n + h : n + h + width]) for x in seen])
            out += [dot(attention, [x[2 * n + j] for x in seen]) for j in range(h, h + width)]
        return out

    def __repr__(self) -> str:
        inner = repr(self.out_proj).replace("\n", "\n  ")
        options = f"causal={self.causal}"
        return (
            f"SelfAttention({self.embed_dim}, {self.num_heads}, {options}\n  (out_proj): {inner}\n)"
        )


def _is_matrix(rows: Nested) -> TypeGuard[list[list[Value]]]:
    """Whether `rows` are vectors, neither one vector nor several sequences of vectors."""
    first = rows[0] if isinstance(rows, list) else None
    return isinstance(first, list) and not isinstance(first[0], list)
