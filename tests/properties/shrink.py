"""A failing program as small as the deletion of statements and of parts of expressions makes it."""

import ast
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.properties.program import Program
from tests.properties.trees import get, holes, parsed, put


def shrunk(program: Program, fails: Callable[[Program], bool], seconds: float = 10.0) -> Program:
    """The smallest program found that still fails; `fails` says whether one does."""
    end = time.monotonic() + seconds
    improved = True
    while improved and time.monotonic() < end:
        improved = False
        for smaller in _smaller(program):
            if time.monotonic() > end:
                break
            if _is_python(smaller) and _size(smaller) < _size(program) and fails(smaller):
                program, improved = smaller, True
                break
    return program


def _is_python(program: Program) -> bool:
    try:
        ast.parse(program.text)
    except SyntaxError:
        return False
    return True


def _size(program: Program) -> int:
    """Nodes of the text, arguments and examples."""
    count = sum(1 for _ in ast.walk(ast.parse(program.setup + "\n" + program.function)))
    return (
        20 * count
        + 10 * len(program.arguments)
        + len(set(map(str, program.points)))
        + len(program.checks)
    )


def _smaller(program: Program) -> Iterator[Program]:
    if program.checks:
        for check in program.checks:
            yield replace(program, checks=tuple(c for c in program.checks if c != check), twin=None)
    if program.twin is not None:
        yield replace(program, twin=None)
    yield from _without_statements(program)
    yield from _without_arguments(program)
    yield from _with_parts(program)
    yield from _without_setup(program)
    for k in range(len(set(map(str, program.points)))):
        yield replace(program, points=(program.points[k],) * len(program.points))


def _with(program: Program, tree: ast.AST) -> Program:
    return replace(program, function=ast.unparse(ast.fix_missing_locations(tree)), twin=None)


def _without_statements(program: Program) -> Iterator[Program]:
    tree = parsed(program)
    blocks = [
        (path, len(block)) for path, block in enumerate(_blocks(tree))
    ]  # fmt: skip
    for path, length in blocks:
        for k in range(length - 1, -1, -1):
            tree = parsed(program)
            block = list(_blocks(tree))[path]
            statement = block[k]
            inner = getattr(statement, "body", None)
            if length > 1:
                del block[k]
                yield _with(program, tree)
            if isinstance(inner, list):
                tree = parsed(program)
                block = list(_blocks(tree))[path]
                block[k : k + 1] = inner
                yield _with(program, tree)


def _blocks(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            yield body


def _without_arguments(program: Program) -> Iterator[Program]:
    if len(program.arguments) < 2:
        return
    for gone in program.arguments:
        tree = parsed(program)
        tree.args.args = [arg for arg in tree.args.args if arg.arg != gone.name]
        made = _with(program, tree)
        points = tuple({k: v for k, v in row.items() if k != gone.name} for row in program.points)
        yield replace(
            made, points=points, arguments=tuple(a for a in program.arguments if a is not gone)
        )  # fmt: skip


def _with_parts(program: Program) -> Iterator[Program]:
    """A part of an expression in its place, or a number."""
    count = len(list(holes(parsed(program))))
    for k in range(count):
        node = get(list(holes(parsed(program)))[k])
        children = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        if not isinstance(node, ast.Name | ast.Constant):
            children.append(ast.Name("x", ast.Load()))
        for child in children:
            tree = parsed(program)
            put(list(holes(tree))[k], child)
            yield _with(program, tree)
        for j in range(len(_parts(node)) if len(_parts(node)) > 1 else 0):
            tree = parsed(program)
            other = get(list(holes(tree))[k])
            del _parts(other)[j]
            if isinstance(other, ast.Dict):
                del other.keys[j]
            yield _with(program, tree)


def _parts(node: ast.AST) -> list[ast.expr]:
    """What an expression lists: elements, arguments, or values."""
    field = {ast.List: "elts", ast.Tuple: "elts", ast.Call: "args", ast.Dict: "values"}
    return getattr(node, field.get(type(node), ""), [])


def _without_setup(program: Program) -> Iterator[Program]:
    body = ast.parse(program.setup).body
    for k in range(len(body)):
        rest = [ast.unparse(s) for i, s in enumerate(body) if i != k]
        yield replace(program, setup="\n".join(rest), twin=None)
        statement = body[k]
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List):
            for j in range(len(statement.value.elts) if len(statement.value.elts) > 1 else 0):
                again = ast.parse(program.setup)
                del again.body[k].value.elts[j]  # type: ignore[attr-defined]
                yield replace(program, setup=ast.unparse(again), twin=None)
