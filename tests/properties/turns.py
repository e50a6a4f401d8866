"""Another layout of the same scalars: names, dead code, turns, outputs."""

import ast
import copy
from random import Random

from tests.properties.program import Program
from tests.properties.trees import (
    Hole,
    get,
    is_name,
    names_in,
    parsed,
    rewriting,
    scalar_holes,
    statements,
    with_function,
)


def layout(program: Program, rng: Random) -> Program | None:
    """Other names, dead code, turns of the whole function, another order of outputs."""
    return rng.choice([_renamed, _dead, _turns, _turns, _turns, _outputs, _swapped])(program, rng)


def _renamed(program: Program, rng: Random) -> Program | None:
    tree = parsed(program)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and is_name(node, "scha"):
            known = {a.name for a in program.arguments}
            if node.id not in known:
                node.id = f"{node.id[0]}9{node.id[1:]}"
    return with_function(program, tree, "layout: renamed")


def _own_scalars(tree: ast.FunctionDef) -> list[Hole]:
    return [h for h in scalar_holes(tree) if isinstance(h[0], ast.Assign) and h[0] in tree.body]


@rewriting(_own_scalars)
def _dead(tree: ast.FunctionDef, hole: Hole, rng: Random) -> str:
    text, at = ast.unparse(get(hole)), tree.body.index(hole[0])
    form = rng.choice(
        ["unused = autodiff.exp({e}) * 1e9", "unused = [{e}, ({e}) * 2]", "1.0 / (({e}) - ({e}))"]
    )
    tree.body[at:at] = statements(form.format(e=text))
    return "layout: dead code"


def _swappable(tree: ast.FunctionDef) -> list[int]:
    def simple(node: ast.stmt) -> bool:
        return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)

    return [
        k for k, (a, b) in enumerate(zip(tree.body, tree.body[1:], strict=False))
        if simple(a) and simple(b) and not {a.targets[0].id} & names_in(b) and not {b.targets[0].id} & names_in(a)  # type: ignore[attr-defined]
    ]  # fmt: skip


@rewriting(_swappable)
def _swapped(tree: ast.FunctionDef, k: int, rng: Random) -> str:
    """Two statements that do not read each other in the other order."""
    tree.body[k], tree.body[k + 1] = tree.body[k + 1], tree.body[k]
    return "layout: swapped"


TURNS = [
    "total = 0.0\nfor t in range({T}):\n    total = total + (t + 1) * {call}\nreturn total",
    "return sum({call} for t in range({T}))",
    "return autodiff.logsumexp([autodiff.tanh({call}) for t in range({T})])",
    "turns = [{call} for t in range({T})]\nreturn autodiff.maximum(*turns) + turns[0] * 0.5",
    "return [{call} for t in range({T})]",
    "t = -1\nfirst = {call} ** 2\nreturn first + sum({call} for t in range({T}))",
    "carry = 0.0\nfor t in range({T}):\n    carry = autodiff.tanh(carry * 0.5 + {call})\nreturn carry",
    "carry = x\nfor t in range({T}):\n    carry = autodiff.tanh({carried})\nreturn carry * 2",
    "parts = []\nfor t in range({T}):\n    parts.append({call} if t else 1.0 * x)\nreturn sum(parts) / len(parts)",
    "return {{'all': [{call} for t in range({T})], 'none': None, 'x': x}}",
]  # fmt: skip


def _turns(program: Program, rng: Random) -> Program | None:
    """The function in each turn of a loop, at other arguments."""
    tree = parsed(program)
    if tree.name != "f" or not any(a.name == "x" and a.kind == "number" for a in program.arguments):
        return None
    inner = copy.deepcopy(tree)
    if _returns_structure(inner):
        return None
    depth = sum("turns" in step for step in program.trail)
    inner.name = f"turn{depth}"
    names = [a.name for a in program.arguments]
    call = ", ".join("x * (1 - 0.1 * t)" if n == "x" else n for n in names)
    carried = ", ".join("carry" if n == "x" else n for n in names)
    form = rng.choice(TURNS).format(
        T=rng.choice([1, 2, 3, 4, 7]), call=f"{inner.name}({call})", carried=f"{inner.name}({carried})"
    )  # fmt: skip
    tree.body = [inner, *statements_of_function(form)]
    return with_function(program, tree, "layout: turns")


def statements_of_function(text: str) -> list[ast.stmt]:
    """Statements that may return."""
    body = "\n".join(f"    {line}" for line in text.splitlines())
    (tree,) = ast.parse(f"def f():\n{body}").body
    assert isinstance(tree, ast.FunctionDef)
    return tree.body


def _returns_structure(tree: ast.FunctionDef) -> bool:
    ends = [s for s in tree.body if isinstance(s, ast.Return)]
    kinds = ast.Tuple | ast.List | ast.Dict | ast.ListComp
    return any(
        isinstance(s.value, kinds) or is_name(s.value, "ha")
        or (isinstance(s.value, ast.Call) and ast.unparse(s.value.func) in ("Point", "np.array"))
        for s in ends
    )  # fmt: skip


def _outputs(program: Program, rng: Random) -> Program | None:
    """Further outputs: the same twice, an argument, a constant, a parameter, nothing."""
    tree = parsed(program)
    if _returns_structure(tree) or not isinstance(tree.body[-1], ast.Return):
        return None
    text = ast.unparse(tree.body[-1].value) if tree.body[-1].value else "None"
    first = (
        program.arguments[0].name
        if program.arguments[:1] and program.arguments[0].kind == "number"
        else "1.0"
    )
    forms = ["return [{e}, {e}]", "return ({e}, {x}, 1.0)", "return {{'a': {e}, 'b': [], 'c': None}}",
             "return np.array([{e}, {x}], dtype=object)", "return ({e},)", "return [[{e}], [], ({x},)]",
             "return np.array([[{e}, 2.0], [{x}, {e}]], dtype=object)"]  # fmt: skip
    tree.body[-1:] = statements_of_function(rng.choice(forms).format(e=text, x=first))
    return with_function(program, tree, "layout: outputs")
