"""How training shows where it is: a bar, lines, or nothing."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Any, Literal, Protocol, Self


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
    """Prints a line every `every` steps and after the last, to `file`.

    By default every 100 iterations, or as many epochs as make some twenty lines.
    """

    def __init__(self, every: int | None = None, file: Any = None) -> None:
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
    """A progress bar in the output of a notebook's cell, moved ten times a second at most."""

    def __init__(self) -> None:
        self._handle: Any = None
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
            show: Any = display  # IPython has no types for it
            self._handle = show(_Shown(step), display_id=True)
        else:
            self._handle.update(_Shown(step))


class _Shown:
    """A step as IPython displays it: HTML, or text."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __repr__(self) -> str:
        step = self._step
        return f"{step.unit} {step.number} of {step.total}  {step.described(4)}"

    def _repr_html_(self) -> str:
        return f'<progress value="{self._step.number}" max="{self._step.total}"></progress> {self}'


def best() -> Progress:
    """A bar in a notebook, or if standard error is a terminal and rich is installed; else lines."""
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
