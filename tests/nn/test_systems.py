"""The systems that the project promises, one section each, at a size that takes seconds."""

import io

import numpy as np
import pytest

import nn
from autodiff import Value, exp, gradcheck, mean, ops, relu

X = np.linspace(-5, 5, 100)


def parabola(x):
    return x**2 + 2 * x - 3


def other_parabola(x):
    return x**2 - 2 * x - 3


# 1. ReLU: forward and backward, on the graph and on arrays

ROWS = [(-3.0, 0.0, 0.0), (-1e-9, 0.0, 0.0), (0.0, 0.0, 0.0), (1e-9, 1e-9, 1.0), (2.5, 2.5, 1.0)]


@pytest.mark.parametrize(("x", "out", "slope"), ROWS)
@pytest.mark.parametrize("call", [relu, Value.relu, np.frompyfunc(relu, 1, 1)])
def test_relu_on_the_graph_has_its_value_and_slope(call, x, out, slope):
    v = Value(x)
    root = call(v)
    (root * 7.0).backward()
    assert (root.data, v.grad, root.grad) == (out, 7.0 * slope, 7.0)


def test_relu_on_arrays_takes_and_gives_arrays():
    x, out, slope = np.array(ROWS).T
    ct = np.arange(1.0, 6.0)
    np.testing.assert_array_equal(relu(x), out)
    np.testing.assert_array_equal(ops.relu.vjp(ct, x), ct * slope)
    grid = x.reshape(5, 1) + np.zeros((5, 3))
    vjp = ops.relu.vjp(np.ones((5, 3)), grid)
    assert (vjp.shape, vjp.dtype) == ((5, 3), np.float64)
    np.testing.assert_array_equal(vjp, np.repeat(slope.reshape(5, 1), 3, axis=1))


# 2. 1-10-20-30-40-1, ReLU, linear output, MSE, on y = x² + 2x - 3


@pytest.fixture(scope="module")
def network():
    """The network after 300 iterations on 100 points of [-5, 5], and what was printed."""
    printed = io.StringIO()
    model = nn.MLP(1, [10, 20, 30, 40, 1], "relu", seed=0)
    history = nn.fit(
        model, X, parabola(X), loss=nn.mse, iterations=300, batch_size=8,
        progress=nn.Lines(every=100, file=printed),
    )  # fmt: skip
    return model, history, printed.getvalue()


def test_the_network_is_2151_parameters_with_relu_and_a_linear_output(network):
    model, *_ = network
    assert [len(layer.neurons) for layer in model.layers] == [10, 20, 30, 40, 1]
    assert len(model.parameters()) == 2151
    activations = [layer.neurons[0].activation for layer in model.layers]
    assert activations == ["relu"] * 4 + [None]


def test_the_loss_is_printed_every_100_iterations(network):
    _, history, printed = network
    expected = [f"iteration {i}  loss {history.losses[i - 1]:.6g}" for i in (100, 200, 300)]
    assert printed.splitlines() == expected


def test_the_network_has_learned_100_points_and_predicts_new_ones(network):
    model, *_ = network
    assert nn.mse(nn.predict(model, X), parabola(X)) < 0.01 * parabola(X).var()
    new = np.random.default_rng(1).uniform(-5, 5, 50)
    assert nn.mse(nn.predict(model, new), parabola(new)) < 0.01 * parabola(new).var()
    assert model([2.0]).data == nn.predict(model, [2.0])[0] == pytest.approx(5.0, abs=2.5)


def test_the_gradients_of_the_network_are_right(network):
    def loss(model):
        return nn.mse([model([x]) for x in (-3.3, 0.7)], [parabola(-3.3), parabola(0.7)])

    report = gradcheck(loss, network[0], sample=40)
    assert (len(report.entries), report.total) == (40, 2151)
    assert report.largest_relative_error < 1e-6


# 3. Layers relu, sigmoid, tanh, relu, linear on y = x² - 2x - 3

MIXED = ["relu", "sigmoid", "tanh", "relu", None]


@pytest.mark.parametrize(
    ("sizes", "seed", "unexplained"), [([4, 4, 4, 4, 1], 0, 0.05), ([1, 1, 1, 1, 1], 0, 0.5)]
)
def test_layers_of_different_activations_learn_together(sizes, seed, unexplained):
    model = nn.MLP(1, sizes, MIXED, seed=seed)
    y = other_parabola(X)

    def loss(model):
        return nn.mse([model([x]) for x in (-2.2, 1.3)], other_parabola(np.array([-2.2, 1.3])))

    before = nn.mse(nn.predict(model, X), y)
    assert gradcheck(loss, model, sample=60).passed
    adam = nn.Adam(model.parameters(), lr=0.03)
    nn.fit(model, X, y, optimizer=adam, iterations=400, batch_size=10)
    assert gradcheck(loss, model, sample=60).passed
    after = nn.mse(nn.predict(model, X), y)
    assert before > y.var() > 0
    assert after < unexplained * y.var()


# 4. Free activations and free losses


def mean_absolute_error(predictions, targets):
    return mean([abs(p - t) for p, t in zip(predictions, targets, strict=True)])


def linex(predictions, targets):
    """Varian's asymmetric loss: too much costs more than too little."""
    differences = [0.2 * (p - t) for p, t in zip(predictions, targets, strict=True)]
    return mean([exp(d) - d - 1.0 for d in differences])


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("loss", [mean_absolute_error, linex])
def test_any_activation_learns_by_any_loss(activation, loss):
    model = nn.MLP(1, [8, 1], activation, seed=0)
    y = parabola(X) / 5

    def whole():
        return loss(nn.predict(model, X).tolist(), y.tolist())

    before = whole()
    options = {"optimizer": nn.Adam(model.parameters(), lr=0.05), "batch_size": 8}
    nn.fit(model, X, y, loss=loss, iterations=250, **options)
    assert whole() < 0.4 * before


# 5. Training stops on convergence


def test_training_stops_when_the_loss_has_converged():
    model = nn.MLP(1, [1], seed=0)  # a line, whose least error is known
    y = 2 * X - 3 + np.where(np.arange(100) % 2, 0.5, -0.5)
    slope, intercept = np.polyfit(X, y, 1)
    history = nn.fit(
        model, X, y, optimizer=nn.SGD(model.parameters(), lr=0.1),
        iterations=5000, tolerance=1e-9, patience=10,
    )  # fmt: skip
    assert history.stopped == "converged"
    assert len(history.losses) < 200
    assert [p.data for p in model.parameters()] == pytest.approx([slope, intercept], abs=1e-3)
    assert min(history.losses) == pytest.approx(np.mean((slope * X + intercept - y) ** 2), abs=1e-6)
