"""The ten relations: what each does to a program, and what it asks of its kernel."""

import ast
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.properties import respelling, rewrites, roles, turns
from tests.properties.program import Program
from tests.properties.trees import expression, get, parsed, pick, put, scalar_holes, with_function

Relation = Callable[[Program, Random], Program | None]

DOORS = [
    'float(f"{{{w}:.3f}}")', "round({w}, 2)", "copy.copy({w})", "copy.deepcopy({w})", "{w}.data",
    "{w}.item()", "len(repr({w}))", "({w}.grad + 1.0)", "float(str({w}.data))",
    "({w} if {w} else 1.0)", "int({w} > 0)", "float({w}.data > 0.1)", "(1.0 if {w} > 0.1 else 2.0)",
]  # fmt: skip
INTO = ["{e} + {d}", "{e} * {d}"]


def asks(name: str) -> Relation:
    """The program as it is; its kernel has to pass a further check."""

    def relation(program: Program, rng: Random) -> Program | None:
        if name in program.checks:
            return None
        return replace(program, checks=(*program.checks, name), trail=(*program.trail, name))

    return relation


def change(program: Program, rng: Random) -> Program | None:
    """Numbers that leave their Values by another door; changes between calls of each kind."""
    asked = asks("change")(program, rng)
    if asked is None or rng.random() < 0.5 or "w = [Value" not in program.setup:
        return asked
    tree = parsed(program)
    hole = pick(rng, scalar_holes(tree))
    if hole is None:
        return asked
    door = rng.choice(DOORS).format(w=rng.choice(["w[0]", "w[-1]", "w[0]"]))
    put(hole, expression(rng.choice(INTO).format(e=_text(get(hole)), d=door)))
    return with_function(asked, tree, f"door: {door}")


def _text(node: object) -> str:
    return f"({ast.unparse(node)})"  # type: ignore[arg-type]


def poison(program: Program, rng: Random) -> Program | None:
    """inf and nan in arms not taken, or in some examples of a batch."""
    if rng.random() < 0.25:
        return asks("poison")(program, rng)
    return rewrites.poison(program, rng)


RELATIONS: dict[str, Relation] = {
    "respell": respelling.respell,
    "role": roles.change_role,
    "change": change,
    "modes": rewrites.change_mode,
    "predicates": rewrites.change_predicate,
    "poison": poison,
    "batch": asks("batch"),
    "layout": turns.layout,
    "calculus": asks("calculus"),
    "ways": asks("ways"),
}


def related(program: Program, rng: Random, names: list[str]) -> tuple[Program, list[str]]:
    """The program after relations of these names, and those that had something to do."""
    used = []
    for name in names:
        made = RELATIONS[name](program, rng)
        if made is not None:
            is_other = (made.function, made.arguments) != (program.function, program.arguments)
            if is_other and made.twin is program.twin:  # no longer the program of its twin
                kept = tuple(check for check in made.checks if check != "twin")
                made = replace(made, twin=None, checks=kept)
            program = made
            used.append(name)
    return program, used
