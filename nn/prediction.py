"""`predict`: the outputs of a model for arrays of examples."""

import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, collector_paused, no_grad
from nn.examples import as_inputs
from nn.mode import in_mode
from nn.module import Module

Array = npt.NDArray[np.float64]
Engine = Literal["auto", "compiled", "eager"]

_FEW = 32
"""Up to so many examples take less time on Values than a kernel takes to compile."""


def predict(model: Module, x: Any, *, engine: Engine = "auto") -> Array:
    """The outputs of `model` for each example: shape (n,) if it has one output, else (n, outputs).

    `x` has shape (n,) or (n, …); integers stay integers. The model is in evaluation mode
    meanwhile, and no graph is recorded. "compiled" runs a kernel, which agrees with "eager" to
    rounding. "auto" is eager for up to 32 examples and compiled for more, unless the model
    cannot be compiled, as it branches on data: then it is eager, with a RuntimeWarning that says
    why, where "compiled" raises TraceError.
    """
    check_engine("predict", engine)
    rows = as_inputs(x)
    with in_mode(model, training=False), collector_paused():
        if engine == "compiled" or (engine == "auto" and len(rows) > _FEW):
            try:
                return stacked(autodiff.compile(model)(rows))
            except Exception as error:  # the model meets tracers here, and may fail in any way
                if engine == "compiled":
                    raise
                outputs = eager_outputs(model, rows)  # which raises what is the model's own fault
                warn_of_eager("predict", error, 2)
                return outputs
        return eager_outputs(model, rows)


def eager_outputs(model: Module, rows: Array) -> Array:
    """The outputs of the model for each example, without a graph."""
    with no_grad():
        outputs = np.array([_data(model(row)) for row in rows.tolist()], dtype=float)
    return _of_one_output(outputs)


def stacked(outputs: Any) -> Array:
    """The outputs of the model from nested lists of arrays of shape (n,), as kernels return."""
    return _of_one_output(_stacked(outputs))


def _stacked(outputs: Any) -> Array:
    if isinstance(outputs, list | tuple):
        return np.stack([_stacked(branch) for branch in outputs], axis=1)
    return np.asarray(outputs, dtype=float)


def _of_one_output(outputs: Array) -> Array:
    """Shape (n,) where a model returns lists of one output, as `Linear` does."""
    return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


def check_engine(name: str, engine: str) -> None:
    """Raise ValueError if there is no such engine."""
    if engine not in ("auto", "compiled", "eager"):
        raise ValueError(f"{name}: engine must be auto, compiled or eager, got {engine!r}")


def warn_of_eager(name: str, reason: BaseException, stacklevel: int) -> None:
    """Warn whoever is `stacklevel` calls above that an automatic choice was the slow engine."""
    warnings.warn(
        f"{name}: running on Values, about a hundred times slower than compiled: "
        f"{type(reason).__name__}: {reason}. "
        "engine='eager' says that this is meant",
        RuntimeWarning,
        stacklevel=stacklevel + 1,
    )


def _data(output: Any) -> Any:
    if isinstance(output, list | tuple):
        return [_data(branch) for branch in output]
    return output.data if isinstance(output, Value) else float(output)
