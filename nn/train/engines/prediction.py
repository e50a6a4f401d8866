"""`predict`: the outputs of a model for arrays of examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, collector_paused, no_grad
from autodiff.checks import instance, number, one_of
from autodiff.engine.frames import warn
from nn.data.inputs import Rows, as_inputs, as_lists
from nn.module import Module
from nn.train.arrays import Floats, Listed
from nn.train.engines.training_mode import in_mode
from nn.train.engines.trust import require_equal, spread

EngineName: TypeAlias = Literal["auto", "compiled", "eager"]

_NAMES = ("auto", "compiled", "eager")

_FEW = 32
"""Up to this many examples take less time on Values than a kernel takes to compile."""
_COMPARED = 3
"""How many rows of a kernel's outputs are compared with eager execution."""


def predict(model: Module, x: npt.ArrayLike, *, engine: EngineName = "auto") -> Floats:
    """The outputs of `model` for each example: shape (n,) if it has one output, else (n, outputs).

    `x` has shape (n,) or (n, …); integers stay integers. The model is in evaluation mode
    meanwhile, and no graph is recorded. "compiled" runs a kernel, which agrees with "eager" to
    rounding: a few rows are compared. "auto" is eager for up to 32 examples and compiled for
    more. Where a kernel cannot be made, as of a model that branches on data, or its rows differ,
    "auto" runs on Values with a RuntimeWarning that says why, and "compiled" raises the error.
    """
    check_model("predict", model)
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


def outputs_kernel(model: Module) -> autodiff.Kernel[object]:
    """The kernel of a model, which sees lists of numbers there too."""
    return autodiff.compile(lambda x: model(as_lists(x)))


def require_outputs(model: Module, rows: Rows, run: Callable[[], Floats]) -> Floats:
    """The result of `run`; DiffersError where a few rows of it are not the model's outputs."""
    few = spread(_COMPARED, rows)
    whole = np.zeros(0)

    def compiled(found: list[Floats]) -> list[Floats]:
        nonlocal whole
        whole = run()
        return [whole[few].ravel()]

    def words(place: int, ours: str, theirs: str) -> str:
        row, output = divmod(place, max(1, whole[0].size))
        return f"output {output} of row {few[row]} is {ours} on Values, {theirs} compiled"

    require_equal(model, lambda x: [eager_outputs(model, x).ravel()], compiled, rows[few], [words])
    return whole


def eager_outputs(model: Module, rows: Rows) -> Floats:
    """The outputs of the model for each example, without a graph."""
    with no_grad():
        outputs = np.array([_data(model(row)) for row in rows.tolist()], dtype=float)
    return _of_one_output(outputs)


def stacked(outputs: object) -> Floats:
    """The outputs of the model from nested lists of arrays of shape (n,), as kernels return."""
    return _of_one_output(_stacked(outputs))


def _stacked(outputs: object) -> Floats:
    if isinstance(outputs, list | tuple):
        return np.stack([_stacked(branch) for branch in outputs], axis=1)
    _require_numbers(outputs)
    return np.asarray(outputs, dtype=float)


def _of_one_output(outputs: Floats) -> Floats:
    """Shape (n,) where a model returns lists of one output, as `Linear` does."""
    return outputs[:, 0] if outputs.ndim == 2 and outputs.shape[1] == 1 else outputs


def check_model(name: str, model: Module) -> None:
    """Raise TypeError for what is not a Module."""
    instance(f"{name}: model", model, Module, "a Module, as nn.MLP(2, [8, 1])")


def check_engine(name: str, engine: EngineName) -> None:
    """Raise ValueError if there is no such engine."""
    one_of(f"{name}: engine", engine, _NAMES)


def warn_of_eager(name: str, reason: BaseException) -> None:
    """Warn that "auto" chose the slow engine, and why."""
    warn(
        f"{name}: running on Values, about a hundred times slower than compiled: "
        f"{type(reason).__name__}: {reason}. "
        "Pass engine='eager' if this is intended"
    )


def _data(output: object) -> Listed:
    if isinstance(output, np.ndarray):
        output = output.tolist()
    if isinstance(output, list | tuple):
        return [_data(branch) for branch in output]
    _require_numbers(output)
    return output.data if isinstance(output, Value) else number(output)


def _require_numbers(output: object) -> None:
    if isinstance(output, dict):
        raise TypeError("the model returns a dict; outputs are a number, a list or nested lists")
