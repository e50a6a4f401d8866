"""The parts that fits of functions and of columns share."""

import numpy as np
import pytest

import autodiff
import nn
from nn.cli import fitting, regression
from tests.support.process import printed_alone

X, Y = np.linspace(-1, 1, 12)[:, None], np.linspace(-1, 1, 12) ** 2


def options(*arguments):
    return fitting.command_line("").parse_args([*arguments, "--no-progress"])


def test_a_network_is_as_the_options_say():
    made = options("--layers", "3", "1", "--activation", "tanh")
    model = regression.network(made, 2, np.random.default_rng(5))
    same = nn.MLP(2, [3, 1], "tanh", seed=5)
    assert [p.data for p in model.parameters()] == [p.data for p in same.parameters()]
    assert regression.described(made, model, 2) == "a 2-3-1 network of 13 parameters"
    with pytest.raises(ValueError, match="--layers: the last layer has 1 neuron, got 2"):
        regression.network(options("--layers", "2"), 1, np.random.default_rng(0))


def test_a_batch_above_the_number_of_points_is_refused_and_the_default_is_that_number(monkeypatch):
    given = []
    monkeypatch.setattr(nn, "fit", lambda *_, **more: given.append(more) or nn.History())
    model = nn.MLP(1, [1], seed=0)
    regression.train(options(), model, X, Y, metrics=["r2"])
    assert (given[0]["batch_size"], given[0]["metrics"]) == (12, ["r2"])
    with pytest.raises(
        ValueError, match="--batch must be at most 12, the number of training points"
    ):
        regression.train(options("--batch", "13"), model, X, Y)


def test_an_infinite_error_blames_the_learning_rate():
    regression.check_finite(1.0, 2.0)
    with pytest.raises(ArithmeticError, match="lower --lr"):
        regression.check_finite(1.0, float("nan"))


@pytest.mark.parametrize("activation", ["linear", *nn.ACTIVATIONS])
def test_the_program_written_runs_by_itself(activation, tmp_path):
    given = options("--layers", "3", "2", "1", "--activation", activation)
    model = regression.network(given, 1, np.random.default_rng(0))
    kernel = regression.print_check(given, model, X[:4], Y[:4])
    regression.write_source(tmp_path, given, 1, kernel)
    path = tmp_path / "backprop.py"
    theta = [p.data for p in kernel.parameters]
    script = f"""import importlib.util as util, numpy as np
spec = util.spec_from_file_location("backprop", {str(path)!r})
module = util.module_from_spec(spec)
spec.loader.exec_module(module)
step = module.bind(12, 1 / 12, float, module.arrays)
errors, slope = step(np.array({theta}), np.array({X.tolist()}), np.array({Y[:, None].tolist()}))
print([errors.mean(), *slope.tolist()])"""
    loss = autodiff.compile(lambda x, y: nn.mse(model(x), y))
    value, gradient = loss.value_and_grad(X, Y)
    found = eval(printed_alone(script), {"np": np})
    np.testing.assert_allclose(found, [value, *gradient], rtol=1e-12, atol=1e-15)
    assert "autodiff" not in path.read_text(encoding="utf-8")
