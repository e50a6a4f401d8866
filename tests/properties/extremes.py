"""Programs of infinity, zero and order, and layouts in which what is wrong shows."""

from tests.properties.kinds import KINDS, XY, Argument, X, at, kind, line

__all__ = ["KINDS"]

# Infinity, zero, order
line(
    "large constants",
    "1e200 * (1e200 * x) * w[0]",
    *X,
    points=at("x", rows=[(1e-300,), (1e-310,), (0.0,)]),
)
line(
    "small constants", "1e-200 * (1e-200 * x) * w[0]", *X, points=at("x", rows=[(1e300,), (2e305,)])
)
for _name, _text in {"quotients": "p / q", "products": "p * (1 / q)"}.items():
    kind(f"padding under a comparison, {_name}",
         "def f(u):\n"
         f"    h1 = [sum({_text} for p, q in zip(row, u)) for row in w]\n"
         "    return sum(autodiff.where(v > 0, b, -b) for v in h1)",
         Argument("u", "array", (3,)),
         setup="w = [[Value(0.5 + i * j) for j in range(i + 1)] for i in range(3)]\nb = Value(0.2)\n",
         points=at("u", rows=[([1.0, 2.0, 0.0],), ([-0.0, 2.0, 1.0],)]))  # fmt: skip
kind("padding under a comparison",
     "rows = [(w[:1], (1.0,)), (w[:2], (1.0, 2.0)), (w[:3], (1.0, 2.0, 0.0))]\n\n\ndef f(x):\n"
     "    s1 = [sum(u * x / v for u, v in zip(*row)) for row in rows]\n"
     "    return sum(autodiff.where(s > 0, 1.0, -1.0) for s in s1) * b",
     *X, points=at("x", rows=[(1.0,), (2.0,)]))  # fmt: skip
line("two zeros", "sum([1 / (v * x) for v in (1.0, 0.0, -0.0)][1:2]) * w[0], 1 / (-0.0 * x)", *X,
     points=at("x", rows=[(1.0,), (-2.0,)]))  # fmt: skip
line("static choices", "autodiff.where(False, x, w[0]) + autodiff.where(True, b, x) * autodiff.where(0, b, x)"
     " + autodiff.where(-2, x, b) + autodiff.where(x is None, b, 3 * x)", *X)  # fmt: skip
for _name, _text in {
    "added zero": "1 / (x + 0.0)", "atan2 at -0": "autodiff.atan2(x + 0.0, -1.0)", "one term": "1 / sum([x])",
    "minus -0": "1 / (x - (-0.0))", "product with zero": "1 / (0.0 * x)", "negative zero": "1 / (-x)", "root": "x ** 0.5",
    "square": "1 / (x ** 2)", "minus zero": "1 / (x - 0.0)", "zero minus": "1 / (0.0 - x)", "log": "autodiff.log(x)",
    "dot": "1 / autodiff.dot([x], [1.0])", "mean": "1 / autodiff.mean([x])", "prod": "1 / autodiff.prod([x])",
    "maximum": "1 / autodiff.maximum(x, -1.0)", "clip": "1 / autodiff.clip(x, -1.0, 1.0)", "relu": "1 / autodiff.relu(x)",
    "abs": "1 / abs(x)", "sign": "autodiff.sign(x) / x", "sum": "1 / autodiff.sum([x, 0.0])", "softplus": "autodiff.softplus(x)",
}.items():  # fmt: skip
    line(f"edge {_name}", f"{_text} * w[0]", *X,
         points=at("x", rows=[(-0.0,), (0.0,), (float("-inf"),), (float("inf"),), (-1.0,)]))  # fmt: skip
line("power at zero", "w[0] ** w[1] * x", *X, points=at("x", rows=[(1.0,), (0.0,)]))
line("shifted exponentials", "autodiff.exp(x - autodiff.logsumexp([x, y])) * w[0]", *XY,
     points=at("x", "y", rows=[(-1000.0, -1001.0), (1000.0, 999.0)]))  # fmt: skip
kind("log at -1", "def f(x):\n    return autodiff.log(w[0]) * x", *X, setup="w = [Value(-1.0)]\n",
     points=at("x", rows=[(1.0,), (0.5,)]))  # fmt: skip
kind("log1p at -2", "def f(x):\n    return autodiff.log1p(w[0]) * x", *X, setup="w = [Value(-2.0)]\n",
     points=at("x", rows=[(1.0,), (0.5,)]))  # fmt: skip

# Layouts in which what is wrong shows: what padding, spare cells and holes hold
LAYOUT = ("w = [Value(-0.5), Value(-0.3), Value(-0.8)]\nb = Value(0.2)\nc = [Value(0.1), Value(-0.4)]\n"
          "m = [[Value(0.3), Value(-0.6), Value(0.9)], [Value(0.7), Value(0.2), Value(-0.1)]]\n")  # fmt: skip
for _name, _text in {
    "ragged maximum": "sum(autodiff.maximum(*[u - 3 - x * x for u in w[:k]]) for k in (1, 2, 3))",
    "ragged minimum": "sum(autodiff.minimum(*[u + 5 + x * x for u in w[:k]]) for k in (1, 2, 3))",
    "ragged product": "sum(autodiff.prod([u * x for u in w[:k]]) for k in (1, 2, 3))",
    "ragged logsumexp": "sum(autodiff.logsumexp([u * x for u in w[:k]]) for k in (1, 2, 3))",
    "ragged sums": "sum(autodiff.sin(sum(u * x for u in w[:k])) for k in (1, 2, 3))",
    "only subtracted": "autodiff.tanh(-x * b - w[0] * y) * autodiff.tanh(-x - b)",
    "biases reversed": "sum(autodiff.tanh(sum(u * v for u, v in zip(r, (x, y, x * y))) + p) for r, p in zip(m, c[::-1]))",
    "one bias": "sum(autodiff.tanh(sum(u * v for u, v in zip(r, (x, y, x * y))) + b) for r in m)",
    "repeated reads": "sum(autodiff.sin(v * x) * k for k, v in enumerate([w[0], w[0], w[1], w[0]]))",
    "joined parts": "sum(autodiff.sin(v) * (k + 1) for k, v in enumerate([*[u * x for u in w], *[u - y for u in c], b]))",
    "triangle of dots": "sum(autodiff.sin(autodiff.dot(p[:k], [x, y, b][:k])) for k, p in ((1, m[0]), (2, m[1]), (3, w), (3, m[0])))",
}.items():  # fmt: skip
    kind(f"layout: {_name}", f"def f(x, y):\n    return {_text}", *XY, setup=LAYOUT)
for _name, _text in {
    "spare cell": "[autodiff.dot(p, q) for p, q in ((m[0], v1), (m[0], v2), (m[1], v1))]",
    "spare division": "[p / q for p, q in ((x, w[0]), (y, w[1]), (x, w[1]))]",
    "padded division": "[sum(p / q for p, q in zip((x, y, 1.0)[:k], v2)) for k in (1, 2)]",
    "padded logarithm": "[autodiff.sum([p * autodiff.log(q) for p, q in zip((x, y, 1.0)[:k], v2)]) for k in (1, 2)]",
    "padded maximum": "[autodiff.maximum(*[autodiff.log(q) for q in v2[:k]]) * x for k in (1, 2)]",
}.items():  # fmt: skip
    kind(f"poison: {_name}",
         f"def f(x, y):\n    v1 = [x, y, 1 / (y - y)]\n    v2 = [x * x, y * y, x - x]\n    h1 = {_text}\n"
         "    return sum(autodiff.where(v > 0, 1.0, -1.0) * b * k for k, v in enumerate(h1[:2], 1)) + autodiff.clip(h1[0], -5.0, 5.0)",
         *XY, setup=LAYOUT, points=at("x", "y", rows=[(1.0, 0.5), (-2.0, 0.25), (0.75, -1.0)]))  # fmt: skip
for _name, _text in {
    "square": "((b * w[0] + b - w[0]) - (w[0] - w[0] * w[0])) ** 2", "sine": "autodiff.sin(b * w[0] - w[0] - w[0] * x - w[0])",
    "product": "(w[0] + w[0] + w[1] * w[0] + b * b) * (w[0] + w[0] - b * w[1])",
}.items():  # fmt: skip
    line(f"layout: twice in a sum, {_name}", f"{_text} + x", *X)
for _name, _result in {"shown": "h1", "clipped": "sum(autodiff.clip(v, -5.0, 5.0) for v in h1)",
                       "compared": "sum(autodiff.where(v > 0, b, -b) for v in h1)"}.items():  # fmt: skip
    kind(f"poison: padded products {_name}",
         "def f(x, y):\n    v1 = [x, y, 1 / (y - y)]\n"
         f"    h1 = [sum(u * v for u, v in zip(w[:k], v1)) for k in (1, 2, 3)]\n    return {_result}",
         *XY, setup=LAYOUT, points=at("x", "y", rows=[(1.0, 0.5), (-2.0, 0.25), (0.75, -1.0)]))  # fmt: skip
for _name, _result in {"shown": "h1", "summed": "h1[0] * h1[1]"}.items():
    kind(f"poison: padded dots {_name}",
         f"def f(u):\n    h1 = [sum(p * q for p, q in zip(row, u)) for row in w]\n    return {_result}",
         Argument("u", "array", (3,)), setup="w = [[Value(0.5 + i * j) for j in range(i + 1)] for i in range(3)]\n",
         points=at("u", rows=[([1.0, 2.0, float("inf")],), ([0.5, -1.0, 2.0],)]))  # fmt: skip
for _name, _text in {"root": "autodiff.sqrt", "logarithm": "autodiff.log"}.items():
    kind(f"poison: spare cell of a {_name}",
         f"def f(rows):\n    h1 = [{_text}(autodiff.dot(m[i], rows[j])) for i, j in ((0, 0), (0, 1), (1, 0))]\n"
         "    return sum(h1)",
         Argument("rows", "matrix", (2, 2)), setup="m = [[Value(1.0), Value(2.0)], [Value(1.0), Value(-1.0)]]\n",
         points=at("rows", rows=[([[2.0, 1.0], [1.0, 1.0]],), ([[3.0, 1.0], [2.0, 2.0]],)]))  # fmt: skip
kind("nan by choice", "def f(x, k):\n    return autodiff.take([x * w[0], autodiff.log(-x * x), x / (x - x)], k) + autodiff.where(x > 0, b, autodiff.log(x))",
     *X, Argument("k", "index", (), 0, 3), points=at("x", "k", rows=[(1.0, 0), (-1.0, 1), (2.0, 2)]))  # fmt: skip
