"""`predict`: the outputs of a model for arrays of examples."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, collector_paused, no_grad
from nn.data.inputs import as_inputs, as_lists
from nn.module import Module
from nn.train.engines.mode import in_mode
from nn.train.engines.trust import require_equal, spread, warn

Array = npt.NDArray[np.float64]
Engine = Literal["auto", "compiled", "eager"]

_FEW = 32
"""Up to so many examples take less time on Values than a kernel takes to compile."""
_COMPARED = 3
"""How many rows of a kernel's outputs are compared with eager execution."""


def predict(model: Module, x: Any, *, engine: Engine = "auto") -> Array:
    """The outputs of `model` for each example: shape (n,) if it has one output, else (n, outputs).

    `x` has shape (n,) or (n, …); integers stay integers. The model is in evaluation mode
    meanwhile, and no graph is recorded. "compiled" runs a kernel, which agrees with "eager" to
    rounding: a few rows are compared. "auto" is eager for up to 32 examples and compiled for
    more, unless the model cannot be compiled, as it branches on data, or the rows differ: then
    it is eager, with a RuntimeWarning that says why, where "compiled" raises that error.
    """
    check_engine("predict", engine)
    rows = as_inputs(x)
    with in_mode(model, training=False), collector_paused():
        if engine == "eager" or (engine == "auto" and len(rows) <= _FEW):
            return eager_outputs(model, rows)
        kernel = outputs_kernel(model)
        try:
            return require_outputs(model, rows, lambda: stacked(kernel(rows)))
        except Exception as error:  # the model meets tracers here, and may fail in any way
            if engine == "compiled":
                raise
            reason = error
        outputs = eager_outputs(model, rows)  # which raises what is the model's own fault
        warn_of_eager("predict", reason)
        return outputs


def outputs_kernel(model: Module) -> autodiff.Kernel:
    """The kernel of a model, which sees lists of numbers as it does without one."""
    return autodiff.compile(lambda x: model(as_lists(x)))


def require_outputs(model: Module, rows: npt.NDArray[Any], run: Callable[[], Array]) -> Array:
    """What `run` gives; DiffersError where a few rows of it are not the outputs of the model."""
    few = spread(_COMPARED, rows)
    whole = np.zeros(0)

    def compiled(found: list[Array]) -> list[Array]:
        nonlocal whole
        whole = run()
        return [whole[few].ravel()]

    def words(place: int, ours: str, theirs: str) -> str:
        row, output = divmod(place, max(1, whole[0].size))
        return f"output {output} of row {few[row]} is {ours} on Values, {theirs} compiled"

    require_equal(model, lambda x: [eager_outputs(model, x).ravel()], compiled, rows[few], [words])
    return whole


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
    _require_numbers(outputs)
    return np.asarray(outputs, dtype=float)


def _of_one_output(outputs: Array) -> Array:
    """Shape (n,) where a model returns lists of one output, as `Linear` does."""
    return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


def check_engine(name: str, engine: str) -> None:
    """Raise ValueError if there is no such engine."""
    if engine not in ("auto", "compiled", "eager"):
        raise ValueError(f"{name}: engine must be auto, compiled or eager, got {engine!r}")


def warn_of_eager(name: str, reason: BaseException) -> None:
    """Warn the user that an automatic choice was the slow engine."""
    warn(
        f"{name}: running on Values, about a hundred times slower than compiled: "
        f"{type(reason).__name__}: {reason}. "
        "engine='eager' says that this is meant"
    )


def _data(output: Any) -> Any:
    if isinstance(output, np.ndarray):
        output = output.tolist()
    if isinstance(output, list | tuple):
        return [_data(branch) for branch in output]
    _require_numbers(output)
    return output.data if isinstance(output, Value) else float(output)


def _require_numbers(output: Any) -> None:
    if isinstance(output, dict):
        raise TypeError("the model returns a dict; outputs are a number, a list or nested lists")
