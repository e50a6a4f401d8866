"""Neurons, layers of neurons, and the multi-layer perceptron, one Value per weight."""

from collections.abc import Iterator, Sequence
from typing import cast, overload

import numpy as np
import numpy.typing as npt

from autodiff import Value, dot
from autodiff.checks import brief, integer
from nn.layers.activations import known, method, op
from nn.layers.init import generator, weights
from nn.layers.vectors import (
    Nested,
    NestedValues,
    Outputs,
    Scalar,
    Vector,
    check_vector,
    check_width,
    map_vectors,
)
from nn.module import Module, Values, array_of


class Neuron(Module):
    """activation(w · x + b), three nodes per call.

    `w` starts as `nn.layers.init.weights` draws it for a layer of `nout` neurons, `b` at 0;
    without `bias`, `b` is None. `nonlin=False` leaves out the activation, as in micrograd.
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
        nin = integer("nin", nin, least=1)
        function = None if self.activation is None else op(self.activation)
        start = weights(generator(rng, seed), nin, nout, function)
        self.w = [Value(weight) for weight in start]
        self.b = Value(0.0) if bias else None

    def __call__(self, x: Vector) -> Value:
        """The activation at `x`, one input per weight."""
        try:
            z: Value = dot(self.w, x)
        except (TypeError, ValueError):
            check_width(self, len(self.w), x)  # the likely causes, in this neuron's words
            check_vector(self, x)
            raise
        if self.b is not None:
            z = z + self.b
        return z if self.activation is None else method(self.activation)(z)

    def __repr__(self) -> str:
        bias = "" if self.b is not None else ", bias=False"
        return f"Neuron({len(self.w)}, activation={self.activation!r}{bias})"


class Layer(Module):
    """`nout` neurons that see the same `nin` inputs; the options are those of `Neuron`."""

    def __init__(
        self,
        nin: int,
        nout: int,
        nonlin: bool = True,
        *,
        activation: str | None = "relu",
        bias: bool = True,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        nout = integer("nout", nout, least=1)
        rng = generator(rng, seed)
        self.neurons = [
            Neuron(nin, nonlin, activation=activation, bias=bias, nout=nout, rng=rng)
            for _ in range(nout)
        ]

    def __call__(self, x: Vector) -> Outputs:
        """The outputs of the neurons: a list, or the Value itself if there is only one."""
        return _outputs(self._each(x))

    def _each(self, x: Vector) -> list[Value]:
        check_width(self, len(self.neurons[0].w), x)
        return [neuron(x) for neuron in self.neurons]

    def named_arrays(self) -> Iterator[tuple[str, Values]]:
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
    """The affine map of torch.nn.Linear: a vector in, a list out, even for one output.

    In nested sequences it maps each vector.
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

    @overload  # type: ignore[override]  # a list, never the Value itself
    def __call__(self, x: Sequence[Scalar]) -> list[Value]: ...
    @overload
    def __call__(self, x: Sequence[Sequence[Scalar]]) -> list[list[Value]]: ...
    @overload
    def __call__(self, x: Nested) -> NestedValues: ...
    def __call__(self, x: Nested) -> Nested:
        """w · x + b for each neuron, as a list, for each vector in `x`."""
        return map_vectors("Linear", self._each, x)

    def __repr__(self) -> str:
        bias = "" if self.neurons[0].b is not None else ", bias=False"
        return f"Linear({len(self.neurons[0].w)}, {len(self.neurons)}{bias})"


class MLP(Module):
    """Layers of `nouts` neurons behind `nin` inputs, each fully connected to the one before.

    `activation` is one name for all layers but the last, which is linear, or a list with a name
    or None per layer. The same `seed`, or an `rng` in the same state, gives the same parameters.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int] | npt.NDArray[np.integer],
        activation: str | Sequence[str | None] | None = "relu",
        *,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        if not isinstance(nouts, Sequence | np.ndarray) or isinstance(nouts, str):
            raise TypeError(f"MLP: nouts must be a list of sizes, as [4, 1], got {brief(nouts)}")
        if len(nouts) == 0:
            raise ValueError("an MLP needs at least one layer, got no sizes")
        if activation is None or isinstance(activation, str):
            activations = [activation] * (len(nouts) - 1) + [None]
        elif isinstance(activation, Sequence):
            activations = list(activation)
        else:
            raise TypeError(
                f"MLP: activation must be a name or a list of names, got {brief(activation)}"
            )
        if len(activations) != len(nouts):
            raise ValueError(
                f"one activation per layer: {len(nouts)} layers, {len(activations)} activations"
            )
        rng = generator(rng, seed)
        sizes = [nin, *nouts]
        self.layers = [
            Layer(fan_in, fan_out, activation=name, rng=rng)
            for fan_in, fan_out, name in zip(sizes, nouts, activations, strict=False)
        ]

    def __call__(self, x: Vector) -> Outputs:
        """The outputs of the last layer: a list, or the Value itself if there is only one."""
        check_width(self, len(self.layers[0].neurons[0].w), x)
        first, *others = self.layers
        out = first(x)
        for layer in others:
            # A layer of one neuron returns a number, which in a trace is not a Value.
            out = layer(out if isinstance(out, list) else [out])
        return out


def _outputs(values: list[Value]) -> Outputs:
    return cast(Outputs, values[0] if len(values) == 1 else values)
