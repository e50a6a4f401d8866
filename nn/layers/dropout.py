"""`Dropout`: random zeros while training, nothing afterwards."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

import numpy as np

from autodiff import TraceError, Value, where
from autodiff.checks import within
from nn.layers.functional import elementwise
from nn.layers.init import generator
from nn.module import Module

Source = Callable[[np.random.Generator], Any]
"""The next random number, 0 … 1, of a Dropout that has this generator."""

_given: ContextVar[Source | None] = ContextVar("given", default=None)

_OUTSIDE = Value(0.0)
"""A Value that no function makes while it is traced."""


@contextmanager
def drawing(source: Source) -> Iterator[None]:
    """A context in which every Dropout takes its random numbers from `source`."""
    token = _given.set(source)
    try:
        yield
    finally:
        _given.reset(token)


def uniforms(numbers: Iterable[Any]) -> AbstractContextManager[None]:
    """A context in which every Dropout takes its random numbers, 0 … 1, from `numbers` in turn.

    This is how a kernel has dropout: they are an argument of the function that is compiled.
    """
    iterator = iter(numbers)
    return drawing(lambda rng: _next(iterator))


class Dropout(Module):
    """In training, each number times 0 with probability `p`, else times 1 / (1 - p).

    After `eval()` the identity (Srivastava et al. 2014, inverted as in torch.nn.Dropout). The
    random numbers come from `rng`, or one made from `seed`, or from `uniforms`. A trace without
    `uniforms` raises TraceError: what is drawn there would be the same at each call of a kernel.
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        self.p = within("p", p, least=0.0)
        if self.p > 1:
            raise ValueError(f"p is a probability, at most 1, got {p!r}")
        self.rng = generator(rng, seed)

    def __call__(self, x: Any) -> Any:
        """A number, or nested lists as `x` is, of which some are 0."""
        if not self.training or self.p == 0:
            return elementwise(x, lambda number: number)
        draw = self._source()
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        return elementwise(x, lambda number: number * where(draw() < self.p, 0.0, scale))

    def _source(self) -> Callable[[], Any]:
        given = _given.get()
        if given is not None:
            return partial(given, self.rng)
        try:
            _OUTSIDE.item()  # refused in a trace
        except TraceError:
            raise TraceError(
                "Dropout in training draws random numbers, which a kernel would repeat at every "
                "call: call eval() on the model, or make them an argument u of the function and "
                "call the model in `with nn.uniforms(u):`"
            ) from None
        return self.rng.random

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


def _next(numbers: Iterator[Any]) -> Any:
    for number in numbers:
        return number
    raise ValueError("nn.uniforms: Dropout needs more numbers than were given")
