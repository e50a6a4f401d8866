"""The scalar program on Values, one example at a time: what a kernel falls back to.

Matrix products and masks send zeros where eager execution sends nothing. That is the same unless
a zero meets an infinity; so where a result is not finite, this decides what it is, for the
examples concerned.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from autodiff.calculus import products
from autodiff.compiler.scalars.program import CONSTANTS, PARAMETERS, TAKE, Leaf, Scalars
from autodiff.engine.value import Value

Array = npt.NDArray[np.float64]
Scalar = Value | float
"""What eager execution computes with; a condition is a bool, which is a number too."""
Rows = Sequence[Array | Sequence[float] | float]
"""For each result, the numbers of one example."""


def evaluate(
    scalars: Scalars,
    results: Sequence[int],
    parameters: Sequence[Scalar],
    inputs: Mapping[Leaf, Sequence[Scalar]],
) -> list[Scalar]:
    """The results, Values or numbers, of one example."""
    live = set(results)
    for i in range(max(live, default=-1), -1, -1):
        if i in live and not isinstance(scalars.ops[i], Leaf):
            live.update(scalars.operands[i])
    found: dict[int, Scalar] = {}
    for i in sorted(live):
        op, operands = scalars.ops[i], scalars.operands[i]
        if op is PARAMETERS:
            found[i] = parameters[operands[0]]
        elif op is CONSTANTS:
            found[i] = scalars.constants[operands[0]]
        elif isinstance(op, Leaf):
            found[i] = inputs[op][operands[0]]
        elif op is TAKE:
            *values, index = (found[operand] for operand in operands)
            found[i] = values[int(_data(index))]
        else:
            given = [found[operand] for operand in operands]
            if None in op.partials:  # what has no derivative is read as a number
                pairs = zip(op.partials, given, strict=True)
                given = [_data(x) if partial is None else x for partial, x in pairs]
            found[i] = op.apply(tuple(given))
    return [found[i] for i in results]


class Examples:
    """The examples of a call, evaluated by themselves; the first result is differentiated."""

    def __init__(
        self,
        scalars: Scalars,
        results: Sequence[int],
        order: Sequence[int],
        theta: Array,
        leaves: Mapping[Leaf, Array],
    ) -> None:
        self.scalars = scalars
        self.results = results
        self.order = np.array(order, dtype=np.intp)
        """For each parameter in `theta`, its lane among the scalars."""
        self.theta: list[float] = theta[np.argsort(self.order)].tolist()
        """The parameters by their lanes."""
        self.leaves = leaves

    def values(self, b: int) -> list[float]:
        """The results of example `b`."""
        inputs = {leaf: array[b].tolist() for leaf, array in self.leaves.items()}
        return list(map(_data, evaluate(self.scalars, self.results, self.theta, inputs)))

    def gradient(self, b: int) -> tuple[float, Array, dict[Leaf, list[float]]]:
        """The value, and its gradient by the parameters, (P,), and by each leaf."""
        parameters, inputs = list(map(Value, self.theta)), self._inputs(b)
        (root,) = evaluate(self.scalars, self.results, parameters, inputs)
        if isinstance(root, Value):
            root.backward()
        by_leaf = {leaf: [x.grad for x in given] for leaf, given in inputs.items()}
        slopes = np.array([x.grad for x in parameters], dtype=float)
        return _data(root), slopes[self.order], by_leaf

    def product(self, b: int, vector: Array) -> Array:
        """The Hessian by the parameters times `vector`: (P,)."""
        inputs = self._inputs(b)

        def function(parameters: list[Value]) -> Scalar:
            return evaluate(self.scalars, self.results, parameters, inputs)[0]

        direction = vector[np.argsort(self.order)].tolist()
        found = products.hvp(function, (self.theta,), (direction,))
        return np.array([_data(x) for x in found], dtype=float)[self.order]

    def _inputs(self, b: int) -> dict[Leaf, list[Value]]:
        return {leaf: list(map(Value, array[b].tolist())) for leaf, array in self.leaves.items()}


def mended(found: Sequence[Array], batch: int, of_example: Callable[[int], Rows]) -> list[Array]:
    """Results of shape (B, n); examples with a number that is not finite come from `of_example`."""
    whole = [np.broadcast_to(x, (batch, x.shape[-1])).copy() for x in found]
    is_good = np.all([np.isfinite(x).all(-1) for x in whole], axis=0)
    with np.errstate(all="ignore"):
        for b in np.flatnonzero(~is_good).tolist():
            for array, row in zip(whole, of_example(b), strict=True):
                array[b] = row
    return whole


def summed(
    batch: int,
    of_part: Callable[[int, int], Sequence[Array]],
    of_example: Callable[[int], Sequence[Array]],
    is_over: Callable[[Sequence[Array]], bool] = lambda found: False,
) -> Sequence[Array]:
    """Sums over a batch whose sum as a whole is not finite: by parts, then by single examples.

    `of_part` gives the sums from one example to before another, fast; `of_example` is exact.
    Once `is_over` says so of what it gives, the other examples add nothing.
    """
    total: Sequence[Array] = ()
    fine = round(batch ** (1 / 3))  # so that parts are few, and of few sizes
    waiting = [(0, batch)]
    with np.errstate(all="ignore"):
        while waiting:
            start, stop = waiting.pop()
            found = of_part(start, stop) if stop - start < batch else [np.array(np.nan)]
            if not all(np.isfinite(x).all() for x in found):
                if stop - start > 1:
                    size = max(n for n in (fine * fine, fine, 1) if n < stop - start)
                    starts = range(start, stop, size)
                    waiting += [(k, min(k + size, stop)) for k in reversed(starts)]
                    continue
                found = of_example(start)
                if is_over(found):
                    waiting.clear()
            total = [x + y for x, y in zip(total, found, strict=True)] if total else found
    return total


def _data(x: Scalar) -> float:
    return x.data if isinstance(x, Value) else x
