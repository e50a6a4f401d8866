"""Changes of the partials of the op table, one a mutant."""

import ast
import contextlib
import copy
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from autodiff import Value, ops
from autodiff.checking.expressions import domain_of, numbers_inside
from autodiff.rows.primitive import TABLE, Primitive

SOURCE = ast.parse(inspect.getsource(ops))
EQUIVALENT = {  # not changes at all: row, where, change
    ("leaky_relu", "partial 1", "move the end of x > 0"),  # at x = 0 both branches are 0
    ("elu", "partial 1", "move the end of x > 0"),  # likewise
    ("abs", "partial 0", "cut the graph"),  # of sign, whose slope is 0
}
FLIPS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}


@dataclass
class Mutant:
    """One change, and the rows that it changes."""

    rows: list[Primitive]
    where: str
    change: str
    partials: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    """The new partials of a row by its name."""
    functions: dict[str, Any] = field(default_factory=dict)
    """New functions of the module that the rows' partials call."""

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """A context in which the table has the change."""
        kept = {name: TABLE[name].partials for name in self.partials}
        functions = {name: getattr(ops, name) for name in self.functions}
        try:
            self._set(self.partials, self.functions)
            yield
        finally:
            self._set(kept, functions)

    @staticmethod
    def _set(partials: dict[str, Any], functions: dict[str, Any]) -> None:
        for name, new in partials.items():
            object.__setattr__(TABLE[name], "partials", new)
        vars(ops).update(functions)


# What is changed


def declarations() -> dict[str, list[ast.expr]]:
    """The expressions of the partials of every row, by its name."""
    found = {}
    for statement in SOURCE.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) in TABLE:
            name, call = ast.unparse(statement.targets[0]), statement.value
            if call.func.id == "declare":  # Take(…)
                found[name] = call.args[0].args[2].elts
            else:  # behind class, name, meaning and forward
                found[name] = call.args[4:5] if call.func.id == "_reduction" else call.args[4:]
    return found


def functions() -> dict[str, ast.FunctionDef]:
    """The functions that partials call, by name."""
    called = {
        node.id
        for expressions in declarations().values()
        for expression in expressions
        for node in ast.walk(expression)
        if isinstance(node, ast.Name)
    }
    return {f.name: f for f in SOURCE.body if isinstance(f, ast.FunctionDef) and f.name in called}


def replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What may stand in the place of `node`, with the words for it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Add | ast.Sub):
        part = "factor" if isinstance(node.op, ast.Mult) else "term"
        yield f"drop the {part} {ast.unparse(node.left)}", node.right
        yield f"drop the {part} {ast.unparse(node.right)}", node.left
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "div":
        yield f"drop the divisor {ast.unparse(node.args[1])}", node.args[0]
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "where":
        condition, x, y = node.args
        yield (
            f"swap the branches of {ast.unparse(node)}",
            ast.Call(node.func, [condition, y, x], []),
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield f"flip the sign of {ast.unparse(node)}", node.operand
    if isinstance(node, ast.Compare) and FLIPS.keys() >= set(map(type, node.ops)):
        flipped = [FLIPS[type(op)]() for op in node.ops]
        yield (
            f"move the end of {ast.unparse(node)}",
            ast.Compare(node.left, flipped, node.comparators),
        )


def changed(tree: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Copies of `tree`, each with one replacement below a statement or a lambda."""
    for place, node in enumerate(ast.walk(tree)):
        for what, new in replacements(node):
            mutated = copy.deepcopy(tree)
            target = list(ast.walk(mutated))[place]

            class Put(ast.NodeTransformer):
                def visit(self, node, target=target, new=new):
                    return new if node is target else self.generic_visit(node)

            yield what, ast.fix_missing_locations(Put().visit(mutated))


def negated(partial: Any) -> Any:
    def negative(*args: Any) -> Any:
        result = partial(*args)
        return [-x for x in result] if isinstance(result, list | tuple) else -result

    return negative


def cut(partial: Any) -> Any:
    def number(x: Any) -> Any:
        return getattr(x, "data", x)

    def constant(*args: Any) -> Any:
        result = partial(*args)
        return [*map(number, result)] if isinstance(result, list | tuple) else number(result)

    return constant


def has_graph(row: Primitive, i: int) -> bool:
    """Whether partial `i` is a function of the operands, and no constant."""
    domains = [domain_of(row, k) for k in range(row.arity or 4)]
    xs = [Value(numbers_inside(d)[5 + k]) if d else 1.0 for k, d in enumerate(domains)]
    return isinstance(row.partials_at(xs, row.apply(tuple(xs)))[i], Value)


def changes(row: Primitive, i: int, expression: ast.expr) -> Iterator[tuple[str, Any]]:
    """What partial `i` of a row may be changed to."""
    partial = row.partials[i]
    if isinstance(expression, ast.Lambda) and isinstance(expression.body, ast.Constant):
        yield "add 1", lambda *args: partial(*args) + 1  # the sign of 0 is no change
    else:
        yield "flip the sign", negated(partial)
    if has_graph(row, i):
        yield "cut the graph", cut(partial)
    for what, tree in changed(expression):
        yield what, eval(compile(ast.Expression(tree), "<mutant>", "eval"), vars(ops))


def mutants(row: Primitive) -> Iterator[Mutant]:
    """Every mutant of a row's own partials."""
    expressions = declarations()[row.name]
    free = [i for i, partial in enumerate(row.partials) if partial]
    for i in free:
        for what, new in changes(row, i, expressions[i]):
            if (row.name, f"partial {i}", what) not in EQUIVALENT:
                partials = (*row.partials[:i], new, *row.partials[i + 1 :])
                yield Mutant([row], f"partial {i}", what, {row.name: partials})
    for i, j in combinations(free, 2):
        if row.partials[i] is not row.partials[j]:
            swapped = list(row.partials)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            yield Mutant([row], f"partials {i}, {j}", "swap", {row.name: tuple(swapped)})


def mutants_of_functions() -> Iterator[Mutant]:
    """Every mutant of the functions that partials call, tested by the rows that call them."""
    for name, definition in functions().items():
        rows = [
            TABLE[row]
            for row, expressions in declarations().items()
            if any(name in ast.unparse(expression) for expression in expressions)
        ]
        for what, tree in changed(definition):
            names = dict(vars(ops))
            exec(compile(ast.Module([tree], []), "<mutant>", "exec"), names)
            # The new function sees the module as it is, not the copy in which it was made.
            new = type(names[name])(names[name].__code__, vars(ops), name)
            yield Mutant(rows, name, what, functions={name: new})
