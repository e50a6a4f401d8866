"""Array forms of a user's op: a function or an expression as the NumPy spelling of a row."""

import ast
import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

Form = Callable[..., Any]


def _checked_form(name: str, form: Form) -> Form:
    """`form` with read-only operands; its result must have their broadcast shape."""

    def checked(*arrays: Any) -> Any:
        out = form(*map(_read_only, arrays))
        shapes = [np.shape(x) for x in arrays]
        if np.shape(out) != np.broadcast_shapes(*shapes):
            raise ValueError(f"{name}: its array form gave {np.shape(out)} on shapes {shapes}")
        # An operand itself, or a part of one, would change with it.
        is_part = isinstance(out, np.ndarray) and not out.flags.writeable
        return out.copy() if is_part else out

    return checked


def _read_only(x: Any) -> Any:
    """A read-only view of `x`: the operands belong to the caller, or are read again."""
    if not isinstance(x, np.ndarray):
        return x
    view = x.view()
    view.flags.writeable = False
    return view


def spelling_of(
    name: str, array: Form | str | None, forward: Form, count: int
) -> tuple[str, str, Form | None]:
    """The NumPy expression of a row, the name of its ufunc, and the function it calls."""
    holes = ", ".join(f"{{{i}}}" for i in range(count))
    ufunc = array.__name__ if isinstance(array, np.ufunc) else ""
    if ufunc and vars(np).get(ufunc) is array:
        taken = getattr(np, ufunc).nin  # one operand more would be taken for `out`
        if taken != count:
            raise ValueError(f"{name}: np.{ufunc} takes {taken} operands, the op {count}")
        return f"np.{ufunc}({holes})", ufunc, None
    if array is None:
        array = np.vectorize(forward, otypes=[float])
    if not callable(array):
        text, array = _expression(name, array, count)
        if text:
            return text, "", None
    return f"custom[{name!a}]({holes})", "", _checked_form(name, array)


def _expression(name: str, text: Any, count: int) -> tuple[str, Form]:
    """The expression, "" if it binds names, and the function of its operands.

    In the text of a kernel, names that it binds could clash with those of arrays.
    """
    stem = "x"
    while stem in str(text):
        stem += "_"
    names = [f"{stem}{i}" for i in range(count)]
    try:
        tree = ast.parse(text.format(*names).strip(), mode="eval")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, SyntaxError) as error:
        holes = ", ".join(f"{{{i}}}" for i in range(count))
        raise ValueError(
            f"{name}: array is neither a function nor an expression in {holes}: {text!r} ({error})"
        ) from None
    # On one line, without comments.
    line = ast.unparse(tree)
    function: Form = eval(f"lambda {', '.join(names)}: {line}", {"np": np, "math": math})
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    if not used <= {"np", "math", *names} or not line.isascii():
        return "", function
    line = line.replace("{", "{{").replace("}", "}}")
    return re.sub(rf"\b{stem}(\d+)\b", r"{\1}", line), function
