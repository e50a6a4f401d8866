"""Random functions in the styles people write, as readable text."""

import random
from collections.abc import Callable
from textwrap import indent

import autodiff
from tests.properties.program import Program
from tests.properties.writer import GUARDED, OF_CONDITIONS, REDUCED, UNARY, Writer, draw_arguments

# Each writes some statements


def unary(w: Writer) -> None:
    op, s = w.rng.choice(UNARY), w.some("s")
    is_method = w.rng.random() < 0.4 and op not in ("neg",)
    w.scalar(f"{s}.{op}()" if is_method else f"autodiff.{op}({s})")


def binary(w: Writer) -> None:
    s, t = w.some("s"), w.some("s")
    forms = ["{s} + {t}", "{s} - {t}", "{s} * {t}", "{s} / (2 + {t} * {t})", "2 - {s}", "{s} ** 2",
             "1.5 * {s} - {t}", "{s} ** 3 / 4", "autodiff.maximum({s}, {t})", "-{s} + {t} * 0.0",
             "autodiff.minimum({s}, 0.7)", "abs({s}) + {t}", "{s}.clip(-1, 1)", "3 / (1 + abs({s}))",
             "0.0 + {s}", "{s} * {s}", "+{s} - (-{t})", "-{s} - {t}", "-({s} * {t}) - {t} * 2", "-{s} / 3",
             "-({s} * 2 - {t})", "{s} * {t} - {t} * {s} + {s}"]  # fmt: skip
    w.scalar(w.rng.choice(forms).format(s=s, t=t))


def guarded(w: Writer) -> None:
    w.scalar(w.filled(w.rng.choice(GUARDED)))


def conditions(w: Writer) -> None:
    w.define_condition()
    w.scalar(w.filled(w.rng.choice(OF_CONDITIONS)))


def number_as_condition(w: Writer) -> None:
    s, t = w.some("s"), w.some("s")
    counts = [f"({s} > 0) + ({t} > 0)", f"sum(v > 0 for v in [{s}, {t}])"]
    rare = [f"autodiff.relu({t})", s] if w.rng.random() < 0.1 else []
    choice = w.rng.choice(rare or [*w.integers, *counts])
    w.scalar(f"autodiff.where({choice}, {s}, {t} * 0.5)")


def growing_list(w: Writer) -> None:
    h, s, t = w.name("h", 3), w.some("s"), w.some("s")
    step = w.rng.choice([f"{s} * k + {t}", f"autodiff.tanh({s} - k)", f"{h}[-1] * {s} + {t}"])
    first = f"[{t}]" if "[-1]" in step else "[]"
    count = 2 if "[-1]" in step else 3
    w.write(f"{h} = {first}\nfor k in range({count}):\n    {h}.append({step})")


def comprehension(w: Writer) -> None:
    h = w.some("h")
    forms = ["v * {s} for v in {h}", "autodiff.tanh(v) for v in {h}", "v - u for v, u in zip({h}, {h}[1:])",
             "v if k else v * 2 for k, v in enumerate({h})", "autodiff.maximum(v, 0.0) for v in {h}",
             "{s} * v + {t} for v in reversed({h})", "sum({h}[: k + 1]) for k in range(len({h}))"]  # fmt: skip
    form = w.rng.choice(forms)
    length = w.length[h] - ("[1:]" in form)
    text = form.format(s=w.some("s"), t=w.some("s"), h=h)
    if length:
        w.write(f"{w.name('h', length)} = [{text}]")


def edited_list(w: Writer) -> None:
    """Lists as Python has them: joined, repeated, cut, changed in place."""
    h, g, s = w.some("h"), w.some("h"), w.some("s")
    n, m = w.length[h], w.length[g]
    made = w.name("h")
    edits = [
        (f"{made} = {h} + {g}", n + m), (f"{made} = {h} + [{s}, 1.0]", n + 2), (f"{made} = {h} * 2", 2 * n),
        (f"{made} = [1.0] + {h}", n + 1), (f"{made} = list({h})\n{made}[0] = {s}", n),
        (f"{made} = {h}[::-1]", n), (f"{made} = [*{h}, {s}]", n + 1), (f"{made} = {h}[1:] or [{s}]", max(n - 1, 1)),
        (f"{made} = list({h})\n{made}[-1] += {s}", n), (f"{made} = list({h})\n{made}.insert(0, {s})", n + 1),
        (f"{made} = list({h})\n{made} += {g}", n + m), (f"{made} = list({h})\n{made}.extend([{s}, {s}])", n + 2),
        (f"{made} = list(tuple({h}) + ({s},))", n + 1), (f"{made} = [v for v in ({h}, {g}) for v in v]", n + m),
    ]  # fmt: skip
    text, w.length[made] = w.rng.choice([e for e in edits if e[1] <= 8] or edits[4:6])
    w.write(text)


def reduced(w: Writer) -> None:
    w.scalar(w.filled(w.rng.choice(REDUCED)))


def accumulated(w: Writer) -> None:
    h, s, t = w.some("h"), w.name("s"), w.some("s")
    if t == s:
        t = w.kinds["s"][0]
    start = w.rng.choice(["0.0", "0", "Value(0.0)", t, "Value(1.5)"])
    step = w.rng.choice(
        [f"{s} += v * {t}", f"{s} = {s} + v", f"{s} -= autodiff.tanh(v)", f"{s} = v - {s} * 0.5"]
    )
    w.write(f"{s} = {start}\nfor v in {h}:\n    {step}")


LAYOUTS = [
    ("autodiff.tanh(sum(u * v for u, v in zip(row, {h})) + c) for row, c in zip(m, {b})", 2),
    ("sum(u * v for u, v in zip(row, {h}[::-1])) - c for row, c in zip(m, {b})", 2),
    ("autodiff.relu(autodiff.dot(row[: len({h})], {h}[:3])) for row in m", 2),
    ("sum(u * v for u, v in zip(w[:k], {h})) for k in range(1, 4)", 3),
    ("sum((u * v for u, v in zip(m[0][:k], {h})), b) for k in (2, 1, 3)", 3),
    ("autodiff.maximum(*{h}[:k]) for k in range(1, len({h}) + 1)", 0),
    ("autodiff.minimum(*{h}[k:]) for k in range(len({h}))", 0),
    ("autodiff.logsumexp({h}[: k + 1]) for k in range(len({h}))", 0),
    ("autodiff.prod([0.5, *{h}[:k]]) for k in range(len({h}))", 0),
    ("autodiff.mean({h}[k // 2 :]) for k in range(len({h}))", 0),
    ("autodiff.dot(p[: i + 1], q[: i + 1]) for i, p in enumerate(m) for q in m[: i + 1]", 3),
    ("sum(u * v for u, v in zip(p, {h})) * q[0] for p in m for q in m", 4),
    ("{h}[i] * w[j] for i, j in ((0, 1), (0, 0), (-1, 1), (0, 1))", 4),
    ("autodiff.sin({h}[k]) for k in (0, 0, -1)", 3),
    ("autodiff.atan(v) for v in [*{h}, 1.0, *w]", 0),
    ("autodiff.exp(-v * v) for v in [{s}, *{h}, {t}, {s}]", 0),
    ("-v * {s} - u * {t} for v, u in zip({h}, w)", 2),
    ("-(v / (2 + {s} * {s})) for v in {h}", 0),
    ("u * {s} + v - {t} if k % 2 else u - v * {s} for k, (u, v) in enumerate(zip({h}, w))", 2),
]


def layouts(w: Writer) -> None:
    """Layers, ragged rows, triangles, views that repeat: what becomes arrays."""
    form, length = w.rng.choice(LAYOUTS)
    h = w.some("h")
    text = form.format(
        h=h, s=w.some("s"), t=w.some("s"), b=w.rng.choice(["c", "c[::-1]", "[b, b]", "w"])
    )
    made = w.name("h", min(length or w.length[h], w.length[h]) or 1)
    w.write(f"{made} = [{text}]")
    ends = ["sum({h})", "autodiff.logsumexp({h})", "autodiff.maximum(*{h})", "sum(v * v for v in {h})",
            "{h}[-1] - {h}[0]", "autodiff.dot({h}, {h}[::-1])"]  # fmt: skip
    w.scalar(w.rng.choice(ends).format(h=made))


def arrays(w: Writer) -> None:
    a, s = w.some("a") if w.kinds["a"] else "", w.some("s")
    if not a or w.rng.random() < 0.4:
        h = w.some("h")
        a = w.name("a", w.length[h])
        w.write(f"{a} = np.array({h}, dtype=object)")
    forms = ["{a} * {s}", "autodiff.tanh({a})", "{a} + {a}[::-1]", "np.exp(-{a} * {a})", "1.0 - {a}",
             "autodiff.where({a} > 0, {a}, {s})", "autodiff.maximum({a}, {s})", "{a} / (1.0 + {a} * {a})",
             "np.tanh({a}) + 1"]  # fmt: skip
    length = w.length[a]
    text = w.rng.choice(forms).format(a=a, s=s)
    made = w.name("a", length)
    w.write(f"{made} = {text}")
    ends = [f"{made}.sum()", f"{made} @ {a}", f"np.sum({made})", f"{made}[0] * {made}[-1]", f"sum({made})",
            f"autodiff.mean({made})", f"np.dot({made}, {made})"]  # fmt: skip
    w.scalar(w.rng.choice(ends))


def modes(w: Writer) -> None:
    s, t = w.some("s"), w.some("s")
    forms = ["frozen", "detach", "straight", "decorated", "constant"]
    if hasattr(autodiff, "stop_gradient"):
        forms += ["stop", "stop", "tree"]
    made = w.name("s")
    match w.rng.choice(forms):
        case "frozen":
            w.write(f"with no_grad():\n    {made} = {s} * {t} + autodiff.sin({s})")
            w.scalar(f"{made} * {t}")
        case "detach":
            w.write(f"{made} = {s}.detach() * {t}")
        case "straight":
            w.write(f"{made} = {s} + (autodiff.sign({s}) - {s}).detach()")
        case "decorated":
            w.write(
                f"@no_grad()\ndef target(v):\n    return v * {t} + {s}\n\n{made} = ({s} - target({t})) ** 2"
            )
        case "constant":
            w.write(f"{made} = Value(0.7) * {s} + Value(0.0)")
        case "stop":
            w.write(f"{made} = autodiff.stop_gradient({s} * {t}) * {s}")
        case "tree":
            w.write(f"{made} = autodiff.dot(autodiff.stop_gradient([{s}, {t}]), [{t}, {s}])")


def structures(w: Writer) -> None:
    s, t, made = w.some("s"), w.some("s"), w.name("s")
    forms = [
        f'd = {{"x": {s}, "y": {t} * 2}}\nd["x"] += {t}\n{made} = sum(d.values())',
        f"p = Point({s}, {t})\np = p._replace(y=p.x * p.y)\n{made} = p.x + p.y",
        f"def mixed(u, v=1.0, *rest, scale=0.5):\n    return u * v * scale + sum(rest)\n\n"
        f"{made} = mixed({s}, {t}, {s}, scale={t})",
        f"def outer(u):\n    def inner(v):\n        return u * v + {s}\n\n    return inner\n\n"
        f"{made} = outer({t})({s})",
        f"total = [0.0]\n\ndef add(u):\n    total[0] = total[0] + u\n\nadd({s})\nadd({t} * {s})\n{made} = total[0]",
        f'd = dict(a={s}, b=[{t}, {s}])\n{made} = d["a"] * d["b"][0] + d.get("c", 0.0)',
        f"{made}, _ = divmod(7, 2)\n{made} = {made} * {s}",
        f"u, v = {t}, {s}\nu, v = v, u - v\n{made} = u * v",
        f"{made} = (lambda u, v: u - v)(*[{s}, {t}])",
    ]  # fmt: skip
    w.write(w.rng.choice(forms))


def taken(w: Writer) -> None:
    h = w.some("h")
    indices = [k for k in w.integers if k.startswith("k")] or ["0"]
    k = w.rng.choice(indices)
    if w.length[h] < 3:
        h = f"([{w.some('s')}, 0.5] + {h})"
    forms = [
        f"autodiff.take({h}, {k})",
        f"{k} * {w.some('s')}",
        f"autodiff.take([[v, v * 2] for v in {h}], {k})[1]",
    ]
    w.scalar(w.rng.choice(forms))


STYLES: list[Callable[[Writer], None]] = [
    unary, binary, binary, guarded, conditions, number_as_condition, growing_list, comprehension, edited_list,
    edited_list, reduced, reduced, accumulated, layouts, layouts, layouts, arrays, modes, structures, taken,
]  # fmt: skip

RESULTS = [
    "return {s}, {t}", "return [{s}, {s}, {t}]", 'return {{"loss": {s}, "parts": [{t}, None]}}',
    "return Point({s}, {t})", "return {h}", "return [], {s}", "return ({s}, {x}, 1.0)",
    "return np.array([{s}, {t}], dtype=object)", "return {s}, {c}", "return {{'k': ({s},), 'w': w[0]}}",
    "return None, {s}", "return {h}, {s} > 0",
]  # fmt: skip


def random_program(seed: int | str) -> Program:
    """A function in mixed styles, the same one for the same seed."""
    rng = random.Random(f"styles {seed}")
    w = Writer(rng)
    arguments, lines = draw_arguments(rng, w)
    size = rng.choice([2, 3, 4])

    def numbers(count: int) -> str:
        return ", ".join(f"Value({rng.uniform(-1.5, 1.5):.3f})" for _ in range(count))

    setup = [
        'Point = namedtuple("Point", "x y")',
        f"w = [{numbers(size)}]",
        f"b = Value({rng.uniform(-1, 1):.3f})",
        f"m = [[{numbers(3)}], [{numbers(3)}]]",
        f"c = [{numbers(2)}]",
    ]
    w.kinds["s"] += ["w[0]", "w[1]", "b"]
    w.kinds["h"].append("w")
    w.length["w"] = size
    w.lines += lines
    for style in rng.choices(STYLES, k=rng.randrange(2, 8)):
        style(w)
    if rng.random() < 0.2:
        given = {"s": w.some("s"), "t": w.some("s"), "h": w.some("h"), "x": "x"}
        template = rng.choice(RESULTS)
        if "{c}" in template:
            given["c"] = w.condition()
        w.write(template.format(**given))
    else:
        forms = ["return {s} + {t}", "return {s}", "return ({s} - x) ** 2", "return {s} * {t} + b",
                 "return autodiff.tanh({s}) + 0.1 * {t}"]  # fmt: skip
        w.write(rng.choice(forms).format(s=w.kinds["s"][-1], t=w.some("s")))
    names = ", ".join(a.name for a in arguments)
    function = f"def f({names}):\n" + indent("\n".join(w.lines), "    ")
    return Program("\n".join(setup), function, tuple(arguments), trail=(f"style {seed}",))
