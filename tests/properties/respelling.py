"""The same program in other words."""

import ast
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

from tests.properties.program import Program
from tests.properties.trees import (
    Hole,
    expression,
    get,
    holes,
    is_name,
    names_in,
    parsed,
    pick,
    put,
    rewriting,
    scalar_holes,
    statements,
    with_function,
    with_twin,
)

IDENTITIES = [
    "{e} + 0", "{e} + 0.0", "0 + {e}", "{e} - 0.0", "1 * {e}", "{e} * 1.0", "{e} / 1", "-(-{e})",
    "+{e}", "({e}) ** 1", "sum([{e}])", "autodiff.sum([{e}])", "autodiff.mean([{e}])",
    "autodiff.take([{e}], 0)", "autodiff.maximum({e}, -1e300)", "autodiff.where(True, {e}, 0.0)",
    "autodiff.clip({e}, -1e300, 1e300)", "autodiff.prod([{e}, 1.0])", "({e}) * 4 / 4", "({e}) * 0.25 * 4",
    "Value(1.0) * {e}", "{e} + Value(0.0)", "autodiff.dot([{e}], [1.0])", "0.5 * {e} + {e} * 0.5",
    "autodiff.log(autodiff.exp(autodiff.tanh({e}))) - autodiff.tanh({e}) + {e}",
    "autodiff.logsumexp([{e}])", "np.array([{e}], dtype=object).sum()", "sum([{e}, 0.0], Value(0.0))",
]  # fmt: skip


def respell(program: Program, rng: Random) -> Program | None:
    """The same in other words."""
    ways = [_identity, _identity, _loop, _total, _helper, _minus, _commuted, _kind_of_argument,
            _through_a_list]  # fmt: skip
    made = rng.choice(ways)(program, rng)
    return made and with_twin(made, program)


@rewriting(scalar_holes)
def _identity(tree: ast.FunctionDef, hole: Hole, rng: Random) -> str:
    form = rng.choice(IDENTITIES)
    put(hole, expression(form.format(e=f"({ast.unparse(get(hole))})")))
    return f"respell: {form}"


def _comprehensions(tree: ast.FunctionDef) -> list[Any]:
    return [s for s in tree.body if isinstance(s, ast.Assign) and isinstance(s.value, ast.ListComp)]


@rewriting(_comprehensions)
def _loop(tree: ast.FunctionDef, chosen: Any, rng: Random) -> str | None:
    """A comprehension as a loop that appends."""
    if len(chosen.value.generators) > 1 or not isinstance(chosen.targets[0], ast.Name):
        return None
    (turn,) = chosen.value.generators
    name = chosen.targets[0].id
    if name in names_in(chosen.value) or turn.ifs:
        return None
    target, source = ast.unparse(turn.target), ast.unparse(turn.iter)
    text = f"{name} = []\nfor {target} in {source}:\n    {name}.append({ast.unparse(chosen.value.elt)})"
    at = tree.body.index(chosen)
    tree.body[at : at + 1] = statements(text)
    return "respell: loop"


def _total(program: Program, rng: Random) -> Program | None:
    """sum(…) of the start of a statement as a loop of +=."""
    tree = parsed(program)
    found = []
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.Return):
            for hole in holes(statement):
                node = get(hole)
                is_sum = isinstance(node, ast.Call) and ast.unparse(node.func) == "sum"
                if is_sum and len(node.args) == 1 and not isinstance(hole[0], ast.comprehension):
                    inner = any(isinstance(n, ast.GeneratorExp | ast.ListComp | ast.Lambda) and node in ast.walk(n)
                                for n in ast.walk(statement))  # fmt: skip
                    if not inner:
                        found.append((statement, hole))
    if not found:
        return None
    statement, hole = rng.choice(found)
    source = ast.unparse(get(hole).args[0])
    name = f"total{rng.randrange(100)}"
    step = rng.choice([f"{name} += term", f"{name} = {name} + term", f"{name} = term + {name}"])
    before = f"{name} = {rng.choice(['0', '0.0'])}\nfor term in ({source}):\n    {step}"
    put(hole, expression(name))
    at = tree.body.index(statement)
    tree.body[at:at] = statements(before)
    return with_function(program, tree, "respell: +=")


def _given_scalars(tree: ast.FunctionDef) -> list[Any]:
    return [s for s in tree.body if isinstance(s, ast.Assign) and is_name(s.targets[0])]


@rewriting(_given_scalars)
def _helper(tree: ast.FunctionDef, chosen: Any, rng: Random) -> str | None:
    """What a name is given as the result of a function of its own, which closes over the rest."""
    name, text = chosen.targets[0].id, ast.unparse(chosen.value)
    if name in names_in(chosen.value):
        return None
    number = rng.randrange(100)
    form = rng.choice([
        f"def part{number}():\n    return {text}\n{name} = part{number}()",
        f"def part{number}(scale=1.0):\n    inner = {text}\n    return inner\n{name} = part{number}()",
        f"{name} = (lambda: {text})()",
        f"{name} = [{text}][0]",
        f'{name} = {{"it": {text}}}["it"]',
    ])  # fmt: skip
    at = tree.body.index(chosen)
    tree.body[at : at + 1] = statements(form)
    return "respell: helper"


def _operations(*kinds: Any) -> Callable[[ast.FunctionDef], list[Hole]]:
    def found(tree: ast.FunctionDef) -> list[Hole]:
        binary = [h for h in holes(tree) if isinstance(get(h), ast.BinOp)]
        return [h for h in binary if isinstance(get(h).op, kinds)]

    return found


@rewriting(_operations(ast.Sub))
def _minus(tree: ast.FunctionDef, hole: Hole, rng: Random) -> str:
    node = get(hole)
    put(hole, ast.BinOp(node.left, ast.Add(), ast.UnaryOp(ast.USub(), node.right)))
    return "respell: a + (-b)"


def _symmetric(tree: ast.FunctionDef) -> list[Hole]:
    found = _operations(ast.Add, ast.Mult)(tree)
    return [h for h in found if is_name(get(h).left) or is_name(get(h).right)]


@rewriting(_symmetric)
def _commuted(tree: ast.FunctionDef, hole: Hole, rng: Random) -> str:
    node = get(hole)
    put(hole, ast.BinOp(node.right, node.op, node.left))
    return "respell: commuted"


def _given_lists(tree: ast.FunctionDef) -> list[Hole]:
    return [
        h for h in holes(tree) if isinstance(h[0], ast.Assign) and is_name(h[0].targets[0], "h")
    ]


@rewriting(_given_lists)
def _through_a_list(tree: ast.FunctionDef, hole: Hole, rng: Random) -> str:
    form = rng.choice(["list(tuple({e}))", "[*{e}]", "{e} + []", "[v for v in {e}]", "({e})[:]",
                       "list(np.array({e}, dtype=object))", "list(reversed({e}))[::-1]"])  # fmt: skip
    put(hole, expression(form.format(e=f"({ast.unparse(get(hole))})")))
    return f"respell: {form}"


def _kind_of_argument(program: Program, rng: Random) -> Program | None:
    """A list as columns, an array, a tuple or a named tuple, of which f makes a list."""
    found = [a for a in program.arguments if a.kind in ("list", "columns", "array", "tuple")]
    chosen = pick(rng, found)
    if chosen is None:
        return None
    kinds = {"list", "columns", "array", "tuple"} - {chosen.kind}
    kind = rng.choice(sorted(kinds))
    made = replace(chosen, kind=kind)
    whole = {"array": "np.array({}, dtype=object)", "tuple": "tuple({})"}.get(
        chosen.kind, "list({})"
    )
    tree = parsed(program)
    tree.body[:0] = statements(f"{made.name} = {whole.format(made.name)}")
    arguments = tuple(made if a is chosen else a for a in program.arguments)
    return with_function(program, tree, f"respell: {chosen.kind} as {kind}", arguments=arguments)
