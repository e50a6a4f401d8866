"""Text → a function that tracebacks show, or a module that runs by itself."""

import ast
import inspect
import linecache
import weakref
from collections.abc import Callable, Sequence
from itertools import count
from types import CodeType
from typing import cast

import numpy.typing as npt

from autodiff.compiler.numpy.runtime import ARGUMENTS, NAMESPACE, Array, Step, strided
from autodiff.rows import special
from autodiff.rows.arrays import SPECIAL

Bind = Callable[[int, float, npt.DTypeLike, Sequence[Array]], Step]
"""The function that a text defines: batch size, scale, dtype and arrays → step."""

MANY_LINES = 4000
"""Above this many lines, exec the body of a text at module level."""

_NUMBERS = count(1)  # no two texts, living or dead, have the same name


def load(text: str, name: str) -> Bind:
    """The function `bind` of a text.

    Tracebacks and debuggers show its lines as long as `bind`, or a function that it made, lives.
    """
    filename = f"<autodiff kernel {next(_NUMBERS)}, {name}>"
    namespace = dict(NAMESPACE)
    if text.count("\n") < MANY_LINES:
        code = compile(text, filename, "exec")
        _show(text, filename, code)
        exec(code, namespace)
        return cast(Bind, namespace["bind"])
    # Python's time to compile a function grows with the square of the names it closes over.
    (function,) = ast.parse(text, filename).body
    body = ast.Module(cast(ast.FunctionDef, function).body[:-1], [])
    code = compile(body, filename, "exec")
    _show(text, filename, code)

    def bind_names(batch: int, scale: float, dtype: npt.DTypeLike, arrays: Sequence[Array]) -> Step:
        given = (batch, scale, dtype, arrays)
        names = namespace | dict(zip(ARGUMENTS, given, strict=True))
        exec(code, names)
        return cast(Step, names.pop("step"))  # which keeps `names`

    return bind_names


def _show(text: str, filename: str, code: CodeType) -> None:
    """Let tracebacks show the lines of a text, until nothing can run its innermost function."""
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    while inner := [x for x in code.co_consts if isinstance(x, CodeType)]:
        code = inner[0]
    weakref.finalize(code, linecache.cache.pop, filename, None).atexit = False


def standalone(text: str, arrays: Sequence[Array]) -> str:
    """Emitted text as a module that imports NumPy and the standard library alone.

    The module's `arrays` are those that `bind` takes. Raises ValueError for a text that calls a
    function that a user gave to `custom_op`.
    """
    nodes = list(ast.walk(ast.parse(text)))
    names = set(map(_named, nodes))
    match [x.slice for x in nodes if isinstance(x, ast.Subscript) and _named(x.value) == "custom"]:
        case [ast.Constant(op), *_]:
            raise ValueError(f"the op {op!r} is a Python function, which cannot be written down")
    parts = []
    if not names.isdisjoint(SPECIAL):  # a module that stands alone itself
        parts.append(inspect.getsource(special))
    else:
        parts += ["import math\n"] * ("math" in names) + ["\nimport numpy as np\n"]
    if "strided" in names:
        parts.insert(-1, "from typing import Any\n")
        parts.append(f"\n\n{inspect.getsource(strided)}")
    return "".join([*parts, f"\narrays = {_written_down(arrays)}\n", f"\n\n{text}"]).lstrip()


def _named(node: ast.AST) -> str:
    """The name that a node of Python's syntax tree is; empty for any other node."""
    return node.id if isinstance(node, ast.Name) else ""


def _written_down(arrays: Sequence[Array]) -> str:
    """A list of arrays as an expression."""
    lines = []
    for array in arrays:
        numbers = str(array.tolist()).replace("inf", "np.inf").replace("nan", "np.nan")
        lines.append(f"    np.array({numbers}, {array.dtype.str!r}),")
    return "\n".join(["[", *lines, "]"]) if lines else "[]"
