"""A kernel's results against those of eager execution."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.calculus import derivatives
from autodiff.checking.gradcheck import GradcheckError
from autodiff.compiler.arguments import Block, filled, flattened
from autodiff.compiler.specialization import Specialization
from autodiff.engine.value import Value

Array = npt.NDArray[Any]


def compare(
    f: Callable[..., Any],
    made: Specialization,
    leaves: Sequence[Array],
    results: Sequence[Any],
    gradient: Array | None,
    vector: Array | None,
    product: Array | None,
    rtol: float,
) -> None:
    """Raise GradcheckError where `f`, run on Values, differs from a kernel's results.

    `results` are those of each example, `gradient` that of their mean by its
    parameters, `product` its Hessian times `vector`. The parameters keep the `grad` that they had.
    """
    parameters = made.parameters
    gradients, products = np.zeros((2, len(parameters)))
    for b, kernel in enumerate(results):
        eager, _ = flattened(_called(f, made, leaves, b))
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
            # What cancels leaves the rounding of what it is made of.
            noise = 1e-4 * rtol * _largest(results)
            _require_close("the gradient", gradient, gradients / size, rtol, noise)
            noise = max(noise, rtol * _largest(gradients) / size)
            _require_close("the Hessian times a vector", product, products / size, rtol, noise)


def _called(f: Callable[..., Any], made: Specialization, leaves: Sequence[Array], b: int) -> Any:
    """Example b in eager execution: on Values, or on numbers where one is a condition."""
    try:
        return f(*_arguments(made, leaves, b, Value))
    except TypeError as error:
        if "the condition is a Value" not in str(error):
            raise
        return f(*_arguments(made, leaves, b, float))


def _arguments(made: Specialization, leaves: Sequence[Array], b: int, real: type) -> list[Any]:
    """Example b as the function takes it in eager execution: `real`, integers, truth values."""
    arrays = iter(leaves)

    def numbers(block: Block, _: str) -> Any:
        kind = {"f": real, "i": int, "b": bool}[block.kind]
        return block.filled([kind(x) for x in next(arrays)[b].tolist()])

    return [filled(spec, numbers) for spec in made.specs]


def _second(slopes: dict[Value, Value], parameters: Sequence[Value], vector: Array) -> list[float]:
    """The Hessian by `parameters` times `vector`, from the graph of the gradient."""
    pairs = zip(parameters, vector.tolist(), strict=True)
    terms = [slopes[parameter] * factor for parameter, factor in pairs if parameter in slopes]
    second = derivatives.backward(sum(terms, Value(0.0)), as_graph=True)
    return [_data(second.get(parameter, 0.0)) for parameter in parameters]


def _data(x: Any) -> Any:
    return x.data if isinstance(x, Value) else x


def _require_close(what: str, kernel: Any, eager: Any, rtol: float, atol: float = 0.0) -> None:
    kernel, eager = np.asarray(kernel, dtype=float), np.asarray(eager, dtype=float)
    size = _largest(eager)
    if not np.allclose(kernel, eager, rtol=rtol, atol=max(atol, rtol * size), equal_nan=True):
        with np.errstate(all="ignore"):
            gaps = np.abs(kernel - eager)
        is_one_nan = np.isnan(kernel) != np.isnan(eager)
        worst = int(np.argmax(np.where(is_one_nan, np.inf, np.nan_to_num(gaps, posinf=np.inf))))
        ours, theirs = kernel.flat[worst].item(), eager.flat[worst].item()
        raise GradcheckError(
            f"{what}: the kernel gives {ours!r}, eager {theirs!r}, with rtol={rtol:g}"
        )


def _largest(numbers: Any) -> float:
    """The largest absolute value of what is finite."""
    array = np.asarray(numbers, dtype=float)
    return float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0))
