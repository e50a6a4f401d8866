"""One evaluation: the nodes that f receives, the results, and when these are numbers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from autodiff import Value, grad, leaves, no_grad, ops
from autodiff.calculus.evaluation import Evaluation, real
from autodiff.calculus.linear import Linear
from nn import MLP


def evaluate(f, *args, argnums=0, **more):
    return Evaluation("d", f, args, argnums, **more)


def kinds(run):
    return type(run.primal()), type(run.pull([1.0])[0]), type(run.push([1.0])[0])


def test_numbers_give_numbers():
    assert kinds(evaluate(lambda x: x * x, 3.0)) == (float,) * 3
    assert kinds(evaluate(lambda x: x * 0 + x.detach(), 3)) == (float,) * 3
    assert kinds(evaluate(lambda x: 2, 3.0)) == (float,) * 3


def test_values_that_f_makes_are_constants():
    def f(x):
        model, total = MLP(1, [2, 1], seed=0), Value(0.0)
        return total + x * Value(2.0) * Value(3.0) + model([x])

    assert kinds(evaluate(f, 3.0)) == (float,) * 3
    inner = grad(lambda y: Value(2.0) * y * y)
    assert kinds(evaluate(lambda x: x * inner(x), 3.0)) == (float,) * 3


def test_values_give_values():
    w = Value(2.0)
    assert kinds(evaluate(lambda x: x * x, Value(3.0))) == (Value,) * 3
    assert kinds(evaluate(lambda x: 2.0, Value(3.0))) == (Value,) * 3
    assert kinds(evaluate(lambda x, y: x * y, 3.0, Value(2.0))) == (Value,) * 3
    assert kinds(evaluate(lambda x: x * w, 3.0)) == (Value,) * 3
    assert kinds(evaluate(lambda x: x * (w * w), 3.0)) == (Value,) * 3
    assert kinds(evaluate(lambda x: w, 3.0)) == (Value,) * 3
    assert kinds(evaluate(lambda x: x * w.data, 3.0)) == (float,) * 3


def test_inside_no_grad_results_are_numbers_and_leaves():
    w = Value(2.0)
    with no_grad():
        run = evaluate(lambda x: x * x * w, 3.0)
        other = evaluate(lambda x: x * x * w, Value(3.0))
        inner = evaluate(no_grad()(lambda x: x * x), 3.0)
    assert (run.primal(), run.pull([1.0]), run.push([2.0])) == (18.0, [12.0], [24.0])
    assert inner.pull([1.0]) == [0.0]
    assert kinds(other) == (Value,) * 3
    primal = other.primal()
    assert leaves(primal) == [primal]
    assert leaves(other.pull([1.0])[0])[0].data == 12.0


def test_seeds_that_are_values_give_values():
    ct = Value(2.0)
    run = evaluate(lambda x: x * x, 3.0)
    for (result,) in run.pull([ct]), run.push([ct]):
        assert (result.data, leaves(result)) == (12.0, [ct])
    run = evaluate(lambda x, unused: x, 3.0, 2.0, argnums=(0, 1))
    assert [type(result) for result in run.pull([ct])] == [Value, Value]


def test_f_sees_nodes_in_the_structure_of_the_arguments():
    w = Value(5.0, "w")
    seen = []

    def f(x, flag, *, scale):
        seen.append((x, flag, scale))
        return x["a"][0] * scale + x["b"].sum()

    x = {"a": (1, w), "b": np.array([[2.0, 3.0]]), "c": None}
    run = evaluate(f, x, True, options={"scale": 4.0})
    ((lifted, flag, scale),) = seen
    assert (flag, scale) == (True, 4.0)
    assert type(lifted["a"]) is tuple
    assert (lifted["a"][1].data, lifted["a"][1].label, lifted["a"][1] is w) == (5.0, "w", False)
    assert (lifted["b"].shape, lifted["b"].dtype, lifted["c"]) == ((1, 2), object, None)
    assert [x.data for x in run.pull([1.0])] == [4.0, 0.0, 1.0, 1.0]
    assert x["a"] == (1, w)


def test_slopes_by_either_sweep_are_the_same(monkeypatch):
    def f(x):
        return [x[0] * x[1], 3.0, x[0], x[1] ** 2][: int(size)]

    for size in (1, 2, 4):
        rows = evaluate(f, [2.0, 5.0]).slopes()
        assert rows == [[5.0, 2.0], [0.0, 0.0], [1.0, 0.0], [0.0, 10.0]][:size]
    monkeypatch.setattr(Linear, "pull", None)
    assert evaluate(lambda x: [x, x * x], 3.0).slopes() == [[1.0], [6.0]]
    monkeypatch.undo()
    monkeypatch.setattr(Linear, "push", None)
    assert evaluate(lambda x: x[0] * x[1], [2.0, 5.0]).slopes() == [[5.0, 2.0]]
    monkeypatch.undo()
    assert evaluate(lambda x: [2.0], []).slopes() == [[]]
    assert evaluate(lambda x: [], [1.0]).slopes() == []


def test_aux_is_returned_as_the_result_is():
    def f(x):
        return x * x, {
            "y": x * 2,
            "array": np.array([x, 1.0], object),
            "n": 3,
            "s": "s",
            "m": model,
        }

    model = object()
    aux = evaluate(f, 3.0, has_aux=True).aux
    assert (aux["y"], aux["n"], aux["s"], aux["m"] is model) == (6.0, 3, "s", True)
    assert_array_equal(aux["array"], [3.0, 1.0])
    x = Value(3.0)
    aux = evaluate(f, x, has_aux=True).aux
    aux["y"].backward()
    assert x.grad == 2.0


def test_aux_that_reads_a_value_keeps_its_graph():
    w = Value(2.0)
    run = evaluate(lambda x: (x * x, w * x), 3.0, has_aux=True)
    run.aux.backward()
    assert (w.grad, type(run.primal())) == (3.0, Value)


def test_gradients_of_outer_values_are_left_alone():
    w, x = Value(2.0), Value(3.0)
    w.grad = x.grad = 7.0
    run = evaluate(lambda x: x * w, x)
    run.pull([1.0])
    run.push([1.0])
    assert (w.grad, x.grad) == (7.0, 7.0)


@pytest.mark.parametrize(
    ("argnums", "error", "message"),
    [
        (2, TypeError, "d: argnums 2 of 2 positional arguments"),
        (-3, TypeError, "argnums -3 of 2"),
        ((0, 5), TypeError, r"argnums \(0, 5\) of 2"),
        ((1, -1), ValueError, r"d: argnums \(1, -1\) names an argument twice"),
    ],
)
def test_argnums_out_of_range_are_refused(argnums, error, message):
    with pytest.raises(error, match=message):
        evaluate(lambda x, y: x, 1.0, 2.0, argnums=argnums)


@pytest.mark.parametrize(
    ("arg", "message"),
    [
        ("x", "d: argument 0 is not a real number: str 'x'"),
        ([1.0, {"a": True}], r"d: argument 0\[1\]\['a'\] is not a real number: bool True"),
        (1j, "complex 1j"),
        (MLP(1, [1]), "argument 0 is not a real number: MLP"),
        (np.array([1j]), r"argument 0 is not a real number: complex"),
    ],
)
def test_an_argument_that_is_not_a_number_is_refused(arg, message):
    with pytest.raises(TypeError, match=message):
        evaluate(lambda x: 1.0, arg)


def test_a_result_that_is_not_a_number_is_refused():
    with pytest.raises(TypeError, match=r"d: the result\[1\] is not a real number: str 'b'"):
        evaluate(lambda x: [x, "b"], 1.0)
    with pytest.raises(TypeError, match="with has_aux, f returns a pair, got Value"):
        evaluate(lambda x: x, 1.0, has_aux=True)


def test_real_is_a_value_or_a_float():
    w = Value(1.0)
    assert real(w, "x") is w
    assert type(real(np.float32(2), "x")) is float


def test_an_error_in_f_leaves_no_mode_behind():
    with pytest.raises(ZeroDivisionError):
        evaluate(lambda x: 1 // 0, 1.0)
    with no_grad():
        with pytest.raises(ZeroDivisionError):
            evaluate(lambda x: 1 // 0, 1.0)
        assert ops.exp(Value(1.0)).operands == ()
