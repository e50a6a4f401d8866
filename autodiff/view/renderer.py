"""The program that turns DOT text into a picture: the system's Graphviz, or the embedded one.

graphviz-pure, which `pip install "scalar-autodiff[draw]"` brings, needs no system Graphviz but
writes no pdf.
"""

import shutil
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any

import graphviz
from graphviz.backend import dot_command
from graphviz.parameters import verify_format

# As `graphviz-pure -T?` lists them.
EMBEDDED_FORMATS = frozenset(
    "canon dot dot_json gv jpe jpeg jpg json json0 plain plain-ext png svg "  # noqa: SIM905 - shorter
    "xdot xdot1.2 xdot1.4 xdot_json".split()
)
_patching = Lock()


class RendererNotFound(graphviz.ExecutableNotFound):  # type: ignore[misc]  # graphviz has no types
    """No installed program draws the format that was asked for."""

    def __init__(self, message: str) -> None:
        # The base makes its message of a command line.
        RuntimeError.__init__(self, message)


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """DOT text that is drawn by whichever renderer is found, to SVG unless told otherwise.

    The renderer's warnings are silent unless `quiet=False`; its errors are raised.
    """

    def __init__(self, *args: Any, format: str = "svg", **options: Any) -> None:
        super().__init__(*args, format=format, **options)

    def pipe(self, format: str | None = None, *, quiet: bool = True, **options: Any) -> Any:
        """The picture: bytes, or text with `encoding`. Options as in graphviz."""
        format = (format or self.format).lower()
        with _renderer_of(format):
            return super().pipe(format, quiet=quiet, **options)

    def render(
        self,
        filename: str | PathLike[str] | None = None,
        *,
        format: str | None = None,
        outfile: str | PathLike[str] | None = None,
        quiet: bool = True,
        **options: Any,
    ) -> Any:
        """Write DOT text and picture to files; the picture's path. Options as in graphviz."""
        format = (format or Path(outfile or "").suffix[1:] or self.format).lower()
        with _renderer_of(format):
            return super().render(filename, format=format, outfile=outfile, quiet=quiet, **options)

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None, **_: Any
    ) -> Any:
        """What a notebook shows: SVG, and PNG for viewers that hide SVG; else what to install."""
        if include is None:
            include = "image/svg+xml", "image/png"
        try:
            return super()._repr_mimebundle_(include, exclude)
        except RendererNotFound as error:
            return {"text/plain": str(error)}


def find_renderer(format: str) -> Path | None:
    """The program that draws `format`, or None: the system's `dot`, else the embedded one."""
    program = shutil.which("dot")
    if program is None and format.lower() in EMBEDDED_FORMATS:
        program = _embedded()
    return Path(program).absolute() if program else None


def _embedded() -> str | None:
    # pip's folders come first: without an active environment they are often not on the PATH.
    user = sysconfig.get_preferred_scheme("user")
    for folder in (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", user), None):
        if program := shutil.which("graphviz-pure", path=folder):
            return program
    return None


@contextmanager
def _renderer_of(format: str) -> Iterator[None]:
    """In this context graphviz runs the program that draws `format`.

    Raises ValueError for an unknown format, RendererNotFound if no program draws it.
    """
    verify_format(format)
    program = find_renderer(format)
    if program is None:
        raise RendererNotFound(_advice(format))
    with _running(program):
        yield


@contextmanager
def _running(program: Path) -> Iterator[None]:
    """In this context graphviz runs `program`; other threads wait to draw."""
    # graphviz has no setter; `graphviz.DOT_BINARY` is only a copy.
    with _patching:
        before = dot_command.DOT_BINARY
        dot_command.DOT_BINARY = program
        try:
            yield
        finally:
            dot_command.DOT_BINARY = before


def _advice(format: str) -> str:
    """What to install for `format`."""
    embedded = 'pip install "scalar-autodiff[draw]"'
    system = "Graphviz from https://graphviz.org/download"
    if format.lower() in EMBEDDED_FORMATS:
        return f"nothing found to draw {format} with: {embedded}, or install {system}"
    return f"{format} needs the system's {system}; for svg, png and jpg, {embedded} is enough"
