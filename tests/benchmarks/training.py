"""Compiled training steps (value, gradient, SGD on the flat vector) against other libraries."""

import numpy as np

import autodiff
from nn import MLP
from tests.benchmarks import by_hand
from tests.benchmarks.harness import Bar, MissingPeerError, Row, Unmeasured, peer, share_of_time

SIZES = (1, 10, 20, 30, 40, 1)
CLASSIFIER = (784, 50, 10)
LIBRARIES = {"JAX jit": ("peer_jax", 0.7), "PyTorch eager": ("peer_torch", 0.3)}
LR = 1e-9  # so small that thousands of steps leave the numbers ordinary


def flat(model):
    """The model's parameters layer by layer, weights before biases, as the peers have them."""
    return [
        x
        for layer in model.layers
        for x in [w for n in layer.neurons for w in n.w] + [n.b for n in layer.neurons]
    ]


def regression(sizes):
    """A ReLU network of one input, and the kernel of its squared error."""
    model = MLP(sizes[0], list(sizes[1:]), seed=0)
    return model, autodiff.compile(lambda x, y: (model([x]) - y) ** 2)


def classification(sizes):
    """A ReLU network of many inputs, and the kernel of its cross-entropy."""
    model = MLP(sizes[0], list(sizes[1:]), seed=0)

    def loss(x, label):
        logits = model(x)
        return autodiff.logsumexp(logits) - autodiff.take(logits, label)

    return model, autodiff.compile(loss)


class Compiled:
    """Training by a kernel; `kernel` and `theta` stand in its own order of the parameters."""

    def __init__(self, model, kernel, x, y, lr):
        kernel.value_and_grad(x, y)
        self._arguments, self._lr, self._kernel = (x, y), lr, kernel
        self.theta = np.array([parameter.data for parameter in kernel.parameters])
        place = {parameter: i for i, parameter in enumerate(kernel.parameters)}
        self._order = [place[parameter] for parameter in flat(model)]

    def step(self):
        """Value, gradient, SGD."""
        _, gradient = self._kernel.value_and_grad(*self._arguments, parameters=self.theta)
        self.theta -= self._lr * gradient

    def parameters(self):
        """In the order of `flat`."""
        return self.theta[self._order]


class ByHand:
    """Training by NumPy, written by hand."""

    def __init__(self, sizes, theta, x, y, lr):
        self._sizes, self._theta, self._x, self._y, self._lr = sizes, theta.copy(), x, y, lr

    def step(self):
        """Value, gradient, SGD."""
        by_hand.step_by_hand(self._sizes, self._theta, self._x, self._y, self._lr)

    def parameters(self):
        """In the order of `flat`."""
        return self._theta


def competitors(sizes, make, x, y, lr=LR):
    """Our trainer, and a maker of a peer's: given its class, on the same parameters and data."""
    model, kernel = make(sizes)
    theta = np.array([parameter.data for parameter in flat(model)])
    columns = x if x.ndim > 1 else x[:, None]
    targets = y if y.dtype.kind == "i" else y[:, None]
    ours = Compiled(model, kernel, x, y, lr)
    return ours, lambda trainer: trainer(sizes, theta, columns, targets, lr)


def measure(settings):
    """Yield the rows."""
    rng = np.random.default_rng(0)
    for batch, bar in ((1, 1.0), (100, 0.8), (10_000, 1.0)):
        x = rng.uniform(-5, 5, batch)
        ours, theirs = competitors(SIZES, regression, x, x * x)
        name = f"training step 1-10-20-30-40-1, batch {batch:,}"
        yield against(name, "NumPy by hand", ours, theirs(ByHand), bar, settings)
        if batch == 100:
            yield from against_libraries(name, ours, theirs, settings)
    x, y = rng.normal(size=(64, CLASSIFIER[0])), rng.integers(0, CLASSIFIER[-1], 64)
    ours, theirs = competitors(CLASSIFIER, classification, x, y)
    name = "training step 784-50-10, batch 64"
    yield against(name, "NumPy by hand", ours, theirs(ByHand), 1.1, settings)


def against_libraries(name, ours, theirs, settings):
    """The rows of one trainer against those that `theirs` makes of each library's."""
    for library, (module, bar) in LIBRARIES.items():
        try:
            trainer = peer(f"{__package__}.{module}", "peers").Trainer
        except MissingPeerError as missing:
            yield Unmeasured(name, library, str(missing))
        else:
            yield against(name, library, ours, theirs(trainer), bar, settings)


def against(name, library, ours, theirs, bar, settings):
    """The row of two trainers."""
    ratios = share_of_time(ours.step, theirs.step, settings.repeats)
    return Row(name, library, ratios, "of its time", Bar("≤", bar))
