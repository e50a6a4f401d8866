"""A GPT that learns names, and the new names that it makes up."""

from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np

import autodiff
from autodiff import Value
from autodiff.checks import integer, within
from nn.data.inputs import Rows, as_lists
from nn.data.names import Names, Tokens
from nn.layers.gpt import GPT
from nn.train.arrays import Floats
from nn.train.engines.comparison import gradient, gradient_words, in_order
from nn.train.engines.eager import Change
from nn.train.engines.prediction import outputs_kernel, require_outputs, stacked
from nn.train.engines.trust import require_equal
from nn.train.history import History
from nn.train.loop.descent import Descent
from nn.train.loop.plan import Plan
from nn.train.loop.training import Training
from nn.train.losses import cross_entropy
from nn.train.optim import Adam
from nn.train.progress import Progress, Silent
from nn.train.schedule import CosineAnnealingLR


def fit_names(
    model: GPT,
    names: Names,
    *,
    held_out: Sequence[str] = (),
    steps: int = 300,
    batch_size: int = 32,
    lr: float = 0.01,
    seed: int = 0,
    progress: Progress | None = None,
    told: Callable[[str], None] = lambda text: None,
) -> History:
    """Train `model` on `names` except those held out, in batches of names of equal length.

    Takes `steps` steps of Adam on the mean cross entropy of letters and ends; the learning rate
    falls from `lr` to 0 along a cosine. `told` hears how long compiling took. Ctrl-C stops after
    the current step; the model keeps what it has learned. The history has an epoch for each pass
    over the names. Raises FloatingPointError, the parameters as of the step before, if the loss
    or its gradient is not finite.
    """
    integer("fit_names: steps", steps, least=0)
    integer("fit_names: batch_size", batch_size, least=1)
    integer("fit_names: seed", seed, least=0)
    trained = [name for name in names.names if name not in set(held_out)]
    if not trained:
        raise ValueError("fit_names: held_out has all names, none is left to train on")
    for letter in "".join(held_out):
        if letter not in names.letters:
            raise ValueError(f"fit_names: held_out has the letter {letter!r}, names have not")
    start = perf_counter()
    engine = _NamesEngine(model, names.by_length(names.names))
    told(f"compiled {engine.lengths} lengths in {perf_counter() - start:.1f} s")
    adam = Adam(engine.parameters, lr=lr)
    schedule = CosineAnnealingLR(adam, max(steps, 1))
    groups = names.by_length(trained)
    tests = names.by_length(held_out)

    def batches(rng: np.random.Generator) -> list[Tokens]:
        return _batches(groups, batch_size, rng)

    def measure() -> dict[str, float]:
        return {"validation_loss": engine.mean_loss(tests)} if held_out else {}

    plan = Plan(batches, seed=seed, iterations=steps, records_cut_epochs=True)
    descent = Descent(adam, schedule, clip_norm=1.0, per="iteration")
    return Training(plan, engine, descent, measure).run(progress or Silent())


def sample(
    model: GPT, names: Names, count: int, *, temperature: float = 1.0, seed: int = 0
) -> list[str]:
    """`count` names that the model makes up, letter by letter.

    A letter is drawn with probability softmax(logits / temperature). At temperature 0 it is the
    likeliest letter, and all names are the same.
    """
    integer("sample: count", count, least=0)
    within("sample: temperature", temperature, least=0.0)
    rng = np.random.default_rng(integer("sample: seed", seed, least=0))
    logits = outputs_kernel(model)
    some = np.arange(model.length)[None] % (1 + len(names.letters))
    require_outputs(model, some, lambda: stacked(logits(some)))
    tokens = np.zeros((count, model.length), dtype=int)  # a position does not see those after it
    for t in range(model.length):
        rows = stacked(logits(tokens))[:, t]
        if temperature == 0:
            chosen = rows.argmax(axis=1)
        else:
            # The largest of logits with Gumbel noise is a draw from their softmax.
            chosen = (rows / temperature + rng.gumbel(size=rows.shape)).argmax(axis=1)
        if t + 1 == model.length:
            break
        tokens[:, t + 1] = chosen
    return [names.decode(row) for row in tokens[:, 1:].tolist()]


class _NamesEngine:
    """The loss of a name, compiled once for each length; the longest reaches all parameters."""

    def __init__(self, model: GPT, groups: dict[int, Tokens]) -> None:
        def loss(tokens: object, following: object) -> Value:
            return cross_entropy(model(as_lists(tokens)), as_lists(following))

        self._kernel = autodiff.compile(loss)
        for tokens in groups.values():
            _require_equal(model, self._kernel, loss, tokens[:1])
        self.lengths = self._kernel.cache_info().size
        self.parameters: list[Value] = list(self._kernel.parameters)
        self.theta: Floats = np.array([parameter.data for parameter in self.parameters])
        self._gradient: Floats = np.zeros(len(self.parameters))

    def loss(self, batch: Tokens) -> float:
        """The mean loss of names of one length, which the next step goes down."""
        args = batch[:, :-1], batch[:, 1:]
        value, self._gradient = self._kernel._value_and_grad(args, self.theta, exact=False)
        return float(value)

    def update(self, change: Change) -> None:
        """Change the parameters by the gradient of the latest loss."""
        change(self.theta, self._gradient)

    def mean_loss(self, groups: dict[int, Tokens]) -> float:
        """The mean loss of names of all lengths."""
        losses = [
            self._kernel(tokens[:, :-1], tokens[:, 1:], parameters=self.theta)
            for tokens in groups.values()
        ]
        return float(np.mean(np.concatenate(losses)))

    def give(self) -> None:
        """Write what was learned into the Values."""
        for parameter, data in zip(self.parameters, self.theta.tolist(), strict=True):
            parameter.data = data

    def take(self) -> None:
        """Read the parameters from the Values, which may have been changed."""
        self.theta[:] = [parameter.data for parameter in self.parameters]

    def check(self) -> None:
        """Nothing that training reads can have changed."""


def _require_equal(
    model: GPT, kernel: autodiff.Kernel[object], loss: Callable[..., Value], tokens: Tokens
) -> None:
    """Raise DiffersError if the loss of a name or its gradient is another on Values."""
    parameters, following = model.parameters(), tokens[:, 1:]

    def eager(x: Rows) -> list[Floats]:
        root = loss(*x.tolist(), *following.tolist())
        return [np.array([root.data]), gradient(root, parameters)]

    def compiled(found: list[Floats]) -> list[Floats]:
        value, slopes = kernel.value_and_grad(tokens[:, :-1], following)
        return [np.array([value]), in_order(parameters, kernel.parameters, slopes)]

    def words(place: int, ours: str, theirs: str) -> str:
        letters = following.shape[1] - 1
        return f"the loss of a name of {letters} letters is {ours} on Values, {theirs} compiled"

    messages = [words, gradient_words(model, parameters)]
    require_equal(model, eager, compiled, tokens[:, :-1], messages)


def _batches(groups: dict[int, Tokens], size: int, rng: np.random.Generator) -> list[Tokens]:
    """All names once, in batches of one length, in random order."""
    batches = []
    for tokens in groups.values():
        order = rng.permutation(len(tokens))
        batches += [tokens[order[k : k + size]] for k in range(0, len(tokens), size)]
    return [batches[k] for k in rng.permutation(len(batches))]
