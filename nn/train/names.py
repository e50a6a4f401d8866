"""Names: a list of them as tokens, a GPT that learns them, and new ones that it makes up."""

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

import autodiff
from autodiff import collector_paused
from nn.data.inputs import as_lists
from nn.data.names import Names, Tokens
from nn.layers.gpt import GPT
from nn.train.clipping import clip_grad_norm_
from nn.train.engines.comparison import gradient, gradient_words, in_order
from nn.train.engines.prediction import outputs_kernel, require_outputs, stacked
from nn.train.engines.trust import require_equal
from nn.train.history import History
from nn.train.interruption import interruptible
from nn.train.losses import cross_entropy
from nn.train.optim import Adam
from nn.train.progress import Progress, Silent, Step
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
    """Train `model` on `names` but those held out, in batches of names of equal length.

    Takes `steps` steps of Adam, whose rate falls from `lr` to 0 along a cosine, on the mean
    cross entropy of letters and ends. `told` hears how long compiling took. Ctrl-C stops after
    the current step; the model keeps what it has learned. FloatingPointError if the loss is not
    finite. The history has an epoch for each pass over the names.
    """
    test = Names(tuple(held_out))
    train = Names(tuple(name for name in names.names if name not in set(held_out)))
    start = perf_counter()
    kernel = _compiled(model, names.by_length(names.names))
    told(f"compiled {kernel.cache_info().size} lengths in {perf_counter() - start:.1f} s")
    parameters = kernel.parameters
    adam = Adam(parameters, lr=lr)
    schedule = CosineAnnealingLR(adam, max(steps, 1))
    theta = np.array([parameter.data for parameter in parameters])
    rng, history = np.random.default_rng(seed), History()
    groups, tests = names.by_length(train.names), names.by_length(test.names)
    with interruptible() as interrupted, collector_paused(), progress or Silent() as report:
        while len(history.losses) < steps and not interrupted.is_set():
            total = done = 0.0
            for tokens in _batches(groups, batch_size, rng):
                loss, slopes = kernel._value_and_grad(
                    (tokens[:, :-1], tokens[:, 1:]), theta, exact=False
                )
                if not (isfinite(loss) and np.isfinite(slopes).all()):
                    raise FloatingPointError(
                        f"the loss is {loss} or its gradient not finite; a lower learning rate "
                        f"than {lr:g} may help"
                    )
                clip_grad_norm_(slopes, 1.0)
                adam.update(theta, slopes)
                schedule.step()
                history.losses.append(loss)
                report(Step(len(history.losses), steps, loss))
                total, done = total + loss * len(tokens), done + len(tokens)
                if len(history.losses) >= steps or interrupted.is_set():
                    break
            history.epochs.setdefault("loss", []).append(total / done)
            if held_out:
                found = _mean_loss(kernel, tests, theta)
                history.epochs.setdefault("validation_loss", []).append(found)
    if interrupted.is_set():
        history.stopped = "interrupted"
    for parameter, data in zip(parameters, theta.tolist(), strict=True):
        parameter.data = data
    return history


def sample(
    model: GPT, names: Names, count: int, *, temperature: float = 1.0, seed: int = 0
) -> list[str]:
    """`count` names that the model makes up, letter by letter.

    A letter is drawn with probability softmax(logits / temperature); at 0 it is the likeliest
    one, so that all names are the same.
    """
    rng = np.random.default_rng(seed)
    logits = outputs_kernel(model)
    some = np.arange(model.length)[None] % (1 + len(names.letters))
    require_outputs(model, some, lambda: stacked(logits(some)))
    tokens = np.zeros((count, model.length), dtype=int)  # what is behind a position, it cannot see
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


def _compiled(model: GPT, groups: dict[int, Tokens]) -> autodiff.Kernel:
    """The loss of a name, traced for each length; the longest reaches all parameters."""

    def loss(tokens: Any, following: Any) -> Any:
        return cross_entropy(model(as_lists(tokens)), as_lists(following))

    kernel = autodiff.compile(loss)
    for tokens in groups.values():
        _require_equal(model, kernel, loss, tokens[:1])
    return kernel


def _require_equal(
    model: GPT, kernel: autodiff.Kernel, loss: Callable[[Any, Any], Any], tokens: Tokens
) -> None:
    """Raise DiffersError if the loss of a name or its gradient is another on Values."""
    parameters, following = model.parameters(), tokens[:, 1:]

    def eager(x: Tokens) -> list[npt.NDArray[Any]]:
        root = loss(*x.tolist(), *following.tolist())
        return [np.array([root.data]), gradient(root, parameters)]

    def compiled(found: object) -> list[npt.NDArray[Any]]:
        value, slopes = kernel.value_and_grad(tokens[:, :-1], following)
        return [np.array([value]), in_order(parameters, kernel.parameters, slopes)]

    def words(place: int, ours: str, theirs: str) -> str:
        letters = following.shape[1] - 1
        return f"the loss of a name of {letters} letters is {ours} on Values, {theirs} compiled"

    require_equal(
        model, eager, compiled, tokens[:, :-1], [words, gradient_words(model, parameters)]
    )


def _batches(groups: dict[int, Tokens], size: int, rng: np.random.Generator) -> Iterator[Tokens]:
    """All names once, in batches of one length, in an order of chance."""
    batches = []
    for tokens in groups.values():
        order = rng.permutation(len(tokens))
        batches += [tokens[order[k : k + size]] for k in range(0, len(tokens), size)]
    return (batches[k] for k in rng.permutation(len(batches)))


def _mean_loss(kernel: autodiff.Kernel, groups: dict[int, Tokens], theta: Any) -> float:
    """The mean loss of names of all lengths."""
    losses = [kernel(tokens[:, :-1], tokens[:, 1:], parameters=theta) for tokens in groups.values()]
    return float(np.mean(np.concatenate(losses)))
