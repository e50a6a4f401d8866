"""How training shows where it is: a bar, lines, or nothing."""

import sys
from types import TracebackType
from typing import Any, Protocol, Self


class Progress(Protocol):
    """A context, entered for one training, that is called after every iteration."""

    def __enter__(self) -> Self:
        """Begin."""

    def __call__(self, iteration: int, iterations: int, loss: float) -> None:
        """Show that `iteration`, counted from 1, of `iterations` had this loss."""

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

    def __call__(self, iteration: int, iterations: int, loss: float) -> None:
        """Show nothing."""

    def __exit__(self, *exception: object) -> None:
        pass


class Lines(Silent):
    """Prints the loss every `every` iterations and after the last, to `file`."""

    def __init__(self, every: int = 100, file: Any = None) -> None:
        self.every = every
        self.file = file

    def __call__(self, iteration: int, iterations: int, loss: float) -> None:
        """Print a line if it is time."""
        if iteration % self.every == 0 or iteration == iterations:
            print(
                f"iteration {iteration:>{len(str(iterations))}}  loss {loss:.6g}",
                file=self.file or sys.stdout,
                flush=True,
            )


class Bar(Silent):
    """A progress bar with the loss, drawn by rich on standard error."""

    def __init__(self) -> None:
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.TextColumn("training"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TextColumn("loss {task.fields[loss]:.4g}"),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("training", total=None, loss=float("nan"))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __call__(self, iteration: int, iterations: int, loss: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=iteration, total=iterations, loss=loss)

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()


def best() -> Progress:
    """A bar if standard error is a terminal and rich is installed, else lines."""
    if sys.stderr.isatty():
        try:
            return Bar()
        except ImportError:
            pass
    return Lines()
