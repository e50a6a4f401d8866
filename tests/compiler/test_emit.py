import linecache
import re
import subprocess
import sys
import traceback
from importlib.util import find_spec

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.compiler import Kernel
from autodiff.compiler.access import Gather, View
from autodiff.compiler.builder import Builder
from autodiff.compiler.emit import MANY_LINES, Emitter, load

from .programs import PROGRAMS, compiled


def run(builder, results, leaves, values, batch=1):
    program, _ = builder.program(results)
    emitter = Emitter(program, leaves)
    return load(emitter.text, "test")(batch, 1.0, float, emitter.arrays)(*values)


@pytest.mark.parametrize(
    "positions",
    [np.arange(2, 5), np.arange(12).reshape(3, 4).T, np.arange(0, 12, 3), np.array([5, 1, 1, 0]),
     np.array([[0, 0], [3, 3]]),
     np.arange(3)[:, None] + np.arange(4), np.array([7])],
)  # fmt: skip
@pytest.mark.parametrize("is_batched", [False, True])
def test_fetched_elements_are_those_at_the_positions(positions, is_batched):
    builder = Builder()
    x = builder.leaf("x", 12, is_batched)
    found = builder.reshape(builder.fetch(x, positions), (positions.size,))
    doubled = builder.apply(ops.mul, [found, builder.constant([2.0])])
    array = np.random.default_rng(0).normal(size=(3, 12) if is_batched else 12)
    (result,) = run(builder, [doubled], ["x"], [array], 3)
    assert (result == 2 * array[..., positions.ravel()]).all()


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


def test_a_failing_step_shows_its_line():
    kernel = Kernel(lambda x, y: (x * Value(2.0)).exp() + y)
    kernel(np.ones(2), np.ones(2))
    function = kernel._latest.function("call")
    with pytest.raises(ValueError, match="broadcast") as caught:
        function(2, 1.0, [np.ones(1), np.ones((2, 1)), np.ones((5, 7))])
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert last.filename.startswith("<autodiff kernel ")
    assert last.line == "np.add(exp1, y_T, out=add1)  # (1, batch)"
    assert last.line in function.source.splitlines()[last.lineno - 1]


def test_the_text_is_the_code_that_runs():
    bind = load("def bind(batch, scale, dtype, arrays):\n    return lambda: 1 / 0\n", "here")
    with pytest.raises(ZeroDivisionError) as caught:
        bind(1, 1.0, float, [])()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "return lambda: 1 / 0"
    assert "<autodiff kernel here>" in linecache.cache


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_name_is_bound_once(name):
    source = compiled(name)[1].source
    binding = source.split("    def step(")[0]
    names = re.findall(r"^    (\w+) = ", binding, re.MULTILINE)
    assert len(names) == len(set(names)) > 3


def test_the_step_says_where_the_backward_pass_begins():
    source = compiled("mlp_module")[1].source
    step = source[source.index("    def step(") :]
    assert step.count("# backward") == 1
    forward, backward = step.split("# backward")
    products = r"np\.(matmul|dot)"
    assert len(re.findall(products, forward)) == 5
    assert len(re.findall(products, backward)) == 9


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
    imports = "import math\n\nimport numpy as np\n\nfrom autodiff.compiler.viewing import strided\n"
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


def test_names_of_a_long_text_are_not_closed_over():
    w = Value(0.9)

    def deep(x):
        for _ in range(700):
            x = (w * x).sin()
        return x

    kernel = Kernel(deep)
    kernel.check(np.array([1.0, -0.5]))
    assert kernel.source.count("\n") > MANY_LINES
    bind = load(kernel.source, "test")
    two, three = (bind(batch, 1 / batch, float, []) for batch in (2, 3))
    assert two.__closure__ is None
    assert "step" not in two.__globals__
    results = [[float(x[0]) for x in step(np.array([0.9]), np.ones((n, 1)))]
               for step, n in ((two, 2), (three, 3), (two, 2))]  # fmt: skip
    assert results[0] == results[2]
    assert np.allclose(results[0], results[1], rtol=1e-12)
