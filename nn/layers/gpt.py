"""`GPT`: a language model of one transformer layer, every number a Value."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from nn.layers.attention import SelfAttention
from nn.layers.embedding import Embedding
from nn.layers.init import generator
from nn.layers.mlp import Linear
from nn.layers.normalization import RMSNorm
from nn.layers.sizes import positive
from nn.module import Module


class GPT(Module):
    """Logits of the next token at each position of a sequence, which sees those before it.

    A vector of `width` is the sum of an embedding of the token and one of its place, of which
    there are `length`; to it the attention of `heads` and a two-layer network add theirs, each
    after a normalization (Radford et al. 2019, with RMSNorm and without dropout).
    """

    def __init__(
        self,
        tokens: int,
        length: int,
        width: int = 16,
        heads: int = 4,
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        rng = generator(rng, seed)
        self.length = positive("length", length)
        if positive("width", width) % positive("heads", heads):
            raise ValueError(f"width {width} is no multiple of heads {heads}")
        self.token = Embedding(tokens, width, rng=rng)
        self.position = Embedding(length, width, rng=rng)
        self.norm = RMSNorm(width)
        self.attention = SelfAttention(width, heads, bias=False, rng=rng)
        self.norm_wide = RMSNorm(width)
        self.wide = Linear(width, 4 * width, bias=False, rng=rng)
        self.narrow = Linear(4 * width, width, bias=False, rng=rng)
        self.norm_head = RMSNorm(width)
        self.head = Linear(width, tokens, bias=False, rng=rng)

    def __call__(self, tokens: Any) -> list[list[Any]]:
        """A row of logits for each of the tokens, at most `length` integers."""
        if not 1 <= len(tokens) <= self.length:
            raise ValueError(f"GPT takes 1 … {self.length} tokens, got {len(tokens)}")
        xs = _sum(self.token(list(tokens)), self.position(range(len(tokens))))
        xs = _sum(xs, self.attention(self.norm(xs)))
        hidden = [[h.relu() for h in self.wide(x)] for x in self.norm_wide(xs)]
        xs = _sum(xs, [self.narrow(h) for h in hidden])
        return [self.head(x) for x in self.norm_head(xs)]


def _sum(xs: Sequence[Sequence[Any]], ys: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, ys, strict=True)]
