"""`parse`: an expression in x, as text, into a function; without `eval`."""

import ast
import math
import operator
from collections.abc import Callable
from typing import TypeAlias

import autodiff

Operation: TypeAlias = Callable[..., float] | float | None
"""A function of numbers, a number, or None for x itself."""

_LONGEST = 1000
_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[..., float]] = {
    row.name: row for row in autodiff.ops.TABLE.values() if row.arity == 1 and row.name != "take"
}
_OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: autodiff.div,
    ast.Pow: autodiff.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}


def parse(text: str) -> Callable[[float], float]:
    """The function of x that `text` writes: x, numbers, pi, e, + - * / **, sin(x), exp(x), …

    Raises ValueError, which quotes the part at fault, for anything else.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the expression has {len(text)} characters, the limit is {_LONGEST}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError, UnicodeError):
        raise ValueError(f"not an expression in x: {text!r}") from None
    # Reverse Polish notation is built and run without recursion, however deep the tree.
    program: list[tuple[int, Operation]] = []
    stack: list[ast.expr | tuple[int, Operation]] = [tree.body]
    while stack:
        step = stack.pop()
        if isinstance(step, tuple):
            program.append(step)
        else:
            operation, operands = _operation(step, text.strip())
            stack.append((len(operands), operation))
            stack.extend(reversed(operands))
    return lambda x: _run(program, x)


def _run(program: list[tuple[int, Operation]], x: float) -> float:
    stack: list[float] = []
    for count, operation in program:
        if callable(operation):
            operands = stack[-count:]
            stack[-count:] = [operation(*operands)]
        else:
            stack.append(x if operation is None else operation)
    return stack[0]


def _operation(node: ast.expr, source: str) -> tuple[Operation, list[ast.expr]]:
    """The operation of a node, and its operands."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return _float(value), []
        case ast.Name(id="x"):
            return None, []
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name], []
        case ast.Name(id=name):
            raise ValueError(f"unknown name {name!r}; the names are x, {', '.join(_CONSTANTS)}")
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)], [operand]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)], [left, right]
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name not in _FUNCTIONS:
                known = ", ".join(sorted(_FUNCTIONS))
                raise ValueError(f"unknown function {name!r}; the functions are {known}")
            return _FUNCTIONS[name], [argument]
    text = ast.get_source_segment(source, node) or source
    hint = "; a power is written **" if "^" in text else ""
    raise ValueError(f"{text!r} is not allowed in an expression in x{hint}")


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a number in the expression is too large") from None
