import math
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather, View
from autodiff.compiler.numpy import memory, runtime
from autodiff.compiler.numpy.loading import load
from autodiff.compiler.numpy.source import write
from autodiff.rows.arrays import SPECIAL
from tests.compiler.reading import Poisoned, unbound_names
from tests.support.eager import eager, is_close
from tests.support.programs import PROGRAMS, compiled


def run(builder, results, leaves, values, batch=1):
    program, _ = builder.program(results)
    source = write(program, leaves)
    return load(source.text, "test")(batch, 1.0, float, source.arrays)(*values)


def test_reductions_of_one_element_many_times_are_right():
    kernel = Kernel(lambda x: [ops.logsumexp([x[k]] * 2) for k in (0, 3)])
    found = kernel(np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]))
    assert np.allclose(np.ravel(found), np.log(2) + np.array([1.0, 4.0]), rtol=1e-14)


@pytest.mark.parametrize("is_disjoint", [True, False])
def test_scattered_parts_are_added_at_their_places(is_disjoint):
    builder = Builder()
    x, y = builder.leaf("x", 3, True), builder.leaf("y", 3, True)
    places = np.array([4, 6, 5]) if is_disjoint else np.array([2, 6, 2])
    parts = [(x, View(0, (3,), (1,))), (y, Gather(places))]
    values = np.array([[1.0, 2.0, 3.0]]), np.array([[10.0, 20.0, 30.0]])
    (result,) = run(builder, [builder.scatter(parts, (8,))], ["x", "y"], values)
    expected = np.zeros(8)
    expected[:3] += values[0][0]
    np.add.at(expected, places, values[1][0])
    assert result.tolist() == [expected.tolist()]


@pytest.mark.parametrize("value", [0.1, 1e300, -2.0, 0.0, -0.0, np.inf, -np.inf, np.nan])
def test_constants_are_exact(value):
    x = np.array([1.0, -1.0])
    found = Kernel(lambda x: [x * value, ops.where(x > 0, value, x)])(x)
    assert found[0].tobytes() == (x * value).tobytes() or np.isnan(value)
    assert np.isnan(found[0]).all() == np.isnan(value)
    assert found[1].tobytes() == np.array([value, -1.0]).tobytes()


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_name_is_bound_once(name):
    source = compiled(name)[1].source
    binding = source.split("    def step(")[0]
    names = re.findall(r"^    (\w+) = ", binding, re.MULTILINE)
    assert len(names) == len(set(names)) > 3
    for function in compiled(name)[1]._latest._functions.values():
        assert unbound_names(function.source) == []


def test_the_step_makes_no_arrays():
    source = compiled("mlp_module")[1].source
    step = source[source.index("    def step(") :]
    assert not re.search(r"np\.(empty|zeros|full|concatenate|array)\b", step)
    calls = [line for line in step.splitlines() if "np." in line]
    assert calls
    assert all(re.search(r"out=|\[\.\.\.\] =|np\.copyto", line) for line in calls)


@pytest.mark.skipif(find_spec("ruff") is None, reason="ruff is not installed")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_text_is_clean(name):
    strided = "from autodiff.compiler.numpy.runtime import strided"
    special = f"from autodiff.rows.special import {', '.join(SPECIAL)}"
    imports = f"import math\n\nimport numpy as np\n\n{strided}\n{special}\n"
    text = f"{imports}\n\n{compiled(name)[1].source}"
    options = [
        "--isolated",
        "--select",
        "F,E,W,B,PLE",
        "--ignore",
        "F401",
        "--line-length",
        "100",
        "-",
    ]
    command = [sys.executable, "-m", "ruff", "check", *options]
    found = subprocess.run(command, check=False, input=text.encode(), capture_output=True)
    assert found.returncode == 0, found.stdout.decode()


# Large arrays, of which the gradient is made anew in each step, and arguments are read in place


def checked(f, *args):
    """A kernel whose values and gradients are those of eager execution, in arrays of their own."""
    kernel = Kernel(f)
    value, gradient = kernel.value_and_grad(*args)
    first = gradient.copy()
    expected, by_parameter = eager(f, kernel.parameters, *args)
    assert is_close(value, expected)
    assert is_close(gradient, by_parameter)
    again = kernel.value_and_grad(*[2 * arg for arg in args])[1]
    assert again is not gradient
    assert np.array_equal(gradient, first)
    for made in kernel._latest._functions.values():
        assert unbound_names(made.source) == []
    return kernel


def parameters_of(rng, *shape):
    return np.array([Value(x) for x in rng.normal(size=math.prod(shape)) * 0.1]).reshape(shape)


SHARED = {
    "two biases": lambda w, b, c, x: sum(ops.tanh(w @ x + b + c)),
    "a number added": lambda w, b, c, x: sum(ops.tanh(w @ x + b)) + c[0],
    "parameters alone": lambda w, b, c, x: sum(w.ravel()) + c[0],
    "parameters and an argument": lambda w, b, c, x: sum(w.ravel()) * x[0] + c[0],
    "twice": lambda w, b, c, x: sum(ops.tanh(w @ (w @ x + b) + c)),
    "turned": lambda w, b, c, x: sum(ops.tanh(w.T @ (w @ x + b) + c)) + b[0],
    "a gate": lambda w, b, c, x: sum(ops.sigmoid(w @ x + b + c) * ops.tanh(w @ x + b)) * c[1],
    "the same gradient in each step": lambda w, b, c, x: sum(w.ravel()) * 2 + c[0] + x[0],
    "every other": lambda w, b, c, x: sum(ops.exp(v) for v in w.ravel()[::2]) * x[0] + b[1],
}


@pytest.mark.parametrize(
    ("name", "least", "n"),
    [*((name, least, n) for name in SHARED for least, n in ((1, 3), (12, 4))),
     ("two biases", memory.LARGE, 91), ("a number added", memory.LARGE, 91),
     ("the same gradient in each step", memory.LARGE, 91)],
)  # fmt: skip
def test_large_gradients_are_those_of_eager_execution(name, least, n, monkeypatch):
    monkeypatch.setattr(memory, "LARGE", least)
    monkeypatch.setitem(runtime.NAMESPACE, "np", Poisoned())
    rng = np.random.default_rng(0)
    w, b, c = parameters_of(rng, n, n), parameters_of(rng, n), parameters_of(rng, n)
    x = rng.normal(size=(2, n))
    kernel = checked(lambda x: SHARED[name](w, b, c, x), x)
    kernel.check(x)
    by_x = kernel.value_and_grad(x, argnums=0)[1]
    for row, found in zip(x, by_x, strict=True):
        given = np.array([Value(t) for t in row])
        SHARED[name](w, b, c, given).backward()
        assert is_close(found, [v.grad for v in given])


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name != "gpt_8"])
@pytest.mark.parametrize("least", [1, 10])
def test_programs_with_large_arrays_equal_those_with_small_ones(name, least, monkeypatch):
    program, small = compiled(name)
    args = program.arguments(np.random.default_rng(2), 2)
    vector = np.ones(len(small.parameters))
    expected = [*small.value_and_grad(*args), small.hvp(*args, vector=vector)]
    monkeypatch.setattr(memory, "LARGE", least)
    monkeypatch.setitem(runtime.NAMESPACE, "np", Poisoned())
    kernel = Kernel(program.f)
    found = [*kernel.value_and_grad(*args), kernel.hvp(*args, vector=vector)]
    assert all(map(is_close, found, expected))
    assert least > 1 or kernel.source != small.source
    for made in kernel._latest._functions.values():
        assert unbound_names(made.source) == []


def test_constants_are_columns_where_the_batch_comes_last():
    w = Value(1.5)
    kernel = Kernel(lambda x, n: ops.prod([ops.clip(x[2], -1.0, w), 3.0, n[1]]))
    args = np.full((17, 3), 2.0), np.repeat(np.arange(17)[:, None], 2, axis=1)
    kernel(*args)
    assert kernel.hvp(*args, vector=[1.0]).tolist() == [0.0]
    assert kernel.value_and_grad(*args)[1].tolist() == [24.0]
