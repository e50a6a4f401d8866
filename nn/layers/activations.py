"""Activations by name, and the module that applies one."""

from collections.abc import Callable
from operator import methodcaller

import autodiff
from autodiff import Value
from nn.layers.vectors import NumberModule, Pointwise

ACTIVATIONS = ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus", "sin")
"""Names of the ops that `activation=` takes; None, or "linear", is the identity."""

_METHODS: dict[str, Callable[[Value], Value]] = {name: methodcaller(name) for name in ACTIVATIONS}


def known(activation: str | None) -> str | None:
    """`activation`, or None for the identity; ValueError for an unknown name."""
    if activation is None or activation == "linear":
        return None
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"unknown activation {activation!r}; choose from linear, {', '.join(ACTIVATIONS)}"
        )
    return activation


def op(activation: str) -> Pointwise:
    """The op of that name."""
    found: Pointwise = getattr(autodiff, activation)
    return found


def method(activation: str) -> Callable[[Value], Value]:
    """The op of that name as a method of a Value, which is faster than `op`."""
    return _METHODS[activation]


class Activation(NumberModule):
    """One of `ACTIVATIONS` for each number in a sequence: `Activation("relu")` is torch.nn.ReLU."""

    def __init__(self, name: str | None) -> None:
        self.name = known(name)

    def _function(self) -> Pointwise | None:
        return None if self.name is None else op(self.name)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"
