"""A kernel compared with Values: losses, their gradient, and the messages of differences."""

import numpy as np
import pytest

import nn
from autodiff import Value
from nn import MLP
from nn.train.engines.comparison import gradient, in_order
from nn.train.engines.compiled import CompiledEngine
from nn.train.engines.trust import DiffersError
from tests.nn.meanings import ROWS, TARGETS, Frozen, Lying, Weighted, fitted
from tests.support.values import data, grads


@pytest.mark.parametrize(
    ("options", "fit_options", "message"),
    [
        ({"value": 1e-6}, {}, r"the loss of example \d+ is [\d.e-]+ on Values, [\d.e-]+ compiled"),
        ({"modes": [False], "value": 1e-6}, {"validation": (ROWS[:9], TARGETS[:9])},
         r"the loss in evaluation mode of example \d is [\d.e-]+ on Values, [\d.e-]+ compiled"),
        ({"modes": [False], "slope": 1.01}, {"metrics": ["r2"]},
         r"output 0 of row \d+ is [\d.e-]+ on Values, [\d.e-]+ compiled"),
    ],
)  # fmt: skip
def test_a_kernel_that_differs_is_refused_in_the_mode_in_which_it_runs(
    options, fit_options, message
):
    with pytest.raises(DiffersError, match=message):
        fitted(Lying(**options), "compiled", **fit_options)
    model, same = Lying(**options), Lying(**options)
    with pytest.warns(RuntimeWarning, match=f"fit: running on Values, .*{message}") as caught:
        history = fitted(model, "auto", **fit_options)
    assert caught[0].filename == fitted.__code__.co_filename
    expected = fitted(same, "eager", **fit_options)
    np.testing.assert_allclose(data(model), data(same), rtol=1e-9)
    for name, column in expected.epochs.items():
        np.testing.assert_allclose(history.epochs[name], column, rtol=1e-9)


def test_a_gradient_that_differs_is_refused_by_the_name_of_its_parameter():
    class Bent(Frozen):
        """Whose value is right and whose slope is not, on tracers."""

        def __call__(self, x):
            if not isinstance(x[0], float):
                hidden = [h.tanh() for h in self.body(x)]
                return self.head(hidden)[0]
            return super().__call__(x)

    message = r"the gradient by the parameter body.neurons.\d.w.\d is 0 on Values, [\d.e-]+ comp"
    with pytest.raises(DiffersError, match=message):
        fitted(Bent(), "compiled")
    model = Bent()
    with pytest.warns(RuntimeWarning, match=message):
        fitted(model, "auto")
    assert [p.data for p in model.body.parameters()] == data(Frozen().body)


def test_a_comparison_keeps_gradients():
    model = Weighted()
    for k, parameter in enumerate(model.parameters()):
        parameter.grad = float(k)
    CompiledEngine(model, nn.mse, ROWS, TARGETS, model.parameters())
    assert grads(model) == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(("sizes", "compared"), [([4, 1], 32), ([64, 64, 1], 2)])
def test_large_models_are_compared_on_fewer_examples_and_small_ones_on_many(sizes, compared):
    x = np.random.default_rng(0).normal(size=(50, 3))

    def loss(predictions, targets):
        sizes_seen.append(len(predictions))
        return nn.mse(predictions, targets)

    sizes_seen = []
    model = MLP(3, sizes, "tanh", seed=0)
    CompiledEngine(model, loss, x, x[:, 0], model.parameters())
    assert max(sizes_seen) == compared


def test_infinite_losses_are_compared_as_losses_and_the_others_by_gradient():
    class Inverse(Lying):
        def __call__(self, x):
            return super().__call__([1.0 / x[0], 0.0, 0.0])

    x = np.array([[1.0], [2.0], [1e-320], [4.0]])  # 1 / 1e-320 is inf
    with pytest.raises(FloatingPointError, match="the loss is inf at iteration 1"):
        nn.fit(Inverse(), x, x[:, 0], engine="compiled")
    with pytest.raises(DiffersError, match="the loss of example 0 is"):
        nn.fit(Inverse(value=1e-6), x, x[:, 0], engine="compiled")


def test_gradients_are_computed_without_a_trace():
    w, v, u = Value(2.0), Value(3.0), Value(5.0)
    w.grad, v.grad = 7.0, 8.0
    assert gradient(w * v * w, [v, u, w]).tolist() == [4.0, 0.0, 12.0]
    assert (w.grad, v.grad, u.grad) == (7.0, 8.0, 0.0)
    assert in_order([u, w], [w], [2.0]).tolist() == [0.0, 2.0]
