"""Checked functions: names of inputs, derivatives along directions, a point left as it was."""

import numpy as np
import pytest

import autodiff as ad
import nn
from autodiff import Value, gradcheck
from autodiff.checking.directions import Direction
from autodiff.checking.functions import EagerFunction
from autodiff.checking.kernels import KernelFunction


def test_labels_name_inputs():
    function = EagerFunction(lambda x, y: x * y, (Value(1.0, "weight"), 2.0))
    assert [name for name, _ in function.variables] == ["weight", "inputs[1]"]
    w = Value(3.0, "w")
    kernel = ad.compile(lambda x: w * x)
    assert [name for name, _ in KernelFunction(kernel, (np.ones(2),)).variables] == ["w"]


def test_derivatives_at_another_point_leave_the_inputs_as_they_were():
    x, y = Value(2.0), Value(3.0)
    function = EagerFunction(lambda x, y: x * x * y, (x, y))
    direction = Direction("both", (0, 1), (1.0, -2.0), 0.0)
    assert function.derivatives_at(direction, 0.5, 0) == [2.5 * 2.5 * 2.0]
    assert function.derivatives_at(direction, 0.5, 1) == [2 * 2.5 * 2.0, 2.5 * 2.5]
    assert (x.data, y.data) == (2.0, 3.0)


def test_a_check_that_raises_leaves_the_gradients():
    x = Value(0.0)
    x.grad = 3.0
    with ad.detect_anomaly(), pytest.raises(ad.AnomalyError):
        EagerFunction(lambda x: x**0.5, (x,)).derivatives(1)
    assert x.grad == 3.0


# Kernels


X, Y = np.array([0.3, -0.5, 1.2]), np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.25]])


@pytest.mark.parametrize("wrap", [lambda x, y: (x, y), lambda x, y: ({"x": x, "y": (y, [x])},)])
def test_a_kernel_without_parameters_is_checked_by_its_arguments(wrap):
    def flat(x, y):
        return ad.sin(x) * y[0] + ad.exp(y[1])

    def nested(tree):
        return flat(tree["x"], tree["y"][0]) + 0.5 * tree["y"][1][0]

    args = wrap(X, Y)
    f = flat if len(args) == 2 else nested
    report = gradcheck(ad.compile(f), args)
    size = X.size + Y.size + (0 if len(args) == 2 else X.size)
    assert report.passed
    assert len(report.entries) == report.total == size
    analytic = {entry.name: entry.analytic for entry in report.entries}
    names = ("inputs[0][1]", "inputs[1][2, 0]")
    if f is nested:
        names = ("inputs[0]['x'][1]", "inputs[0]['y'][0][2, 0]")
        assert analytic["inputs[0]['y'][1][0][2]"] == pytest.approx(0.5 / 3)
    assert analytic[names[0]] == pytest.approx(np.cos(X[1]) * Y[1, 0] / 3)
    assert analytic[names[1]] == pytest.approx(np.sin(X[2]) / 3)


def test_integer_arguments_of_a_kernel_are_left_out():
    kernel = ad.compile(lambda x, i: ad.take([x * x, x], i))
    report = gradcheck(kernel, (X, np.array([0, 1, 0])))
    assert [entry.name for entry in report.entries] == [f"inputs[0][{i}]" for i in range(3)]


def test_arguments_of_a_kernel_are_not_changed():
    x = X.astype(np.float32)
    before = x.copy()
    assert gradcheck(ad.compile(ad.sin), (x,)).passed
    np.testing.assert_array_equal(x, before)


def test_unbatched_and_single_precision_kernels_are_checked():
    double = ad.compile(lambda x, y: ad.sin(x) * y, batched=False)
    single = ad.compile(lambda x, y: ad.sin(x) * y, dtype=np.float32)
    assert [e.name for e in gradcheck(double, (1.0, 2.0)).entries] == ["inputs[0]", "inputs[1]"]
    assert gradcheck(single, (X, X)).passed

    class Wrong:
        parameters = ()
        __call__ = staticmethod(single)

        def value_and_grad(self, *args, **options):
            value, gradients = single.value_and_grad(*args, **options)
            return value, gradients if "argnums" not in options else [1.01 * g for g in gradients]

    assert not gradcheck(Wrong(), (X, X), raise_exception=False).passed


def test_second_derivatives_of_a_kernel_are_by_parameters():
    model = nn.MLP(2, [2, 1], "tanh", seed=0)
    kernel = ad.compile(model)
    report = gradcheck(kernel, (Y,), order=2)
    assert report.passed
    assert len(report.entries) == 9 + 81
    assert report.entries[9 + 1].name == "parameters[0] × parameters[1]"

    class Wrong:
        parameters = kernel.parameters
        __call__ = staticmethod(kernel)
        value_and_grad = staticmethod(kernel.value_and_grad)

        def hvp(self, *args, vector):
            return kernel.hvp(*args, vector=vector) * ([1, 1.001] + [1] * 7)

    verdicts = {
        e.name: e.verdict for e in gradcheck(Wrong(), (Y,), order=2, raise_exception=False).entries
    }
    assert gradcheck(Wrong(), (Y,), order=1).passed
    assert {name for name, verdict in verdicts.items() if verdict == "wrong"} <= {
        f"parameters[{i}] × parameters[1]" for i in range(9)
    }
    assert "wrong" in verdicts.values()
    assert not gradcheck(Wrong(), (Y,), order=2, directions=1, raise_exception=False).passed
    for args, order in ((Y,), 3), ((X, X), 2):
        f = kernel if order == 3 else ad.compile(lambda x, y: x * y)
        with pytest.raises(ValueError, match="a kernel has derivatives of order 1"):
            gradcheck(f, args, order=order)
