"""Other modes, conditions for numbers, and infinity where it is not chosen; None where nothing is to do."""

import ast
from random import Random

from tests.properties.program import Program
from tests.properties.trees import (
    Hole,
    expression,
    get,
    holes,
    is_name,
    names_before,
    parsed,
    pick,
    put,
    rewriting,
    scalar_holes,
    statements,
    with_function,
    with_twin,
)

MODES = ["({e}).detach()", "({e}).detach() * 1.5", "{e} + ({e}).detach()", "({e}) - ({e}).detach()",
         "autodiff.stop_gradient({e})", "autodiff.stop_gradient({e}) * ({e})",
         "autodiff.stop_gradient([{e}, 1.0])[0]"]  # fmt: skip


@rewriting(scalar_holes)
def change_mode(tree: ast.FunctionDef, hole: Hole, rng: Random) -> str:
    """A sub-expression without its derivative."""
    if isinstance(hole[0], ast.Assign) and hole[0] in tree.body and rng.random() < 0.5:
        at = tree.body.index(hole[0])
        how = rng.choice(["with no_grad():", "with no_grad(), no_grad():"])
        tree.body[at : at + 1] = statements(f"{how}\n    {ast.unparse(hole[0])}")
        return "modes: no_grad"
    form = rng.choice(MODES)
    put(hole, expression(form.format(e=ast.unparse(get(hole)))))
    return f"modes: {form}"


PREDICATES = ["autodiff.where({c}, 1.0, 0.0)", "({c} + 0)", "(1 * {c})", "(0.0 + {c})", "(1 - (1 - {c}))",
              "({c} * {c})", "(-({c} * -1))", "abs({c})"]  # fmt: skip


def change_predicate(program: Program, rng: Random) -> Program | None:
    """A condition as a number, a number as a condition, a product for a choice."""
    tree = parsed(program)
    found = []
    for hole in holes(tree):
        node, owner = get(hole), hole[0]
        logical = isinstance(owner, ast.BinOp) and isinstance(
            owner.op, ast.BitAnd | ast.BitOr | ast.BitXor
        )
        if (is_name(node, "c") or isinstance(node, ast.Compare)) and not logical:
            is_given = isinstance(owner, ast.Assign)
            is_loose = isinstance(owner, ast.Compare | ast.If | ast.IfExp | ast.comprehension)
            if not is_given and not is_loose:
                found.append(("number", hole))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "autodiff.where":
            found += [("product", hole)] * 2
    if not found:
        return None
    what, hole = rng.choice(found)
    node = get(hole)
    if what == "number":
        form = rng.choice(PREDICATES)
        put(hole, expression(form.format(c=f"({ast.unparse(node)})")))
    else:
        condition, x, y = (f"({ast.unparse(a)})" for a in node.args)
        form = rng.choice([
            "autodiff.where(1.0 * {c}, {x}, {y})", "autodiff.where({c}, {x}, 0.0) + (1 - autodiff.where({c}, 1, 0)) * {y}",
            "autodiff.where(autodiff.where({c}, -2.5, 0.0), {x}, {y})", "autodiff.where(3 * {c}, {x}, {y})",
        ])  # fmt: skip
        put(hole, expression(form.format(c=condition, x=x, y=y)))
    made = with_function(program, tree, f"predicates: {form}")
    if "* {y}" in form and any("poison" in step for step in program.trail):
        return made  # 0 · inf is not 0
    return with_twin(made, program)


POISONS = [
    "autodiff.log(-1.0 - {s} * {s})", "1.0 / ({s} - {s})", "autodiff.sqrt(-1.0 - {s} * {s})",
    "({s} + 3.0) * 1e200 * 1e200", "autodiff.exp(1e4 + {s} * {s})", "({s} * 0.0) ** -1.0", "float('nan')",
    "float('inf') * {s}", "{s} / 0.0", "autodiff.log({s} - {s})", "autodiff.acos(2.0 + {s} * {s})",
    "autodiff.sqrt({s} - {s})", "autodiff.prod([1.0 / ({s} - {s}), {s}])",
    "autodiff.logsumexp([float('inf') * ({s} * {s} + 1.0), {s}])",
    "sum(u / v for u, v in zip(({s}, 2.0), ({s} - {s}, 0.0 * {s})))",
]  # fmt: skip
GUARDS = [
    "autodiff.where({s} * {s} >= 0, {e}, {p})", "autodiff.where({s} * {s} < 0, {p}, {e})",
    "autodiff.take([{p}, {e}], 1)", "[{p}, {e}][1]", "autodiff.where(({s} < 9) & ({s} > -9), {e}, {p})",
    "autodiff.where(autodiff.where({s} > -99, 1.0, 0.0) * 2 > 1, {e}, {p})",
    "autodiff.where({p} > 1e-3, {e}, {e})", "autodiff.clip({p}, 0.0, 1.0) * 0.0 + {e}",
]  # fmt: skip


def poison(program: Program, rng: Random) -> Program | None:
    """Infinity and nan where they are not chosen."""
    tree = parsed(program)
    hole = pick(rng, scalar_holes(tree))
    if hole is None:
        return None
    names = names_before(tree, hole)
    if not names:
        return None
    given = {"s": rng.choice(names), "e": f"({ast.unparse(get(hole))})"}
    guard = rng.choice(GUARDS[:6] if rng.random() < 0.8 else GUARDS)
    text = guard.replace("{p}", rng.choice(POISONS)).format(**given)
    put(hole, expression(text))
    made = with_function(program, tree, f"poison: {guard}")
    if guard in GUARDS[:4]:
        made = with_twin(made, program)
    return made
