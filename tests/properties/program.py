"""A program of the suite: readable Python text, its arguments, and the examples it is judged at."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any

import numpy as np

from autodiff import Value
from nn import Module

IMPORTS = """\
import copy
from collections import namedtuple

import autodiff
import numpy as np
from autodiff import Value, no_grad, ops
"""

INTEGERS = ("index", "indices", "mask", "count")
"""Kinds of arguments that have no derivative."""


@dataclass(frozen=True)
class Argument:
    """An argument of f: its kind, how many numbers it holds, and where these lie.

    number, array, matrix: as their names say. list: a list of numbers; a batch is a list of them.
    columns: a list of numbers; a batch is a list of arrays. tuple, point: a tuple, a named one.
    dict: a number and an array. index, indices, count, mask: integers below `high`, bools.
    static: `static`, part of the program.
    """

    name: str
    kind: str = "number"
    size: tuple[int, ...] = ()
    low: float = -2.0
    high: float = 2.0
    static: Any = None

    def drawn(self, rng: random.Random) -> Any:
        """The argument in one example, as plain Python data."""

        def number() -> float:
            return round(rng.uniform(self.low, self.high), 3)

        match self.kind:
            case "number":
                return number()
            case "array" | "list" | "columns" | "tuple" | "point":
                return [number() for _ in range(self.size[0])]
            case "matrix":
                return [[number() for _ in range(self.size[1])] for _ in range(self.size[0])]
            case "dict":
                return [number() for _ in range(3)]
            case "index" | "count":
                return rng.randrange(int(self.high))
            case "indices":
                return [rng.randrange(int(self.high)) for _ in range(self.size[0])]
            case "mask":
                return [rng.random() < 0.5 for _ in range(self.size[0])]
        return self.static

    def given(self, rows: list[Any] | Any, is_batched: bool, names: dict[str, Any]) -> Any:
        """What a kernel takes: `rows`, one an example, or without a batch the only one."""
        kind = self.kind
        if kind == "static":
            return self.static
        if kind == "list" or (kind == "columns" and not is_batched):
            return [list(row) for row in rows] if is_batched else list(rows)
        if kind == "number" and not is_batched:
            return rows
        dtype = {"mask": bool, "index": int, "indices": int, "count": int}.get(kind, float)
        block = np.array(rows, dtype)
        axis = 1 if is_batched else 0
        parts = [block.take(k, axis) for k in range(block.shape[axis])] if block.ndim > axis else []
        if not is_batched and kind in ("tuple", "point", "dict"):
            parts = [part.item() for part in parts]
        match kind:
            case "columns":
                return parts
            case "tuple":
                return tuple(parts)
            case "point":
                return names["Point"](*parts)
            case "dict":
                return {"a": parts[0], "b": block[..., 1:]}
        return block

    def eager(self, row: Any, names: dict[str, Any]) -> tuple[Any, list[Value]]:
        """What f takes in eager execution, and the Values in it."""
        if self.kind == "static":
            return self.static, []
        if self.kind in INTEGERS:
            return (boxed(row) if isinstance(row, list) else row), []
        if self.kind == "number":
            value = Value(row)
            return value, [value]
        values = [Value(x) for x in np.array(row, float).ravel()]
        match self.kind:
            case "list" | "columns":
                return list(values), values
            case "tuple":
                return tuple(values), values
            case "point":
                return names["Point"](*values), values
            case "dict":
                return {"a": values[0], "b": boxed(values[1:])}, values
            case "matrix":
                return boxed(values).reshape(self.size), values
        return boxed(values), values


def boxed(items: list[Any]) -> Any:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


Example = dict[str, Any]
"""The plain data of every argument by its name."""


@dataclass(frozen=True)
class Program:
    """Text that defines Values and a function f; what f takes; where it is judged, and how.

    `checks` are the relations, beside those of every program, that its kernel has to keep.
    """

    setup: str
    function: str
    arguments: tuple[Argument, ...]
    points: tuple[Example, ...] = ()
    trail: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    twin: "Program | None" = None
    """A program of the same meaning."""

    @property
    def text(self) -> str:
        return f"{IMPORTS}\n{self.setup}\n\n{self.function}\n"

    def load(self) -> dict[str, Any]:
        """The names that the text defines."""
        names: dict[str, Any] = {"__name__": "program"}
        exec(compile(self.text, "<program>", "exec"), names)
        return names

    def with_points(self, points: Iterable[Example]) -> "Program":
        return replace(self, points=tuple(points))

    def given(self, names: dict[str, Any], rows: list[Example]) -> tuple[Any, ...]:
        """The arguments of a kernel for a batch of examples."""
        return tuple(a.given([row[a.name] for row in rows], True, names) for a in self.arguments)

    def given_one(self, names: dict[str, Any], row: Example) -> tuple[Any, ...]:
        """The arguments of a kernel without a batch."""
        return tuple(a.given(row[a.name], False, names) for a in self.arguments)

    def script(self, batch: int = 3, check: str = "value") -> str:
        """The program with its arguments and both sides, to be run by a person."""
        rows = list(self.points[:batch])
        lines = ["from math import inf, nan", self.text.rstrip(), "", ""]
        if any(a.kind == "point" for a in self.arguments) and "Point" not in self.setup:
            lines.append('Point = namedtuple("Point", "x y")')
        shown = ", ".join(_shown(a, [row[a.name] for row in rows]) for a in self.arguments)
        one = ", ".join(_shown(a, rows[0][a.name], eager=True) for a in self.arguments if rows)
        lines += [
            f"args = ({shown}{',' if len(self.arguments) == 1 else ''})",
            "kernel = autodiff.compile(f)",
            'print("kernel", kernel(*args))',
            f'print("eager ", f({one}), "for the first example")',
        ]
        if any(word in check for word in ("gradient", "argument", "hvp")):
            lines += [
                'print("kernel", kernel.value_and_grad(*args))',
                f"root = f({one})",
                "root.backward()",
                'print("eager ", [p.grad for p in kernel.parameters], "for the first example")',
            ]
        if "hvp" in check:
            lines.append(
                'print("kernel", kernel.hvp(*args, vector=np.ones(len(kernel.parameters))))'
            )
        return "\n".join(lines) + "\n"


def _shown(argument: Argument, rows: Any, eager: bool = False) -> str:
    kind = argument.kind
    if kind == "static":
        return repr(argument.static)
    if eager:
        if kind in INTEGERS:
            return f"np.array({rows!r}, object)" if isinstance(rows, list) else repr(rows)
        if kind == "number":
            return f"Value({rows!r})"
        if kind == "matrix":
            return f"np.array([[Value(v) for v in row] for row in {rows!r}])"
        values = f"[Value(v) for v in {rows!r}]"
        first, *rest = rows
        return {
            "array": f"np.array({values})", "tuple": f"tuple({values})",
            "point": f"Point(*{values})",
            "dict": f'{{"a": Value({first}), "b": np.array([Value(v) for v in {rest!r}])}}',
        }.get(kind, values)  # fmt: skip
    if kind == "list":
        return repr(rows)
    if kind in ("columns", "tuple", "point"):
        parts = ", ".join(f"np.array({list(part)!r})" for part in zip(*rows, strict=True))
        return {"columns": f"[{parts}]", "tuple": f"({parts},)", "point": f"Point({parts})"}[kind]
    if kind == "dict":
        a, b = [row[0] for row in rows], [row[1:] for row in rows]
        return f'{{"a": np.array({a!r}), "b": np.array({b!r})}}'
    return f"np.array({rows!r})"


def values_in(tree: Any, seen: dict[int, Any] | None = None) -> Iterator[Value]:
    """The leaf Values that names, and the functions among them, hold, in order, each once."""
    seen = {} if seen is None else seen
    if id(tree) in seen or isinstance(tree, type):
        return
    seen[id(tree)] = tree  # kept, so that no other object gets its id
    if isinstance(tree, Value):
        if tree.op is None:
            yield tree
    elif isinstance(tree, Module):
        yield from values_in(tree.parameters(), seen)
    elif isinstance(tree, dict):
        for branch in list(tree.values()):
            yield from values_in(branch, seen)
    elif isinstance(tree, list | tuple):
        for branch in tree:
            yield from values_in(branch, seen)
    elif isinstance(tree, np.ndarray) and tree.dtype == object:
        yield from values_in(tree.ravel().tolist(), seen)
    elif isinstance(tree, FunctionType):
        for cell in tree.__closure__ or ():
            yield from values_in(cell.cell_contents, seen)
