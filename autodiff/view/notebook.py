"""`Value` and `Program` in a notebook: a picture if they are small, else text."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from subprocess import CalledProcessError

from autodiff.compiler.arrays.program import Program
from autodiff.engine.value import Value
from autodiff.view.graph.drawing import draw
from autodiff.view.nearest import nearest
from autodiff.view.renderer import RendererNotFound
from autodiff.view.text import counted

SMALL = 60
"""The most nodes or instructions of which a notebook shows a picture."""
_MOST_LINES = 40

Types = Collection[str] | None
"""MIME types; None for any."""
Bundle = dict[str, str | bytes]
"""The representations of an object, by MIME type."""


def bundle(
    text: str,
    picture: Callable[[Types, Types], Mapping[str, str | bytes]] | None,
    include: Types = None,
    exclude: Types = None,
) -> Bundle:
    """The representations for `_repr_mimebundle_`: `text`, and those that `picture` returns.

    `picture` gets `include` and `exclude`, the MIME types that are wanted and those that are
    not. If it cannot be made here, for lack of a renderer or of matplotlib, there is text alone.
    """
    shown: Bundle = {}
    if picture:
        with suppress(RendererNotFound, CalledProcessError, OSError, ImportError):
            shown |= picture(include, exclude)
    shown["text/plain"] = text
    return {
        kind: content
        for kind, content in shown.items()
        if (include is None or kind in include) and kind not in (exclude or ())
    }


def _of_value(value: Value, include: Types = None, exclude: Types = None, **_: object) -> Bundle:
    """A picture of the graph if it is small, and text."""
    text = repr(value)
    count = len(nearest([value], lambda node: node.operands, SMALL + 1))
    if count > SMALL:
        text += f"\n… more than {SMALL} nodes: autodiff.draw draws them, autodiff.tree lists them"
    picture = draw(value)._repr_mimebundle_ if 1 < count <= SMALL else None
    return bundle(text, picture, include, exclude)


def _of_program(
    program: Program, include: Types = None, exclude: Types = None, **_: object
) -> Bundle:
    """A picture of the program if it is short, and text."""
    lines = str(program).splitlines()
    is_small = len(program.instrs) <= SMALL
    if not is_small:
        more = counted(len(lines) - _MOST_LINES, "more line")
        lines[_MOST_LINES:] = [f"… {more}: print(program) shows them, autodiff.draw draws them"]
    picture = draw(program)._repr_mimebundle_ if is_small else None
    return bundle("\n".join(lines), picture, include, exclude)


# Neither class may import `view`, so the methods are attached here.
Value._repr_mimebundle_ = _of_value  # type: ignore[attr-defined]
Program._repr_mimebundle_ = _of_program  # type: ignore[attr-defined]
