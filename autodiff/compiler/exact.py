"""The scalar program on Values, one example at a time: what a kernel falls back to.

Matrix products and masks send zeros where eager execution sends nothing. That is the same unless
a zero meets an infinity; so where a result is not finite, this decides what it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import derivatives
from autodiff.compiler.scalars import CONSTANTS, PARAMETERS, TAKE, Leaf, Scalars
from autodiff.value import Value

Array = npt.NDArray[Any]


def evaluate(
    scalars: Scalars,
    results: Sequence[int],
    parameters: Sequence[Value],
    inputs: Mapping[Leaf, Sequence[Any]],
) -> list[Any]:
    """The results, Values or numbers, of one example."""
    live = set(results)
    for i in range(max(live, default=-1), -1, -1):
        if i in live and not isinstance(scalars.ops[i], Leaf):
            live.update(scalars.operands[i])
    found: dict[int, Any] = {}
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


def values(
    scalars: Scalars, results: Sequence[int], theta: Array, leaves: Mapping[Leaf, Array], batch: int
) -> list[Array]:
    """For each result the array of its values, of shape (B, 1)."""
    columns = []
    for b in range(batch):
        parameters, inputs = _example(theta, leaves, b)
        found = evaluate(scalars, results, parameters, inputs)
        columns.append([float(_data(x)) for x in found])
    return [np.array([column[k] for column in columns])[:, None] for k in range(len(results))]


def gradients(
    scalars: Scalars, result: int, theta: Array, leaves: Mapping[Leaf, Array], batch: int
) -> tuple[Array, Array, dict[Leaf, Array]]:
    """The values, (B,), the sum of the gradients by the parameters, (P,), and each by each leaf."""
    total = np.zeros(len(theta))
    found = np.zeros(batch)
    by_leaf = {leaf: np.zeros(array.shape) for leaf, array in leaves.items()}
    for b in range(batch):
        parameters, inputs = _example(theta, leaves, b)
        (root,) = evaluate(scalars, [result], parameters, inputs)
        found[b] = _data(root)
        if isinstance(root, Value):
            root.backward()
        with np.errstate(all="ignore"):
            total += [parameter.grad for parameter in parameters]
        for leaf, given in inputs.items():
            if not leaf.is_index:
                by_leaf[leaf][b] = [x.grad for x in given]
    return found, total, by_leaf


def hvp(
    scalars: Scalars,
    result: int,
    theta: Array,
    leaves: Mapping[Leaf, Array],
    batch: int,
    vector: Array,
) -> Array:
    """The Hessian by the parameters, summed over the batch, times `vector`: (P,)."""
    total = np.zeros(len(theta))
    for b in range(batch):
        _, inputs = _example(theta, leaves, b)

        def function(parameters: list[Value], inputs: Any = inputs) -> Any:
            return evaluate(scalars, [result], parameters, inputs)[0]

        product = derivatives.hvp(function, (theta.tolist(),), (vector.tolist(),))
        with np.errstate(all="ignore"):
            total += np.array([_data(x) for x in product], dtype=float)
    return total


def _example(
    theta: Array, leaves: Mapping[Leaf, Array], b: int
) -> tuple[list[Value], dict[Leaf, list[Any]]]:
    inputs = {
        leaf: array[b].tolist() if leaf.is_index else [Value(x) for x in array[b]]
        for leaf, array in leaves.items()
    }
    return [Value(x) for x in theta], inputs


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x
