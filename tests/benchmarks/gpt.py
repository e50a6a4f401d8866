"""The one-layer transformer of scalars, compiled: against NumPy by hand and the eager engine."""

import numpy as np

from autodiff.compiler import Kernel
from tests.benchmarks import by_hand
from tests.benchmarks.harness import Bar, Row, share_of_time, speedups
from tests.support import programs

SIZES = programs.Sizes(width=16, heads=4, tokens=27, positions=16)


def hand_shapes(sizes):
    """The shapes of the model's matrices, queries, keys and values stacked."""
    shapes = {}
    for name, (rows, columns) in programs.language_shapes(sizes).items():
        if name in ("key", "value"):
            shapes["qkv"] = (shapes["qkv"][0] + rows, columns)
        else:
            shapes["qkv" if name == "query" else name] = (rows, columns)
    return shapes


class Transformer:
    """One model as a kernel, by hand, and eager, for sequences of one length."""

    def __init__(self, length, sizes=SIZES):
        model = programs.language_model(sizes)
        self.values = [x for matrix in model.values() for row in matrix for x in row]
        self.theta = np.array([x.data for x in self.values])
        self.loss, self.arguments = programs.gpt(length, sizes, model)
        self.kernel = Kernel(self.loss)
        self._heads, self._shapes = sizes.heads, hand_shapes(sizes)

    def by_hand(self, tokens, following):
        """The mean loss and its gradient in the order of `values`."""
        return by_hand.gpt(self._heads, self._shapes, self.theta, tokens, following)

    def order(self):
        """Where each parameter of the kernel, which has been called, stands in `values`."""
        place = {x: i for i, x in enumerate(self.values)}
        return [place[x] for x in self.kernel.parameters]


def measure(settings):
    """Yield the rows."""
    length = 8
    made = Transformer(length)
    for batch, name in ((1, "one name"), (32, "32 names")):
        arguments = made.arguments(np.random.default_rng(0), batch)
        made.kernel.value_and_grad(*arguments)
        theta = made.theta[made.order()]

        def compiled(arguments=arguments, theta=theta):
            made.kernel.value_and_grad(*arguments, parameters=theta)

        def hand(arguments=arguments):
            made.by_hand(*arguments)

        ratios = share_of_time(compiled, hand, settings.repeats)
        name = f"one-layer GPT, {name} of {length} tokens"
        yield Row(name, "NumPy by hand", ratios, "of its time", Bar("≤", 1.5))
        if batch == 1:
            tokens, following = (x[0].tolist() for x in arguments)
            ratios = speedups(
                compiled,
                lambda tokens=tokens, following=following: made.loss(tokens, following).backward(),
                min(settings.repeats, 10),
                calls=(100, 1),
            )
            yield Row(name, "the eager engine", ratios, bar=Bar("≥", 100))
