"""`tree`: a graph as text, root first."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from autodiff.checks import integer, show
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.view.modules import Model, parameter_names
from autodiff.view.nearest import nearest
from autodiff.view.text import counted, digits, readable

MAX_NODES = 200
_MOST_CONSTANTS = 8
"""The most consecutive constants that are shown."""
_BOLD, _CYAN, _YELLOW, _DIM, _RESET = (f"\x1b[{code}m" for code in ("1", "36", "33", "2", "0"))


class Tree(str):
    """Text that an interactive session shows as `print` does."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree(
    root: Value,
    *,
    model: Model | None = None,
    depth: int = 30,
    precision: int = 4,
    max_nodes: int = MAX_NODES,
    color: bool | None = None,
) -> Tree:
    """The graph that ends in `root` as a tree of text: `print(autodiff.tree(loss))`.

    Each line is a node with its label, op, data and gradient ("—" before a backward pass). Below
    it are the operands of its op, constants as plain numbers. A node with several uses is shown
    with its operands at the first one and has a number, as in `[1]`; each further use is a line
    `↑ [1]`.

    `model` names parameters, as in `draw`. `depth` is the largest number of steps from the root.
    If the graph has more than `max_nodes` nodes, those nearest to the root are shown, and the
    last line says how many are missing. `color` turns colors on or off; by default they are on
    if stdout is a terminal and NO_COLOR is not set.

    Raises TypeError if `root` is not a Value or a limit not an integer, ValueError if a limit is
    not positive.
    """
    if not isinstance(root, Value):
        raise TypeError(f"tree takes a Value, got {show(root)}")
    for name, number in (("depth", depth), ("precision", precision), ("max_nodes", max_nodes)):
        integer(f"tree: {name}", number, least=1)
    order = toposort(root)
    names = {} if model is None else parameter_names(model)
    writer = _Writer(root, order, names, precision, _is_colored() if color is None else color)
    kept = nearest([root], lambda node: node.operands, max_nodes)
    return Tree("\n".join(writer.lines(kept, depth)))


def _is_colored() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    # A program without a console has None for stdout.
    is_terminal: bool = getattr(sys.stdout, "isatty", bool)()
    return is_terminal and os.environ.get("TERM") != "dumb"


class _Line(NamedTuple):
    """A pending line: its content, its prefix, the prefix of the lines below, and its depth."""

    content: Value | str
    prefix: str
    indent: str
    depth: int


class _Writer:
    def __init__(
        self,
        root: Value,
        order: list[Value],
        names: Mapping[Value, str],
        precision: int,
        is_colored: bool,
    ) -> None:
        self.root, self.order, self.names = root, order, names
        self.precision, self.is_colored = precision, is_colored
        uses = Counter(x for node in order for x in node.operands)
        self.shared = {node for node, count in uses.items() if count > 1}
        self.numbers: dict[Value, int] = {}
        self.written: set[Value] = set()
        self.opened: set[Value] = set()

    def lines(self, kept: Mapping[Value, None], depth: int) -> Iterator[str]:
        """The lines of the nodes in `kept`, down to `depth`, and a line on those left out."""
        stack = [_Line(self.root, "", "", 0)]
        while stack:
            line = stack.pop()
            if isinstance(line.content, str):
                yield self._dim(line.prefix) + line.content
                continue
            node = line.content
            is_deepest = line.depth == depth
            if node in self.opened or (is_deepest and node in self.written):
                yield self._dim(line.prefix) + self._reference(node)
                continue
            yield self._dim(line.prefix) + self._text(node)
            self.written.add(node)
            if not is_deepest:
                # A node that is cut at its first use may have room for its operands at a later one.
                self.opened.add(node)
            below = self._below(node, kept, is_deepest)
            for i, content in enumerate(reversed(below)):
                branch, indent = ("│  ", "├─ ") if i else ("   ", "└─ ")
                stack.append(
                    _Line(content, line.indent + indent, line.indent + branch, line.depth + 1)
                )
        if hidden := len(self.order) - len(self.written):
            yield self._dim(f"… {counted(hidden, 'node')} not shown")

    def _below(
        self, node: Value, kept: Mapping[Value, None], is_deepest: bool
    ) -> list[Value | str]:
        """The arguments of the op; consecutive constants share a line, as do hidden operands."""
        if is_deepest:
            return [self._dim("…")] if node.operands else []
        below: list[Value | str] = []
        for kind, group in groupby(node.arguments, lambda x: self._kind(x, kept)):
            run = list(group)
            if kind == "node":
                below += run  # type: ignore[arg-type]  # all of one kind
            elif kind == "hidden":
                below.append(self._dim(f"… {counted(len(run), 'operand')}"))
            else:
                texts = [digits(x, self.precision) for x in run[:_MOST_CONSTANTS]]  # type: ignore[arg-type]
                if len(run) > _MOST_CONSTANTS:
                    texts.append(f"… {len(run) - _MOST_CONSTANTS:,} more")
                below.append(", ".join(texts))
        return below

    def _kind(self, x: Value | float, kept: Mapping[Value, None]) -> str:
        if not isinstance(x, Value):
            return "constant"
        return "node" if x in kept else "hidden"

    def _text(self, node: Value) -> str:
        """Name, op, data and gradient."""
        name = self._name(node)
        grad = "—" if not (self.root.has_grad or node.has_grad) else self._digits(node.grad)
        parts = [
            self._in(_BOLD, name),
            self._in(_CYAN, readable(node.op.label) if node.op else "" if name else "leaf"),
            f"[{self.numbers.setdefault(node, len(self.numbers) + 1)}]"
            if node in self.shared
            else "",
            f" data {self._digits(node.data)}",
            f" grad {self._in(_YELLOW, grad)}",
        ]
        return " ".join(filter(None, parts))

    def _reference(self, node: Value) -> str:
        what = self._name(node) or (readable(node.op.label) if node.op else "leaf")
        return self._dim(f"↑ [{self.numbers[node]}] {what}")

    def _name(self, node: Value) -> str:
        return readable(node.label or self.names.get(node, ""))

    def _digits(self, number: float) -> str:
        return digits(number, self.precision)

    def _dim(self, text: str) -> str:
        return self._in(_DIM, text)

    def _in(self, code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if text and self.is_colored else text
