"""Functions as syntax trees: where a scalar is computed, and what can be put there."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from tests.properties.program import Program

Hole = tuple[ast.AST, str, int | None]
"""A place in a tree: a node, its field, and the index in it if that is a list."""


def parsed(program: Program) -> ast.FunctionDef:
    """The function f, or the definition that it stands in."""
    (tree,) = ast.parse(program.function).body
    assert isinstance(tree, ast.FunctionDef)
    return tree


def with_function(program: Program, tree: ast.AST, what: str, **changes: Any) -> Program:
    """The program with another text of f; `what` was done to it."""
    text = ast.unparse(ast.fix_missing_locations(tree))
    return replace(program, function=text, trail=(*program.trail, what), **changes)


def with_twin(made: Program, program: Program) -> Program:
    """A program that means what another means."""
    checks = tuple(check for check in made.checks if check != "twin")
    return replace(made, twin=program, checks=(*checks, "twin"))


def expression(text: str) -> Any:
    return ast.parse(text, mode="eval").body


def statements(text: str) -> list[ast.stmt]:
    return ast.parse(text).body


def is_name(node: Any, kinds: str = "s") -> bool:
    """Whether a node reads a name of a kind, as s1."""
    return isinstance(node, ast.Name) and bool(re.fullmatch(rf"[{kinds}]\d+", node.id))


def names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def get(hole: Hole) -> Any:
    owner, field, index = hole
    found = getattr(owner, field)
    return found if index is None else found[index]


def put(hole: Hole, node: Any) -> None:
    owner, field, index = hole
    if index is None:
        setattr(owner, field, node)
    else:
        getattr(owner, field)[index] = node


def holes(tree: ast.AST) -> Iterator[Hole]:
    """All places of expressions that are read, outermost first."""
    for node in ast.walk(tree):
        is_target = isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
        if is_target or isinstance(node, ast.arguments | ast.FormattedValue | ast.JoinedStr):
            continue
        for field, content in ast.iter_fields(node):
            if field in ("targets", "target", "func", "decorator_list", "slice", "keywords"):
                continue
            if isinstance(content, ast.expr):
                yield node, field, None
            elif isinstance(content, list):
                for k, item in enumerate(content):
                    if isinstance(item, ast.expr) and not isinstance(item, ast.Starred):
                        yield node, field, k


def scalar_holes(tree: ast.FunctionDef) -> list[Hole]:
    """Where a Value is computed: what a name as s1 is given, or reads, or what f returns."""
    found: list[Hole] = []
    for owner, field, index in holes(tree):
        node = get((owner, field, index))
        is_given = isinstance(owner, ast.Assign) and is_name(owner.targets[0])
        is_sum = isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitAnd | ast.BitOr)
        is_result = isinstance(owner, ast.Return) and owner in tree.body and is_sum
        if is_given or is_result or (is_name(node) and not isinstance(owner, ast.Attribute)):
            found.append((owner, field, index))
    return found


def names_before(tree: ast.FunctionDef, hole: Hole) -> list[str]:
    """The scalars that have a value where a hole of f's own statements is."""
    known = [arg.arg for arg in tree.args.args if arg.arg in ("x", "y")]
    for statement in tree.body:
        if any(node is hole[0] for node in ast.walk(statement)):
            break
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and is_name(node):
                known.append(node.id)  # noqa: PERF401
    return known


def replaced_names(tree: ast.AST, given: Callable[[ast.Name], Any]) -> Any:
    """The tree with `given(name)` for every name that it reads; None leaves it."""

    class Replacing(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            return given(node) or node

    return Replacing().visit(tree)


def pick(rng: Random, items: list[Any]) -> Any:
    return rng.choice(items) if items else None


def rewriting(find: Callable[[ast.FunctionDef], list[Any]]) -> Callable[..., Any]:
    """Makes a relation of what edits one of the places that `find` gives, and says what it did."""

    def relation(edit: Callable[[ast.FunctionDef, Any, Random], str | None]) -> Callable[..., Any]:
        def related(program: Program, rng: Random) -> Program | None:
            tree = parsed(program)
            place = pick(rng, find(tree))
            done = None if place is None else edit(tree, place, rng)
            return None if done is None else with_function(program, tree, done)

        return related

    return relation
