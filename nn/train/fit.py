"""`fit`: training on arrays of examples, in epochs of mini-batches."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy.typing as npt

from autodiff.checks import flag, integer
from nn.metrics import Metric
from nn.module import Module
from nn.train.engines.auto import AutoEngine
from nn.train.engines.compiled import CompiledEngine
from nn.train.engines.eager import EagerEngine, Loss, check_loss
from nn.train.engines.prediction import EngineName, check_engine, check_model
from nn.train.engines.training_mode import in_mode
from nn.train.history import History
from nn.train.loop.batches import Validation, examples_of
from nn.train.loop.checkpoint import Checkpoint, checkpoint_path
from nn.train.loop.descent import descent_of, require_trained
from nn.train.loop.measuring import Measuring, metrics_of
from nn.train.loop.plan import Plan
from nn.train.loop.training import Training
from nn.train.losses import mse
from nn.train.optim import Optimizer
from nn.train.progress import Progress, progress_of
from nn.train.schedule import Schedule

_ITERATIONS = 1000
_ENGINES: dict[EngineName, type[AutoEngine] | type[EagerEngine]] = {
    "auto": AutoEngine, "compiled": CompiledEngine, "eager": EagerEngine,
}  # fmt: skip


def fit(
    model: Module,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    loss: Loss = mse,
    optimizer: Optimizer | None = None,
    epochs: int | None = None,
    iterations: int | None = None,
    batch_size: int | None = None,
    validation: Validation = None,
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
    engine: EngineName = "auto",
    progress: Progress | bool = True,
) -> History:
    """Change the parameters of `model` so that `loss(predictions, targets)` falls.

    Examples: `x` and `y` have shape (n,) or (n, …); integers stay integers, as `take` and
    `cross_entropy` want them. `loss` gets a list of predictions, as the model returns them, and
    a list of the rows of `y`. `validation` is a pair (x, y), or a share of the examples, which
    are drawn by `seed` and kept out of training.

    Steps: training lasts `epochs`, or `iterations` (default: 1000), or the shorter of the two.
    An epoch shuffles the examples by `seed` and takes a step of `optimizer` (default: Adam, lr
    0.01) for each `batch_size` of them, and for those left over. By default a batch is 32 if
    `epochs` is given, otherwise all examples, in their order. Gradients are clipped by value,
    then by norm. `schedule` takes a step after each epoch. Weight decay does not move a
    parameter that no gradient has reached.

    Engine: "compiled" runs the loss of one example, compiled, over the batch, some hundred times
    faster than "eager", which runs on Values. It takes a loss that is a mean over examples, and
    a model that does not branch on data. Before it is trusted, losses of a few examples, their
    mean and its gradient are compared with "eager", validation losses and predictions as well,
    and all of them again after training; DiffersError says what differs. "auto" is compiled
    where that works. Otherwise, or from the step on that a kernel refuses, it is eager, with a
    RuntimeWarning that says why. A kernel reads Values anew at each step, also those that are
    not trained, but Python's numbers, as a rate in a dict, only once. If such a number has
    changed when training ends, and the loss with it, a RuntimeWarning says so.

    Ends: with `tolerance`, training also stops when `patience` iterations in a row have not
    brought the loss below its least value so far by more than that. With `early_stopping` it
    stops after that many epochs without a new least validation loss (without `validation`,
    training loss), and the parameters are those of the best epoch, however training ends.
    Ctrl-C stops after the current iteration; the model keeps what it has learned (a second one
    raises).

    Records: after every epoch the history has the loss, and `metrics` ("accuracy", "r2", or
    functions of predictions and targets as arrays), on training and validation examples. Your
    own metrics and `progress` see the parameters as they are, and may change them.
    `progress` True is a bar in terminals and notebooks, and lines elsewhere. `checkpoint` is an
    .npz file, written whole or not at all after every `checkpoint_every` epochs. With `resume`,
    training goes on from that file, if it exists, to the same bits as if it had never stopped.

    Raises FloatingPointError, the parameters as of the iteration before, if the loss or its
    gradient is not finite; TypeError and ValueError for arguments that do not fit.
    """
    check_model("fit", model)
    check_engine("fit", engine)
    check_loss(loss)
    seed = integer("fit: seed", seed, least=0)
    integer("fit: checkpoint_every", checkpoint_every, least=1)
    if flag("fit: resume", resume) and checkpoint is None:
        raise ValueError("fit: resume needs checkpoint, the file to go on from")
    path = None if checkpoint is None else checkpoint_path(checkpoint)
    descent = descent_of(model, optimizer, schedule, clip_norm, clip_value)
    examples = examples_of(
        x, y, validation, batch_size, seed=seed, counts_epochs=epochs is not None
    )
    plan = Plan(
        examples.batches,
        seed=seed,
        epochs=epochs,
        iterations=_ITERATIONS if epochs is iterations is None else iterations,
        tolerance=tolerance,
        patience=patience,
        early_stopping=early_stopping,
    )
    measured, shown = metrics_of(metrics), progress_of(progress)
    with in_mode(model, training=True):
        parameters = descent.optimizer.parameters
        require_trained(EagerEngine(model, loss, *examples.train, parameters))
        chosen = _ENGINES[engine](model, loss, *examples.train, parameters)
        training = Training(plan, chosen, descent, Measuring(chosen, examples, measured))
        if path is None:
            return training.run(shown)
        saved = Checkpoint(path, checkpoint_every, model, chosen, examples)
        if resume:
            saved.resume(training)
        return training.run(shown, saved.keep)
