"""`play`: one HTML file that steps through a computation, forward and backward.

The scripts and styles of the page are in `assets/`; they compute no values and no derivatives.
"""

import base64
import hashlib
import html
import json
import os
import tempfile
from os import PathLike
from pathlib import Path
from string import Template

from autodiff.checks import instance, integer, show
from autodiff.engine.value import Value
from autodiff.view.modules import Model
from autodiff.view.player.playback import Playback, playback

_ASSETS = Path(__file__).parent / "assets"
_STYLES = "player.css", "graph.css", "panel.css"
_SCRIPTS = [
    f"{name}.js"
    for name in (
        "graph", "steps", "layout", "order", "explain", "scene", "paint", "camera", "player",
        "modules", "controls",
    )
]  # fmt: skip


def play(
    root: Value,
    path: str | PathLike[str] = "backprop.html",
    *,
    model: Model | None = None,
    precision: int = 4,
    title: str = "",
) -> Path:
    """Write a page that steps through the computation of `root` and its backward pass.

    Returns the path of the file, which needs no network and no server. The page shows each value
    as it is computed, then each cotangent as it flows back from `root` with seed 1. Beside the
    right sweep it has two wrong ones: depth-first without a topological sort, and = in place of
    +=.

    With `model`, as in `draw`, the nodes of each module can be folded into one box, and
    parameters have their names as labels. With more than 80 boxes to draw, modules begin folded.
    At most 500 boxes are drawn, for a graph of at most 5,000 nodes. Numbers have `precision`
    significant digits; a selected node shows all of its digits.

    The graph does not change, nor does any `grad`; the same graph gives the same file. An
    existing file is replaced whole or not at all. Raises TypeError for an argument of a wrong
    kind, ValueError if the graph is too large to be drawn or if `data` has changed since it was
    computed, OSError if the file cannot be written.
    """
    if not isinstance(root, Value):
        raise TypeError(f"play takes a Value, got {show(root)}")
    integer("play: precision", precision, least=1, most=17)
    instance("play: title", title, str, "text")
    target = _writable(path)
    text = _page(playback(root, model, precision), title or _title(root))
    _replace(target, text)
    return target


def _writable(path: str | PathLike[str]) -> Path:
    if not isinstance(path, str | PathLike):
        raise TypeError(f"path must be text or a path, got {show(path)}")
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(f"play writes a file, but {str(target)!r} is a folder")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"no folder {str(target.parent)!r} to write {target.name} into")
    return target


def _replace(target: Path, text: str) -> None:
    """Write `text` to `target`, whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".backprop.")
    except OSError as error:  # it names the temporary file
        raise type(error)(error.errno, error.strerror, str(target)) from None
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)  # mkstemp lets only the owner read
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _title(root: Value) -> str:
    return (
        f"Backpropagation of {' '.join(root.label.split())[:60]}"
        if root.label
        else "Backpropagation"
    )


def _page(graph: Playback, title: str) -> str:
    script = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _SCRIPTS)
    style = "\n".join((_ASSETS / name).read_text(encoding="utf-8") for name in _STYLES)
    script = f'"use strict";\n{script}'
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Should an escape fail, the page still loads nothing and runs no other script.
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'"
    )
    template = Template((_ASSETS / "page.html").read_text(encoding="utf-8"))
    return template.substitute(
        policy=policy, title=_text(title), style=style, script=script, graph=_json(graph)
    )


def _text(text: str) -> str:
    """`text` for HTML; half a surrogate pair, which has no UTF-8 form, is replaced."""
    return html.escape(text.encode("utf-8", "replace").decode())


def _json(graph: Playback) -> str:
    text = json.dumps(graph, separators=(",", ":"), allow_nan=False)
    # In a script, < can end the script or begin a comment; in JSON it is only inside strings.
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")
