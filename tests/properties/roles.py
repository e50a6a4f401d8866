"""A number in another role: a parameter, an argument, a constant, a static argument."""

import ast
from dataclasses import replace
from random import Random
from typing import Any

from tests.properties.program import Argument, Program
from tests.properties.trees import (
    expression,
    parsed,
    pick,
    replaced_names,
    statements,
    with_function,
)


def change_role(program: Program, rng: Random) -> Program | None:
    """A parameter as an argument or a constant, an argument as a parameter or a constant."""
    ways = [_parameter_as_argument, _argument_as_parameter, _parameter_elsewhere, _as_static]
    return rng.choice(ways)(program, rng)


def _assigned(program: Program) -> list[tuple[str, Any]]:
    """The names of the setup that are a Value or a list of Values, and their numbers."""
    found: list[tuple[str, Any]] = []
    for statement in ast.parse(program.setup).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            text = ast.unparse(statement.value)
            bare = text.replace("Value(", "(")
            if bare != text and set(bare) <= set("()[], .-0123456789e"):
                found.append((statement.targets[0].id, ast.literal_eval(bare)))
    return [
        (n, x) for n, x in found if isinstance(x, float) or all(isinstance(y, float) for y in x)
    ]


def _without(setup: str, name: str, instead: str = "") -> str:
    lines = []
    for statement in ast.parse(setup).body:
        is_it = isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == name
        lines.append(instead if is_it else ast.unparse(statement))
    return "\n".join(line for line in lines if line)


def _parameter_as_argument(program: Program, rng: Random) -> Program | None:
    chosen = pick(rng, _assigned(program))
    if chosen is None:
        return None
    name, data = chosen
    if rng.random() < 0.3:
        constant = repr(data)
        setup = _without(program.setup, name, f"{name} = {constant}")
        return replace(program, setup=setup, trail=(*program.trail, "role: constant"))
    tree = parsed(program)
    is_list = isinstance(data, list)
    kind = rng.choice(["list", "columns", "array", "tuple"]) if is_list else "number"
    made = Argument(name, kind, (len(data),) if is_list else ())
    tree.args.args.append(ast.arg(name))
    if kind in ("array", "tuple"):
        tree.body[:0] = statements(f"{name} = list({name})")
    return with_function(
        program, tree, f"role: {kind}", setup=_without(program.setup, name),
        arguments=(*program.arguments, made),
        points=tuple({**row, name: data} for row in program.points),
    )  # fmt: skip


def _argument_as_parameter(program: Program, rng: Random) -> Program | None:
    chosen = pick(rng, [a for a in program.arguments if a.kind in ("number", "list", "columns")])
    others = [a for a in program.arguments if a is not chosen and a.kind != "static"]
    if chosen is None or not others:  # what has no array has no batch
        return None
    data = program.points[0][chosen.name]
    shown = (
        f"[{', '.join(f'Value({x})' for x in data)}]"
        if isinstance(data, list)
        else f"Value({data})"
    )
    tree = parsed(program)
    tree.args.args = [arg for arg in tree.args.args if arg.arg != chosen.name]
    setup = program.setup
    if rng.random() < 0.5:
        setup, what = f"{setup}\n{chosen.name} = {shown}", "role: parameter"
    else:
        tree.body[:0] = statements(f"{chosen.name} = {shown}")
        what = "role: made inside"
    return with_function(
        program, tree, what, setup=setup,
        arguments=tuple(a for a in program.arguments if a is not chosen),
        points=tuple({k: v for k, v in row.items() if k != chosen.name} for row in program.points),
    )  # fmt: skip


def _parameter_elsewhere(program: Program, rng: Random) -> Program | None:
    """A parameter that f finds in a dict, an object, an array, or a cell."""
    chosen = pick(rng, _assigned(program))
    if chosen is None:
        return None
    name, data = chosen
    tree = parsed(program)
    given = ast.unparse(
        next(s.value for s in ast.parse(program.setup).body
             if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == name))  # fmt: skip
    way = rng.randrange(3)
    if way == 0:
        setup = _without(program.setup, name, f'store = {{"{name}": {given}}}')
        found = f'store["{name}"]'
    elif way == 1 and isinstance(data, list):
        setup = _without(program.setup, name, f"{name}_ = np.array({given})")
        found = f"{name}_.tolist()"
    else:
        setup = _without(program.setup, name, f"kept = [{given}]")
        found = "kept[-1]"
    replaced_names(
        tree,
        lambda node: (
            expression(found) if node.id == name and isinstance(node.ctx, ast.Load) else None
        ),
    )
    return with_function(program, tree, f"role: {found}", setup=setup)


def _as_static(program: Program, rng: Random) -> Program | None:
    chosen = pick(rng, [a for a in program.arguments if a.kind in ("index", "count")])
    if chosen is None:
        return None
    data = program.points[0][chosen.name]
    made = replace(chosen, kind="static", static=data)
    return replace(
        program, arguments=tuple(made if a is chosen else a for a in program.arguments),
        points=tuple({**row, chosen.name: data} for row in program.points),
        trail=(*program.trail, "role: static"),
    )  # fmt: skip
