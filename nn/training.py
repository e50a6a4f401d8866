"""`fit` and `predict`: training on arrays of examples, one scalar graph a mini-batch."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf, isclose, isfinite
from types import FrameType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, collector_paused, no_grad
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
    engine: Literal["eager", "compiled"] = "eager",
    progress: Progress | None = None,
) -> History:
    """Change the parameters of `model` so that `loss(predictions, targets)` falls.

    `x` has shape (n,) or (n, inputs), `y` has shape (n,) or (n, outputs). Each iteration draws
    `batch_size` of the n examples without replacement (default: all, in their order), and takes
    one step of `optimizer` (default: Adam, lr 0.01). `loss` gets a list of predictions, as the
    model returns them, and the rows of `y`; it may be any function of Values.

    `engine="compiled"` runs the loss of one example, compiled, over the batch, which is a hundred
    times faster; it needs a loss that is a mean over examples. ValueError if it is not,
    TraceError if the model or the loss branches on data.

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
    engines = {"eager": _Eager, "compiled": _Compiled}
    if engine not in engines:
        raise ValueError(f"fit: engine must be eager or compiled, got {engine!r}")
    every = np.arange(size)
    training = engines[engine](model, loss, rows, targets, optimizer)
    with _interruptible() as interrupted, collector_paused(), progress or Silent() as report:
        try:
            for iteration in range(1, iterations + 1):
                batch = every if batch_size is None else rng.choice(len(rows), size, False)
                value = training.gradient(batch)
                if not isfinite(value):
                    raise FloatingPointError(
                        f"the loss is {value} at iteration {iteration}; a lower learning rate than "
                        f"{optimizer.lr:g} may help"
                    )
                training.step()
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
        finally:
            training.finish()
    return history


class _Eager:
    """Training on Values: one graph a batch."""

    def __init__(
        self, model: Module, loss: Loss, rows: list[Any], targets: list[Any], optimizer: Optimizer
    ) -> None:
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.rows, self.targets = rows, targets
        self.root = Value(0.0)

    def gradient(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of a batch, which the next step goes down."""
        predictions = [self.model(self.rows[i]) for i in batch]
        self.root = self.loss(predictions, [self.targets[i] for i in batch])
        if not isinstance(self.root, Value):
            kind = type(self.root).__name__
            raise TypeError(f"fit: the loss must return a Value, got {kind}")
        return self.root.data

    def step(self) -> None:
        """Take one step."""
        self.optimizer.zero_grad()
        self.root.backward()
        self.optimizer.step()

    def finish(self) -> None:
        """The parameters have changed at each step."""


class _Compiled(_Eager):
    """Training on arrays: the loss of one example, compiled and mapped over the batch."""

    def __init__(
        self, model: Module, loss: Loss, rows: list[Any], targets: list[Any], optimizer: Optimizer
    ) -> None:
        super().__init__(model, loss, rows, targets, optimizer)
        self.kernel = autodiff.compile(lambda x, y: loss([model(x)], [y]))
        self.x, self.y = np.array(rows), np.array(targets, dtype=float)
        some = np.arange(min(8, len(rows)))
        eager = super().gradient(some)
        compiled = float(np.mean(self.kernel(self.x[some], self.y[some])))
        if not isclose(compiled, eager, rel_tol=1e-6, abs_tol=1e-12) and isfinite(eager):
            raise ValueError(
                f"fit: the loss of {len(some)} examples is {eager:g}, the mean of their losses "
                f"{compiled:g}; a loss that is no mean over examples needs engine='eager'"
            )
        place = {parameter: i for i, parameter in enumerate(self.kernel.parameters)}
        missing = [p for p in optimizer.parameters if p not in place]
        if missing:
            raise ValueError(f"fit: the loss does not depend on {len(missing)} parameters")
        self.order = np.array([place[parameter] for parameter in optimizer.parameters])
        self.theta = np.array([parameter.data for parameter in place])
        self.ct = np.zeros(len(place))

    def gradient(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of a batch, which the next step goes down."""
        value, self.ct = self.kernel.value_and_grad(
            self.x[batch], self.y[batch], parameters=self.theta
        )
        return float(value)

    def step(self) -> None:
        """Take one step, in the flat array of parameters."""
        theta = self.theta[self.order]
        self.optimizer.update(theta, self.ct[self.order])
        self.theta[self.order] = theta

    def finish(self) -> None:
        """Give the parameters what was learned."""
        for parameter, data, ct in zip(
            self.kernel.parameters, self.theta.tolist(), self.ct.tolist(), strict=True
        ):
            parameter.data, parameter.grad = data, ct


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
