"""Neurons, layers of neurons, and the multi-layer perceptron, one Value a weight."""

from collections.abc import Callable, Iterator, Sequence
from operator import methodcaller
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import Value, dot
from nn.init import generator, weights
from nn.module import Module, array_of

ACTIVATIONS = ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus", "sin")
"""Names of the ops that `activation=` takes; None, or "linear", is the identity."""

_METHODS: dict[str, Callable[[Any], Any]] = {name: methodcaller(name) for name in ACTIVATIONS}


def _known(activation: str | None) -> str | None:
    if activation is None or activation == "linear":
        return None
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"unknown activation {activation!r}; choose from linear, {', '.join(ACTIVATIONS)}"
        )
    return activation


def _check_width(module: Module, nin: int, x: Any) -> None:
    try:
        width = len(x)
    except TypeError:
        raise TypeError(
            f"{type(module).__name__} takes a sequence of {nin} inputs, got "
            f"{type(x).__name__}; for one input write model([x])"
        ) from None
    if width != nin:
        raise ValueError(f"{type(module).__name__} takes {nin} inputs, got {width}")


def _positive(name: str, size: Any) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise ValueError(f"{name} must be a positive integer, got {size!r}")
    return int(size)


class Neuron(Module):
    """activation(w · x + b), three nodes a call.

    `w` starts as `nn.init.weights` says for a layer of `nout` neurons, `b` at 0. `nonlin=False`
    leaves out the activation, as in micrograd.
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: str | None = "relu",
        nout: int = 1,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        self.activation = _known(activation) if nonlin else None
        nin = _positive("nin", nin)
        start = weights(generator(rng, seed), nin, nout, self.activation)
        self.w = [Value(weight) for weight in start]
        self.b = Value(0.0)

    def __call__(self, x: Sequence[Value | float]) -> Value:
        """The activation at `x`, of as many inputs as there are weights."""
        try:
            z: Value = dot(self.w, x) + self.b
        except (TypeError, ValueError):
            _check_width(self, len(self.w), x)  # the likely cause, in this neuron's words
            raise
        if self.activation is None:
            return z
        activated: Value = _METHODS[self.activation](z)
        return activated

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, activation={self.activation!r})"


class Layer(Module):
    """`nout` neurons that see the same `nin` inputs."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True, **options: Any) -> None:
        nout = _positive("nout", nout)
        options["rng"] = generator(options.pop("rng", None), options.pop("seed", None))
        self.neurons = [Neuron(nin, nonlin, nout=nout, **options) for _ in range(nout)]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        """The outputs of the neurons: a list, or the Value itself if there is only one."""
        _check_width(self, len(self.neurons[0].w), x)
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def named_arrays(self) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """`weight` of shape (outputs, inputs) and `bias`, as torch.nn.Linear has them."""
        yield "weight", array_of([neuron.w for neuron in self.neurons])
        yield "bias", array_of([neuron.b for neuron in self.neurons])

    def __repr__(self) -> str:
        first = self.neurons[0]
        return f"Layer({len(first.w)}, {len(self.neurons)}, activation={first.activation!r})"


class MLP(Module):
    """Layers of `nouts` neurons behind `nin` inputs, each fully connected to the one before.

    `activation` is one name, for all layers but the last, which is linear, or a list of one
    name or None for each layer. Give `seed` or `rng` for the same parameters every time.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str | Sequence[str | None] | None = "relu",
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        if len(nouts) == 0:
            raise ValueError("an MLP needs at least one layer, got no sizes")
        if activation is None or isinstance(activation, str):
            activations = [activation] * (len(nouts) - 1) + [None]
        else:
            activations = list(activation)
        if len(activations) != len(nouts):
            raise ValueError(
                f"one activation a layer: {len(nouts)} layers, {len(activations)} activations"
            )
        rng = generator(rng, seed)
        sizes = [nin, *nouts]
        self.layers = [
            Layer(fan_in, fan_out, activation=name, rng=rng)
            for fan_in, fan_out, name in zip(sizes, nouts, activations, strict=False)
        ]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        """The outputs of the last layer: a list, or the Value itself if there is only one."""
        _check_width(self, len(self.layers[0].neurons[0].w), x)
        out: Any = x
        for i, layer in enumerate(self.layers):
            if i and isinstance(out, Value):
                out = [out]
            out = layer(out)
        return out
