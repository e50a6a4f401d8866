"""`detect_anomaly`: the first nan or inf raises, and the message leads to its line."""

import gc
import random
from math import inf, nan

import numpy as np
import pytest

from autodiff import (
    AnomalyError,
    Value,
    detect_anomaly,
    dot,
    grad,
    jvp,
    log,
    maximum,
    no_grad,
    where,
)
from autodiff.engine import anomaly
from autodiff.engine.graph import toposort
from nn import MLP
from tests.engine.test_copying import facts
from tests.support.samples import draw_program


def here(text):
    """The place of the line of this file that ends with the comment `# text`."""
    with open(__file__, encoding="utf-8") as file:
        lines = file.read().splitlines()
    (number,) = [i for i, line in enumerate(lines, 1) if line.endswith(f"  # {text}")]
    return f"{__file__}:{number}"


def message(f, *args):
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        f(*args)
    return str(caught.value)


BIG, ZERO = 1e308, 0.0
FORWARD = [  # every way to make a node, with a result that is inf or nan
    (lambda v: v + v, BIG, "add(v=1e+308, v=1e+308) is inf"),
    (lambda v: -v - v, BIG, "sub(-1e+308, v=1e+308) is -inf"),
    (lambda v: v * v, BIG, "mul(v=1e+308, v=1e+308) is inf"),
    (lambda v: v / v, ZERO, "div(v=0.0, v=0.0) is nan"),
    (lambda v: v + BIG, BIG, "add(v=1e+308, 1e+308) is inf"),
    (lambda v: 2 - v * 10, BIG, "mul(v=1e+308, 10.0) is inf"),
    (lambda v: 1 / v, ZERO, "div(1.0, v=0.0) is inf"),
    (lambda v: v**-1, ZERO, "pow(v=0.0, -1.0) is inf"),
    (Value.log, ZERO, "log(v=0.0) is -inf"),
    (Value.sqrt, -1.0, "sqrt(v=-1.0) is nan"),
    (lambda v: v.leaky_relu(BIG), -BIG, "leaky_relu(v=-1e+308, 1e+308) is -inf"),
    (lambda v: v.clip(0, None), inf, "clip(v=inf, 0.0, inf) is inf"),
    (lambda v: maximum(v, 2), nan, "maximum(v=nan, 2.0) is nan"),
    (lambda v: dot([v, 2], [3, v]), BIG, "dot(v=1e+308, 2.0, 3.0, v=1e+308) is inf"),
    (lambda v: where(v > 0, log(v), 0.0), ZERO, "log(v=0.0) is -inf"),
    (np.log, ZERO, "log(v=0.0) is -inf"),
    (lambda v: np.float64(BIG) * v, BIG, "mul(1e+308, v=1e+308) is inf"),
    (lambda v: np.array([10.0]) * v, BIG, "mul(10.0, v=1e+308) is inf"),
]


@pytest.mark.parametrize(("f", "x", "expected"), FORWARD)
def test_a_result_of_nan_or_inf_is_reported_with_its_line(f, x, expected):
    assert message(f, Value(x, "v")).startswith(f"{expected}, at {__file__}:")
    with no_grad():
        assert message(f, Value(x, "v")).startswith(expected)


def test_the_line_is_that_of_the_user():
    def loss(v):
        doubled = v * 2
        return doubled.log()  # forward

    found = message(loss, Value(-1.0))
    function = "test_the_line_is_that_of_the_user.<locals>.loss"
    assert found.endswith(f"at {here('forward')} in {function}: return doubled.log()  # forward")


def test_code_of_the_packages_is_not_the_users():
    model = MLP(1, [2, 1], seed=0)

    def run():
        return model([inf])  # layers

    assert here("layers") in message(run)
    xs = np.array([Value(BIG)] * 2)

    def average():
        return np.mean(xs)  # numpy

    assert here("numpy") in message(average)


def test_among_many_operands_the_non_finite_are_shown():
    xs = [Value(1.0) for _ in range(1000)]
    xs[700] = Value(nan, "bad")
    found = message(dot, xs, xs)
    assert found.startswith("dot([700] bad=nan, [1700] bad=nan, and 1,998 more) is nan")
    found = message(dot, [Value(BIG)] * 4, [2.0] * 4)
    assert found.startswith("dot([0] 1e+308, [1] 1e+308, [2] 1e+308, [3] 1e+308, [4] 2.0, [5] 2.0,")


def test_a_cotangent_of_nan_or_inf_is_reported_with_its_line():
    x = Value(0.0, "x")

    def run():
        root = x.sqrt()  # backward
        root.label = "root"
        (root * 3).backward()

    found = message(run)
    assert found.startswith(
        "through sqrt(x=0.0) = 0.0, labelled 'root', the derivative by operand 0 becomes inf "
        f"(3.0 · inf); made at {here('backward')} in "
    )
    assert not x.has_grad


def test_the_operand_is_named():
    x, y = Value(1e200), Value(1e-200)
    found = message(lambda: (y * x).backward(1e200))
    assert "through mul(1e-200, 1e+200) = 1.0, the derivative by operand 0 becomes inf" in found
    found = message(lambda: (x * y).backward(1e200))
    assert "the derivative by operand 1 becomes inf (1e+200 · 1e+200)" in found


def test_a_sum_of_cotangents_that_overflows_is_reported():
    root = (x := Value(0.5)) * 1e308 + x * 1e308
    found = message(root.backward)
    assert found.startswith("through mul(0.5, 1e+308) = 5e+307, the derivative by operand 0")
    assert "becomes inf (1.0 · 1e+308)" in found


def test_backward_that_raises_has_changed_nothing():
    x, y = Value(0.0), Value(2.0)
    x.grad, y.grad = 5.0, 7.0
    product = y * 3
    root = product + x.sqrt()
    with detect_anomaly(), pytest.raises(AnomalyError, match="its line is not known"):
        root.backward()
    assert (x.grad, y.grad, product.has_grad, root.has_grad) == (5.0, 7.0, False, False)


def test_cut_edges_are_not_anomalies():
    x = Value(-1.0)
    with detect_anomaly():
        maximum(x, 0.0).relu().backward()
        where(x > 0, x * 2, x * 3).backward()
    assert x.grad == 3.0


def test_derivatives_of_functions_are_watched():
    assert "through sqrt(0.0) = 0.0" in message(grad(Value.sqrt), 0.0)
    assert "through sqrt(0.0) = 0.0" in message(jvp, Value.sqrt, (0.0,), (1.0,))
    assert "div(0.5, 0.0) is inf" in message(grad(grad(Value.sqrt)), 0.0)


@pytest.mark.parametrize("seed", range(5))
def test_without_anomalies_nothing_differs(seed):
    program = draw_program(random.Random(seed))
    expected = program.results([Value(x) for x in program.leaves])[-1]
    expected.backward()
    with detect_anomaly():
        root = program.results([Value(x) for x in program.leaves])[-1]
        root.backward()
    assert facts(root) == facts(expected)
    x, y = Value(2.0), Value(3.0)
    make = [lambda: x + y, lambda: x - y, lambda: x * y, lambda: x + 1, lambda: 1 - x, lambda: -x]
    for f in make:
        with detect_anomaly():
            watched = f()
        assert facts(watched) == facts(f())
        assert hasattr(watched, "_constants") == hasattr(f(), "_constants")


def test_places_die_with_their_nodes():
    with detect_anomaly():
        root = (Value(1.0) * 2).exp()
        assert all(node in anomaly._places for node in toposort(root)[1:])
    before = len(anomaly._places)
    del root
    gc.collect()
    assert len(anomaly._places) <= before - 2


def test_outside_detect_anomaly_nothing_raises_or_is_kept():
    before = len(anomaly._places)
    root = Value(0.0).log() * 2
    root.backward()
    assert len(anomaly._places) == before
