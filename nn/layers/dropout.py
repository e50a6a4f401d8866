"""`Dropout`: random zeros in training, the identity otherwise."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial

import numpy as np
import numpy.typing as npt

from autodiff import TraceError, Value, where
from autodiff.checks import within
from nn.layers.init import generator
from nn.layers.vectors import NumberModule, Scalar

Source = Callable[[np.random.Generator], Scalar]
"""The next random number in 0 … 1 for a Dropout that has this generator."""

_given: ContextVar[Source | None] = ContextVar("given", default=None)

_OUTSIDE = Value(0.0)
"""A Value that no traced function makes."""


@contextmanager
def drawing(source: Source) -> Iterator[None]:
    """A context in which every Dropout takes its random numbers from `source`."""
    token = _given.set(source)
    try:
        yield
    finally:
        _given.reset(token)


def uniforms(
    numbers: Iterable[Scalar] | npt.NDArray[np.float64],
) -> AbstractContextManager[None]:
    """A context in which every Dropout takes its random numbers, 0 … 1, from `numbers` in turn.

    Use it in a function that is compiled, with `numbers` as one of its arguments.
    """
    iterator = iter(numbers)
    return drawing(lambda rng: _next(iterator))


class Dropout(NumberModule):
    """In training, each number times 0 with probability `p`, else times 1 / (1 - p).

    After `eval()` the identity (Srivastava et al. 2014, inverted as in torch.nn.Dropout). The
    random numbers come from `rng`, from a generator made from `seed`, or from `uniforms`. A trace
    without `uniforms` raises TraceError: every call of the kernel would drop the same numbers.
    """

    def __init__(
        self,
        p: float = 0.5,
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        self.p = within("p", p, least=0.0, most=1.0)
        self.rng = generator(rng, seed)

    def _function(self) -> Callable[[Scalar], Scalar]:
        if not self.training or self.p == 0:
            return lambda number: number
        draw = self._source()
        scale = 1 / (1 - self.p) if self.p < 1 else 0.0
        return lambda number: number * where(draw() < self.p, 0.0, scale)

    def _source(self) -> Callable[[], Scalar]:
        given = _given.get()
        if given is not None:
            return partial(given, self.rng)
        try:
            _OUTSIDE.item()  # refused in a trace
        except TraceError:
            raise TraceError(
                "Dropout in training draws random numbers, and a kernel would repeat them at "
                "every call: call eval() on the model, or make them an argument u of the function "
                "and call the model in `with nn.uniforms(u):`"
            ) from None
        return self.rng.random

    def __repr__(self) -> str:
        return f"Dropout({self.p:g})"


def _next(numbers: Iterator[Scalar]) -> Scalar:
    for number in numbers:
        return number
    raise ValueError("nn.uniforms: Dropout needs more numbers than were given")
