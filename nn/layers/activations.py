"""Activations by name, and the module that applies one."""

from collections.abc import Callable
from operator import methodcaller
from typing import Any

import autodiff
from nn.layers.functional import elementwise
from nn.module import Module

ACTIVATIONS = ("relu", "sigmoid", "tanh", "leaky_relu", "elu", "gelu", "silu", "softplus", "sin")
"""Names of the ops that `activation=` takes; None, or "linear", is the identity."""

_METHODS: dict[str, Callable[[Any], Any]] = {name: methodcaller(name) for name in ACTIVATIONS}


def known(activation: str | None) -> str | None:
    """`activation`, None for the identity; ValueError for a name that is none of them."""
    if activation is None or activation == "linear":
        return None
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"unknown activation {activation!r}; choose from linear, {', '.join(ACTIVATIONS)}"
        )
    return activation


def function(activation: str) -> Callable[[Any], Any]:
    """The op of that name, of one Value."""
    return _METHODS[activation]


class Activation(Module):
    """One of `ACTIVATIONS`, of each number in a sequence: `Activation("relu")` is torch.nn.ReLU."""

    def __init__(self, name: str) -> None:
        self.name = known(name)

    def __call__(self, x: Any) -> Any:
        """The activation of a number, or of each in nested sequences."""
        if self.name is None:
            return x
        op = getattr(autodiff, self.name)
        return elementwise(x, op)

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"
