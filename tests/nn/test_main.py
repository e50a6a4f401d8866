"""`python -m nn`: what it prints and writes, and what is left after an error: nothing."""

import csv
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Kernel
from nn import __main__ as command
from nn.cli import fitting, functions, output, regression
from tests.support.marks import needs_matplotlib
from tests.support.process import ROOT

pytestmark = pytest.mark.usefixtures("folder")
SMALL = ("--layers", "4", "1", "--batch", "4", "--iterations", "3")


def contents(folder):
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.fixture
def fitted(monkeypatch):
    """What the command gave to `nn.fit` and what came back; the optimizer is already made."""
    calls = []
    fit = nn.fit

    def spy(model, x, y, **options):
        options |= {"start": [p.data for p in model.parameters()]}
        calls.append(options | {"model": model, "x": x, "y": y})
        del options["start"]
        calls[-1]["history"] = fit(model, x, y, **options)
        return calls[-1]["history"]

    monkeypatch.setattr(nn, "fit", spy)
    return calls


def f(x):
    return x**2 + 2 * x - 3


@needs_matplotlib
def test_a_run_prints_losses_errors_check_and_predictions_and_writes_files(run, fitted, folder):
    status, out, err = run(*SMALL)
    (call,) = fitted
    model, x, y = call["model"], call["x"], call["y"]
    test = np.linspace(-5, 5, 100)
    train_mse, test_mse = nn.mse(nn.predict(model, x), y), nn.mse(nn.predict(model, test), f(test))
    assert (status, err) == (0, [])
    assert out[0] == "fitting y = x**2 + 2*x - 3 with a 1-4-1 network of 13 parameters"
    assert out[1] == f"iteration 3  loss {call['history'].losses[-1]:.6g}"
    assert out[2].startswith("stopped after 3 iterations")
    assert (
        out[3] == f"MSE: {train_mse:.4g} on 200 training points, {test_mse:.4g} on 100 test points"
    )
    assert out[4].startswith("gradcheck of 13 derivatives: 13 ok; largest relative error ")
    assert out[5].split() == ["x", "predicted", "true"]
    rows = [[float(cell) for cell in line.split()] for line in out[6:13]]
    shown = [-5, -2.5, -1, 0, 1, 2.5, 5]
    table = np.column_stack([shown, nn.predict(model, shown), f(np.array(shown))])
    np.testing.assert_allclose(rows, table, atol=5.1e-5)
    assert {len(line) for line in out[5:13]} == {8 + 2 + 10 + 2 + 10}
    files = re.findall(r"[\w/.]+", out[13].removeprefix("wrote "))
    assert files == [str(path.relative_to(folder)) for path in sorted((folder / "runs").iterdir())]
    pictures = "png" if output.can_plot() else "csv"
    drawing = "svg" if output.find_renderer("svg") else "gv"
    names = ["backprop.py", f"fit.{pictures}", f"loss.{pictures}", f"network.{drawing}"]
    assert [Path(file).name for file in files] == names
    assert all(Path(file).stat().st_size > 1000 for file in files)


@pytest.mark.parametrize(
    ("engine", "iterations", "batch", "lr"),
    [("compiled", 10_000, 100, 0.005), ("eager", 1000, 16, 0.01)],
)
def test_training_is_on_200_points_with_the_defaults_that_help_names(
    run, fitted, engine, iterations, batch, lr
):
    run("--layers", "1", "--iterations", "1", "--engine", engine)
    (call,) = fitted
    x, optimizer = call["x"], call["optimizer"]
    assert (len(x), call["batch_size"], call["tolerance"], call["seed"]) == (200, batch, None, 0)
    assert call["engine"] == engine
    assert -5 < x.min() < -4.8 < 0 < 4.8 < x.max() < 5
    assert abs(x.mean()) < 0.5, "uniform"
    np.testing.assert_allclose(call["y"], f(x), rtol=1e-14, atol=1e-14)
    assert (type(optimizer), optimizer.lr) == (nn.Adam, lr)
    defaults = vars(fitting.command_line("python -m nn").parse_args([]))
    assert (defaults["layers"], defaults["activation"]) == ([10, 20, 30, 40, 1], ["relu"])
    assert (defaults["engine"], defaults["out"]) == ("compiled", Path("runs"))
    assert regression.DEFAULTS[engine][0] == iterations
    help_text = " ".join(fitting.command_line("python -m nn").format_help().split())
    for number in (iterations, batch, lr):
        assert f"{number} {engine}" in help_text


def test_options_set_the_model_and_the_training(run, fitted, folder):
    status, out, _ = run(
        "--target", "sin(x)", "--layers", "3", "2", "1", "--activation", "tanh", "linear", "sin",
        "--optimizer", "sgd", "--lr", "0.5", "--iterations", "4", "--batch", "200",
        "--tolerance", "0.25", "--seed", "7", "--out", "a/b", "--no-progress",
    )  # fmt: skip
    (call,) = fitted
    optimizer, model = call["optimizer"], call["model"]
    assert (type(optimizer), optimizer.lr) == (nn.SGD, 0.5)
    assert optimizer.parameters == model.parameters()
    assert (call["iterations"], call["batch_size"]) == (4, 200)
    assert (call["tolerance"], call["seed"]) == (0.25, 7)
    assert call["start"] == [
        p.data for p in nn.MLP(1, [3, 2, 1], ["tanh", None, "sin"], seed=7).parameters()
    ]
    assert [layer.neurons[0].activation for layer in model.layers] == ["tanh", None, "sin"]
    np.testing.assert_allclose(call["y"], np.sin(call["x"]))
    assert status == 0
    assert out[0] == "fitting y = sin(x) with a 1-3-2-1 network of 17 parameters"
    assert not any(line.startswith("iteration") for line in out)
    assert (folder / "a/b").is_dir()


def test_one_activation_is_for_all_layers_but_the_last(run, fitted):
    run("--layers", "2", "2", "1", "--activation", "sigmoid", "--iterations", "1")
    model = fitted[0]["model"]
    assert [layer.neurons[0].activation for layer in model.layers] == ["sigmoid", "sigmoid", None]


def test_training_that_no_longer_gains_stops(run):
    _, out, _ = run("--layers", "1", "--lr", "1e-9", "--tolerance", "1e9", "--batch", "1")
    assert "stopped after 101 iterations: converged" in out


def test_the_gradient_is_checked_on_four_test_points_and_a_sample(run, fitted, monkeypatch):
    losses = []
    gradcheck = regression.gradcheck

    def spy(loss, model, **options):
        assert options["raise_exception"] is False, "a report is printed, not raised"
        if isinstance(loss, Kernel):
            return gradcheck(loss, model, **options)
        losses.append((loss(model).data, options["seed"]))
        return gradcheck(loss, model, **options)

    monkeypatch.setattr(regression, "gradcheck", spy)
    sizes = ("--layers", "16", "17", "1", "--iterations", "1", "--batch", "1", "--seed", "3")
    assert "gradcheck of 339 derivatives: 339 ok; l" in "\n".join(run(*sizes)[1])
    _, out, _ = run(*sizes, "--engine", "eager")
    assert (
        "gradcheck of 300 derivatives (by a random sample of 300 of 339 inputs): 300 ok; l"
        in "\n".join(out)
    )
    x = np.linspace(-5, 5, 100)[[20, 40, 59, 79]]
    expected = nn.mse(nn.predict(fitted[1]["model"], x), f(x))
    assert losses == [(pytest.approx(expected), 3)]


def test_the_same_seed_prints_the_same(run, folder):
    first, files = run(*SMALL), contents(folder)
    assert run(*SMALL) == run(*SMALL, "--seed", "0") == first
    assert contents(folder).keys() == files.keys()
    assert run(*SMALL, "--seed", "1")[1] != first[1]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_program_written_is_a_module_that_derives_as_its_text_says(
    run, fitted, folder, activation
):
    run("--layers", "4", "3", "1", "--iterations", "2", "--activation", activation)
    model = fitted[0]["model"]
    text = (folder / "runs/backprop.py").read_text(encoding="utf-8")
    program = {}
    exec(compile(text, "backprop.py", "exec"), program)
    assert "1-4-3-1 network" in program["__doc__"]
    x, y = np.array([[0.3], [-1.2]]), np.array([[1.0], [2.0]])
    kernel = autodiff.compile(lambda x, y: nn.mse(model([x]), y))
    value, gradient = kernel.value_and_grad(x[:, 0], y[:, 0])
    theta = np.array([p.data for p in kernel.parameters])
    errors, derived = program["bind"](2, 1 / 2, float, program["arrays"])(theta, x, y)[:2]
    np.testing.assert_allclose([errors.mean(), *derived], [value, *gradient], rtol=1e-12)


def test_both_engines_train_alike(run):
    options = ("--layers", "3", "1", "--batch", "8", "--lr", "0.05", "--iterations", "40")
    eager, compiled = (run(*options, "--engine", engine) for engine in ("eager", "compiled"))
    assert [line for line in eager[1] if "gradcheck" not in line][:4] == compiled[1][:4]
    assert eager[1][-9:-2] == compiled[1][-9:-2], "the predictions"


@needs_matplotlib
def test_files_of_others_stay_and_own_ones_are_replaced(run, folder):
    runs = folder / "runs"
    runs.mkdir()
    (runs / "notes.txt").write_text("mine")
    (runs / "fit.png").write_text("old")
    assert run(*SMALL)[0] == 0
    assert (runs / "notes.txt").read_text() == "mine"
    assert (runs / "fit.png").read_bytes().startswith(b"\x89PNG")
    assert len([*runs.iterdir()]) == 5


def test_without_extras_tables_and_dot_are_written_and_the_extras_named(
    run, fitted, folder, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setattr(output, "find_renderer", lambda format: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    status, out, err = run(*SMALL)
    assert (status, err) == (0, [])
    for extra in ("plot", "draw", "pretty"):
        assert sum(f"scalar-autodiff[{extra}]" in line for line in out) == 1
    assert out[2].startswith("iteration 3  loss")
    assert "wrote runs/backprop.py, runs/fit.csv, runs/loss.csv, runs/network.gv" in out
    model, runs = fitted[0]["model"], folder / "runs"
    assert (runs / "network.gv").read_text(encoding="utf-8") == nn.draw_network(model).source
    x = np.linspace(-5, 5, 100)
    with (runs / "fit.csv").open(newline="") as file:
        rows = np.array([*csv.reader(file)][1:], float)
    np.testing.assert_array_equal(rows[:, 0], x)
    np.testing.assert_allclose(
        rows[:, 1:], np.column_stack([f(x), nn.predict(model, x)]), rtol=1e-12, atol=1e-12
    )
    with (runs / "loss.csv").open(newline="") as file:
        assert [float(loss) for _, loss in [*csv.reader(file)][1:]] == fitted[0]["history"].losses


@pytest.mark.parametrize(("has_plot", "has_draw"), [(True, False), (False, True), (True, True)])
def test_only_missing_extras_are_named(run, monkeypatch, has_plot, has_draw):
    for name in ("plot_fit", "plot_loss"):
        monkeypatch.setattr(functions, name, lambda folder, *_: None)
    monkeypatch.setattr(functions, "write_drawing", lambda *_: None)
    monkeypatch.setattr(output, "can_plot", lambda: has_plot)
    monkeypatch.setattr(output, "find_renderer", lambda format: "dot" if has_draw else None)
    _, out, _ = run(*SMALL)
    assert any("[plot]" in line for line in out) is not has_plot
    assert any("[draw]" in line for line in out) is not has_draw


def test_a_bar_is_shown_on_a_terminal_and_not_asked_for_elsewhere(run, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "dumb")
    status, out, _ = run(*SMALL)
    assert status == 0
    assert not any(line.startswith("iteration") or "[pretty]" in line for line in out)


@pytest.mark.parametrize("arguments", [(), ("fit",)])
def test_fit_runs_without_a_command(run, folder, arguments):
    status, out, err = run(*arguments, *SMALL)
    assert (status, err) == (0, [])
    assert out[0].startswith("fitting y = x**2 + 2*x - 3")
    assert run(*arguments, "--lr", "0")[2] == [
        f"{' '.join(['python -m nn', *arguments])}: error: argument --lr: "
        "the value must be positive, got 0.0"
    ]


def test_another_command_is_refused_by_name(run, folder):
    message = (
        "python -m nn: error: unknown command 'clasify'; the commands are fit, classify, names"
    )
    assert run("clasify", "moons") == (2, [], [message])
    assert contents(folder) == {}


@pytest.mark.parametrize("name", [*command.COMMANDS])
def test_every_command_has_help_with_an_example(run, name):
    status, out, err = run(name, "--help")
    assert (status, err) == (0, [])
    assert any(line.startswith(f"example: python -m nn {name} ") for line in out)
    assert "--seed" in "".join(out)
    parser = command.COMMANDS[name].command_line("")
    assert all(action.help for action in parser._actions)


def test_help_shows_an_example(run):
    status, out, err = run("--help")
    assert (status, err) == (0, [])
    text = " ".join(" ".join(out).split())
    assert "example: python -m nn --target 'sin(x) * x' --activation tanh" in text
    for option in ("--target", "--layers", "--activation", "--optimizer", "--lr", "--iterations",
                   "--batch", "--tolerance", "--seed", "--out", "--no-progress"):  # fmt: skip
        assert option in text
    for action in fitting.command_line("python -m nn")._actions:
        assert action.help


# Errors: one line, status 2, nothing left

WRONG = [
    (("--target", "y"), "unknown name 'y'"),
    (("--target", "__import__('os')"), "unknown function '__import__'"),
    (("--target", "x^2"), r"'x\^2' is not allowed .* \*\*"),
    (("--target", ""), "not an expression in x: ''"),
    (("--target", "x\nx"), "not an expression in x"),
    (("--target",), "--target: expected one argument"),
    (("--target", "log(x)"), r"--target: log\(x\) is not finite everywhere on \[-5, 5\]"),
    *[(("--target", target), "is not finite everywhere")
      for target in ("1/(x - 5)", "1/x", "sqrt(x)", "exp(1000*x)")],
    *[(("--layers", size), "--layers: the value must be a positive integer")
      for size in ("0", "-1", "1.5", "two", "nan", "")],
    (("--layers", "4", "2"), "--layers: the last layer has 1 neuron, got 2"),
    (("--layers",), "--layers: expected at least one argument"),
    (("--activation", "rleu"), "--activation: invalid choice: 'rleu' .*'linear', 'relu'"),
    (("--activation", "relu", "tanh", "relu"), "2 layers, 3 activations"),
    (("--optimizer", "lbfgs"), "--optimizer: invalid choice: 'lbfgs' .*'adam', 'sgd'"),
    *[(("--lr", rate), "--lr: the value must be (positive|a number), got")
      for rate in ("0", "-0.1", "nan", "inf", "fast")],
    *[(("--tolerance", loss), "--tolerance: the value must be positive, got")
      for loss in ("0", "-1", "nan", "inf")],
    *[((option, number), f"{option}: the value must be a positive integer, got")
      for option in ("--iterations", "--batch") for number in ("0", "-3", "1e3")],
    (("--batch", "201"), "--batch must be at most 200"),
    *[(("--seed", seed), "--seed: the value must be an integer of at least 0, got")
      for seed in ("-1", "0.5", "x")],
    (("--out", "file"), "cannot write to file: "),
    (("--out", "file/below/it"), "cannot write to file/below/it: "),
    (("--out", "n" * 300), "cannot write to n+: "),
    (("--out", "new/" + "n" * 300), "cannot write to new/n+: "),
    (("--out", "new/folder", "--optimizer", "sgd", "--lr", "1e300"), "the loss is (inf|nan) at"),
    (("--out", "new", "--target", "1e200 * x"), "the loss is inf at iteration 1;"),
    (("--optimizer", "sgd", "--lr", "1e300", "--iterations", "1"), "not finite; lower --lr"),
    (("--lrate", "1"), "unrecognized arguments: --lrate 1"),
    (("--iter", "1"), "unrecognized arguments: --iter 1"),
    (("1",), "unrecognized arguments: 1"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda x: " ".join(x)[:40])
def test_an_error_is_one_line_with_status_2_and_leaves_nothing(run, folder, arguments, message):
    (folder / "file").write_text("mine")
    before = contents(folder)
    status, _, err = run(*SMALL, *arguments)
    assert status == 2
    assert len(err) == 1
    assert re.search(f"^python -m nn: error: .*{message}", err[0])
    assert contents(folder) == before


def test_an_error_leaves_the_files_of_the_run_before(run, folder):
    run(*SMALL)
    before = contents(folder)
    assert run(*SMALL, "--optimizer", "sgd", "--lr", "1e300")[0] == 2
    assert contents(folder) == before


@needs_matplotlib
def test_a_folder_with_the_name_of_a_file_stops_all_files(run, folder):
    (folder / "runs/loss.png").mkdir(parents=True)
    before = contents(folder)
    status, _, err = run(*SMALL)
    assert (status, len(err)) == (2, 1)
    assert re.search("cannot write to runs: .*loss.png", err[0])
    assert contents(folder) == before


# Ctrl-C


@pytest.mark.parametrize(
    ("module", "name"),
    [(regression, "gradcheck"), (functions, "plot_loss"), (output, "draw_network")],
)
def test_ctrl_c_after_training_ends_at_once_and_leaves_nothing(
    run, folder, monkeypatch, module, name
):
    def press(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, name, press)
    status, _, err = run(*SMALL, "--out", "a/b")
    assert (status, err) == (130, ["python -m nn: interrupted"])
    assert contents(folder) == {}


def start(*arguments, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "nn", *arguments],
        stderr=subprocess.PIPE, text=True, env=environment, **options,
    )  # fmt: skip


@needs_matplotlib
def test_as_a_process_it_ends_with_status_0():
    process = start(*SMALL, stdout=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1].startswith("wrote runs/")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process alone")
def test_ctrl_c_during_training_reports_and_writes_the_results_so_far(folder):
    process = start(*SMALL, "--iterations", "1000000", stdout=subprocess.PIPE)
    begun = [process.stdout.readline(), process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert begun[1].startswith("iteration     100  loss")
    assert (process.returncode, err) == (130, "")
    assert re.search(r"^stopped after [\d,]+ iterations: interrupted$", out, re.MULTILINE)
    assert re.search(r"^MSE: .*\ngradcheck of 13 ", out, re.MULTILINE)
    written = sorted(path.name for path in (folder / "runs").iterdir())
    assert [name.partition(".")[0] for name in written] == [
        "backprop", "fit", "loss", "network",
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently")
def test_a_reader_that_leaves_ends_the_run_without_a_word(folder):
    read, write = os.pipe()
    os.close(read)
    process = start(*SMALL, stdout=write)
    os.close(write)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 1
    assert contents(folder) == {}
