"""The loss of a batch and a step down its gradient: on Values, and compiled to arrays."""

import warnings
from collections.abc import Callable
from itertools import count
from math import isclose, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, no_grad
from nn.dropout import Dropout, uniforms
from nn.mode import in_mode
from nn.module import Module
from nn.prediction import eager_outputs, stacked

Array = npt.NDArray[Any]
Loss = Callable[[Any, Any], Any]
Change = Callable[[Array, Array], None]
"""Changes the flat parameters, its first argument, by their gradient, its second."""

_COMPARED = 8
"""How many examples both engines run, to see that they agree."""


class UncompilableError(Exception):
    """Why a loss that works on Values has no kernel, as its cause."""


class NoMeanError(ValueError):
    """The loss of several examples is not the mean of their losses."""


class Eager:
    """Training on Values: one graph a batch."""

    def __init__(
        self, model: Module, loss: Loss, x: Array, y: Array, parameters: list[Value]
    ) -> None:
        self.model, self._loss, self.parameters = model, loss, parameters
        self._rows, self._targets = x.tolist(), y.tolist()
        self._root = Value(0.0)

    @property
    def theta(self) -> Array:
        """The flat parameters, a copy."""
        return np.array([parameter.data for parameter in self.parameters])

    @theta.setter
    def theta(self, theta: Array) -> None:
        for parameter, data in zip(self.parameters, theta.tolist(), strict=True):
            parameter.data = data

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of some examples, which the next step goes down."""
        rows, targets = [self._rows[i] for i in batch], [self._targets[i] for i in batch]
        self._root = self._of(rows, targets)
        return self._root.data

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        for parameter in self.parameters:
            parameter.grad = 0.0
        self._root.backward()
        theta, gradient = self.theta, np.array([parameter.grad for parameter in self.parameters])
        change(theta, gradient)
        self.theta = theta

    def evaluate(self, x: Array, y: Array) -> float:
        """The loss of other examples, in evaluation mode; no graph is recorded."""
        with in_mode(self.model, training=False):
            return self._value(x, y)

    def predictions(self, x: Array) -> Array:
        """The outputs of the model in evaluation mode, a row an example."""
        with in_mode(self.model, training=False):
            return eager_outputs(self.model, x)

    def finish(self) -> None:
        """Give the parameters what was learned: they have it."""

    def check(self) -> None:
        """Nothing has been compiled that could differ."""

    def _value(self, x: Array, y: Array) -> float:
        with no_grad():
            return self._of(x.tolist(), y.tolist()).data

    def _of(self, rows: list[Any], targets: list[Any]) -> Value:
        root = self._loss([self.model(row) for row in rows], targets)
        if not isinstance(root, Value):
            raise TypeError(f"fit: the loss must return a Value, got {type(root).__name__}")
        return root


class Compiled(Eager):
    """Training on arrays: the loss of one example, compiled and mapped over the batch.

    Dropout takes its random numbers as an argument of the kernel; all come from the generator of
    the first Dropout. Raises UncompilableError, from a TraceError if the model or the loss
    branches on data, from a NoMeanError if the loss is not a mean over the examples.
    """

    def __init__(
        self, model: Module, loss: Loss, x: Array, y: Array, parameters: list[Value]
    ) -> None:
        super().__init__(model, loss, x, y, parameters)
        self._x, self._y = x, y
        self._dropouts = [module for module in model.modules() if isinstance(module, Dropout)]
        self._draws = self._count_draws() if self._dropouts else 0
        self._kernel = autodiff.compile(self._dropping if self._draws else self._plain)
        self._evaluation, self._outputs = autodiff.compile(self._plain), autodiff.compile(model)
        self._compare()
        self._place = {parameter: k for k, parameter in enumerate(parameters)}
        self._data = np.array([parameter.data for parameter in parameters])
        self._gradient = np.zeros(len(parameters))
        self._orders: dict[int, npt.NDArray[np.int_] | None] = {}

    @property
    def theta(self) -> Array:
        """The flat parameters; a view, to be changed in place."""
        return self._data[: len(self.parameters)]

    @theta.setter
    def theta(self, theta: Array) -> None:
        self.theta[:] = theta

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of some examples, which the next step goes down."""
        order = self._order(self._kernel)
        args = [self._x[batch], self._y[batch]]
        if self._draws:
            args.append(self._dropouts[0].rng.random((len(batch), self._draws)))
        value, gradient = self._kernel.value_and_grad(*args, parameters=self._flat(self._kernel))
        if order is not None:
            whole = np.zeros(len(self._data))  # what the loss does not reach has gradient 0
            whole[order] = gradient
            gradient = whole
        self._gradient = gradient[: len(self.parameters)]
        return float(value)

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        change(self.theta, self._gradient)

    def evaluate(self, x: Array, y: Array) -> float:
        """The loss of other examples, in evaluation mode."""
        with in_mode(self.model, training=False):
            return float(np.mean(self._run(self._evaluation, x, y)))

    def predictions(self, x: Array) -> Array:
        """The outputs of the model in evaluation mode, a row an example."""
        with in_mode(self.model, training=False):
            return stacked(self._run(self._outputs, x))

    def finish(self) -> None:
        """Give the parameters what was learned, and the gradient of the latest loss."""
        for parameter, data, ct in zip(
            self.parameters, self.theta.tolist(), self._gradient.tolist(), strict=True
        ):
            parameter.data, parameter.grad = data, ct

    def check(self) -> None:
        """Warn if the loss is no longer what was compiled, for it reads what has changed since."""
        value, args = self._on_values()
        mean = float(np.mean(self._kernel(*args)))
        if not isclose(value, mean, rel_tol=1e-3, abs_tol=1e-9) and isfinite(value + mean):
            warnings.warn(
                f"fit: the loss of {_COMPARED} examples is {value:g}, compiled {mean:g}: it reads "
                "something that has changed since training began; use engine='eager'",
                RuntimeWarning,
                stacklevel=4,
            )

    def _plain(self, x: Any, y: Any) -> Any:
        return self._loss([self.model(x)], [y])

    def _dropping(self, x: Any, y: Any, u: Any) -> Any:
        with uniforms(u):
            return self._plain(x, y)

    def _count_draws(self) -> int:
        """How many random numbers Dropout takes for an example."""
        drawn = count()
        with uniforms(0.5 for _ in drawn):
            self._value(self._x[:1], self._y[:1])
        return next(drawn)

    def _compare(self) -> None:
        """Raise UncompilableError if the kernel does not give what Values give."""
        value, args = self._on_values()
        try:
            mean = float(np.mean(self._kernel(*args)))
            if not isclose(value, mean, rel_tol=1e-5, abs_tol=1e-12) and isfinite(value):
                raise NoMeanError(
                    f"the loss of {len(args[0])} examples is {value:g}, the mean of their losses "
                    f"{mean:g}"
                )
        except Exception as error:  # user code meets tracers here, and may fail in any way
            raise UncompilableError from error

    def _on_values(self) -> tuple[float, list[Array]]:
        """The loss of a few examples on Values, and the kernel's arguments for them."""
        args = [self._x[:_COMPARED], self._y[:_COMPARED]]
        if not self._draws:
            return self._value(*args), args
        u = np.random.default_rng(0).random((len(args[0]), self._draws))
        with uniforms(u.ravel().tolist()):
            return self._value(*args), [*args, u]

    def _run(self, kernel: autodiff.Kernel, *args: Array) -> Any:
        if id(kernel) not in self._orders:
            kernel(*[array[:1] for array in args])  # now it knows its parameters
        return kernel(*args, parameters=self._flat(kernel))

    def _flat(self, kernel: autodiff.Kernel) -> Array:
        """The parameters in the order of the kernel."""
        order = self._order(kernel)
        return self._data if order is None else self._data[order]

    def _order(self, kernel: autodiff.Kernel) -> npt.NDArray[np.int_] | None:
        """Where the parameters of the kernel lie among those here; None if they are the same."""
        if id(kernel) not in self._orders:
            before = len(self._place)
            for parameter in kernel.parameters:
                self._place.setdefault(parameter, len(self._place))
            frozen = list(self._place)[before:]
            if frozen:
                self._orders.clear()  # they speak of fewer parameters
            self._data = np.append(self._data, [parameter.data for parameter in frozen])
            order = np.array([self._place[parameter] for parameter in kernel.parameters], dtype=int)
            is_same = order.tolist() == list(range(len(self._data)))
            self._orders[id(kernel)] = None if is_same else order
        return self._orders[id(kernel)]
