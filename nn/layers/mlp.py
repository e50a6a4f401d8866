"""Neurons, layers of neurons, and the multi-layer perceptron, one Value a weight."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import Value, dot
from nn.layers.activations import function, known
from nn.layers.functional import rowwise
from nn.layers.init import generator, weights
from nn.layers.sizes import check_vector, check_width, positive
from nn.module import Module, array_of


class Neuron(Module):
    """activation(w · x + b), three nodes a call.

    `w` starts as `nn.init.weights` says for a layer of `nout` neurons, `b` at 0, or None if
    `bias` is False. `nonlin=False` leaves out the activation, as in micrograd.
    """

    def __init__(
        self,
        nin: int,
        nonlin: bool = True,
        *,
        activation: str | None = "relu",
        bias: bool = True,
        nout: int = 1,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        self.activation = known(activation) if nonlin else None
        nin = positive("nin", nin)
        start = weights(generator(rng, seed), nin, nout, self.activation)
        self.w = [Value(weight) for weight in start]
        self.b = Value(0.0) if bias else None

    def __call__(self, x: Sequence[Value | float]) -> Value:
        """The activation at `x`, of as many inputs as there are weights."""
        try:
            z: Value = dot(self.w, x)
        except (TypeError, ValueError):
            check_width(self, len(self.w), x)  # the likely causes, in this neuron's words
            check_vector(self, x)
            raise
        if self.b is not None:
            z = z + self.b
        return z if self.activation is None else function(self.activation)(z)

    def __repr__(self) -> str:
        bias = "" if self.b is not None else ", bias=False"
        return f"Neuron({len(self.w)}, activation={self.activation!r}{bias})"


class Layer(Module):
    """`nout` neurons that see the same `nin` inputs; `options` are those of `Neuron`."""

    def __init__(self, nin: int, nout: int, nonlin: bool = True, **options: Any) -> None:
        nout = positive("nout", nout)
        options["rng"] = generator(options.pop("rng", None), options.pop("seed", None))
        self.neurons = [Neuron(nin, nonlin, nout=nout, **options) for _ in range(nout)]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        """The outputs of the neurons: a list, or the Value itself if there is only one."""
        check_width(self, len(self.neurons[0].w), x)
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def named_arrays(self) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """`weight` of shape (outputs, inputs) and `bias`, as torch.nn.Linear has them."""
        yield "weight", array_of([neuron.w for neuron in self.neurons])
        biases = [neuron.b for neuron in self.neurons if neuron.b is not None]
        if biases:
            yield "bias", array_of(biases)

    def __repr__(self) -> str:
        first = self.neurons[0]
        bias = "" if first.b is not None else ", bias=False"
        sizes = f"{len(first.w)}, {len(self.neurons)}"
        return f"Layer({sizes}, activation={first.activation!r}{bias})"


class Linear(Layer):
    """The affine map of torch.nn.Linear: a vector in, a list out, even of one output.

    Of nested sequences it maps each vector.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(in_features, out_features, nonlin=False, bias=bias, rng=rng, seed=seed)

    def __call__(self, x: Any) -> list[Any]:
        """w · x + b for each neuron, as a list; of each vector in `x`."""
        return rowwise("Linear", x, self._vector)

    def _vector(self, x: list[Any]) -> list[Value]:
        check_width(self, len(self.neurons[0].w), x)
        return [neuron(x) for neuron in self.neurons]

    def __repr__(self) -> str:
        bias = "" if self.neurons[0].b is not None else ", bias=False"
        return f"Linear({len(self.neurons[0].w)}, {len(self.neurons)}{bias})"


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
        check_width(self, len(self.layers[0].neurons[0].w), x)
        out: Any = x
        for i, layer in enumerate(self.layers):
            # A layer of one neuron gives a number, in a trace one that is no Value.
            out = layer([out] if i and not isinstance(out, list) else out)
        return out
