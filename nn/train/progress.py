"""How training shows where it is: a bar, lines, or nothing."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Literal, Protocol, Self, TextIO, runtime_checkable

from autodiff.checks import brief


@dataclass(frozen=True)
class Step:
    """Iteration or epoch `number`, counted from 1, of `total`, and what was measured in it."""

    number: int
    total: int
    loss: float
    unit: Literal["iteration", "epoch"] = "iteration"
    figures: Mapping[str, float] = field(default_factory=dict)

    def described(self, digits: int) -> str:
        """The loss and the figures: `loss 0.25  validation accuracy 0.9`."""
        shown = {"loss": self.loss} | dict(self.figures)
        return "  ".join(f"{name.replace('_', ' ')} {x:.{digits}g}" for name, x in shown.items())

    def compact(self) -> str:
        """The same where there is little room, training / validation: `loss 0.25 / 0.3`."""
        shown = {"loss": self.loss} | dict(self.figures)
        parts = []
        for name in [name for name in shown if not name.startswith("validation_")]:
            pair = [shown[key] for key in (name, f"validation_{name}") if key in shown]
            parts.append(f"{name} {' / '.join(f'{x:.3g}' for x in pair)}")
        return "  ".join(parts)


@runtime_checkable
class Progress(Protocol):
    """A context, entered for one training, that is called after every step."""

    def __enter__(self) -> Self:
        """Begin."""

    def __call__(self, step: Step) -> None:
        """Show a step."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __call__(self, step: Step) -> None:
        """Show nothing."""

    def __exit__(self, *exception: object) -> None:
        pass


class Lines(Silent):
    """Prints a line after every `every` steps and after the last, to `file`.

    By default that is every 100 iterations, or as many epochs as give about twenty lines.
    """

    def __init__(self, every: int | None = None, file: TextIO | None = None) -> None:
        self.every = every
        self.file = file

    def __call__(self, step: Step) -> None:
        """Print a line if it is time."""
        is_iteration = step.unit == "iteration"
        usual = 100 if is_iteration else max(1, round(step.total / 20))
        if step.number % (self.every or usual) == 0 or step.number == step.total:
            measured = step.described(6 if is_iteration else 4)
            print(
                f"{step.unit} {step.number:>{len(str(step.total))}}  {measured}",
                file=self.file or sys.stdout,
                flush=True,
            )


class Bar(Silent):
    """A progress bar with the loss, drawn by rich on standard error."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.BarColumn(bar_width=20),
            progress.MofNCompleteColumn(),
            progress.TextColumn("{task.fields[measured]}"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("training", total=None, measured="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __call__(self, step: Step) -> None:
        """Move the bar."""
        self._bar.update(
            self._task, completed=step.number, total=step.total, measured=step.compact()
        )

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()


class Notebook(Silent):
    """A progress bar in the output of a notebook's cell, moved at most ten times per second."""

    def __init__(self) -> None:
        self._handle: _Handle | None = None
        self._latest: Step | None = None
        self._due = float("-inf")

    def __call__(self, step: Step) -> None:
        """Move the bar if it is time."""
        self._latest = step
        if monotonic() >= self._due:
            self._show(step)

    def __exit__(self, *exception: object) -> None:
        if self._latest is not None:
            self._show(self._latest)

    def _show(self, step: Step) -> None:
        from IPython.display import display

        self._latest, self._due = None, monotonic() + 0.1
        if self._handle is None:
            self._handle = display(_Shown(step), display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(_Shown(step))


class _Handle(Protocol):
    """What IPython returns for an output that can be updated."""

    def update(self, shown: "_Shown") -> None:
        """Show something else in its place."""


class _Shown:
    """A step as IPython displays it: HTML, or text."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __repr__(self) -> str:
        step = self._step
        return f"{step.unit} {step.number} of {step.total}  {step.described(4)}"

    def _repr_html_(self) -> str:
        return f'<progress value="{self._step.number}" max="{self._step.total}"></progress> {self}'


OURS = (Silent, Lines, Bar, Notebook)
"""The kinds that neither read nor change parameters."""


def progress_of(progress: Progress | bool) -> Progress:
    """The progress that the argument of `fit` describes."""
    if isinstance(progress, bool):
        return best() if progress else Silent()
    if isinstance(progress, type) or not isinstance(progress, Progress):
        raise TypeError(
            "fit: progress must be True, False or a Progress, as nn.Lines(every=10), got "
            + brief(progress)
        )
    return progress


def best() -> Progress:
    """A bar in a notebook, or on a terminal where rich is installed; otherwise lines."""
    if _is_notebook():
        return Notebook()
    if sys.stderr.isatty():
        try:
            return Bar()
        except ImportError:
            pass
    return Lines()


def _is_notebook() -> bool:
    """Whether this runs in a Jupyter kernel, which has loaded IPython."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")
