"""What emitted text reads: only what it has written before."""

import ast
from typing import Any

import numpy as np

from autodiff.compiler.numpy.runtime import BUILTINS, NAMESPACE


def unbound_names(source: str) -> list[str]:
    """The names that `bind`, or the `step` in it, reads before it has bound them."""
    (bind,) = ast.parse(source).body
    assert isinstance(bind, ast.FunctionDef)
    step = next(node for node in bind.body if isinstance(node, ast.FunctionDef))
    body = [node for node in bind.body if node is not step]
    known = {*NAMESPACE, *BUILTINS, *arguments(bind)}
    unbound = read_too_early(body[:-1], known)
    return unbound + read_too_early(step.body, known | set(arguments(step)))


def arguments(function: ast.FunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def read_too_early(lines: list[ast.stmt], known: set[str]) -> list[str]:
    """The names that a line reads and neither `known` has nor an earlier line binds."""
    found = []
    for line in lines:
        names = [node for node in ast.walk(line) if isinstance(node, ast.Name)]
        found += [x.id for x in names if isinstance(x.ctx, ast.Load) and x.id not in known]
        known |= {x.id for x in names if isinstance(x.ctx, ast.Store)}
    return found


class Poisoned:
    """NumPy, except that the memory of a new array holds nan, or a large integer."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        is_float = np.dtype(dtype).kind == "f"
        return np.full(shape, np.nan if is_float else np.iinfo(np.int64).max, dtype)
