"""`GPT`: a language model of one transformer layer, every number a Value."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

import autodiff
from autodiff import dot, exp
from nn.embedding import Embedding
from nn.init import generator
from nn.layers import Linear
from nn.module import Module
from nn.normalization import RMSNorm
from nn.sizes import positive


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
        self.heads = positive("heads", heads)
        if positive("width", width) % heads:
            raise ValueError(f"width {width} is no multiple of heads {heads}")
        self.token = Embedding(tokens, width, rng=rng)
        self.position = Embedding(length, width, rng=rng)
        self.norm = RMSNorm(width)
        self.query, self.key, self.value, self.out = (
            Linear(width, width, bias=False, rng=rng) for _ in range(4)
        )
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
        xs = _sum(xs, self._attention(self.norm(xs)))
        hidden = [[h.relu() for h in self.wide(x)] for x in self.norm_wide(xs)]
        xs = _sum(xs, [self.narrow(h) for h in hidden])
        return [self.head(x) for x in self.norm_head(xs)]

    def _attention(self, xs: list[list[Any]]) -> list[list[Any]]:
        """What each position finds at itself and before it, head by head."""
        queries, keys, values = ([f(x) for x in xs] for f in (self.query, self.key, self.value))
        size = len(xs[0]) // self.heads
        found: list[list[Any]] = [[] for _ in xs]
        for h in range(0, len(xs[0]), size):
            for t, query in enumerate(queries):
                q = query[h : h + size]
                # exp and sum, not logsumexp: attention over 1, 2, … t positions is one array.
                weights = [exp(dot(q, k[h : h + size]) / sqrt(size)) for k in keys[: t + 1]]
                total = autodiff.sum(weights)
                shares = [w / total for w in weights]
                found[t] += [
                    dot(shares, [v[j] for v in values[: t + 1]]) for j in range(h, h + size)
                ]
        return [self.out(x) for x in found]


def _sum(xs: Sequence[Sequence[Any]], ys: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, ys, strict=True)]
