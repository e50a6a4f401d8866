"""The smallest program of each kind of meaning."""

from collections.abc import Callable
from dataclasses import replace

from tests.properties.program import Argument, Example, Program

Array, Pair = "array", "tuple"


def _program(
    text: str, *arguments: Argument, points: tuple[Example, ...] = (), name: str = ""
) -> Program:
    setup, _, rest = text.strip().partition("def f(")
    return Program(setup.rstrip(), f"def f({rest}", arguments, points, (name,))


def numbers(*names: str, low: float = -2.0, high: float = 2.0) -> list[Argument]:
    return [Argument(name, "number", (), low, high) for name in names]


def at(*names: str, rows: list[tuple[object, ...]]) -> tuple[Example, ...]:
    """Examples that are given."""
    return tuple(dict(zip(names, row, strict=True)) for row in rows)


W = "w = [Value(0.5), Value(-0.3), Value(0.8)]\nb = Value(0.2)\n"

KINDS: dict[str, Callable[[], Program]] = {}


def kind(
    name: str,
    text: str,
    *arguments: Argument,
    points: tuple[Example, ...] = (),
    setup: str = W,
    checks: tuple[str, ...] = (),
) -> None:
    KINDS[name] = lambda: replace(
        _program(f"{setup}{text}", *arguments, points=points, name=name), checks=checks
    )


def line(name: str, text: str, *arguments: Argument, points: tuple[Example, ...] = ()) -> None:
    """A kind whose function is one expression."""
    names = ", ".join(a.name for a in arguments)
    kind(name, f"def f({names}):\n    return {text}", *arguments, points=points)


X, XY = numbers("x"), numbers("x", "y")

# Conditions as numbers
line("sum of conditions", "((x > 0) + (y > 0)) * x * w[0]", *XY)
line("exp of a condition", "autodiff.exp(x > 0) * x + w[0]", *X)
line("difference of conditions", "((x > 0) - (x < 0)) * w[0]", *X)
line("count of conditions", "sum(v > 0 for v in [x, y, w[0]]) * b", *XY)
for _op in (
    "sigmoid",
    "tanh",
    "sign",
    "relu",
    "abs",
    "neg",
    "sqrt",
    "log1p",
    "atan",
    "gelu",
    "expm1",
):
    line(f"{_op} of a condition", f"autodiff.{_op}(x > 0.2) * w[0] + x", *X)
for _op in ("maximum", "minimum", "prod", "logsumexp", "sum", "mean"):
    _call = "*[x > 0, y > 0]" if _op[0] == "m" and _op != "mean" else "[x > 0, y > 0]"
    line(f"{_op} of conditions", f"autodiff.{_op}({_call}) * w[0] + x", *XY)
line("xor of conditions", "((x > 0) ^ (y > 0)) * w[0]", *XY)
line("equal conditions", "((x > 0) == (y > 0)) * w[0]", *XY)
line("atan2 of a condition", "autodiff.atan2(x > 0, y) * w[0]", *XY)
line("condition of a result", "x > w[0], x * w[0]", *X)

# Numbers as conditions, masks
line("count as condition", "autodiff.where(n, w[0] * x, 0.0)", *X, Argument("n", "count", (), 0, 4))
line("Value as condition", "autodiff.where(w[0], x * b, 1.0)", *X)
line("argument as condition", "autodiff.where(x, x * b, 1.0)", *X)
kind("mask as condition", "def f(m, x):\n    return sum(autodiff.where(c, v * b, b) for c, v in zip(m, x))",
     Argument("m", "mask", (3,)), Argument("x", "array", (3,)))  # fmt: skip
kind("mask as number", "def f(m, x):\n    return sum(c * v * w[1] for c, v in zip(m, x)) / sum([1.0, *m])",
     Argument("m", "mask", (3,)), Argument("x", "array", (3,)))  # fmt: skip
kind("mask in front", "def f(m, x):\n    return sum(autodiff.where(m, 0.0, x * b))",
     Argument("m", "mask", (3,)), Argument("x", "array", (3,)))  # fmt: skip
kind("choice by mask", "def f(m, x):\n    return sum(autodiff.take([v, v * w[1] + b], c) for c, v in zip(m, x))",
     Argument("m", "mask", (3,)), Argument("x", "array", (3,)))  # fmt: skip
kind("mask and poison", "def f(m, x):\n    return sum(autodiff.where(c, autodiff.log(v - 5.0), v * b) for c, v in zip(m, x))",
     Argument("m", "mask", (3,)), Argument("x", "array", (3,)),
     points=at("m", "x", rows=[([False, False, False], [0.5, 1.0, -1.0]), ([True, False, False], [0.5, 1.0, -1.0])]))  # fmt: skip

# Modes
line("no_grad target", "(w[0] * x - autodiff.stop_gradient(w[1] * y)) ** 2", *XY)
kind(
    "frozen target",
    "def f(x, y):\n    with no_grad():\n        s1 = w[0] * x + b\n    return (s1 * y - w[1]) ** 2",
    *XY,
)
kind(
    "frozen parameters",
    "def f(x):\n    with no_grad():\n        s1 = w[0] * w[1]\n    return s1 * x * b",
    *X,
)
kind(
    "straight through",
    "def f(x):\n    s1 = w[0] * x\n    s2 = s1 + (autodiff.sign(s1) - s1).detach()\n    return s2 * b",
    *X,
)
line("detached", "x.detach() * x * w[0] + w[1].detach() * b", *X)
kind(
    "decorated",
    "@no_grad()\ndef target(v):\n    return v * w[0] + b\n\n\ndef f(x):\n    return (target(x) - w[1] * x) ** 2",
    *X,
)

# Doors and Values inside
line("sum from a Value", "sum([x * w[0], w[1], b * x], Value(0.0))", *X)
kind(
    "accumulated in a Value",
    "def f(x):\n    s1 = Value(0.0)\n    for v in w:\n        s1 += v * x\n    return s1 * Value(2.0)",
    *X,
)
for _door in ("round({w}, 1)", "float(f'{{{w}:.2f}}')", "copy.copy({w})", "copy.deepcopy({w})", "({w}.grad + 1)",
              "len(repr({w}))", "{w}.data", "{w}.item()", "autodiff.compile(lambda v: v * v, batched=False)(3.0)",
              "autodiff.grad(lambda v: v * v * {w})(1.5)"):  # fmt: skip
    line(
        f"door {_door}",
        f"x * {_door.format(w='w[0]')} + b",
        *X,
        points=at("x", rows=[(0.5,), (-1.5,), (2.0,)]),
    )
kind("backward inside", "def f(x):\n    (w[0] * w[0]).backward()\n    return x * w[0]", *X)

# Lists
for _kind in ("list", "columns", "array", "tuple"):
    line(
        f"joined {_kind}", "sum(u * v for u, v in zip(w, [*x] + [1.0]))", Argument("x", _kind, (2,))
    )
line("list and list", "sum(u * v for u, v in zip(w, x + [1.0]))", Argument("x", "list", (2,)))
line(
    "sum of two lists",
    "sum(u * u for u in w[:2] + x) * len(w[:2] + x)",
    Argument("x", "list", (2,)),
)
line("repeated list", "sum(x * 2) * b", Argument("x", "list", (2,)))
line("named tuple", "x.x * w[0] - x.y", Argument("x", "point", (2,)))
KINDS["named tuple"] = lambda: _program(
    f'Point = namedtuple("Point", "x y")\n{W}def f(p):\n    return Point(p.x * w[0], p._replace(y=b).y)',
    Argument("p", "point", (2,)), name="named tuple",
)  # fmt: skip
for _name, _result in {
    "None": "None", "empty": "[]", "array": "np.array([x * w[0], x, 1.0], dtype=object)", "twice": "[x, x, w[0]]",
    "nested": "{'a': (x * b, [None]), 'b': []}", "constant": "(1.0, x * 0 + 2, w[0])", "matrix": "np.array([[x, b], [1.0, x]])",
}.items():  # fmt: skip
    line(f"result {_name}", _result, *X)
line("constant result", "3.0", *X)

# Second derivatives behind guards
for _name, _text in {
    "huber": "autodiff.where(autodiff.abs(w[0] / b - x) < 1, 0.5 * (w[0] / b - x) ** 2, autodiff.abs(w[0] / b - x) - 0.5)",
    "clipped": "(autodiff.clip(w[0] / b, 0, 5) - x) ** 2",
    "chosen": "autodiff.where(x > 0, (w[0] / b - x) ** 2, 0.0)",
    "rooted": "(autodiff.maximum(autodiff.sqrt(w[0] * b), 0) - 2) ** 2 * x",
}.items():  # fmt: skip
    kind(f"zero residual {_name}", f"def f(x):\n    return {_text}", *X, setup="w = [Value(2.0)]\nb = Value(2.0)\n",
         points=at("x", rows=[(1.0,), (0.5,)]))  # fmt: skip
