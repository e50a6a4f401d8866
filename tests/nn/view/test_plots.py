"""Plots: PNG with matplotlib, the same numbers as CSV without."""

import csv
import struct
import sys

import numpy as np
import pytest

from nn.view.plots import can_plot, plot_boundary, plot_curves, plot_fit, plot_loss
from tests.support.marks import needs_matplotlib

PNG = b"\x89PNG\r\n\x1a\n"
FIT = ([-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.9, 0.1 + 0.2, 1.1], ([0.5], [0.25]))
WRITERS = {
    "fit": lambda folder: plot_fit(folder, *FIT),
    "loss": lambda folder: plot_loss(folder, [4.0, 0.1 + 0.2, 1e-12]),
}
ROWS = {
    "fit": [
        ["x", "target", "prediction"],
        [-1.0, 1.0, 0.9],
        [0.0, 0.0, 0.1 + 0.2],
        [1.0, 1.0, 1.1],
    ],
    "loss": [["iteration", "loss"], [1, 4.0], [2, 0.1 + 0.2], [3, 1e-12]],
}


@pytest.fixture
def without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@needs_matplotlib
@pytest.mark.parametrize("name", WRITERS)
def test_a_plot_is_a_png_of_its_name(tmp_path, name):
    assert can_plot()
    path = WRITERS[name](tmp_path)
    assert [path] == [*tmp_path.iterdir()] == [tmp_path / f"{name}.png"]
    picture = path.read_bytes()
    assert picture.startswith(PNG)
    assert struct.unpack(">II", picture[16:24]) == (768, 480)


@pytest.mark.usefixtures("without_matplotlib")
@pytest.mark.parametrize("name", WRITERS)
def test_without_matplotlib_the_numbers_are_written(tmp_path, name):
    assert not can_plot()
    path = WRITERS[name](tmp_path)
    assert [path] == [*tmp_path.iterdir()] == [tmp_path / f"{name}.csv"]
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert [header, *[[float(cell) for cell in row] for row in rows]] == ROWS[name]


def drawn(monkeypatch, write, folder):
    """The axes that `write` draws on."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    made = []
    add_subplot = figure.add_subplot

    def spy(self, *args, **options):
        made.append(add_subplot(self, *args, **options))
        return made[-1]

    monkeypatch.setattr(figure, "add_subplot", spy)
    write(folder)
    (axes,) = made
    return axes


def test_a_fit_shows_target_network_and_training_points(tmp_path, monkeypatch):
    axes = drawn(monkeypatch, WRITERS["fit"], tmp_path)
    lines = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    x, target, prediction, (x_train, y_train) = FIT
    assert lines == {
        "training points": [[x_train[0], y_train[0]]],
        "target": [list(point) for point in zip(x, target, strict=True)],
        "network": [list(point) for point in zip(x, prediction, strict=True)],
    }
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(lines)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x", "y")


def test_a_loss_is_shown_over_iterations_on_a_logarithmic_scale(tmp_path, monkeypatch):
    axes = drawn(monkeypatch, WRITERS["loss"], tmp_path)
    (line,) = axes.lines
    assert line.get_xydata().tolist() == ROWS["loss"][1:]
    assert (axes.get_yscale(), axes.get_xlabel()) == ("log", "iteration")
    assert "loss" in axes.get_ylabel()


@needs_matplotlib
@pytest.mark.parametrize("losses", [[], [1.0]])
def test_short_histories_are_drawn(tmp_path, losses):
    assert plot_loss(tmp_path, losses).read_bytes().startswith(PNG)


@needs_matplotlib
def test_a_loss_of_zero_is_drawn_without_a_warning(tmp_path):
    plot_loss(tmp_path, [0.0, 0.0])


EPOCHS = {
    "loss": [4.0, 1.0, 0.1 + 0.2], "accuracy": [0.1, 0.5, 0.9],
    "validation_loss": [5.0, 2.0, 1.0], "validation_accuracy": [0.1, 0.4, 0.8],
}  # fmt: skip


def test_curves_are_a_file(tmp_path, monkeypatch):
    if can_plot():
        assert plot_curves(tmp_path, EPOCHS).read_bytes().startswith(PNG)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    path = plot_curves(tmp_path, EPOCHS)
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    assert header == "epoch,loss,accuracy,validation_loss,validation_accuracy"
    assert rows[2] == f"3,{0.1 + 0.2},0.9,1.0,0.8"


POINTS = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 0.0]])


def right(points):
    """Class 1 right of x1 = 1."""
    return np.column_stack([0 * points[:, 0], points[:, 0] - 1.0])


@needs_matplotlib
def test_a_boundary_shows_regions_and_examples(tmp_path, monkeypatch):
    options = {"names": ("length", "width"), "classes": ("left", "right")}
    axes = drawn(
        monkeypatch,
        lambda folder: plot_boundary(folder, right, POINTS, np.array([0, 1, 1]), **options),
        tmp_path,
    )
    assert (tmp_path / "boundary.png").read_bytes().startswith(PNG)
    (image,) = axes.images
    shades = image.get_array()
    left, edge, bottom, top = image.get_extent()
    assert (left, edge, bottom, top) == pytest.approx((-0.16, 2.16, -0.16, 2.16))
    half = shades.shape[1] // 2
    assert (shades[:, :half] == shades[0, 0]).all()
    assert (shades[:, half:] == shades[0, -1]).all()
    assert (shades[0, 0] != shades[0, -1]).any()
    assert {line.get_label(): line.get_xydata().tolist() for line in axes.lines} == {
        "left": [[0, 0]], "right": [[1, 2], [2, 0]]
    }  # fmt: skip
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("length", "width")


@pytest.mark.usefixtures("without_matplotlib")
def test_without_matplotlib_a_boundary_is_its_grid(tmp_path):
    path = plot_boundary(tmp_path, right, POINTS, np.array([0, 1, 1]))
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert (path.name, header) == ("boundary.csv", ["x1", "x2", "class"])
    grid = np.array(rows, dtype=float)
    np.testing.assert_array_equal(grid[:, 2], grid[:, 0] > 1)
