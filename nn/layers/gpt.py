"""`GPT`: a language model of one transformer layer, every number a Value."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from autodiff import Value
from autodiff.checks import integer
from nn.layers.attention import SelfAttention
from nn.layers.embedding import Embedding
from nn.layers.init import generator
from nn.layers.mlp import Linear
from nn.layers.normalization import RMSNorm
from nn.module import Module


class GPT(Module):
    """Logits of the next token at each position, from the tokens up to that position.

    The embeddings of the token and of its position, one of `length`, are added to a vector of
    `width` numbers. Self-attention of `heads` heads and a two-layer network each add to it what
    they make of the normalized vector (Radford et al. 2019, with RMSNorm, without dropout).
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
        self.length = integer("length", length, least=1)
        if integer("width", width, least=1) % integer("heads", heads, least=1):
            raise ValueError(f"width {width} must be a multiple of heads {heads}")
        self.token = Embedding(tokens, width, rng=rng)
        self.position = Embedding(length, width, rng=rng)
        self.norm = RMSNorm(width)
        self.attention = SelfAttention(width, heads, bias=False, rng=rng)
        self.norm_wide = RMSNorm(width)
        self.wide = Linear(width, 4 * width, bias=False, rng=rng)
        self.narrow = Linear(4 * width, width, bias=False, rng=rng)
        self.norm_head = RMSNorm(width)
        self.head = Linear(width, tokens, bias=False, rng=rng)

    def __call__(self, tokens: Sequence[int] | npt.NDArray[np.integer]) -> list[list[Value]]:
        """A row of logits for each of the tokens, at most `length` integers."""
        if not 1 <= len(tokens) <= self.length:
            raise ValueError(f"GPT takes 1 … {self.length} tokens, got {len(tokens)}")
        xs = _sum(self.token(list(tokens)), self.position(range(len(tokens))))
        xs = _sum(xs, self.attention(self.norm(xs)))
        hidden = [[h.relu() for h in self.wide(x)] for x in self.norm_wide(xs)]
        xs = _sum(xs, [self.narrow(h) for h in hidden])
        return [self.head(x) for x in self.norm_head(xs)]


def _sum(xs: list[list[Value]], ys: list[list[Value]]) -> list[list[Value]]:
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, ys, strict=True)]
