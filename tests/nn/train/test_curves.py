"""Learning curves: columns and their validation side by side, as a picture in a notebook."""

import sys

import pytest

from nn.train.curves import learning_curves
from tests.support.marks import needs_matplotlib

PNG = b"\x89PNG\r\n\x1a\n"

EPOCHS = {
    "loss": [4.0, 1.0, 0.1 + 0.2], "accuracy": [0.1, 0.5, 0.9],
    "validation_loss": [5.0, 2.0, 1.0], "validation_accuracy": [0.1, 0.4, 0.8],
}  # fmt: skip


@needs_matplotlib
def test_learning_curves_pair_training_with_validation():
    loss, accuracy = learning_curves(EPOCHS, [1.0] * 30, best_epoch=2).axes
    for axes, name, scale in ((loss, "loss", "log"), (accuracy, "accuracy", "linear")):
        train, validation, best = axes.lines
        assert train.get_xydata().tolist() == [[k + 1, x] for k, x in enumerate(EPOCHS[name])]
        assert validation.get_ydata().tolist() == EPOCHS[f"validation_{name}"]
        assert list(best.get_xdata()) == [2, 2]
        assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("epoch", name, scale)


@needs_matplotlib
def test_curves_are_a_picture_in_a_notebook():
    assert learning_curves(EPOCHS, [])._repr_png_().startswith(PNG)


def test_without_matplotlib_a_figure_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"pip install .scalar-autodiff\[plot\]"):
        learning_curves(EPOCHS, [])


@needs_matplotlib
def test_curves_of_fewer_than_two_epochs_show_iterations():
    (axes,) = learning_curves({"loss": [2.0], "r2": [0.0]}, [3.0, 2.0, 0.0]).axes
    assert axes.lines[0].get_ydata().tolist() == [3.0, 2.0, 0.0]
    assert (axes.get_xlabel(), axes.get_yscale()) == ("iteration", "linear")
