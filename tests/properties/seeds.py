"""Programs to begin with: the smallest of each kind, those of the tests, and those of the README."""

from tests.properties.extremes import KINDS
from tests.properties.kinds import XY, Argument, Program, X, at, kind, line
from tests.properties.styles import random_program
from tests.support.layouts import Layout
from tests.support.programs import PROGRAMS

# Comparisons with numbers
line(
    "sinc",
    "autodiff.where(x == 0, 1.0, autodiff.sin(x) / x) * w[0]",
    *X,
    points=at("x", rows=[(0.0,), (0.5,)]),
)
line(
    "unlike zero",
    "autodiff.where(x != 0, autodiff.sin(x) / x, 1.0) * w[0]",
    *X,
    points=at("x", rows=[(0.0,), (0.5,)]),
)
line("identity", "(x == x) * w[0] + (w[0] == w[0]) * b + x", *X)

# Larger, names, errors
kind("wide layer",
     "n = 91\nw = [[Value(0.01 * ((7 * i + j) % 9 - 4)) for j in range(n)] for i in range(n)]\n"
     "b1 = [Value(0.1) for _ in range(n)]\nb2 = [Value(0.02 * i) for i in range(n)]\n\n\ndef f(x, y):\n"
     "    h1 = [x * 0.01 * j + y for j in range(n)]\n"
     "    s1 = sum(autodiff.tanh(sum(u * v for u, v in zip(row, h1)) + p + q) for row, p, q in zip(w, b1, b2))\n"
     "    return s1 * 0.01", *XY, setup="")  # fmt: skip
kind(
    "names of scripts", "def f(मान, y):\n    return मान * w[0] + y", Argument("मान"), Argument("y")
)
kind("names that fold", "def f(x):\n    return {'ﬁ': x * w[0], 'fi': x, 'a': b, 'a_Ｔ': x * 2}", *X)
line("index out of range", "autodiff.take(w, k) * x", *X, Argument("k", "index", (), 0, 5),
     points=at("x", "k", rows=[(1.0, 1), (1.0, 3)]))  # fmt: skip
line("error in f", "autodiff.dot(w, [x]) + undefined", *X)
line("unequal dots", "autodiff.dot(w, [x])", *X)
line("maximum of nothing", "autodiff.maximum(*[]) + x", *X)
line("branch", "w[0] * x if x > 0 else b", *X)
line("truth of a list", "w[0] * x if [x] else b", *X)
line("sorted", "sorted([w[0] * x, b, x])[0]", *X)
line("builtin max", "max(w[0] * x, b)", *X)
line("range of a number", "sum(w[0] for _ in range(n)) * x", *X, Argument("n", "count", (), 0, 4))
line("take by a static", "autodiff.take(w, k) * x", *X, Argument("k", "static", static=1))
kind(
    "custom op",
    "sinc = autodiff.TABLE['sinc'] if 'sinc' in getattr(autodiff, 'TABLE', {}) else autodiff.sin\n\n\ndef f(x):\n    return sinc(x * w[0]) * b",
    *X,
)

for _name in PROGRAMS:
    _arguments = {
        "classifier": [Argument("x", "array", (20,)), Argument("k", "index", (), 0, 5)],
        "conv": [Argument("a0", "array", (12,)), Argument("y")],
        "recurrent": [Argument("a0", "array", (20,)), Argument("y")],
        "runge_kutta": [Argument("a0", "array", (2,), -0.5, 0.5)],
        "mixture": [Argument("x")],
    }.get(_name, [Argument("x"), Argument("y")])  # fmt: skip
    if _name.startswith("gpt"):
        _length = int(_name[4:])
        _arguments = [Argument(n, "indices", (_length,), 0, 11) for n in ("tokens", "following")]
    _names = ", ".join(a.name for a in _arguments)
    kind(f"tests: {_name}",
         f'from tests.support.programs import PROGRAMS\n\nmade = PROGRAMS["{_name}"]().f\n\n\n'
         f"def f({_names}):\n    return made({_names})", *_arguments, setup="")  # fmt: skip

kind("readme",
     "w = [[Value(0.1), Value(0.2), Value(0.3)], [Value(-0.3), Value(0.1), Value(0.2)]]\n"
     "b, v = [Value(0.0), Value(0.1)], [Value(1.0), Value(-1.0)]\n\n\ndef f(x, y):\n"
     "    hidden = [(sum(wi * xi for wi, xi in zip(row, x)) + bi).relu() for row, bi in zip(w, b)]\n"
     "    return (sum(vi * hi for vi, hi in zip(v, hidden)) - y) ** 2",
     Argument("x", "array", (3,)), Argument("y"), setup="")  # fmt: skip
kind("micrograd",
     "def f(x, y):\n    c = x + y\n    d = x * y + y**3\n    c += c + 1\n    c += 1 + c + (-x)\n"
     "    d += d * 2 + (y + x).relu()\n    d += 3 * d + (y - x).relu()\n    e = c - d\n    s1 = e**2\n"
     "    s2 = s1 / 2.0\n    s2 += 10.0 / s1\n    return s2 * w[0]", *XY)  # fmt: skip

for _seed in range(12):
    kind(f"tests: layout {_seed}",
         f"from tests.support.layouts import Layout\n\nmade = Layout({_seed})\np = made.parameters\n\n\n"
         f"def f(a0, rows, k):\n    return made.value(a0, rows, k)",
         Argument("a0", "array", (int(Layout(_seed).columns),), -1, 1),
         Argument("rows", "matrix", (Layout(_seed).rows, Layout(_seed).columns), -1, 1),
         Argument("k", "indices", (2,), 0, 3), setup="")  # fmt: skip

for _flag in (True, False):
    kind(f"other parameters {_flag}",
         "def f(x, flag):\n    return w[1] * x * b if flag else w[2] * w[0] * x * x",
         *X, Argument("flag", "static", static=_flag), checks=("change",))  # fmt: skip

SLOW = ("wide layer", *(name for name in KINDS if name in {f"tests: {made}" for made in PROGRAMS}))


QUICK = [name for name in KINDS if name not in SLOW]


def seed_program(number: int) -> Program:
    """One of the seeds: every third is of a kind, some of these are large; the rest are random."""
    if number % 3:
        return random_program(number)
    turn = number // 3
    names = list(SLOW) if turn % 150 == 149 else QUICK
    return KINDS[names[(turn // 150 if turn % 150 == 149 else turn) % len(names)]]()
