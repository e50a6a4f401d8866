"""The training step in JAX, compiled by XLA for one thread."""

import os
from functools import partial
from itertools import pairwise

# Read by XLA when it starts; without them it takes all cores.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)


@partial(jax.jit, static_argnums=0)
def step(sizes, theta, x, y, lr):
    """The mean squared error of a ReLU network, and its parameters after a step of SGD."""

    def loss(theta):
        h, start = x, 0
        for layer, (nin, nout) in enumerate(pairwise(sizes)):
            end = start + nin * nout
            h = h @ theta[start:end].reshape(nout, nin).T + theta[end : end + nout]
            if layer < len(sizes) - 2:
                h = jax.nn.relu(h)
            start = end + nout
        return jnp.mean((h - y) ** 2)

    value, gradient = jax.value_and_grad(loss)(theta)
    return value, theta - lr * gradient


class Trainer:
    """Training by JAX on one flat vector: faster here than a tree of arrays, or donating it."""

    def __init__(self, sizes, theta, x, y, lr):
        self._sizes, self._lr = tuple(sizes), lr
        self._theta, self._x, self._y = jnp.array(theta), jnp.array(x), jnp.array(y)

    def step(self):
        """Value, gradient, SGD; done when it returns."""
        value, self._theta = step(self._sizes, self._theta, self._x, self._y, self._lr)
        jax.block_until_ready((value, self._theta))

    def parameters(self):
        """Layer by layer, weights before biases."""
        return np.array(self._theta)
