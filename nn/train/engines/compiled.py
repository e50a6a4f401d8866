"""The compiled engine: the loss of one example as a kernel, mapped over the batch."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import ClassVar

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, collector_paused
from autodiff.engine.frames import warn
from nn.data.inputs import Rows, as_lists
from nn.layers.dropout import drawing, uniforms
from nn.module import Module
from nn.train.arrays import Floats
from nn.train.engines.comparison import require_evaluation, require_step
from nn.train.engines.eager import Change, EagerEngine, Loss
from nn.train.engines.prediction import (
    EngineName,
    outputs_kernel,
    require_outputs,
    stacked,
)
from nn.train.engines.snapshot import rehearsal
from nn.train.engines.training_mode import in_mode
from nn.train.engines.trust import DiffersError

_MOST, _FEWEST = 32, 2
"""How many examples are run on both engines to see that they agree: one is its own mean."""
_EDGES = 12_000
"""The most edges in the graphs of all these examples, if there are more than 2 of them."""


class CompiledEngine(EagerEngine):
    """Training on arrays: the loss of one example, compiled and mapped over the batch.

    Each kernel is compared with eager execution before it is trusted, in the mode in which it
    runs: losses of examples, their mean, its gradient, outputs. Raises DiffersError where they
    differ, as for a loss that is not a mean over examples, and TraceError where the model or
    the loss branches on data. Random numbers of Dropout are an argument of the kernel, the same
    ones that it draws on Values.
    """

    name: ClassVar[EngineName] = "compiled"

    def __init__(
        self, model: Module, loss: Loss, x: Rows, y: Rows, parameters: list[Value]
    ) -> None:
        super().__init__(model, loss, x, y, parameters)
        self._place = {parameter: k for k, parameter in enumerate(parameters)}
        self._others: list[Value] = []
        self._data = np.array([parameter.data for parameter in parameters])
        self._gradient = np.zeros(len(parameters))
        self._orders: dict[int, npt.NDArray[np.int_] | None] = {}
        self._compared: dict[str, Callable[[], None]] = {}
        self._has_stepped = False
        self._wanted = _FEWEST
        self._rngs: list[np.random.Generator] = []
        self._drawn: Floats | None = None
        with rehearsal(model), collector_paused():
            self._rehearse()
            self._kernel = autodiff.compile(self._dropping if self._rngs else self._plain)
            self._evaluation, self._outputs = autodiff.compile(self._plain), outputs_kernel(model)
            self._compare_step()

    @property
    def theta(self) -> Floats:
        """The flat parameters, a view."""
        return self._data[: len(self.parameters)]

    @theta.setter
    def theta(self, theta: Floats) -> None:
        self.theta[:] = theta

    def loss(self, batch: npt.NDArray[np.int_]) -> float:
        """The loss of the examples in `batch`, which the next step goes down."""
        order = self._order(self._kernel)
        args: list[Rows] = [self.x[batch], self.y[batch]]
        if self._rngs:
            self._drawn = self._draw(len(batch))
            args.append(self._drawn)
        theta = self._flat(self._kernel)
        value, slopes = self._kernel._value_and_grad(tuple(args), theta, exact=False)
        if order is not None:
            whole = np.zeros(len(self._data))  # what the loss does not reach has gradient 0
            whole[order] = slopes
            slopes = whole
        self._gradient = slopes[: len(self.parameters)]
        self._has_stepped, self._drawn = True, None
        return float(value)

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        change(self.theta, self._gradient)

    def evaluate(self, x: Rows, y: Rows) -> float:
        """The loss of other examples, in evaluation mode."""
        self._trust("loss", lambda: self._compare_evaluation(x, y))
        with in_mode(self.model, training=False):
            return float(np.mean(stacked(self._run(self._evaluation, x, y))))

    def predictions(self, x: Rows) -> Floats:
        """The outputs of the model in evaluation mode, one row per example."""
        self._trust(f"outputs of {x.dtype}", lambda: self._compare_outputs(x))
        with in_mode(self.model, training=False):
            return stacked(self._run(self._outputs, x))

    def give(self) -> None:
        """Write what was learned into the Values, and the gradient of the latest loss."""
        for parameter, data, ct in zip(
            self.parameters, self.theta.tolist(), self._gradient.tolist(), strict=True
        ):
            parameter.data, parameter.grad = data, ct

    def take(self) -> None:
        """Read the parameters from the Values, which may have been changed."""
        self.theta[:] = [parameter.data for parameter in self.parameters]

    def drawn_again(self) -> AbstractContextManager[None]:
        """A context in which Dropout repeats what it drew for a loss that failed."""
        return nullcontext() if self._drawn is None else uniforms(self._drawn.ravel().tolist())

    def check(self) -> None:
        """Warn where a kernel no longer agrees, as it reads something that has changed since."""
        if not self._has_stepped:
            return
        try:
            self._wanted = max(_FEWEST, self._wanted // 2)
            for compare in self._compared.values():
                compare()
        except Exception as error:  # user code runs here, on Values and on tracers
            kind = "" if isinstance(error, DiffersError) else f"{type(error).__name__}: "
            warn(
                f"fit: the loss after training is not the loss that was trained: {kind}{error}. It "
                "may be that it reads something that has changed meanwhile: kernels read Values at "
                "each step, but numbers only once. Train with engine='eager'"
            )

    # Functions that are compiled

    def _plain(self, x: object, y: object) -> Value | float:
        return self.criterion([self.model(as_lists(x))], [as_lists(y)])

    def _dropping(self, x: object, y: object, u: Iterable[Value]) -> Value | float:
        with uniforms(u):
            return self._plain(x, y)

    # Random numbers

    def _rehearse(self) -> None:
        """Run one example on Values to see what Dropout draws and how large the graph is."""

        def note(rng: np.random.Generator) -> float:
            self._rngs.append(rng)
            return 0.5

        with drawing(note):
            root = self.root(self.x[:1].tolist(), self.y[:1].tolist())
        edges = sum(len(node.operands) for node in autodiff.toposort(root))
        self._wanted = max(_FEWEST, min(_MOST, _EDGES // max(1, edges)))

    def _draw(self, count: int) -> Floats:
        """Random numbers for `count` examples, from the generators of their modules."""
        drawn = np.empty((count, len(self._rngs)))
        for rng in dict.fromkeys(self._rngs):
            places = [k for k, other in enumerate(self._rngs) if other is rng]
            drawn[:, places] = rng.random((count, len(places)))
        return drawn

    # Comparisons with eager execution

    def _trust(self, key: str, compare: Callable[[], None]) -> None:
        """Compare before a kernel runs for the first time."""
        if key not in self._compared:
            self.give()
            compare()
            self._compared[key] = compare

    def _compare_step(self) -> None:
        self._compared["step"] = self._compare_step
        require_step(self, self._kernel, self._wanted, len(self._rngs))

    def _compare_evaluation(self, x: Rows, y: Rows) -> None:
        with in_mode(self.model, training=False), collector_paused():
            require_evaluation(self, self._evaluation, x, y)

    def _compare_outputs(self, x: Rows) -> None:
        with in_mode(self.model, training=False):
            require_outputs(self.model, x, lambda: stacked(self._outputs(x)))

    # Parameters

    def _run(self, kernel: autodiff.Kernel[object], *args: Rows) -> object:
        return kernel(*args, parameters=self._flat(kernel))

    def _flat(self, kernel: autodiff.Kernel[object]) -> Floats:
        """The parameters in the order of the kernel, with the Values that are not trained."""
        order = self._order(kernel)
        if self._others:
            self._data[len(self.parameters) :] = [value.data for value in self._others]
        return self._data if order is None else self._data[order]

    def _order(self, kernel: autodiff.Kernel[object]) -> npt.NDArray[np.int_] | None:
        """Where the parameters of the kernel lie among those here; None if in the same order."""
        if id(kernel) not in self._orders:
            for parameter in kernel.parameters:
                self._place.setdefault(parameter, len(self._place))
            self._others = list(self._place)[len(self.parameters) :]
            more = len(self._place) - len(self._data)
            if more:
                self._orders.clear()  # they speak of fewer parameters
            self._data = np.append(self._data, np.zeros(more))
            order = np.array([self._place[parameter] for parameter in kernel.parameters], dtype=int)
            is_same = order.tolist() == list(range(len(self._data)))
            self._orders[id(kernel)] = None if is_same else order
        return self._orders[id(kernel)]
