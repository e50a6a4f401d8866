"""`Fallback`: a call whose results are not finite, the examples concerned by eager execution."""

from collections.abc import Callable, Sequence
from math import isfinite

import numpy as np

from autodiff.compiler.eager import Array, Examples, Rows, mended, summed
from autodiff.compiler.numpy.function import Function
from autodiff.compiler.specialization import Specialization


class Fallback:
    """One call: the parameters, the arrays of the inputs, and how many examples there are."""

    def __init__(
        self, made: Specialization, theta: Array, leaves: Sequence[Array], batch: int
    ) -> None:
        self.made = made
        self.theta = theta
        self.leaves = leaves
        self.batch = batch
        by_leaf = {item.leaf: x for item, x in zip(made.inputs, leaves, strict=True)}
        traced = made.analyzed.traced
        self.examples = Examples(
            traced.scalars, traced.results, made.analyzed.order, theta, by_leaf
        )

    def values(self, found: Sequence[Array]) -> list[Array]:
        """The results, (B, 1) each, from those that were found."""
        return mended(found, self.batch, self.examples.values)

    def each(self, found: Sequence[Array], argnums: tuple[int, ...]) -> list[Array]:
        """The values, (B, 1), and the gradients by the leaves of arguments, as they were found."""

        def of_example(b: int) -> Rows:
            value, _, by_leaf = self.examples.gradient(b)
            return [value, *(by_leaf[item.leaf] for item in self.made.inputs_of(argnums))]

        return mended(found, self.batch, of_example)

    def mean(self, value: float, *, in_full: bool = True) -> tuple[float, Array]:
        """The mean, which was found as `value`, and its gradient by the parameters.

        If not `in_full`, only until it is known that the mean, or the gradient of a finite one,
        is not finite; what is not finite then is so in eager execution too.
        """
        wanted = int(isfinite(value))  # the gradient if the mean is known

        def of_example(b: int) -> list[Array]:
            return [np.array(x) for x in self.examples.gradient(b)[:2]]

        def is_over(found: Sequence[Array]) -> bool:
            return _is_settled(found) if in_full else not np.isfinite(found[wanted]).all()

        mean, gradient = self._mean(self.made.function("grad"), [], of_example, is_over)
        return (value if wanted else mean.item()), gradient

    def hvp(self, vector: Array) -> Array:
        """The Hessian of the mean, by the parameters, times `vector`."""

        def of_example(b: int) -> list[Array]:
            return [self.examples.product(b, vector)]

        (product,) = self._mean(self.made.function("hvp"), [vector], of_example, _is_settled)
        return product

    def _mean(
        self,
        function: Function,
        more: list[Array],
        of_example: Callable[[int], list[Array]],
        is_over: Callable[[Sequence[Array]], bool],
    ) -> list[Array]:
        """The means over the batch: by `function` where that is finite, else by example."""
        scale = 1.0 / max(self.batch, 1)

        def of_part(start: int, stop: int) -> list[Array]:
            leaves = [leaf[start:stop] for leaf in self.leaves]
            return function(stop - start, scale, [self.theta, *leaves, *more])

        def of_one(b: int) -> list[Array]:
            return [x * scale for x in of_example(b)]

        if self.made.is_batched:
            found = summed(self.batch, of_part, of_one, is_over)
        else:
            found = of_example(0)  # the same for all
        with np.errstate(all="ignore"):
            return [np.asarray(x).astype(self.theta.dtype) for x in found]


def _is_settled(sums: Sequence[Array]) -> bool:
    """Whether no further term changes a sum: all of them are nan."""
    return all(np.isnan(x).all() for x in sums)
