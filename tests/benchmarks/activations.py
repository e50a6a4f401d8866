"""Networks of smooth activations, and tables of rows, against NumPy with buffers made once."""

from itertools import pairwise

import numpy as np

import autodiff
from autodiff import Value
from nn import MLP, Embedding
from tests.benchmarks.harness import Bar, MissingPeerError, Row, Unmeasured, peer, share_of_time
from tests.benchmarks.training import LR, Compiled, flat

SIZES, BATCH = (64, 64, 64, 64, 1), 1_000
ROWS, WIDTH, LANES = 500, 64, 64
BUFFERED = "NumPy with buffers"


class Buffered:
    """Value and gradient of a network's mean squared error, each array made once.

    Arrays are (size, batch), so that biases are columns. `activate(z, out, slope)` writes the
    activation of z and its slope there.
    """

    def __init__(self, sizes, activate, theta, x, y):
        self._activate, self._x, self._y = activate, np.ascontiguousarray(x.T), y
        self.gradient = np.empty_like(theta)
        self._layers, start = [], 0
        for nin, nout in pairwise(sizes):
            middle, end = start + nin * nout, start + nin * nout + nout
            w, b = theta[start:middle].reshape(nout, nin), theta[middle:end, None]
            dw = self.gradient[start:middle].reshape(nout, nin)
            arrays = [np.empty((nout, len(y))) for _ in range(3)]
            self._layers.append((w, b, dw, self.gradient[middle:end], *arrays))
            start = end
        self._ones = np.ones(len(y))

    def step(self):
        """The mean; the gradient lies in `gradient`."""
        inputs = [self._x]
        for w, b, _, _, z, h, slope in self._layers:
            np.matmul(w, inputs[-1], out=z)
            np.add(z, b, out=z)
            if w is not self._layers[-1][0]:
                self._activate(z, h, slope)
            inputs.append(h)
        ct = self._layers[-1][4]
        np.subtract(ct, self._y, out=ct)
        value = np.vdot(ct, ct) / len(self._y)
        ct *= 2 / len(self._y)
        for k in range(len(self._layers) - 1, -1, -1):
            w, _, dw, db, *_ = self._layers[k]
            np.matmul(ct, inputs[k].T, out=dw)
            np.matmul(ct, self._ones, out=db)
            if k:
                z, _, slope = self._layers[k - 1][4:]
                ct = np.matmul(w.T, ct, out=z)
                ct *= slope
        return value


def tanh(z, out, slope):
    """The hyperbolic tangent, 1 - h²."""
    np.tanh(z, out=out)
    np.multiply(out, out, out=slope)
    np.subtract(1.0, slope, out=slope)


def softplus(z, out, slope):
    """log(1 + e^z) and e^z / (1 + e^z)."""
    np.minimum(z, 40.0, out=slope)
    np.exp(slope, out=slope)
    np.log1p(slope, out=out)
    np.maximum(out, z, out=out)
    np.divide(1.0, slope, out=slope)
    slope += 1.0
    np.divide(1.0, slope, out=slope)


def gelu(z, out, slope):
    """z Φ(z) by SciPy's erfc, and Φ(z) + z φ(z)."""
    np.multiply(z, -np.sqrt(0.5), out=out)
    peer("scipy.special", "data").erfc(out, out=out)
    out *= 0.5
    np.multiply(z, z, out=slope)
    slope *= -0.5
    np.exp(slope, out=slope)
    slope *= 1 / np.sqrt(2 * np.pi)
    slope *= z
    slope += out
    out *= z


ACTIVATIONS = {"tanh": tanh, "softplus": softplus, "gelu": gelu}


def networks(name):
    """The kernel's value and gradient of a network, and the peer's, as functions."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(BATCH, SIZES[0])), rng.normal(size=BATCH)
    model = MLP(SIZES[0], list(SIZES[1:]), name, seed=0)
    kernel = autodiff.compile(lambda x, y: (model(x) - y) ** 2)
    ours = Compiled(model, kernel, x, y, LR)
    theta = np.array([parameter.data for parameter in flat(model)])
    return ours, Buffered(SIZES, ACTIVATIONS[name], theta, x, y)


class ByHand:
    """Value and gradient of (row · w - y)², the mean over rows of a table."""

    def __init__(self, table, w, index, y):
        self._table, self._w, self._index, self._y = table, w, index, y

    def step(self):
        """The mean, and the gradients by the table and by w."""
        rows = self._table[self._index]
        ct = rows @ self._w - self._y
        value = np.vdot(ct, ct) / len(ct)
        ct *= 2 / len(ct)
        by_table = np.zeros_like(self._table)
        np.add.at(by_table, self._index, ct[:, None] * self._w)
        return value, by_table, ct @ rows


def embeddings():
    """The kernel's value and gradient of an embedding, as a function, and the peer."""
    rng = np.random.default_rng(0)
    index, y = rng.integers(0, ROWS, LANES), rng.normal(size=LANES)
    embedding = Embedding(ROWS, WIDTH, seed=0)
    w = [Value(x) for x in rng.normal(size=WIDTH)]
    kernel = autodiff.compile(lambda i, y: (autodiff.dot(embedding(i), w) - y) ** 2)
    kernel.value_and_grad(index, y)
    theta = np.array([parameter.data for parameter in kernel.parameters])
    table, given = ([x.data for x in xs] for xs in (embedding.parameters(), w))
    theirs = ByHand(np.reshape(table, (ROWS, WIDTH)), np.array(given), index, y)
    return lambda: kernel.value_and_grad(index, y, parameters=theta), theirs


def measure(settings):
    """Yield the rows."""
    for name in ACTIVATIONS:
        workload = f"{name} network 64-64-64-64-1, batch {BATCH:,}"
        try:
            ours, theirs = networks(name)
            ratios = share_of_time(ours.value_and_grad, theirs.step, settings.repeats)
        except MissingPeerError as missing:
            yield Unmeasured(workload, BUFFERED, str(missing))
        else:
            yield Row(workload, BUFFERED, ratios, "of its time", Bar("≤", 1.3))
    ours, theirs = embeddings()
    ratios = share_of_time(ours, theirs.step, settings.repeats)
    workload = f"embedding {ROWS} × {WIDTH}, batch {LANES}"
    yield Row(workload, "NumPy by hand", ratios, "of its time", Bar("≤", 1.0))
