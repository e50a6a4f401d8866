"""What training prints: lines, a bar, or nothing."""

import io
import sys
from functools import partial
from types import ModuleType, SimpleNamespace

import pytest

import nn
from nn.train.progress import Bar, Lines, Notebook, Silent, Step, best


def shown(progress, iterations, loss=0.125):
    with progress as report:
        assert report is progress
        for iteration in range(1, iterations + 1):
            report(Step(iteration, iterations, loss * iteration))


@pytest.mark.parametrize(
    ("iterations", "every", "numbers"),
    [
        (250, 100, ["100", "200", "250"]),
        (1000, 100, [f"{n:4}" for n in range(100, 1001, 100)]),
        (3, 100, ["3"]),
        (4, 2, ["2", "4"]),
    ],
)
def test_lines_print_every_hundredth_and_the_last(capsys, iterations, every, numbers):
    shown(Lines() if every == 100 else Lines(every), iterations)
    printed = capsys.readouterr()
    assert printed.out == "".join(
        f"iteration {number}  loss {0.125 * int(number):.6g}\n" for number in numbers
    )
    assert printed.err == ""


def test_lines_go_to_a_file_at_once(capsys):
    class File(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    file = File()
    shown(Lines(1, file), 2, loss=1 / 3)
    assert file.getvalue() == "iteration 1  loss 0.333333\niteration 2  loss 0.666667\n"
    assert file.flushed >= 2
    assert capsys.readouterr().out == ""


def test_silent_progress_prints_nothing(capsys):
    shown(Silent(), 200)
    assert capsys.readouterr() == ("", "")


def terminal(monkeypatch, is_one):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_one, raising=False)


def test_a_bar_shows_iterations_and_loss_on_standard_error(monkeypatch, capsys):
    console = pytest.importorskip("rich.console")
    options = {"force_terminal": True, "width": 100, "_environ": {}}
    monkeypatch.setattr(console, "Console", partial(console.Console, **options))
    shown(Bar(), 40)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "40/40" in printed.err
    assert "loss 5" in printed.err
    assert "\x1b[?25h" in printed.err, "the cursor is shown again"


def test_a_bar_ends_also_after_an_error(monkeypatch, capsys):
    console = pytest.importorskip("rich.console")
    monkeypatch.setattr(
        console, "Console", partial(console.Console, force_terminal=True, _environ={})
    )

    def fail(predictions, targets):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        nn.fit(nn.Neuron(1), [1.0], [1.0], loss=fail, progress=Bar(), engine="eager")
    assert "\x1b[?25h" in capsys.readouterr().err


def test_the_best_is_a_bar_on_a_terminal_with_rich_else_lines(monkeypatch, capsys):
    terminal(monkeypatch, False)
    assert type(best()) is Lines
    terminal(monkeypatch, True)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "rich", None)
        assert type(best()) is Lines
    pytest.importorskip("rich")
    assert type(best()) is Bar


@pytest.mark.parametrize(("epochs", "numbers"), [(3, "1 2 3"), (60, "3 6 9"), (200, "10 20 30")])
def test_epochs_print_about_twenty_lines(capsys, epochs, numbers):
    with Lines() as report:
        for k in range(1, epochs + 1):
            report(Step(k, epochs, 0.5, "epoch", {"accuracy": 0.25, "validation_loss": 1.0}))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) in (3, 20)
    width = len(str(epochs))
    assert lines[:3] == [
        f"epoch {number:>{width}}  loss 0.5  accuracy 0.25  validation loss 1"
        for number in numbers.split()
    ]


def test_a_bar_pairs_training_with_validation():
    step = Step(1, 2, 0.25, "epoch", {"accuracy": 0.9375, "validation_loss": 0.5, "lr": 0.01})
    assert step.compact() == "loss 0.25 / 0.5  accuracy 0.938  lr 0.01"
    both = Step(1, 2, 1.0, "epoch", {"r2": 0.5, "validation_loss": 2.0, "validation_r2": 0.4})
    assert both.compact() == "loss 1 / 2  r2 0.5 / 0.4"


class Displayed:
    """A stand-in for IPython: what was displayed, and how it was updated."""

    def __init__(self, monkeypatch):
        self.shown = []
        package = ModuleType("IPython")
        package.get_ipython = lambda: SimpleNamespace(kernel=1)
        package.display = ModuleType("IPython.display")
        package.display.display = self.display
        monkeypatch.setitem(sys.modules, "IPython", package)
        monkeypatch.setitem(sys.modules, "IPython.display", package.display)

    def display(self, shown, display_id):
        assert display_id is True
        self.shown.append(("new", shown))
        return SimpleNamespace(update=lambda shown: self.shown.append(("update", shown)))


def test_a_notebook_has_one_bar_that_ends_at_the_last_step(monkeypatch):
    displayed = Displayed(monkeypatch)
    progress = best()
    assert type(progress) is Notebook
    times = iter([0.0, 0.0, 0.05, 0.2, 0.2, 0.25, 0.3])
    monkeypatch.setattr(nn.train.progress, "monotonic", lambda: next(times))
    with progress:
        for k in (1, 2, 3, 4):
            progress(Step(k, 9, 0.5 / k, "epoch", {"accuracy": 0.75}))
    kinds, shown = zip(*displayed.shown, strict=True)
    assert kinds == ("new", "update", "update")
    assert [repr(each).split()[1] for each in shown] == ["1", "3", "4"], "as often as is due"
    assert repr(shown[-1]) == "epoch 4 of 9  loss 0.125  accuracy 0.75"
    assert shown[-1]._repr_html_() == f'<progress value="4" max="9"></progress> {shown[-1]!r}'


def test_ipython_in_a_terminal_is_not_a_notebook(monkeypatch):
    Displayed(monkeypatch)
    sys.modules["IPython"].get_ipython = SimpleNamespace
    terminal(monkeypatch, False)
    assert type(best()) is Lines
