"""Output of commands: files that appear together, progress, and missing extras."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autodiff.view import find_renderer
from nn.layers.mlp import MLP
from nn.train.progress import Lines, Progress, Silent, best
from nn.view.network import draw_network
from nn.view.plots import can_plot

INTERRUPTED = 130  # as shells report a program that SIGINT ended


@contextmanager
def output_folder(out: Path) -> Iterator[Path]:
    """A folder whose files move to `out` at the end; on an error nothing of it is left."""
    made = [folder for folder in (out, *out.parents) if not os.path.exists(folder)]
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out, prefix=".unfinished-") as temporary:
            folder = Path(temporary)
            yield folder
            files = sorted(folder.iterdir())
            for path in files:
                if (out / path.name).is_dir():
                    raise IsADirectoryError(f"{out / path.name} is a folder")
            for path in files:
                path.replace(out / path.name)
    except BaseException:
        for made_here in made:
            if os.path.isdir(made_here) and not os.listdir(made_here):
                os.rmdir(made_here)
        raise


def progress(is_silent: bool) -> Progress:
    """The display of progress; a terminal without rich is told what to install."""
    if is_silent:
        return Silent()
    found = best()
    if isinstance(found, Lines) and sys.stderr.isatty():
        print('pip install "scalar-autodiff[pretty]" to see this as a progress bar')
    return found


def write_drawing(folder: Path, model: MLP) -> None:
    """Write `network.svg`, or `network.gv`, its DOT text, where nothing can draw it."""
    drawing = draw_network(model)
    if find_renderer("svg"):
        (folder / "network.svg").write_bytes(drawing.pipe("svg"))
    else:
        (folder / "network.gv").write_text(drawing.source, encoding="utf-8")


def print_written(out: Path, folder: Path) -> None:
    """Print the files in `folder` as they will be named in `out`."""
    written = sorted(path.name for path in folder.iterdir())
    print("wrote", ", ".join(str(out / name) for name in written))


def print_missing(*, draws: bool = True) -> None:
    """Print the extras that would have made pictures."""
    missing = {"plot": not can_plot(), "draw": draws and find_renderer("svg") is None}
    for extra, is_missing in missing.items():
        if is_missing:
            print(f'pip install "scalar-autodiff[{extra}]" to {extra} these as pictures')
