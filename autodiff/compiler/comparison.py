"""A kernel's results against those of eager execution."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import derivatives
from autodiff.check import GradcheckError
from autodiff.compiler.structure import Block, filled, flattened
from autodiff.compiler.traced import Trace
from autodiff.value import Value

Array = npt.NDArray[Any]


def compare(
    f: Callable[..., Any],
    trace: Trace,
    leaves: Sequence[Array],
    results: Sequence[Any],
    gradient: Array | None,
    vector: Array | None,
    product: Array | None,
    rtol: float,
) -> None:
    """Raise GradcheckError where `f`, run on Values, differs from a kernel's results.

    `results` are those of each example, `gradient` that of their mean by the parameters of the
    trace, `product` its Hessian times `vector`. The parameters keep the `grad` that they had.
    """
    parameters = trace.scalars.parameters
    gradients, products = np.zeros((2, len(parameters)))
    for b, kernel in enumerate(results):
        eager, _ = flattened(f(*eager_arguments(trace, leaves, b)))
        data = [x.data if isinstance(x, Value) else float(x) for x in eager]
        _require_close(f"the result of example {b}", kernel, data, rtol)
        if gradient is not None and vector is not None and isinstance(eager[0], Value):
            slopes = derivatives.backward(eager[0], as_graph=True)
            with np.errstate(all="ignore"):
                gradients += [_data(slopes.get(parameter, 0.0)) for parameter in parameters]
                products += _second(slopes, parameters, vector)
    size = len(results)
    if gradient is not None and product is not None:
        with np.errstate(all="ignore"):
            _require_close("the gradient", gradient, gradients / size, rtol)
            _require_close("the Hessian times a vector", product, products / size, rtol)


def eager_arguments(trace: Trace, leaves: Sequence[Array], b: int) -> list[Any]:
    """Example b as the function takes it in eager execution: Values, integers, truth values."""
    arrays = iter(leaves)

    def numbers(block: Block, _: str) -> Any:
        kind = {"f": Value, "i": int, "b": bool}[block.kind]
        return block.filled([kind(x) for x in next(arrays)[b].tolist()])

    return [filled(spec, numbers) for spec in trace.specs]


def _second(slopes: dict[Value, Value], parameters: Sequence[Value], vector: Array) -> list[float]:
    """The Hessian by `parameters` times `vector`, from the graph of the gradient."""
    pairs = zip(parameters, vector.tolist(), strict=True)
    terms = [slopes[parameter] * factor for parameter, factor in pairs if parameter in slopes]
    second = derivatives.backward(sum(terms, Value(0.0)), as_graph=True)
    return [_data(second.get(parameter, 0.0)) for parameter in parameters]


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _require_close(what: str, kernel: Any, eager: Any, rtol: float) -> None:
    kernel, eager = np.asarray(kernel, dtype=float), np.asarray(eager, dtype=float)
    size = np.max(np.abs(eager[np.isfinite(eager)]), initial=0.0)
    if not np.allclose(kernel, eager, rtol=rtol, atol=rtol * size, equal_nan=True):
        worst = int(np.nanargmax(np.abs(kernel - eager)))
        raise GradcheckError(
            f"{what}: the kernel gives {kernel.flat[worst]!r}, eager {eager.flat[worst]!r}"
        )
