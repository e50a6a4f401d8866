"""What writes statements one after the other: phrases, names, arguments.

Names tell kinds: s1 is a Value, n1 a plain number, c1 a condition, h1 a list, a1 an array.
"""

import random

from tests.properties.program import Argument

SMOOTH = ["tanh", "sin", "cos", "sigmoid", "softplus", "atan", "erf", "silu", "gelu"]
UNARY = [
    *SMOOTH,
    "neg",
    "abs",
    "relu",
    "leaky_relu",
    "elu",
    "sign",
    "expm1",
    "sinh",
    "cosh",
    "erfc",
]
GUARDED = [
    "autodiff.where({s} > 0, autodiff.log({s}), 0.0)",
    "autodiff.where({s} > 0, autodiff.sqrt({s}), {t})",
    "autodiff.where({s} < 0, {t}, {s} ** 0.5)",
    "autodiff.where({s} == 0, 1.0, autodiff.sin({s}) / {s})",
    "autodiff.where({s} != 0, {t} / {s}, 0.0)",
    "autodiff.clip({t} / {s}, -1.5, 1.5)",
    "autodiff.maximum(autodiff.sqrt({s} * {s} + 0.1), 0.5)",
    "autodiff.minimum({t} / (1.0 + {s} * {s}), 2.0)",
    "autodiff.log(1.0 + autodiff.exp({s}))",
    "autodiff.log(autodiff.maximum({s}, 0.01))",
    "autodiff.sqrt(autodiff.clip({s}, 0.04, 4.0))",
    "autodiff.acos(autodiff.clip({s}, -0.9, 0.9))",
    "autodiff.log1p({s} * {s})",
    "({s} * {s} + 0.5) ** {t}",
    "autodiff.atan2({s}, {t})",
    "1 / autodiff.where({s} > 0.5, {s}, 0.5)",
]
CONDITIONS = [
    "{s} > {t}", "{s} >= 0.1", "{s} < -0.2", "({s} > 0) & ({t} > 0)", "({s} > 0) | ({t} < 1)",
    "0.3 < {s}", "({s} - {t}) > 0",
]  # fmt: skip
OF_CONDITIONS = [
    "{c} * {s}", "({c} + {d}) * {s}", "({c} - {d}) * {s}", "{s} * (1 - {c})", "autodiff.exp({c}) * {s}",
    "{s} + {c}", "autodiff.where({c}, {s}, {t})", "autodiff.where({c} & {d}, {s}, {t})", "-{c} * {s}",
    "autodiff.sum([{c}, {d}, {c}]) * {s}", "sum([{c}, {d}, {c}]) * {s}", "autodiff.maximum({c}, {s})",
    "autodiff.tanh({c}) * {s}", "autodiff.sigmoid({c} - 0.5) * {s}", "autodiff.mean([{c}, {d}]) * {s}",
    "autodiff.where({c} * {d}, {s}, {t})", "{s} * ({c} ^ {d})", "autodiff.where({c}, {c}, {d}) * {s}",
    "autodiff.dot([{c}, {d}], [{s}, {t}])", "autodiff.prod([{c}, {d}]) * {s} + {t}", "{c} * {d} * {s}",
    "autodiff.logsumexp([{c}, {d}]) * {s}", "abs({c} - 2) * {s}", "{s} * ({c} == {d})", "2 ** {c} * {s}",
    "({s} > 0) * {t} + ({s} <= 0) * {s}", "({c} / 2) * {s}", "autodiff.atan2({c}, 2.0) * {s}",
    "autodiff.sign({c}) * {s}", "autodiff.clip({s}, -{c}, {d})", "({c} + 1) ** 2 * {s}",
]  # fmt: skip
REDUCED = [
    "sum({h})", "autodiff.sum({h})", "autodiff.mean({h})", "autodiff.logsumexp({h})",
    "autodiff.maximum(*{h})", "autodiff.minimum(*{h})", "autodiff.prod({h})", "sum(v * v for v in {h})",
    "autodiff.dot({h}, {h}[::-1])", "sum({h}, Value(0.0))", "sum({h}, 0.5)", "{h}[0] - {h}[-1]",
    "sum(k * v for k, v in enumerate({h}))", "sum(v for k, v in enumerate({h}) if k != 1)",
    "autodiff.dot({h}, list(range(len({h}))))", "sum((v > 0) * v for v in {h})",
    "sum(v > 0 for v in {h}) * {h}[0]", "len({h}) * {h}[0]", "autodiff.take({h}, 0)",
]  # fmt: skip


class Writer:
    """Writes statements one after the other, and keeps which names hold what."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.lines: list[str] = []
        self.kinds: dict[str, list[str]] = {"s": [], "h": [], "a": [], "c": [], "n": []}
        self.length: dict[str, int] = {}
        self.integers: list[str] = []
        self.count = 0

    def name(self, kind: str, length: int = 0) -> str:
        self.count += 1
        made = f"{kind}{self.count}"
        self.kinds[kind].append(made)
        self.length[made] = length
        return made

    def some(self, kind: str) -> str:
        """A name of a kind, mostly one of the latest."""
        names = self.kinds[kind]
        return self.rng.choice(names[-3:] if self.rng.random() < 0.6 else names)

    def write(self, line: str) -> None:
        self.lines.append(line)

    def scalar(self, expression: str) -> str:
        """A new scalar, kept within bounds."""
        made = self.name("s")
        wraps = ["{}", "{}", "{}", "0.5 * ({})", "autodiff.tanh({})", "({}) - 0.3"]
        self.write(f"{made} = {self.rng.choice(wraps).format(expression)}")
        return made

    def filled(self, template: str) -> str:
        given = {key: self.some("s") for key in "st"}
        given |= {key: self.condition() for key in "cd" if f"{{{key}}}" in template}
        if "{h}" in template:
            given["h"] = self.some("h")
        return template.format(**given)

    def condition(self) -> str:
        if not self.kinds["c"] or self.rng.random() < 0.4:
            self.define_condition()
        return self.some("c")

    def define_condition(self) -> None:
        text = self.rng.choice(CONDITIONS).format(s=self.some("s"), t=self.some("s"))
        self.write(f"{self.name('c')} = {text}")


def draw_arguments(rng: random.Random, w: Writer) -> tuple[list[Argument], list[str]]:
    """Arguments of one to four kinds, and the statements that take them apart."""
    arguments, lines = [Argument("x")], []
    w.kinds["s"] += ["x"]
    kinds = rng.sample(
        ["number", "array", "list", "columns", "tuple", "point", "dict", "index", "mask", "count",
         "matrix", "indices", "static"], rng.randrange(0, 4))  # fmt: skip
    for kind in kinds:
        match kind:
            case "number":
                arguments.append(Argument("y"))
                w.kinds["s"] += ["y"]
            case "array":
                arguments.append(Argument("a0", kind, (4,)))
                w.kinds["a"].append("a0")
                w.length["a0"] = 4
            case "list":
                arguments.append(Argument("h0", kind, (2,)))
                w.kinds["h"].append("h0")
                w.length["h0"] = 2
            case "columns":
                arguments.append(Argument("hc", kind, (2,)))
                w.kinds["h"].append("hc")
                w.length["hc"] = 2
            case "tuple":
                arguments.append(Argument("pair", kind, (2,)))
                lines.append(f"{w.name('s')}, {w.name('s')} = pair")
            case "point":
                arguments.append(Argument("point", kind, (2,)))
                lines.append(f"{w.name('s')} = point.x - point.y")
            case "dict":
                arguments.append(Argument("data", kind, (3,)))
                lines.append(f'{w.name("s")} = data["a"] * data["b"][1] + data["b"].sum()')
            case "matrix":
                arguments.append(Argument("rows", kind, (2, 2)))
                lines.append(f"{w.name('h', 2)} = [sum(row) * row[0] for row in rows]")
            case "index" | "count":
                name = "k" if kind == "index" else "n"
                arguments.append(Argument(name, kind, (), 0, 3))
                w.integers.append(name)
            case "indices":
                arguments.append(Argument("ks", kind, (2,), 0, 3))
                w.integers.append("ks[1]")
            case "mask":
                arguments.append(Argument("mask", kind, (2,)))
                lines.append(f"{w.name('s')} = sum(autodiff.where(m, x, 0.5 * x) for m in mask)")
                w.integers.append("mask[0]")
            case "static":
                arguments.append(
                    Argument("flag", "static", static=rng.choice([True, False, 2, "mean"]))
                )
                lines.append(f"{w.name('s')} = x * 2 if flag == 2 or flag is True else x - 1")
    return arguments, lines
