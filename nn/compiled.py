"""The compiled engine: the loss of one example as a kernel, mapped over the batch."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import Value, collector_paused, no_grad
from nn.dropout import drawing, uniforms
from nn.engines import Array, Change, Eager, Loss
from nn.examples import as_lists
from nn.mode import in_mode
from nn.module import Module
from nn.prediction import outputs_kernel, require_outputs, stacked
from nn.snapshot import rehearsal
from nn.trust import (
    DiffersError,
    Words,
    gradient,
    gradient_words,
    in_order,
    require_equal,
    spread,
    warn,
)

_MOST, _FEWEST, _MEASURED = 32, 2, 4
"""How many examples both engines run, to see that they agree, and how many in evaluation mode.

One would be its own mean.
"""
_EDGES = 12_000
"""How many edges the graphs of these examples have together, at most, if there are more than 2."""


class Compiled(Eager):
    """Training on arrays: the loss of one example, compiled and mapped over the batch.

    Each kernel is compared with eager execution before it is trusted, in the mode in which it
    runs: losses of examples, their mean, its gradient, outputs. Raises DiffersError where it
    differs, so where the loss is not a mean over examples, TraceError where the model or the
    loss branches on data. Dropout takes its random numbers as an argument of the kernel, the
    same ones that it draws on Values.
    """

    def __init__(
        self, model: Module, loss: Loss, x: Array, y: Array, parameters: list[Value]
    ) -> None:
        super().__init__(model, loss, x, y, parameters)
        self._place = {parameter: k for k, parameter in enumerate(parameters)}
        self._data = np.array([parameter.data for parameter in parameters])
        self._gradient = np.zeros(len(parameters))
        self._orders: dict[int, npt.NDArray[np.int_] | None] = {}
        self._compared: dict[Any, Callable[[], None]] = {}
        self._has_stepped = False
        self._wanted = _FEWEST
        self._rngs: list[np.random.Generator] = []
        self._drawn: Array | None = None
        with rehearsal(model), collector_paused():
            self._rehearse()
            self._kernel = autodiff.compile(self._dropping if self._rngs else self._plain)
            self._evaluation, self._outputs = autodiff.compile(self._plain), outputs_kernel(model)
            self._compare_step()

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
        args = [self.x[batch], self.y[batch]]
        if self._rngs:
            self._drawn = self._draw(len(batch))
            args.append(self._drawn)
        value, slopes = self._kernel.value_and_grad(*args, parameters=self._flat(self._kernel))
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

    def evaluate(self, x: Array, y: Array) -> float:
        """The loss of other examples, in evaluation mode."""
        self._trust(("loss", x.dtype, y.dtype), lambda: self._compare_evaluation(x, y))
        with in_mode(self.model, training=False):
            return float(np.mean(self._run(self._evaluation, x, y)))

    def predictions(self, x: Array) -> Array:
        """The outputs of the model in evaluation mode, a row an example."""
        self._trust(("outputs", x.dtype), lambda: self._compare_outputs(x))
        with in_mode(self.model, training=False):
            return stacked(self._run(self._outputs, x))

    def give(self) -> None:
        """Give the Values what was learned, and the gradient of the latest loss."""
        for parameter, data, ct in zip(
            self.parameters, self.theta.tolist(), self._gradient.tolist(), strict=True
        ):
            parameter.data, parameter.grad = data, ct

    def take(self) -> None:
        """Take the parameters from the Values, which may have been changed."""
        self.theta[:] = [parameter.data for parameter in self.parameters]

    def drawn_again(self) -> AbstractContextManager[None]:
        """A context in which Dropout draws what it has drawn for a loss that failed."""
        return nullcontext() if self._drawn is None else uniforms(self._drawn.ravel().tolist())

    def check(self) -> None:
        """Warn where what was compared is not equal now, for it reads what has changed since."""
        if not self._has_stepped:
            return
        try:
            self._wanted = max(_FEWEST, self._wanted // 2)
            for compare in self._compared.values():
                compare()
        except Exception as error:  # user code runs here, on Values and on tracers
            kind = "" if isinstance(error, DiffersError) else f"{type(error).__name__}: "
            warn(
                f"fit: what was trained is not the loss as it is after training: {kind}{error}. "
                "It may be that it reads something that has changed meanwhile: kernels read Values "
                "at each step, but numbers once. Train with engine='eager'"
            )

    # Functions that are compiled

    def _plain(self, x: Any, y: Any) -> Any:
        return self.criterion([self.model(as_lists(x))], [as_lists(y)])

    def _dropping(self, x: Any, y: Any, u: Any) -> Any:
        with uniforms(u):
            return self._plain(x, y)

    # Random numbers

    def _rehearse(self) -> None:
        """Run one example on Values, to see what Dropout draws and how large its graph is."""

        def note(rng: np.random.Generator) -> float:
            self._rngs.append(rng)
            return 0.5

        with drawing(note):
            root = self.root(self.x[:1].tolist(), self.y[:1].tolist())
        edges = sum(len(node.operands) for node in autodiff.toposort(root))
        self._wanted = max(_FEWEST, min(_MOST, _EDGES // max(1, edges)))

    def _draw(self, count: int) -> Array:
        """The random numbers of as many examples, from the generators of their modules."""
        drawn = np.empty((count, len(self._rngs)))
        for rng in dict.fromkeys(self._rngs):
            places = [k for k, other in enumerate(self._rngs) if other is rng]
            drawn[:, places] = rng.random((count, len(places)))
        return drawn

    # Comparisons with eager execution

    def _trust(self, key: Any, compare: Callable[[], None]) -> None:
        """Compare before a kernel runs for the first time."""
        if key not in self._compared:
            self.give()
            compare()
            self._compared[key] = compare

    def _compare_step(self) -> None:
        """Raise DiffersError if losses or the gradient are not those of eager execution."""
        self._compared["step"] = self._compare_step
        few = spread(self._wanted, self.x, self.y)
        x, y, targets = self.x[few], self.y[few], self.y[few].tolist()
        u = np.random.default_rng(0).random((len(few), len(self._rngs)))
        args = [x, y, u] if self._rngs else [x, y]

        def eager(x: Array) -> list[Array]:
            with uniforms(u.ravel().tolist()) if self._rngs else nullcontext():
                predictions = [self.model(row) for row in x.tolist()]
                each, root = self._losses(predictions, targets)
            if root is None:
                return [each, np.zeros(0), np.zeros(0)]
            return [each, np.array([root.data]), gradient(root, self.parameters)]

        def compiled(found: list[Array]) -> list[Array]:
            step, keep = self._kernel.value_and_grad, np.isfinite(found[0])
            mean, slopes = np.zeros(0), np.zeros(0)
            if keep.any():
                value, flat = step(*[array[keep] for array in args])
                mean = np.array([value])
                slopes = in_order(self.parameters, self._kernel.parameters, flat)
            if keep.all() and np.isclose(mean, found[1], rtol=1e-9, atol=0.0):
                return [found[0], mean, slopes]
            rows = [[array[k : k + 1] for array in args] for k in range(len(few))]
            return [np.array([step(*row)[0] for row in rows]), mean, slopes]

        words = [*_loss_words("loss", few), gradient_words(self.model, self.parameters)]
        require_equal(self.model, eager, compiled, x, words)

    def _compare_evaluation(self, x: Array, y: Array) -> None:
        few = spread(_MEASURED, x, y)
        targets = y[few].tolist()

        def eager(x: Array) -> list[Array]:
            with no_grad():
                each, root = self._losses([self.model(row) for row in x.tolist()], targets)
            return [each, np.array([root.data] if root is not None else [])]

        def compiled(found: list[Array]) -> list[Array]:
            each = np.asarray(self._evaluation(x[few], y[few]), dtype=float)
            finite = each[np.isfinite(found[0])]
            return [each, finite.mean(keepdims=True) if finite.size else finite]

        with in_mode(self.model, training=False), collector_paused():
            words = _loss_words("loss in evaluation mode", few)
            require_equal(self.model, eager, compiled, x[few], words)

    def _compare_outputs(self, x: Array) -> None:
        with in_mode(self.model, training=False):
            require_outputs(self.model, x, lambda: stacked(self._outputs(x)))

    def _losses(self, predictions: list[Any], targets: list[Any]) -> tuple[Array, Value | None]:
        """The loss of each example, and that of those together whose loss is finite."""
        pairs = list(zip(predictions, targets, strict=True))
        each = np.array([self.of([p], [t]).data for p, t in pairs])
        keep = np.flatnonzero(np.isfinite(each)).tolist()
        root = self.of([predictions[k] for k in keep], [targets[k] for k in keep]) if keep else None
        return each, root

    # Parameters

    def _run(self, kernel: autodiff.Kernel, *args: Array) -> Any:
        return kernel(*args, parameters=self._flat(kernel))

    def _flat(self, kernel: autodiff.Kernel) -> Array:
        """The parameters in the order of the kernel; Values that are not trained as they are."""
        order = self._order(kernel)
        if len(self._place) > len(self.parameters):
            others = list(self._place)[len(self.parameters) :]
            self._data[len(self.parameters) :] = [value.data for value in others]
        return self._data if order is None else self._data[order]

    def _order(self, kernel: autodiff.Kernel) -> npt.NDArray[np.int_] | None:
        """Where the parameters of the kernel lie among those here; None if they are the same."""
        if id(kernel) not in self._orders:
            before = len(self._place)
            for parameter in kernel.parameters:
                self._place.setdefault(parameter, len(self._place))
            frozen = len(self._place) - before
            if frozen:
                self._orders.clear()  # they speak of fewer parameters
            self._data = np.append(self._data, np.zeros(frozen))
            order = np.array([self._place[parameter] for parameter in kernel.parameters], dtype=int)
            is_same = order.tolist() == list(range(len(self._data)))
            self._orders[id(kernel)] = None if is_same else order
        return self._orders[id(kernel)]


def _loss_words(name: str, few: npt.NDArray[np.int_]) -> list[Words]:
    """What differs in losses of examples, and in that of all of them."""

    def of_one(place: int, ours: str, theirs: str) -> str:
        return f"the {name} of example {few[place]} is {ours} on Values, {theirs} compiled"

    def of_all(place: int, ours: str, theirs: str) -> str:
        return f"the {name} of {len(few)} examples is {ours}, the mean of their losses {theirs}"

    return [of_one, of_all]
