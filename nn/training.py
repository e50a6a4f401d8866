"""`fit` and `predict`: training on arrays of examples, one scalar graph a mini-batch."""

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, isfinite
from types import FrameType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autodiff import Value, no_grad
from nn.losses import mse
from nn.module import Module
from nn.optim import Adam, Optimizer
from nn.progress import Progress, Silent

Loss = Callable[[Any, Any], Any]


@dataclass
class History:
    """The loss of every iteration, and why training stopped."""

    losses: list[float] = field(default_factory=list)
    stopped: Literal["iterations", "converged", "interrupted"] = "iterations"


def fit(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Loss = mse,
    optimizer: Optimizer | None = None,
    iterations: int = 1000,
    batch_size: int | None = None,
    tolerance: float | None = None,
    patience: int = 100,
    seed: int = 0,
    progress: Progress | None = None,
) -> History:
    """Change the parameters of `model` so that `loss(predictions, targets)` falls.

    `x` has shape (n,) or (n, inputs), `y` has shape (n,) or (n, outputs). Each iteration draws
    `batch_size` of the n examples without replacement (default: all, in their order), and takes
    one step of `optimizer` (default: Adam, lr 0.01). `loss` gets a list of predictions, as the
    model returns them, and the rows of `y`; it may be any function of Values.

    With `tolerance`, training also stops when `patience` iterations in a row have not brought
    the loss below its least value so far by more than that. Ctrl-C stops after the current
    iteration; the model keeps what it has learned (a second Ctrl-C raises at once).

    Raises FloatingPointError, the parameters those of the iteration before, if the loss is not
    finite; ValueError for sizes that do not fit.
    """
    rows, targets = _examples(x), _targets(y)
    if len(rows) != len(targets):
        raise ValueError(f"fit: {len(rows)} examples in x, {len(targets)} in y")
    size = len(rows) if batch_size is None else batch_size
    if not 1 <= size <= len(rows):
        raise ValueError(f"fit: batch_size must be in 1 … {len(rows)}, got {size}")
    if iterations < 0 or patience < 1:
        raise ValueError(f"fit: iterations {iterations} or patience {patience} is too small")
    optimizer = optimizer or Adam(model.parameters(), lr=0.01)
    rng = np.random.default_rng(seed)
    history = History()
    least, since = inf, 0
    with _interruptible() as interrupted, _collector_paused(), progress or Silent() as report:
        for iteration in range(1, iterations + 1):
            batch = range(size) if batch_size is None else rng.choice(len(rows), size, False)
            root = loss([model(rows[i]) for i in batch], [targets[i] for i in batch])
            if not isinstance(root, Value):
                raise TypeError(f"fit: the loss must return a Value, got {type(root).__name__}")
            value = root.data
            if not isfinite(value):
                raise FloatingPointError(
                    f"the loss is {value} at iteration {iteration}; a lower learning rate than "
                    f"{optimizer.lr:g} may help"
                )
            optimizer.zero_grad()
            root.backward()
            optimizer.step()
            history.losses.append(value)
            report(iteration, iterations, value)
            since = 0 if value < least - (tolerance or 0.0) else since + 1
            least = min(least, value)
            if interrupted.is_set():
                history.stopped = "interrupted"
                break
            if tolerance is not None and since >= patience:
                history.stopped = "converged"
                break
    return history


def predict(model: Module, x: Any) -> npt.NDArray[np.float64]:
    """The outputs of `model` for each example: shape (n,) if it has one output, else (n, outputs).

    `x` has shape (n,) or (n, inputs). No graph is recorded.
    """
    with no_grad():
        outputs = [model(row) for row in _examples(x)]
    numbers = [[v.data for v in out] if isinstance(out, list) else out.data for out in outputs]
    return np.array(numbers, dtype=float)


def _examples(x: Any) -> list[list[float]]:
    """Examples as lists of numbers; a plain number is an example of one input."""
    array = np.asarray(x, dtype=float)
    if not array.size:
        raise ValueError("there are no examples in x")
    if array.ndim not in (1, 2):
        raise ValueError(f"x must have shape (n,) or (n, inputs), got {array.shape}")
    rows: list[list[float]] = array.reshape(len(array), -1).tolist()
    return rows


def _targets(y: Any) -> list[Any]:
    array = np.asarray(y)
    if array.ndim not in (1, 2):
        raise ValueError(f"y must have shape (n,) or (n, outputs), got {array.shape}")
    targets: list[Any] = array.tolist()
    return targets


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, so that no iteration is left half-done."""
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed  # signals go to the main thread alone
        return

    def press(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            raise KeyboardInterrupt
        pressed.set()

    before = signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Graphs have no reference cycles, so the collector would only search them in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
