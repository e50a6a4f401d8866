"""`parse`: an expression in x, as text, into a function; without `eval`."""

import ast
import math
import operator
from collections.abc import Callable

import autodiff

_LONGEST = 1000
_CONSTANTS = {"pi": math.pi, "e": math.e}
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    row.name: row for row in autodiff.ops.TABLE.values() if row.arity == 1 and row.name != "take"
}
_BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: autodiff.div,
    ast.Pow: autodiff.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[float], float]] = {
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
        return _build(tree.body)
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"not an expression in x: {text!r}") from None


def _build(node: ast.expr) -> Callable[[float], float]:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            constant = _float(value)
            return lambda x: constant
        case ast.Name(id="x"):
            return lambda x: x
        case ast.Name(id=name) if name in _CONSTANTS:
            named = _CONSTANTS[name]
            return lambda x: named
        case ast.Name(id=name):
            raise ValueError(f"unknown name {name!r}; there are x, {', '.join(_CONSTANTS)}")
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in _UNARY:
            unary, inner = _UNARY[type(sign)], _build(operand)
            return lambda x: unary(inner(x))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            binary, one, two = _BINARY[type(op)], _build(left), _build(right)
            return lambda x: binary(one(x), two(x))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            if name not in _FUNCTIONS:
                known = ", ".join(sorted(_FUNCTIONS))
                raise ValueError(f"unknown function {name!r}; there are {known}")
            function, inside = _FUNCTIONS[name], _build(argument)
            return lambda x: function(inside(x))
    hint = "; a power is written **" if "^" in ast.unparse(node) else ""
    raise ValueError(f"{ast.unparse(node)!r} is not allowed in an expression in x{hint}")


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("a number in the expression is too large") from None
