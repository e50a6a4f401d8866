"""`compare`: a kernel's results against eager execution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from autodiff.calculus.derivatives import backward
from autodiff.checking.gradcheck import GradcheckError
from autodiff.compiler.arguments import Block, filled, flattened
from autodiff.compiler.specialization import Specialization
from autodiff.engine.recording import ConditionError
from autodiff.engine.value import Value

Array = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Derivatives:
    """A kernel's derivatives of the mean over the batch, in the specialization's order."""

    gradient: Array
    vector: Array
    product: Array
    """The Hessian times `vector`."""


def compare(
    f: Callable[..., object],
    made: Specialization,
    arrays: Sequence[Array],
    results: Sequence[Array],
    derivatives: Derivatives | None,
    rtol: float,
) -> None:
    """Raise GradcheckError where `f`, run on Values, differs from a kernel.

    `results` has the numbers of each example, `derivatives` is None where f returns several.
    The parameters keep the `grad` that they had.
    """
    parameters = made.parameters
    gradients, products = np.zeros((2, len(parameters)))
    for b, result in enumerate(results):
        eager, _ = flattened(_called(f, made, arrays, b))
        _require_close(f"the result of example {b}", result, list(map(_data, eager)), rtol)
        if derivatives is not None and isinstance(eager[0], Value):
            slopes = backward(eager[0], as_graph=True)
            with np.errstate(all="ignore"):
                gradients += _by(parameters, slopes)
                products += _hessian_times(derivatives.vector, parameters, slopes)
    if derivatives is not None:
        size = len(results)
        with np.errstate(all="ignore"):
            # Terms that cancel leave their rounding behind.
            noise = 1e-4 * rtol * _largest(np.array(results))
            _require_close("the gradient", derivatives.gradient, gradients / size, rtol, noise)
            noise = max(noise, rtol * _largest(gradients) / size)
            _require_close(
                "the Hessian times a vector", derivatives.product, products / size, rtol, noise
            )


def _called(
    f: Callable[..., object], made: Specialization, arrays: Sequence[Array], b: int
) -> object:
    """f of example b: on Values, or on floats if one of them is a condition."""
    try:
        return f(*_arguments(made, arrays, b, Value))
    except ConditionError:
        return f(*_arguments(made, arrays, b, float))


def _arguments(
    made: Specialization, arrays: Sequence[Array], b: int, real: type[Value] | type[float]
) -> list[object]:
    """The arguments of example b as `f` takes them, with numbers of the type `real`."""
    rows = iter(arrays)

    def numbers(block: Block, _: str) -> object:
        kind = {"f": real, "i": int, "b": bool}[block.kind]
        return block.filled([kind(x) for x in next(rows)[b].tolist()])

    return [filled(spec, numbers) for spec in made.specs]


def _hessian_times(
    vector: Array, parameters: Sequence[Value], slopes: dict[Value, Value]
) -> list[float]:
    """The Hessian by `parameters` times `vector`, from the graph of the gradient."""
    pairs = zip(parameters, vector.tolist(), strict=True)
    terms = [slopes[parameter] * factor for parameter, factor in pairs if parameter in slopes]
    return _by(parameters, backward(sum(terms, Value(0.0)), as_graph=True))


def _by(parameters: Sequence[Value], slopes: dict[Value, Value]) -> list[float]:
    """The slope by each parameter; 0 by those that are not reached."""
    return [slopes[p].data if p in slopes else 0.0 for p in parameters]


def _data(x: Value | float) -> float:
    return x.data if isinstance(x, Value) else float(x)


def _require_close(
    what: str, kernel: npt.ArrayLike, eager: npt.ArrayLike, rtol: float, atol: float = 0.0
) -> None:
    found, wanted = np.asarray(kernel, dtype=float), np.asarray(eager, dtype=float)
    size = _largest(wanted)
    if not np.allclose(found, wanted, rtol=rtol, atol=max(atol, rtol * size), equal_nan=True):
        with np.errstate(all="ignore"):
            gaps = np.abs(found - wanted)
        is_one_nan = np.isnan(found) != np.isnan(wanted)
        worst = int(np.argmax(np.where(is_one_nan, np.inf, np.nan_to_num(gaps, posinf=np.inf))))
        ours, theirs = found.flat[worst].item(), wanted.flat[worst].item()
        raise GradcheckError(
            f"{what}: the kernel gives {ours!r}, eager {theirs!r}, with rtol={rtol:g}"
        )


def _largest(numbers: npt.ArrayLike) -> float:
    """The largest absolute value among the finite numbers."""
    array = np.asarray(numbers, dtype=float)
    return float(np.max(np.abs(array[np.isfinite(array)]), initial=0.0))
