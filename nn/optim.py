"""Optimizers: each is written once, over the flat array of all parameters."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff import Value

Array = npt.NDArray[np.float64]


class Optimizer:
    """Changes parameters along their gradients; a subclass says how in `update`."""

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter")
        for parameter in self.parameters:
            if not isinstance(parameter, Value):
                raise TypeError(f"a parameter is a Value, got {type(parameter).__name__}")
        self.lr = _within("lr", lr, low=0.0)

    def step(self) -> None:
        """Change every parameter's `data` once, from its `grad`."""
        theta = np.array([parameter.data for parameter in self.parameters])
        gradient = np.array([parameter.grad for parameter in self.parameters])
        self.update(theta, gradient)
        for parameter, data in zip(self.parameters, theta.tolist(), strict=True):
            parameter.data = data

    def update(self, theta: Array, gradient: Array) -> None:
        """Change the flat parameters `theta` in place by one step; both of shape (P,)."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters:
            parameter.grad = 0.0


class SGD(Optimizer):
    """v ← momentum v + gradient, θ ← θ - lr v (torch.optim.SGD)."""

    def __init__(
        self, parameters: Iterable[Value], lr: float = 1e-3, momentum: float = 0.0
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = _within("momentum", momentum, low=0.0)
        self._velocity = np.zeros(len(self.parameters))

    def update(self, theta: Array, gradient: Array) -> None:
        """Change `theta` in place."""
        self._velocity *= self.momentum
        self._velocity += gradient
        theta -= self.lr * self._velocity


class Adam(Optimizer):
    """Steps of about `lr`, scaled by running moments (Kingma and Ba 2015, algorithm 1)."""

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas = (
            _within("betas[0]", betas[0], low=0.0, below=1.0),
            _within("betas[1]", betas[1], low=0.0, below=1.0),
        )
        self.eps = _within("eps", eps, low=0.0)
        self._steps = 0
        self._mean = np.zeros(len(self.parameters))
        self._square = np.zeros(len(self.parameters))

    def update(self, theta: Array, gradient: Array) -> None:
        """Change `theta` in place."""
        beta1, beta2 = self.betas
        self._steps += 1
        self._mean += (1 - beta1) * (gradient - self._mean)
        self._square += (1 - beta2) * (gradient * gradient - self._square)
        # Both moments start at 0; dividing by 1 - βᵗ takes that bias out.
        scale = np.sqrt(self._square / (1 - beta2**self._steps)) + self.eps
        theta -= self.lr / (1 - beta1**self._steps) * self._mean / scale


def _within(name: str, value: Any, *, low: float, below: float = float("inf")) -> float:
    if not (isfinite(value) and low <= value < below):
        wanted = f"at least {low:g}" + (f" and below {below:g}" if isfinite(below) else "")
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    return float(value)
