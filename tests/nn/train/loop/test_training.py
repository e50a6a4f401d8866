"""Training: epochs and batches, what it records, when it ends, what it leaves behind."""

from itertools import chain
from math import inf, nan

import numpy as np
import pytest

import nn
from autodiff import Value, mean
from nn import MLP, SGD
from tests.nn.trainees import Number, Seen, X, Y, interrupt_at, scripted
from tests.support.values import data


@pytest.mark.parametrize("limit", [{"epochs": 4}, {"iterations": 12}])
def test_an_epoch_goes_through_all_examples_in_batches_with_their_targets(limit):
    class Echo(Number):
        def __call__(self, x):
            return self.w * 0.0 + x[0]

    batches = []

    def loss(predictions, targets):
        batches.append([p.data for p in predictions])
        assert targets == [[x, 2 * x] for x in batches[-1]]
        return mean(predictions)

    y = np.column_stack([X, 2 * X])
    nn.fit(Echo(), X, y, loss=loss, batch_size=5, engine="eager", **limit)
    assert [len(batch) for batch in batches] == [5, 5, 2] * 4
    epochs = [[*chain(*batches[k : k + 3])] for k in range(0, 12, 3)]
    assert all(sorted(epoch) == sorted(X.tolist()) for epoch in epochs)
    assert len({tuple(epoch) for epoch in [*epochs, X.tolist()]}) == 5, "each in its own order"

    batches.clear()
    nn.fit(Echo(), X, y, loss=loss, iterations=2, engine="eager")
    assert batches == [X.tolist()] * 2, "all examples come in their order"


@pytest.mark.parametrize(
    ("losses", "tolerance", "patience", "iterations"),
    [
        ([9, 8, 7, 7, 7, 7, 7], 0, 3, 6),
        ([9, 8, 7, 7, 7, 6, 6, 6, 6, 6], 0, 3, 9),
        ([5, 9, 9, 4, 9, 9, 9, 9], 0, 3, 7),
        ([5, 5, 5], 0, 1, 2),
        ([9, 8.9, 8.8, 8.7, 8.6], 0.5, 3, 4),
        ([9, 8, 7, 6.5, 6, 5, 4], 0.5, 2, 5),  # a gain of exactly the tolerance is none
        ([9, 8, 7, 6, 5, 5], 0.5, 1, 6),
    ],
)
def test_training_stops_after_patience_iterations_without_gain(
    losses, tolerance, patience, iterations
):
    options = {"iterations": len(losses), "tolerance": tolerance, "patience": patience}
    history = nn.fit(Number(), X, Y, loss=scripted(losses), engine="eager", **options)
    assert history.losses == losses[:iterations]
    assert history.stopped == "converged"


def test_patience_is_a_hundred():
    history = nn.fit(
        Number(), X, Y, loss=scripted([1.0] * 200), iterations=200, tolerance=0.0, engine="eager"
    )
    assert (len(history.losses), history.stopped) == (101, "converged")


@pytest.mark.parametrize(("tolerance", "losses"), [(None, [5, 5, 5, 5]), (0.5, [5, 4, 3, 2])])
def test_training_goes_on_without_a_tolerance_or_with_gains(tolerance, losses):
    options = {"iterations": 4, "tolerance": tolerance, "patience": 1}
    history = nn.fit(Number(), X, Y, loss=scripted(losses), engine="eager", **options)
    assert (history.losses, history.stopped) == (losses, "iterations")


@pytest.mark.parametrize("bad", [inf, -inf, nan])
def test_a_loss_that_is_not_finite_raises_with_the_parameters_of_the_iteration_before(bad):
    model = Number(1.0)
    after = []
    values = iter([1.0, 1.0, bad])

    def loss(predictions, targets):
        return predictions[0] * predictions[0] * next(values)

    optimizer = SGD(model.parameters(), lr=0.25)
    message = f"the loss is {bad} at iteration 3; a lower learning rate than 0.25 may help"
    with pytest.raises(FloatingPointError, match=message):
        nn.fit(
            model,
            X,
            Y,
            loss=loss,
            optimizer=optimizer,
            engine="eager",
            progress=Seen(lambda _: after.append(data(model))),
        )
    assert after == [[0.5], [0.25]]
    assert data(model) == [0.25]


def test_progress_is_told_every_iteration_and_loss():
    seen = Seen()
    history = nn.fit(Number(), X, Y, iterations=3, progress=seen)
    assert seen.told == [nn.Step(i, 3, loss) for i, loss in enumerate(history.losses, start=1)]


def test_progress_is_told_every_epoch_with_its_figures():
    seen = Seen()
    options = {"epochs": 3, "batch_size": 5, "metrics": ["r2"], "validation": (X[:4], Y[:4])}
    history = nn.fit(Number(), X, Y, progress=seen, **options)
    names = ["r2", "validation_loss", "validation_r2"]
    columns = history.epochs.items()
    rows = [{name: column[k] for name, column in columns} for k in range(3)]
    assert list(history.epochs) == ["loss", *names]
    assert seen.told == [
        nn.Step(k, 3, row["loss"], "epoch", {name: row[name] for name in names})
        for k, row in enumerate(rows, start=1)
    ]


def test_a_thousand_iterations_are_the_default():
    seen = interrupt_at(1)
    nn.fit(Number(), X, Y, progress=seen)
    assert seen.told[0].total == 1000


# After an epoch


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_an_epoch_records_losses_and_metrics_on_both_sets(engine):
    model, rng = MLP(1, [4, 1], "tanh", seed=0), np.random.default_rng(0)
    x, y = rng.normal(size=(2, 7))

    def distance(predictions, targets):
        assert isinstance(predictions, np.ndarray)
        return np.abs(predictions - targets).max()

    history = nn.fit(
        model, X, Y, epochs=3, batch_size=5, validation=(x, y), metrics=["r2", distance],
        engine=engine, optimizer=SGD(model.parameters(), lr=0.1),
    )  # fmt: skip
    last = {name: column[-1] for name, column in history.epochs.items()}
    assert {len(column) for column in history.epochs.values()} == {3}
    weights = np.array([5, 5, 2]) / 12
    assert last.pop("loss") == pytest.approx(weights @ history.losses[-3:])
    for prefix, inputs, targets in (("", X, Y), ("validation_", x, y)):
        found = nn.predict(model, inputs)
        assert last.pop(f"{prefix}r2") == pytest.approx(nn.metrics.r2(found, targets))
        assert last.pop(f"{prefix}distance") == pytest.approx(np.abs(found - targets).max())
    assert last == {"validation_loss": pytest.approx(nn.mse(nn.predict(model, x), y))}


def test_an_epoch_that_ends_early_averages_its_batches():
    history = nn.fit(Number(), X, Y, iterations=4, batch_size=5)
    assert history.epochs == {"loss": [pytest.approx(l) for l in (
        np.array([5, 5, 2]) @ history.losses[:3] / 12, history.losses[3])]}  # fmt: skip


def test_the_shorter_of_epochs_and_iterations_ends_training():
    ends = [nn.fit(Number(), X, Y, batch_size=4, epochs=epochs, iterations=5) for epochs in (1, 2)]
    assert [(len(end.losses), end.stopped) for end in ends] == [(3, "epochs"), (5, "iterations")]


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_early_stopping_restores_the_best_epoch(engine):
    model = Number(0.0)
    # Training pulls w to 3, a tenth of the way an epoch; validation is best near 1.
    history = nn.fit(
        model, X, 0 * X + 3, validation=(X, 0 * X + 1), epochs=50, early_stopping=4,
        optimizer=SGD(model.parameters(), lr=0.05), batch_size=12, engine=engine,
    )  # fmt: skip
    losses = history.epochs["validation_loss"]
    best = int(np.argmin(losses))
    assert (history.stopped, len(losses)) == ("early stopping", best + 1 + 4)
    assert history.best_epoch == best + 1
    assert data(model) == [pytest.approx(3 * (1 - 0.9 ** (best + 1)))]
    assert nn.mse(nn.predict(model, X), 0 * X + 1) == pytest.approx(losses[best])


@pytest.mark.parametrize("ending", [{"epochs": 6}, {"iterations": 6}, "interrupted"])
def test_the_best_epoch_is_restored_however_training_ends(ending):
    model = Number(0.0)
    progress = interrupt_at(6) if ending == "interrupted" else False
    history = nn.fit(
        model, X, 0 * X + 3, validation=(X, 0 * X + 1), early_stopping=40, batch_size=12,
        optimizer=SGD(model.parameters(), lr=0.05), progress=progress,
        **({"epochs": 9} if ending == "interrupted" else ending),
    )  # fmt: skip
    assert history.best_epoch == 4
    assert data(model) == [pytest.approx(3 * (1 - 0.9**4))]


def test_early_stopping_watches_the_training_loss_without_validation():
    losses = [5, 4, 4, 3, 3, 3, 3, 3]
    history = nn.fit(
        Number(), X, Y, loss=scripted(losses), epochs=8, early_stopping=2, batch_size=12,
        engine="eager",
    )  # fmt: skip
    assert (history.losses, history.stopped, history.best_epoch) == (
        losses[:6],
        "early stopping",
        4,
    )


def test_a_schedule_steps_after_every_epoch():
    model = MLP(1, [1], seed=0)
    sgd = SGD(model.parameters(), lr=0.1)
    history = nn.fit(model, X, Y, epochs=4, batch_size=4, schedule=nn.StepLR(sgd, 2, gamma=0.5))
    assert history.epochs["lr"] == [0.1, 0.1, 0.05, 0.05]
    assert sgd.lr == 0.025


def test_a_plateau_watches_the_validation_loss():
    told = []

    class Watching(nn.ReduceLROnPlateau):
        def step(self, metric=None):
            told.append(metric)
            super().step(metric)

    model = MLP(1, [1], seed=0)
    schedule = Watching(SGD(model.parameters(), lr=0.1), patience=0, factor=0.5)
    history = nn.fit(model, X, Y, epochs=3, validation=(X, -Y), schedule=schedule)
    assert told == history.epochs["validation_loss"]
    told.clear()
    history = nn.fit(model, X, Y, epochs=3, schedule=schedule)
    assert told == history.epochs["loss"]


# Gradients


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_gradients_are_clipped_by_value_then_by_norm(engine):
    class Plane(nn.Module):
        def __init__(self):
            self.w = [Value(0.0), Value(0.0)]

        def __call__(self, x):
            return self.w[0] * 10.0 + self.w[1] * x[0]

    def first(predictions, targets):
        return mean(predictions)

    def moved(**clips):
        model = Plane()
        sgd = SGD(model.parameters(), lr=1.0)
        nn.fit(model, [1.0], [0.0], loss=first, optimizer=sgd, iterations=1, engine=engine, **clips)
        return data(model)

    assert moved() == [-10, -1]
    assert moved(clip_value=2.0) == [-2, -1]
    assert moved(clip_norm=0.5) == pytest.approx(np.array([-10, -1]) * 0.5 / 101**0.5, rel=1e-5)
    both = moved(clip_value=2.0, clip_norm=0.5)
    assert both == pytest.approx(np.array([-2, -1]) * 0.5 / 5**0.5, rel=1e-5)


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_a_gradient_that_is_not_finite_raises_and_changes_nothing(engine):
    model = Number(0.0)

    def root(predictions, targets):
        return mean([p.sqrt() for p in predictions])  # its slope at 0 is inf

    with pytest.raises(FloatingPointError, match="the gradient is not finite at iteration 1; a lo"):
        nn.fit(model, X, Y, loss=root, engine=engine)
    assert data(model) == [0.0]


# The user's own code


@pytest.mark.parametrize("engine", ["eager", "compiled"])
def test_progress_and_metrics_of_the_user_see_the_parameters_and_may_change_them(engine):
    model, seen = Number(0.0), []

    def then(number):
        seen.append((number, model.w.data, model.w.grad))
        if number == 2:
            model.w.data = 10.0

    def weight(predictions, targets):
        assert predictions.tolist() == [model.w.data] * 12
        return model.w.data

    sgd = SGD(model.parameters(), lr=0.25)
    history = nn.fit(
        model, X, 0 * X + 1, optimizer=sgd, epochs=3, batch_size=12, metrics=[weight],
        progress=Seen(then), engine=engine,
    )  # fmt: skip
    assert seen == [(1, 0.5, -2.0), (2, 0.75, -1.0), (3, 5.5, 18.0)]
    assert history.epochs["weight"] == [0.5, 0.75, 5.5]
    assert data(model) == [5.5]
