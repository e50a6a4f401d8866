import gc
import linecache
import traceback

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.numpy.loading import MANY_LINES, load, standalone
from tests.support.process import printed_alone

TEXT = "def bind(batch, scale, dtype, arrays):\n    return lambda: 1 / 0\n"


def texts():
    """How many texts of kernels tracebacks can show."""
    gc.collect()
    return sum(name.startswith("<autodiff kernel ") for name in linecache.cache)


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
    bind = load(TEXT, "here")
    with pytest.raises(ZeroDivisionError) as caught:
        bind(1, 1.0, float, [])()
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "return lambda: 1 / 0"


def test_every_text_has_a_name_of_its_own():
    shown = {load(TEXT, "same").__code__.co_filename for _ in range(50)}
    assert len(shown) == 50
    assert all(name.endswith(", same>") for name in shown)


@pytest.mark.parametrize("lines", [0, MANY_LINES])
def test_a_text_is_forgotten_with_the_last_function_that_runs_it(lines):
    before = texts()
    text = "\n".join(
        ["def bind(batch, scale, dtype, arrays):", "    pass" + "\n    pass" * lines,
         "    def step():", "        return 1 / 0", "    return step"]
    )  # fmt: skip
    bind = load(text, "here")
    step = bind(1, 1.0, float, [])
    assert texts() == before + 1
    del bind
    assert texts() == before + 1
    with pytest.raises(ZeroDivisionError) as caught:
        step()
    del step  # the error holds it
    assert texts() == before + 1
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "return 1 / 0"
    del caught
    assert texts() == before


def test_texts_of_dead_kernels_are_forgotten():
    before = texts()
    for _ in range(20):
        w = Value(2.0)
        Kernel(lambda x, w=w: w * x).value_and_grad(np.ones(2))
    assert texts() <= before + 1


ALONE = {
    "nothing more": lambda w, x: w[0] * x[0],
    "a window": lambda w, x: sum(sum(w[k] * x[t + k] for k in range(3)).tanh() for t in range(4)),
    "erfc": lambda w, x: (w[0] * x[0]).gelu(),
    "erf and a window": lambda w, x: sum(
        sum(w[k] * x[t + k] for k in range(3)).erf() for t in range(4)
    ),
    "arrays": lambda w, x: sum(c * v for c, v in zip([1.5, -0.1, 1e-300, 0.3], x, strict=False)),
    "what is not finite": lambda w, x: sum(
        autodiff.maximum(c, w[0] * v) for c, v in zip([-np.inf, 0.5, 7.0], x, strict=False)
    ),
    "places": lambda w, x: sum(w[k] * x[j].exp() for k, j in ((0, 4), (2, 0), (1, 5), (0, 1))),
}


@pytest.mark.parametrize("name", ALONE)
def test_a_module_that_stands_alone_computes_the_same(name):
    w = [Value(t) for t in (0.5, -0.3, 0.2)]
    kernel = Kernel(lambda x: ALONE[name](w, x))
    x = np.random.default_rng(0).normal(size=(2, 7))
    value, gradient = kernel.value_and_grad(x)
    text = kernel.standalone()
    assert "autodiff" not in text
    theta = [p.data for p in kernel.parameters]
    step = f"bind(2, 0.5, float, arrays)(np.array({theta}), np.array({x.tolist()}))"
    found, *slopes = eval(printed_alone(f"{text}\n\nprint([x.tolist() for x in {step}])"))
    assert found == [value]
    assert [list(x) for x in slopes] == [gradient.tolist()]


def test_strided_views_come_with_the_module():
    text = standalone("def window(x):\n    return strided(x, 1, (2, 2), (1, 1))\n", [])
    found = printed_alone(f"{text}\n\nprint(window(np.arange(4)).tolist())")
    assert found == "[[1, 2], [2, 3]]\n"


def test_a_function_of_the_user_cannot_be_written_down():
    text = "def bind(batch, scale, dtype, arrays):\n    return lambda x: {}[0](x)\n"
    with pytest.raises(ValueError, match="the op 'mine' is a Python function"):
        standalone(text.format("custom['mine']"), [])
    assert "a_custom[0]" in standalone(text.format("a_custom"), [])


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
