"""The training step in JAX, compiled by XLA for one thread."""

import os
from itertools import pairwise

# Read by XLA when it starts; without them it takes all cores.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


def loss(layers, x, y):
    """The mean squared error of a ReLU network."""
    for w, b in layers[:-1]:
        x = jax.nn.relu(x @ w.T + b)
    w, b = layers[-1]
    return jnp.mean((x @ w.T + b - y) ** 2)


@jax.jit
def step(layers, x, y, lr):
    """The loss, and the layers after a step of SGD."""
    value, gradient = jax.value_and_grad(loss)(layers, x, y)
    return value, jax.tree.map(lambda p, g: p - lr * g, layers, gradient)


class Trainer:
    """Training by JAX; arrays stay on its device between the steps."""

    def __init__(self, sizes, theta, x, y, lr):
        self._layers, start = [], 0
        for nin, nout in pairwise(sizes):
            end = start + nin * nout
            w, b = theta[start:end].reshape(nout, nin), theta[end : end + nout]
            self._layers.append((jnp.array(w), jnp.array(b)))
            start = end + nout
        self._x, self._y, self._lr = jnp.array(x), jnp.array(y), lr

    def step(self):
        """Value, gradient, SGD; done when it returns."""
        value, self._layers = step(self._layers, self._x, self._y, self._lr)
        jax.block_until_ready((value, self._layers))

    def parameters(self):
        """Layer by layer, weights before biases."""
        return np.concatenate([np.ravel(array) for layer in self._layers for array in layer])
