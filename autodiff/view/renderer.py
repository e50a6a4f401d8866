"""The program that draws DOT text: Graphviz from the system, or the embedded one.

The embedded one is graphviz-pure, which comes with `pip install "scalar-autodiff[draw]"`. It
needs no Graphviz on the system, but writes no pdf.
"""

import shutil
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import Any, overload

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
    """No installed program draws the wanted format."""

    def __init__(self, message: str) -> None:
        # The base class builds its message from a command line.
        RuntimeError.__init__(self, message)


class Drawing(graphviz.Digraph):  # type: ignore[misc]  # graphviz has no types
    """DOT text that a renderer on this machine can draw, by default as SVG.

    Warnings of the renderer are hidden unless `quiet=False`; its errors are raised.
    """

    def __init__(self, *args: Any, format: str = "svg", **options: Any) -> None:
        super().__init__(*args, format=format, **options)

    @overload
    def pipe(
        self,
        format: str | None = ...,
        *,
        encoding: None = ...,
        quiet: bool = ...,
        **options: Any,
    ) -> bytes: ...

    @overload
    def pipe(
        self, format: str | None = ..., *, encoding: str, quiet: bool = ..., **options: Any
    ) -> str: ...

    def pipe(
        self,
        format: str | None = None,
        *,
        encoding: str | None = None,
        quiet: bool = True,
        **options: Any,
    ) -> bytes | str:
        """The picture as bytes, or as text in `encoding`. Options are those of graphviz."""
        format = (format or self.format).lower()
        with _renderer_of(format):
            picture: bytes | str = super().pipe(format, encoding=encoding, quiet=quiet, **options)
        return picture

    def render(
        self,
        filename: str | PathLike[str] | None = None,
        *,
        format: str | None = None,
        outfile: str | PathLike[str] | None = None,
        quiet: bool = True,
        **options: Any,
    ) -> str:
        """Write DOT text and picture to files; returns the path of the picture.

        Options are those of graphviz.
        """
        format = (format or Path(outfile or "").suffix[1:] or self.format).lower()
        with _renderer_of(format):
            path: str = super().render(
                filename, format=format, outfile=outfile, quiet=quiet, **options
            )
        return path

    def _repr_mimebundle_(
        self,
        include: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        **_: object,
    ) -> Mapping[str, str | bytes]:
        """SVG, and PNG for viewers that hide SVG; without a renderer, what to install."""
        if include is None:
            include = "image/svg+xml", "image/png"
        try:
            shown: Mapping[str, str | bytes] = super()._repr_mimebundle_(include, exclude)
        except RendererNotFound as error:
            return {"text/plain": str(error)}
        return shown


def find_renderer(format: str) -> Path | None:
    """The program that draws `format`: `dot` of the system, the embedded one, or None."""
    program = shutil.which("dot")
    if program is None and format.lower() in EMBEDDED_FORMATS:
        program = _embedded()
    return Path(program).absolute() if program else None


def _embedded() -> str | None:
    # The folders of pip come first: outside an active environment, PATH often lacks them.
    user = sysconfig.get_preferred_scheme("user")
    for folder in (sysconfig.get_path("scripts"), sysconfig.get_path("scripts", user), None):
        if program := shutil.which("graphviz-pure", path=folder):
            return program
    return None


@contextmanager
def _renderer_of(format: str) -> Iterator[None]:
    """A context in which graphviz runs the program that draws `format`.

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
    """A context in which graphviz runs `program`; other threads wait for it to end."""
    # graphviz has no setter, and `graphviz.DOT_BINARY` is only a copy.
    with _patching:
        before = dot_command.DOT_BINARY
        dot_command.DOT_BINARY = program
        try:
            yield
        finally:
            dot_command.DOT_BINARY = before


def _advice(format: str) -> str:
    """Advice on what to install for `format`."""
    embedded = 'pip install "scalar-autodiff[draw]"'
    system = "Graphviz from https://graphviz.org/download"
    if format.lower() in EMBEDDED_FORMATS:
        return f"no program found that draws {format}: {embedded}, or install {system}"
    return f"{format} needs the system's {system}; for svg, png and jpg, {embedded} is enough"
