"""`tree`: a graph as text, root first."""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from autodiff.checks import integer, show
from autodiff.engine.graph import toposort
from autodiff.engine.value import Value
from autodiff.view.modules import parameter_names
from autodiff.view.nearest import nearest
from autodiff.view.text import counted, digits, readable

MAX_NODES = 200
_CONSTANTS = 8
"""The most constants in a row that are shown."""
_BOLD, _CYAN, _YELLOW, _DIM, _RESET = (f"\x1b[{code}m" for code in ("1", "36", "33", "2", "0"))


class Tree(str):
    """Text that is shown as it is, by `print` and by an interactive session."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree(
    root: Value,
    *,
    model: Any = None,
    depth: int = 30,
    precision: int = 4,
    max_nodes: int = MAX_NODES,
    color: bool | None = None,
) -> Tree:
    """The graph that ends in `root` as a tree of text: `print(autodiff.tree(loss))`.

    Each line is a node, with its label, op, data and gradient ("—" before a backward pass), and
    below it are the operands of its op, constants as plain numbers. A node that is used more
    than once has its operands where it stands first, with a number as in `[1]`; everywhere else
    `↑ [1]` refers to that line.

    `model` names parameters, as in `draw`. `depth` is the most steps from the root. Of a graph of
    more than `max_nodes` nodes, those nearest to the root are shown; the last line says how many
    are not. Colors are used if `color`, by default if stdout is a terminal and NO_COLOR
    is not set.

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


class _Item(NamedTuple):
    """A line to be: a node, or text; what stands before it; how far it is from the root."""

    content: Value | str
    branch: str
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
        """The lines of the nodes in `kept`, down to `depth`, and of what is left out."""
        stack = [_Item(self.root, "", "", 0)]
        while stack:
            item = stack.pop()
            if isinstance(item.content, str):
                yield self._dim(item.branch) + item.content
                continue
            node = item.content
            is_deepest = item.depth == depth
            if node in self.opened or (is_deepest and node in self.written):
                yield self._dim(item.branch) + self._reference(node)
                continue
            yield self._dim(item.branch) + self._text(node)
            self.written.add(node)
            if not is_deepest:
                # What was cut at its first place may have room for its operands at a later one.
                self.opened.add(node)
            below = self._below(node, kept, is_deepest)
            for i, content in enumerate(reversed(below)):
                branch, indent = ("│  ", "├─ ") if i else ("   ", "└─ ")
                stack.append(
                    _Item(content, item.indent + indent, item.indent + branch, item.depth + 1)
                )
        if hidden := len(self.order) - len(self.written):
            yield self._dim(f"… {counted(hidden, 'node')} not shown")

    def _below(
        self, node: Value, kept: Mapping[Value, None], is_deepest: bool
    ) -> list[Value | str]:
        """The arguments of the op; those in a row that are constants, or not shown, in one line."""
        if is_deepest:
            return [self._dim("…")] if node.operands else []
        below: list[Value | str] = []
        for kind, group in groupby(node.arguments, lambda x: self._kind(x, kept)):
            row = list(group)
            if kind == "node":
                below += row  # type: ignore[arg-type]  # a row of one kind
            elif kind == "hidden":
                below.append(self._dim(f"… {counted(len(row), 'operand')}"))
            else:
                texts = [digits(x, self.precision) for x in row[:_CONSTANTS]]  # type: ignore[arg-type]
                if len(row) > _CONSTANTS:
                    texts.append(f"… {len(row) - _CONSTANTS:,} more")
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
