"""A kernel's results against those of eager execution."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.check import GradcheckError
from autodiff.compiler.structure import filled, flattened
from autodiff.compiler.traced import Trace
from autodiff.value import Value

Array = npt.NDArray[Any]


def compare(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    trace: Trace,
    leaves: Sequence[Array],
    results: Sequence[Any],
    gradient: Array | None,
    rtol: float,
) -> None:
    """Raise GradcheckError where `f`, run on Values, differs from a kernel's results.

    `results` are those of each example, `gradient` that of their mean by the parameters of the
    trace, which keep the `grad` that they had.
    """
    parameters = trace.scalars.parameters
    before = [parameter.grad for parameter in parameters]
    for parameter in parameters:
        parameter.grad = 0.0
    try:
        for b, kernel in enumerate(results):
            example = [
                _eager(x[b], shape, leaf.is_index)
                for x, shape, leaf in zip(leaves, trace.shapes, trace.inputs, strict=True)
            ]
            eager = flattened(f(*filled(args, iter(example))))
            data = [x.data if isinstance(x, Value) else float(x) for x in eager]
            _require_close(f"the result of example {b}", kernel, data, rtol)
            if gradient is not None and isinstance(eager[0], Value):
                eager[0].backward(1.0 / len(results))
        if gradient is not None:
            _require_close("the gradient", gradient, [p.grad for p in parameters], rtol)
    finally:
        for parameter, grad in zip(parameters, before, strict=True):
            parameter.grad = grad


def _eager(flat: Array, shape: tuple[int, ...], is_index: bool) -> Any:
    """One example of an argument as the function takes it: Values, or integers."""
    numbers = [int(x) if is_index else Value(x) for x in flat]
    if not shape:
        return numbers[0]
    array = np.empty(len(numbers), dtype=object)
    array[:] = numbers
    return array.reshape(shape)


def _require_close(what: str, kernel: Any, eager: Any, rtol: float) -> None:
    kernel, eager = np.asarray(kernel, dtype=float), np.asarray(eager, dtype=float)
    size = np.max(np.abs(eager[np.isfinite(eager)]), initial=0.0)
    if not np.allclose(kernel, eager, rtol=rtol, atol=rtol * size, equal_nan=True):
        worst = int(np.nanargmax(np.abs(kernel - eager)))
        raise GradcheckError(
            f"{what}: the kernel gives {kernel.flat[worst]!r}, eager {eager.flat[worst]!r}"
        )
