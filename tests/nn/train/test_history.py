"""A history as a table and as a plot."""

import pytest

import nn
from nn import History
from tests.support.marks import needs_matplotlib


def made(count, best=None):
    columns = {"loss": [1 / (k + 1) for k in range(count)], "accuracy": [0.5] * count}
    return History([0.5] * 3 * count, "early stopping" if best else "epochs", columns, best)


def test_the_table_has_one_row_per_epoch():
    assert repr(made(3)).splitlines() == [
        "3 epochs, 9 iterations, stopped: epochs",
        "epoch    loss  accuracy",
        "    1       1       0.5",
        "    2     0.5       0.5",
        "    3  0.3333       0.5",
    ]


@pytest.mark.parametrize("best", [None, 1, 30, 77, 78, 100])
def test_a_long_table_keeps_the_first_the_best_and_the_last(best):
    head, _, *rows = repr(made(100, best)).splitlines()
    numbers = [int(row.split()[0]) for row in rows]
    assert len(numbers) == 20
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (1, 100)
    assert best is None or (best in numbers and f"best epoch {best}" in head)


def test_twenty_epochs_are_all_shown():
    assert len(repr(made(20)).splitlines()) == 22


def test_without_epochs_there_is_one_line():
    assert repr(History()) == "0 epochs, 0 iterations, stopped: iterations"


@needs_matplotlib
def test_a_plot_shows_what_was_recorded():
    model = nn.MLP(2, [4, 2], seed=0)
    history = nn.fit(
        model, *nn.data.moons(40), loss=nn.cross_entropy, metrics=["accuracy"], epochs=6,
        validation=0.25, early_stopping=3, progress=False,
    )  # fmt: skip
    loss, accuracy = history.plot().axes
    assert [line.get_ydata().tolist() for line in loss.lines[:2]] == [
        history.epochs["loss"], history.epochs["validation_loss"]
    ]  # fmt: skip
    assert accuracy.lines[1].get_ydata().tolist() == history.epochs["validation_accuracy"]
    assert set(loss.lines[2].get_xdata()) == {history.best_epoch}
