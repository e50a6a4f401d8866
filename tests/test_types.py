"""What a type checker knows about code of a user: one run of mypy over a short file."""

import re

import pytest

from tests.support.process import run

pytest.importorskip("mypy")

CALLS = {  # an expression, what it is for mypy
    "autodiff.exp(v)": "Value",
    "autodiff.exp(Kind(1.0))": "Value",
    "autodiff.exp(1.0)": "float",
    "autodiff.exp(np.float32(1.0))": "float",
    "autodiff.exp(array)": "float64 array",
    "autodiff.exp(integers)": "float64 array",
    "autodiff.exp(objects)": "object_ array",
    "autodiff.exp(either)": "Value | float",
    "v + w": "Value",
    "v * 2": "Value",
    "2 * v": "Value",
    "2 - v / 3": "Value",
    "v ** 2": "Value",
    "-abs(v)": "Value",
    "np.float64(2) * v": "Value",
    "v * array": "object_ array",
    "v > 0": "bool",
    "v == w": "bool",
    "v < array": "bool array",
    "v.tanh()": "Value",
    "v.leaky_relu(slope=0.1)": "Value",
    "v.clip(None, 1.0)": "Value",
    "v.detach()": "Value",
    "autodiff.add(v, 1)": "Value",
    "autodiff.mul(2.0, v)": "Value",
    "autodiff.div(1, 3)": "float",
    "autodiff.pow(array, 2)": "float64 array",
    "autodiff.add(array, v)": "object_ array",
    "autodiff.add(v, array)": "object_ array",
    "autodiff.where(v > 0, v, 0.0)": "Value",
    "autodiff.where(True, 0.0, v)": "Value",
    "autodiff.where(array > 0, array, 0.0)": "float64 array",
    "autodiff.clip(v, low=0, high=w)": "Value",
    "autodiff.clip(2.0, 0, 1)": "float",
    "autodiff.clip(array, 0, 1)": "float64 array",
    "autodiff.leaky_relu(v, slope=0.1)": "Value",
    "autodiff.elu(array)": "float64 array",
    "autodiff.sum([v, w])": "Value",
    "autodiff.sum(mixed)": "Value",
    "autodiff.mean(x * x for x in (v, w))": "Value",
    "autodiff.prod([1.0, 2])": "float",
    "autodiff.logsumexp(array)": "float",
    "autodiff.dot(ws, xs)": "Value",
    "autodiff.dot(ws, [1.0, 2.0])": "Value",
    "autodiff.dot([1.0, 2.0], ws)": "Value",
    "autodiff.dot([1.0], [2.0])": "float",
    "autodiff.maximum(v, 0)": "Value",
    "autodiff.maximum(0.0, v, w)": "Value",
    "autodiff.minimum(ws)": "Value",
    "autodiff.minimum(1.0, 2.0)": "float",
    "autodiff.take(ws, 0)": "Value",
    "autodiff.take([[v], [w]], 1)": "list[Value]",
    "autodiff.take([1.0, 2.0], 0)": "float",
    "cube(v)": "Value",
    "cube(2.0)": "float",
    "product(v, 2)": "Value",
    "grad(square)(1.0)": "float",
    "grad(square)(1)": "float",
    "grad(square)(v)": "Value",
    "grad(square)(array)": "float64 array",
    "grad(lambda x: x * x)(v)": "Value",
    "grad(grad(square))(1.0)": "float",
    "grad(norm)({'w': [1.0], 'b': [2.0]})": "dict[str, list[float]]",
    "grad(norm)((v, [1.0]))": "tuple[Value, list[float]]",
    "grad(with_aux, has_aux=True)([v])": "tuple[list[Value], str]",
    "value_and_grad(square)(1)": "tuple[float, float]",
    "value_and_grad(norm)([1.0, 2.0])": "tuple[float, list[float]]",
    "value_and_grad(norm)(ws)": "tuple[Value, list[Value]]",
    "value_and_grad(norm)(objects)[0]": "Value",
    "value_and_grad(with_aux, has_aux=True)(2.0)": "tuple[tuple[float, str], float]",
    "jacobian(square)(1.0)": "float",
    "jacobian(both)(v)": "list[Value]",
    "jacobian(both)([1.0])": "list[list[float]]",
    "jacobian(grad(norm))([1.0])": "list[list[float]]",
    "hessian(norm)([v, w])": "list[list[Value]]",
    "hessian(norm)({'a': 1.0})": "dict[str, dict[str, float]]",
    "hessian(norm)(array)": "float64 array",
    "hessian(square)(2.0)": "float",
    "vjp(square, 1.0)[0]": "float",
    "vjp(norm, [v])[1](1.0)": "tuple[list[Value]]",
    "vjp(both, v)[0]": "list[Value]",
    "jvp(square, (1.0,), (1.0,))": "tuple[float, float]",
    "jvp(norm, ([v],), ([w],))": "tuple[Value, Value]",
    "jvp(both, (v,), (w,))": "tuple[list[Value], list[Value]]",
    "jvp(grad(norm), ([1.0],), ([1.0],))": "tuple[list[float], list[float]]",
    "hvp(norm, ([1.0],), ([1.0],))": "list[float]",
    "autodiff.backward(v, as_graph=True)": "dict[Value, Value]",
    "autodiff.stop_gradient({'a': v})": "dict[str, Value]",
    "nn.MLP(2, [4, 1]).parameters()": "list[Value]",
    "nn.MLP(2, [4, 1])(x) - 1.0": "Value",
    "nn.MLP(2, [4, 3])(np.ones(2))[0]": "Value",
    "nn.MLP(2, [4, 3])(nn.MLP(2, [4, 2])(x))[0]": "Value",
    "nn.Neuron(2)([v, 2.0])": "Value",
    "nn.Linear(2, 3)(x)": "list[Value]",
    "nn.Linear(2, 3)([x, x])": "list[list[Value]]",
    "nn.LayerNorm(2)(x)": "list[Value]",
    "nn.Embedding(5, 2)(3)": "list[Value]",
    "nn.Embedding(5, 2)([3, 4])": "list[list[Value]]",
    "nn.SelfAttention(2, 1)([x, x])": "list[list[Value]]",
    "nn.GPT(5, 4)([1, 2])": "list[list[Value]]",
    'nn.Activation("relu")(2.0)': "float",
    'nn.Activation("relu")([v, v])': "list[Value]",
    "nn.Dropout()(x)": "list[float]",
    "nn.softmax(x)": "list[float]",
    "nn.softmax([[v], [v]])": "list[list[Value]]",
    "nn.mse(nn.MLP(2, [4, 1])(x), 1.0)": "Value",
    "nn.mse([v], x)": "Value",
    "nn.mse(x, np.ones(2))": "float",
    "nn.huber(x, x, delta=0.5)": "float",
    "nn.huber(v, 1.0)": "Value",
    "nn.cross_entropy(logits=[[v, v]], targets=[1])": "Value",
    "nn.predict(nn.MLP(2, [1]), [x])": "float64 array",
    "nn.fit(nn.MLP(2, [1]), [x], [1.0], loss=nn.mae).losses": "list[float]",
    "nn.data.standardize(x)": "float64 array",
    "nn.data.moons().features": "tuple[str, ...]",
}
HEAD = """
import numpy as np
import autodiff, nn
from autodiff import Value, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

def square(x: Value) -> Value:
    return x * x

def norm(xs: list[Value]) -> Value:
    return autodiff.sum([x * x for x in xs])

def both(x: Value) -> list[Value]:
    return [x, x * x]

def with_aux(x: Value) -> tuple[Value, str]:
    return x * x, "aux"

class Kind(Value):
    pass

v, w = Value(1.0), Value(2.0)
ws, xs = [v, w], [w, v]
array, integers = np.ones(3), np.arange(3)
objects = v * array
mixed: list[Value | float] = [v, 1.0]
x = [1.0, 2.0]
either: Value | float = v if integers[0] else 1.0
cube = autodiff.custom_op("cube", lambda x: x * x * x, lambda x, out: 3.0 * x * x)
slopes = [lambda x, y, out: y, lambda x, y, out: x]
product = autodiff.custom_op("product", lambda x, y: x * y, slopes)
"""


def plain(text):
    """A type without the packages and the shapes of its parts."""
    text = re.sub(r"\w+\.(?=\w)", "", text.replace("numpy.bool[builtins.bool]", "bool"))
    return re.sub(r"ndarray\[.*, dtype\[(\w+)(\[.*\])?\]\]", r"\1 array", text)


def test_a_type_checker_knows_what_calls_give(tmp_path):
    file = tmp_path / "user.py"
    file.write_text(HEAD + "".join(f"reveal_type({call})\n" for call in CALLS))
    command = ["--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(file)]
    done = run(f"from mypy.main import main; main(args={command})")
    found = re.findall(r'note: Revealed type is "(.*)"', done.stdout)
    assert dict(zip(CALLS, map(plain, found), strict=True)) == CALLS
    assert done.returncode == 0, done.stdout
