"""What a notebook shows for a `Value` and a `Program`: a picture if it is small, else text."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from subprocess import CalledProcessError
from typing import Any

from autodiff.compiler.arrays.program import Program
from autodiff.engine.value import Value
from autodiff.view.graph.drawing import draw
from autodiff.view.nearest import nearest
from autodiff.view.renderer import RendererNotFound
from autodiff.view.text import counted

SMALL = 60
"""Nodes or instructions of a picture that is drawn without being asked for."""
_LINES = 40

Types = Collection[str] | None


def bundle(
    text: str,
    picture: Callable[[Types, Types], Mapping[str, Any]] | None,
    include: Types = None,
    exclude: Types = None,
) -> dict[str, Any]:
    """The representations of an object for `_repr_mimebundle_`: `text`, and those of a picture.

    `picture` gets `include` and `exclude`, the MIME types that are asked for and those that are
    not. Text alone if it cannot be made here: without a renderer, without matplotlib.
    """
    shown: dict[str, Any] = {}
    if picture:
        with suppress(RendererNotFound, CalledProcessError, OSError, ImportError):
            shown |= picture(include, exclude)
    shown["text/plain"] = text
    return {
        kind: content
        for kind, content in shown.items()
        if (include is None or kind in include) and kind not in (exclude or ())
    }


def _of_value(
    value: Value, include: Types = None, exclude: Types = None, **_: Any
) -> dict[str, Any]:
    """The graph, if it has an op and few nodes."""
    text = repr(value)
    count = len(nearest([value], lambda node: node.operands, SMALL + 1))
    if count > SMALL:
        text += (
            f"\n… of more than {SMALL} nodes: autodiff.draw draws them, autodiff.tree lists them"
        )
    picture = draw(value)._repr_mimebundle_ if 1 < count <= SMALL else None
    return bundle(text, picture, include, exclude)


def _of_program(
    program: Program, include: Types = None, exclude: Types = None, **_: Any
) -> dict[str, Any]:
    """The array program, if it is short."""
    lines = str(program).splitlines()
    is_small = len(program.instrs) <= SMALL
    if not is_small:
        more = counted(len(lines) - _LINES, "more line")
        lines[_LINES:] = [f"… {more}: print(program) shows them, autodiff.draw draws them"]
    picture = draw(program)._repr_mimebundle_ if is_small else None
    return bundle("\n".join(lines), picture, include, exclude)


# Both stand below `view` in the order of imports, so they cannot draw themselves.
Value._repr_mimebundle_ = _of_value  # type: ignore[attr-defined]
Program._repr_mimebundle_ = _of_program  # type: ignore[attr-defined]
