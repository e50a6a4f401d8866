"""`fit`: training on arrays of examples, in epochs of mini-batches."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from nn.data.datasets import train_test_split
from nn.data.inputs import as_inputs, as_targets, check_finite
from nn.metrics import METRICS, Metric
from nn.module import Module
from nn.train.engines.compiled import Compiled
from nn.train.engines.eager import Eager, Loss
from nn.train.engines.fallback import Auto
from nn.train.engines.mode import in_mode
from nn.train.engines.prediction import Engine, check_engine
from nn.train.history import History
from nn.train.losses import mse
from nn.train.optim import Adam, Optimizer
from nn.train.plan import Pair, Plan
from nn.train.progress import Progress, Silent, best
from nn.train.run import Run
from nn.train.schedule import Schedule

_ITERATIONS = 1000
_BATCH = 32
_ENGINES: dict[str, type[Auto] | type[Eager]] = {"auto": Auto, "compiled": Compiled, "eager": Eager}


def fit(
    model: Module,
    x: Any,
    y: Any,
    *,
    loss: Loss = mse,
    optimizer: Optimizer | None = None,
    epochs: int | None = None,
    iterations: int | None = None,
    batch_size: int | None = None,
    validation: float | tuple[Any, Any] | None = None,
    metrics: Sequence[str | Metric] = (),
    schedule: Schedule | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    tolerance: float | None = None,
    patience: int = 100,
    early_stopping: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int = 1,
    resume: bool = False,
    seed: int = 0,
    engine: Engine = "auto",
    progress: Progress | bool = True,
) -> History:
    """Change the parameters of `model` so that `loss(predictions, targets)` falls.

    Examples: `x` and `y` have shape (n,) or (n, …); integers stay integers, as `take` and
    `cross_entropy` want them. `loss` gets a list of predictions, as the model returns them, and
    the rows of `y`. `validation` is a pair (x, y), or a share of the examples, which are drawn
    by `seed` and kept out of training.

    Steps: training lasts `epochs`, or `iterations` (default: 1000), or the shorter of the two.
    An epoch shuffles the examples by `seed` and takes a step of `optimizer` (default: Adam, lr
    0.01) for each `batch_size` of them, and for those left over. By default a batch is 32 if
    `epochs` is given, otherwise all examples, in their order. Gradients are clipped by value,
    then by norm. `schedule` takes a step after each epoch.

    Engine: "compiled" runs the loss of one example, compiled, over the batch, some hundred times
    faster than "eager", which runs on Values. It takes a loss that is a mean over examples, and
    a model that does not branch on data. Before it is trusted, losses of a few examples, their
    mean and its gradient are compared with "eager", validation losses and predictions as well,
    and all of them again after training; DiffersError says what differs. "auto" is compiled
    where that works, and otherwise, or from what a kernel refuses on, eager, with a
    RuntimeWarning that says why. A kernel reads Values anew at each step, those that are not
    trained as well, but Python's numbers, as a rate in a dict, once: where they have changed when
    training ends, and the loss with them, a RuntimeWarning says so.

    Ends: with `tolerance`, training also stops when `patience` iterations in a row have not
    brought the loss below its least value so far by more than that. With `early_stopping` it
    stops after that many epochs without a new least validation loss (without `validation`,
    training loss) and, however it ends, the parameters are those of the best epoch. Ctrl-C
    stops after the current iteration; the model keeps what it has learned (a second one raises).

    Records: after every epoch the history has the loss, and `metrics` ("accuracy", "r2", or
    functions of predictions and targets as arrays), on training and validation examples. Your
    own metrics and `progress` see the parameters as they are, and may change them.
    `progress` True is a bar in terminals and notebooks, and lines elsewhere. `checkpoint` is an
    .npz file, written whole or not at all after every `checkpoint_every` epochs; with `resume`
    training goes on from it, if it is there, to the same bits as if it had never stopped.

    Raises FloatingPointError, the parameters those of the iteration before, if the loss or its
    gradient is not finite; ValueError for sizes and options that do not fit.
    """
    check_engine("fit", engine)
    train, held_out = _parted(x, y, validation, seed)
    if optimizer is None:
        optimizer = schedule.optimizer if schedule else Adam(model.parameters(), lr=0.01)
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError("fit: the schedule is that of another optimizer")
    if resume and checkpoint is None:
        raise ValueError("fit: resume needs checkpoint, the file to go on from")
    plan = Plan(
        train=train,
        validation=held_out,
        batch_size=_batch_size(batch_size, len(train[0]), epochs is not None),
        epochs=epochs,
        iterations=_ITERATIONS if epochs is iterations is None else iterations,
        metrics=_named(metrics),
        clip_norm=clip_norm,
        clip_value=clip_value,
        tolerance=tolerance,
        patience=patience,
        early_stopping=early_stopping,
        checkpoint=None if checkpoint is None else Path(checkpoint),
        checkpoint_every=checkpoint_every,
        seed=seed,
    )
    shown = progress if not isinstance(progress, bool) else best() if progress else Silent()
    with in_mode(model, training=True):
        chosen = _ENGINES[engine](model, loss, *train, optimizer.parameters)
        run = Run(plan, model, optimizer, schedule, chosen)
        if resume:
            run.resume()
        return run.to_the_end(shown)


def _parted(
    x: Any, y: Any, validation: float | tuple[Any, Any] | None, seed: int
) -> tuple[Pair, Pair | None]:
    """The examples to train on and those to validate on."""
    whole = _pair("", x, y)
    if validation is None:
        return whole, None
    if isinstance(validation, tuple | list):
        if len(validation) != 2:
            raise ValueError("fit: validation is a share of the examples or a pair (x, y)")
        held_out = _pair("validation ", *validation)
        for name, ours, theirs in zip("xy", whole, held_out, strict=True):
            if ours.shape[1:] != theirs.shape[1:]:
                raise ValueError(
                    f"fit: rows of {name} have shape {ours.shape[1:]}, those of validation "
                    f"{name} {theirs.shape[1:]}"
                )
        return whole, held_out
    x_train, x_held, y_train, y_held = train_test_split(
        *whole, test_size=float(validation), seed=seed
    )
    return (x_train, y_train), (x_held, y_held)


def _pair(name: str, x: Any, y: Any) -> Pair:
    rows, targets = as_inputs(x), as_targets(y)
    if len(rows) != len(targets):
        raise ValueError(f"fit: {len(rows)} examples in {name}x, {len(targets)} in {name}y")
    check_finite(f"{name}x", rows)
    check_finite(f"{name}y", targets)
    return rows, targets


def _batch_size(given: int | None, examples: int, counts_epochs: bool) -> int:
    if given is None:
        return min(_BATCH, examples) if counts_epochs else examples
    if not 1 <= given <= examples:
        raise ValueError(f"fit: batch_size must be in 1 … {examples}, got {given}")
    return given


def _named(metrics: Sequence[str | Metric]) -> dict[str, Metric]:
    """Metrics by the names of their columns."""
    if isinstance(metrics, str):
        raise TypeError(f"fit: metrics is a list, as [{metrics!r}]")
    named: dict[str, Metric] = {}
    for metric in metrics:
        if isinstance(metric, str):
            if metric not in METRICS:
                raise ValueError(f"fit: no metric {metric!r}; there are {', '.join(METRICS)}")
            named[metric] = METRICS[metric]
        else:
            named[getattr(metric, "__name__", type(metric).__name__)] = metric
    if len(named) < len(metrics) or "loss" in named or "lr" in named:
        raise ValueError("fit: two metrics have one name, or one is named loss or lr")
    return named
