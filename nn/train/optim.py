"""Optimizers: each is written once, over the flat array of all parameters."""

from collections.abc import Iterable

import numpy as np

from autodiff import Value, checks, zero_grad
from autodiff.checks import within
from nn.train.arrays import Floats
from nn.train.stateful import Stateful


class Optimizer(Stateful):
    """Changes parameters along their gradients; a subclass says how in `update`.

    `lr` may change between steps. `state_dict` holds the hyperparameters, the running averages
    and the number of steps: an optimizer that loads it takes the same steps, bit by bit.
    """

    links = ("parameters",)

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        self.parameters = checks.parameters("an optimizer", parameters, Value)
        if not self.parameters:
            raise ValueError("an optimizer needs at least one parameter")
        for parameter in self.parameters:
            if parameter.operands:
                raise ValueError("a parameter is a leaf, got the result of others")
        if len(set(self.parameters)) < len(self.parameters):
            raise ValueError("an optimizer takes each parameter once, got one of them twice")
        self.lr = within("lr", lr, least=0.0)

    def step(self) -> None:
        """Change every parameter's `data` once, from its `grad`."""
        theta = np.array([parameter.data for parameter in self.parameters])
        gradient = np.array([parameter.grad for parameter in self.parameters])
        self.update(theta, gradient)
        for parameter, data in zip(self.parameters, theta.tolist(), strict=True):
            parameter.data = data

    def update(self, theta: Floats, gradient: Floats) -> None:
        """Change the flat parameters `theta` in place by one step; both of shape (P,)."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        zero_grad(self.parameters)

    def _zeros(self) -> Floats:
        return np.zeros(len(self.parameters))


class SGD(Optimizer):
    """v ← momentum v + (1 - dampening) gradient, θ ← θ - lr v (torch.optim.SGD).

    `nesterov` steps along gradient + momentum v (Sutskever et al. 2013), `weight_decay` adds
    that multiple of θ to the gradient.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = within("momentum", momentum, least=0.0)
        self.dampening = within("dampening", dampening, least=0.0)
        self.weight_decay = within("weight_decay", weight_decay, least=0.0)
        self.nesterov = bool(nesterov)
        if nesterov and (not momentum or dampening):
            raise ValueError("nesterov needs a momentum above 0 and no dampening")
        self._steps = 0
        self._velocity = self._zeros()

    def update(self, theta: Floats, gradient: Floats) -> None:
        """Change `theta` in place."""
        gradient = _decayed(self.weight_decay, theta, gradient)
        if self.momentum:
            self._velocity *= self.momentum
            # PyTorch does not dampen the first gradient.
            damped = self.dampening and self._steps > 0
            self._velocity += (1 - self.dampening) * gradient if damped else gradient
            self._steps += 1
            velocity = self._velocity
            gradient = gradient + self.momentum * velocity if self.nesterov else velocity
        theta -= self.lr * gradient


class Adagrad(Optimizer):
    """Steps of lr · gradient / root of the sum of its squares (Duchi et al. 2011).

    The k-th step, counted from 0, has the rate lr / (1 + k lr_decay).
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.01,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(parameters, lr)
        self.lr_decay = within("lr_decay", lr_decay, least=0.0)
        self.weight_decay = within("weight_decay", weight_decay, least=0.0)
        self.eps = within("eps", eps, least=0.0)
        start = within("initial_accumulator_value", initial_accumulator_value, least=0.0)
        self._steps = 0
        self._sum = self._zeros() + start

    def update(self, theta: Floats, gradient: Floats) -> None:
        """Change `theta` in place."""
        gradient = _decayed(self.weight_decay, theta, gradient)
        rate = self.lr / (1 + self._steps * self.lr_decay)
        self._steps += 1
        self._sum += gradient * gradient
        theta -= rate * gradient / (np.sqrt(self._sum) + self.eps)


class RMSprop(Optimizer):
    """Steps of lr · gradient / its running root mean square (Hinton 2012, lecture 6e).

    `alpha` is the share of the past in the running mean; `centered` takes the variance of the
    gradient instead of its mean square (Graves 2013, eq. 38–45).
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self.alpha = within("alpha", alpha, least=0.0, below=1.0)
        self.eps = within("eps", eps, least=0.0)
        self.weight_decay = within("weight_decay", weight_decay, least=0.0)
        self.momentum = within("momentum", momentum, least=0.0)
        self.centered = bool(centered)
        self._square, self._mean, self._velocity = self._zeros(), self._zeros(), self._zeros()

    def update(self, theta: Floats, gradient: Floats) -> None:
        """Change `theta` in place."""
        gradient = _decayed(self.weight_decay, theta, gradient)
        self._square += (1 - self.alpha) * (gradient * gradient - self._square)
        variance = self._square
        if self.centered:
            self._mean += (1 - self.alpha) * (gradient - self._mean)
            variance = np.maximum(variance - self._mean * self._mean, 0.0)
        scaled = gradient / (np.sqrt(variance) + self.eps)
        if self.momentum:
            self._velocity *= self.momentum
            self._velocity += scaled
            scaled = self._velocity
        theta -= self.lr * scaled


class Adam(Optimizer):
    """Steps of about `lr`, scaled by running moments (Kingma and Ba 2015, algorithm 1).

    `weight_decay` adds that multiple of θ to the gradient.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.betas = (
            within("betas[0]", betas[0], least=0.0, below=1.0),
            within("betas[1]", betas[1], least=0.0, below=1.0),
        )
        self.eps = within("eps", eps, least=0.0)
        self.weight_decay = within("weight_decay", weight_decay, least=0.0)
        self._steps = 0
        self._mean, self._square = self._zeros(), self._zeros()

    def update(self, theta: Floats, gradient: Floats) -> None:
        """Change `theta` in place."""
        gradient = _decayed(self.weight_decay, theta, gradient)
        self._descend(theta, gradient)

    def _descend(self, theta: Floats, gradient: Floats) -> None:
        beta1, beta2 = self.betas
        self._steps += 1
        self._mean += (1 - beta1) * (gradient - self._mean)
        self._square += (1 - beta2) * (gradient * gradient - self._square)
        # Both moments start at 0; dividing by 1 - βᵗ takes that bias out.
        scale = np.sqrt(self._square / (1 - beta2**self._steps)) + self.eps
        theta -= self.lr / (1 - beta1**self._steps) * self._mean / scale


class AdamW(Adam):
    """Adam whose decay shrinks θ by lr · weight_decay, apart from the gradient's scale.

    Loshchilov and Hutter 2019, algorithm 2.
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def update(self, theta: Floats, gradient: Floats) -> None:
        """Change `theta` in place."""
        theta *= 1 - self.lr * self.weight_decay
        self._descend(theta, gradient)


def _decayed(weight_decay: float, theta: Floats, gradient: Floats) -> Floats:
    """The gradient of the loss plus half of `weight_decay` times the squares of `theta`."""
    return gradient + weight_decay * theta if weight_decay else gradient
