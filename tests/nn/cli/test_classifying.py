"""`classify`: what it learns, prints and draws, and what it refuses."""

import re
import sys

import pytest

from nn import data
from nn.cli import classifying

FAST = ("--epochs", "3", "--layers", "4", "--no-progress")


def test_moons_are_separated(run, folder):
    status, out, err = run("classify", "moons", "--epochs", "40", "--no-progress")
    assert (status, err) == (0, [])
    assert out[0] == (
        "classifying moons: 400 examples of 2 inputs in 2 classes, with a 2-16-16-2 network of "
        "354 parameters"
    )
    assert re.fullmatch(r"400 steps, 40 epochs in [\d.]+ s", out[1])
    found = re.fullmatch(
        r"accuracy: ([\d.]+)% on 320 training examples, ([\d.]+)% on 80 held out", out[2]
    )
    accuracy = float(found.group(2))
    assert accuracy > 90
    assert out[4].split() == ["upper", "lower"]
    rows = [[0 if cell == "·" else int(cell) for cell in line.split()[1:]] for line in out[5:7]]
    assert sum(map(sum, rows)) == 80
    assert (rows[0][0] + rows[1][1]) / 80 == pytest.approx(accuracy / 100, abs=1e-4)
    names = {path.name.partition(".")[0] for path in (folder / "runs").iterdir()}
    assert names == {"boundary", "curves", "network"}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_real_data_are_learned(run, folder, name):
    pytest.importorskip("sklearn")
    status, out, err = run("classify", name, "--no-progress", "--epochs", "40")
    assert (status, err) == (0, [])
    assert float(re.search(r"([\d.]+)% on \d+ held out", "\n".join(out)).group(1)) > 85
    assert not [*(folder / "runs").glob("boundary.*")]


def test_digits_reach_95_percent(run):
    pytest.importorskip("sklearn")
    _, out, _ = run("classify", "digits", "--no-progress")
    assert "with a 64-32-10 network" in out[0]
    assert float(re.search(r"([\d.]+)% on 360 held out", "\n".join(out)).group(1)) >= 95


def test_the_same_seed_prints_the_same_but_the_time(run):
    def lines(*more):
        return [
            re.sub("in .* s$", "", line) for line in run("classify", "spirals", *FAST, *more)[1]
        ]

    assert lines() == lines("--seed", "0") != lines("--seed", "1")


def test_the_options_are_those_of_the_network(run, monkeypatch):
    import nn

    calls = []
    fit = nn.fit

    def spy(model, x, y, **options):
        calls.append((model, x, options))
        return fit(model, x, y, **options)

    monkeypatch.setattr(nn, "fit", spy)
    run("classify", "moons", "--layers", "3", "2", "--activation", "tanh", "--optimizer", "sgd",
        "--lr", "0.5", "--batch", "50", "--epochs", "2", "--no-progress")  # fmt: skip
    ((model, x, options),) = calls
    assert [len(layer.neurons) for layer in model.layers] == [3, 2, 2]
    assert [layer.neurons[0].activation for layer in model.layers] == ["tanh", "tanh", None]
    assert (type(options["optimizer"]), options["optimizer"].lr) == (nn.SGD, 0.5)
    assert (options["batch_size"], options["epochs"]) == (50, 2)
    assert abs(x.mean()) < 1e-12
    assert x.std(axis=0) == pytest.approx([1, 1])


@pytest.fixture
def table(folder):
    """Two moons in a table, the class as text."""
    x, y = data.moons(60)
    rows = [f"{a},{b},{('left', 'right')[k]},{n}" for n, ((a, b), k) in
            enumerate(zip(x.tolist(), y.tolist(), strict=True))]  # fmt: skip
    (folder / "moons.csv").write_text("east,north,side,number\n" + "\n".join(rows))
    return folder / "moons.csv"


def test_a_table_with_classes_as_text(run, table, folder):
    columns = ("--x", "east", "north", "--y", "side")
    status, out, err = run("classify", "--csv", "moons.csv", *columns, *FAST, "--epochs", "60")
    assert (status, err) == (0, [])
    assert out[0].startswith(
        "classifying moons.csv: 60 examples of 2 inputs in 2 classes, with a 2-4"
    )
    assert out[4].split() == ["left", "right"]
    assert [*(folder / "runs").glob("boundary.*")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a data set, moons, spirals, iris, wine, digits, breast_cancer, or give a table"),
        (("mons",), "argument DATA: invalid choice: 'mons'"),
        (("moons", "--csv", "moons.csv"), "a data set or a table, not both"),
        (("moons", "--batch", "321"), "--batch must be at most 320, the number of training"),
        (("moons", "--epochs", "0"), "--epochs: the value must be a positive integer, got 0"),
        (("moons", "--layers", "x"), "--layers: the value must be a positive integer, got 'x'"),
        (("moons", "--lr", "0"), "--lr: the value must be positive, got 0.0"),
        (("moons", "--seed", "-1"), "--seed: the value must be an integer of at least 0, got -1"),
        (("moons", "--activation", "rleu"), "invalid choice: 'rleu'"),
        (("moons", "--activation", "relu", "relu", "relu"), "2 layers, 3 activations"),
        (("moons", "--optimizer", "sgd", "--lr", "1e200"), "a lower learning rate"),
        (("moons", "--out", "moons.csv"), "cannot write to moons.csv"),
        (("--csv", "moons.csv"), "needs --x and --y; the columns are east, north, side, number"),
        (("--csv", "moons.csv", "--x", "east", "side", "--y", "north"),
         "line 2: column 'side' has "),
        (("--csv", "moons.csv", "--x", "east", "--y", "number"),
         "column 'number' has 60 values in 60 rows; python -m nn fit learns numbers"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line_and_nothing_is_written(run, table, folder, arguments, message):
    status, _, err = run("classify", *FAST, *arguments)
    assert status == 2
    assert len(err) == 1
    assert err[0].startswith("python -m nn classify: error: ")
    assert message in err[0]
    assert [*folder.iterdir()] == [table]


def test_without_scikit_learn_the_extra_is_named(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    status, _, err = run("classify", "iris", *FAST)
    assert (status, len(err)) == (2, 1)
    assert 'pip install "scalar-autodiff[data]"' in err[0]


def test_long_names_of_classes_are_cut(capsys):
    import numpy as np

    classifying._print_confusion(np.array([[3, 0], [1, 20]]), ("a", "a very long name of a class"))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "                        a  a very long…",
        "a                       3             ·",
        "a very long…            1            20",
    ]
