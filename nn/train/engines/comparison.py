"""Losses of a few examples and their gradient, by a kernel and on Values."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from math import isfinite

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, no_grad
from nn.data.inputs import Rows
from nn.layers.dropout import uniforms
from nn.module import Module
from nn.train.arrays import Floats, Listed
from nn.train.engines.eager import EagerEngine
from nn.train.engines.trust import DiffersError, Words, require_equal, spread

_MEASURED = 4
"""How many examples are compared in evaluation mode."""


def require_step(
    engine: EagerEngine, kernel: autodiff.Kernel[object], wanted: int, draws: int
) -> None:
    """Raise DiffersError if losses of examples, their mean or its gradient differ on Values.

    The kernel takes `draws` random numbers for Dropout beside each of `wanted` examples.
    """
    few = spread(wanted, engine.x, engine.y)
    x, y, targets = engine.x[few], engine.y[few], engine.y[few].tolist()
    u = np.random.default_rng(0).random((len(few), draws))
    args = [x, y, u] if draws else [x, y]

    def eager(x: Rows) -> list[Floats]:
        with uniforms(u.ravel().tolist()) if draws else nullcontext():
            each, root = _losses(engine, [engine.model(row) for row in x.tolist()], targets)
        if root is None:
            return [each, np.zeros(0), np.zeros(0)]
        return [each, np.array([root.data]), gradient(root, engine.parameters)]

    def compiled(found: list[Floats]) -> list[Floats]:
        keep = np.isfinite(found[0])
        mean, slopes = np.zeros(0), np.zeros(0)
        if keep.any():
            value, flat = kernel.value_and_grad(*[array[keep] for array in args])
            mean = np.array([value])
            slopes = in_order(engine.parameters, kernel.parameters, flat)
        if keep.all() and np.isclose(mean, found[1], rtol=1e-9, atol=0.0):
            return [found[0], mean, slopes]
        rows = [[array[k : k + 1] for array in args] for k in range(len(few))]
        return [np.array([kernel.value_and_grad(*row)[0] for row in rows]), mean, slopes]

    words = [*_loss_words("loss", few), gradient_words(engine.model, engine.parameters)]
    require_equal(engine.model, eager, compiled, x, words)


def require_evaluation(
    engine: EagerEngine, kernel: autodiff.Kernel[object], x: Rows, y: Rows
) -> None:
    """Raise DiffersError if losses of examples, or their mean, differ on Values."""
    few = spread(_MEASURED, x, y)
    targets = y[few].tolist()

    def eager(x: Rows) -> list[Floats]:
        with no_grad():
            each, root = _losses(engine, [engine.model(row) for row in x.tolist()], targets)
        return [each, np.array([root.data] if root is not None else [])]

    def compiled(found: list[Floats]) -> list[Floats]:
        each = np.asarray(kernel(x[few], y[few]), dtype=float)
        finite = each[np.isfinite(found[0])]
        return [each, finite.mean(keepdims=True) if finite.size else finite]

    words = _loss_words("loss in evaluation mode", few)
    require_equal(engine.model, eager, compiled, x[few], words)


def gradient(root: Value, parameters: Iterable[Value]) -> Floats:
    """The gradient of `root` by `parameters`; every `grad` stays what it was."""
    leaves = autodiff.leaves(root)
    before = [leaf.grad for leaf in leaves]
    try:
        autodiff.zero_grad(leaves)
        root.backward()
        return in_order(parameters, leaves, [leaf.grad for leaf in leaves])
    finally:
        for leaf, grad in zip(leaves, before, strict=True):
            leaf.grad = grad


def in_order(
    parameters: Iterable[Value], reached: Iterable[Value], slopes: Iterable[float]
) -> Floats:
    """The gradient by `parameters`, given the slopes by those reached: 0 by the others."""
    found = dict(zip(reached, slopes, strict=True))
    return np.array([found.get(parameter, 0.0) for parameter in parameters], dtype=float)


def gradient_words(model: Module, parameters: Sequence[Value]) -> Words:
    """The message for a gradient that differs."""

    def words(place: int, ours: str, theirs: str) -> str:
        paths = {parameter: path for path, parameter in model.named_parameters()}
        name = paths.get(parameters[place], "that is not in the model")
        return f"the gradient by the parameter {name} is {ours} on Values, {theirs} compiled"

    return words


def _losses(
    engine: EagerEngine, predictions: Sequence[object], targets: Sequence[Listed]
) -> tuple[Floats, Value | None]:
    """The loss of each example, and the loss of all those whose own is finite."""
    pairs = list(zip(predictions, targets, strict=True))
    each = np.array([engine.of([p], [t]).data for p, t in pairs])
    keep = np.flatnonzero(np.isfinite(each)).tolist()
    if len(keep) < len(each) and isfinite(engine.of(predictions, targets).data):
        raise DiffersError(
            f"the loss of {len(each)} examples is finite, but not the loss of some of them alone: "
            "it is not a mean over the examples"
        )
    if not keep:
        return each, None
    return each, engine.of([predictions[k] for k in keep], [targets[k] for k in keep])


def _loss_words(name: str, few: npt.NDArray[np.int_]) -> list[Words]:
    """The messages for the loss of one example that differs, and for the loss of all."""

    def of_one(place: int, ours: str, theirs: str) -> str:
        return f"the {name} of example {few[place]} is {ours} on Values, {theirs} compiled"

    def of_all(place: int, ours: str, theirs: str) -> str:
        return (
            f"the {name} of {len(few)} examples is {ours}, the mean of their losses {theirs}; "
            "a loss that is a mean over examples can be compiled"
        )

    return [of_one, of_all]
