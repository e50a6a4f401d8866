"""The training step in PyTorch, eager, by its autograd and on one thread."""

from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

torch.set_num_threads(1)


class Trainer:
    """Training by PyTorch in float64."""

    def __init__(self, sizes, theta, x, y, lr):
        self._parameters, start = [], 0
        for nin, nout in pairwise(sizes):
            end = start + nin * nout
            for array in (theta[start:end].reshape(nout, nin), theta[end : end + nout]):
                self._parameters.append(torch.tensor(array, requires_grad=True))
            start = end + nout
        self._x, self._y, self._lr = torch.tensor(x), torch.tensor(y), lr

    def step(self):
        """Value, gradient, SGD."""
        h, layers = self._x, self._parameters
        for w, b in zip(layers[:-2:2], layers[1:-2:2], strict=True):
            h = functional.relu(functional.linear(h, w, b))
        out = functional.linear(h, layers[-2], layers[-1])
        loss = functional.mse_loss(out, self._y)
        gradient = torch.autograd.grad(loss, layers)  # without the detour over `.grad`
        with torch.no_grad():
            torch._foreach_add_(layers, gradient, alpha=-self._lr)  # as torch.optim.SGD does

    def parameters(self):
        """Layer by layer, weights before biases."""
        return np.concatenate([p.detach().numpy().ravel() for p in self._parameters])
