"""The spread of the first weights, which keeps the size of signals through the layers."""

import random
from collections.abc import Callable
from functools import cache
from math import isclose, sqrt

import numpy as np


def weights(
    rng: np.random.Generator,
    fan_in: int,
    fan_out: int,
    activation: Callable[[float], float] | None,
) -> list[float]:
    """`fan_in` weights of one neuron in a layer of `fan_out`, uniform with zero mean.

    The variance is 2 / fan_in before a rectifier (He et al. 2015, eq. 10), which halves the
    signal, and 2 / (fan_in + fan_out) otherwise (Glorot and Bengio 2010, eq. 16).
    """
    variance = 2 / fan_in if activation and is_rectifier(activation) else 2 / (fan_in + fan_out)
    bound = sqrt(3 * variance)
    return [float(weight) for weight in rng.uniform(-bound, bound, fan_in)]


@cache
def is_rectifier(function: Callable[[float], float]) -> bool:
    """Whether `function` keeps a large positive number and all but removes a negative one."""
    return isclose(function(10.0), 10.0, rel_tol=1e-3) and abs(function(-10.0)) <= 1.0


def generator(
    rng: np.random.Generator | None = None, seed: int | None = None
) -> np.random.Generator:
    """`rng` itself, or a generator made from `seed`; the same seed gives the same bits.

    Without either, Python's `random` seeds it, so `random.seed` fixes it as in micrograd.
    Raises TypeError if both are given.
    """
    if rng is not None:
        if seed is not None:
            raise TypeError("give rng or seed, not both")
        return rng
    return np.random.default_rng(random.getrandbits(64) if seed is None else seed)
