"""Neurons, layers and the MLP: what they compute, and which calls they refuse."""

import random

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value, gradcheck
from nn import ACTIVATIONS, MLP, Layer, Linear, Neuron
from tests.support.values import bits, data

FORWARD = {
    None: lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "sin": np.sin,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "softplus": lambda z: np.log(1 + np.exp(z)),
    "gelu": None,  # erf is not NumPy's; tests/test_ops.py has its values
}
SLOPE = {  # in terms of z
    None: np.ones_like,
    "relu": lambda z: 1.0 * (z > 0),
    "tanh": lambda z: 1 - np.tanh(z) ** 2,
    "sigmoid": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
}


def matrices(model):
    """Weights (outputs, inputs) and biases of each layer."""
    for layer in model.layers:
        yield (
            np.array([[w.data for w in neuron.w] for neuron in layer.neurons]),
            np.array([neuron.b.data for neuron in layer.neurons]),
        )


def shaken(model, seed=0):
    """`model` with biases that are not 0."""
    rng = random.Random(seed)
    for layer in model.layers:
        for neuron in layer.neurons:
            neuron.b.data = rng.uniform(-1, 1)
    return model


def test_every_activation_has_its_formula_here():
    assert set(ACTIVATIONS) == set(FORWARD) - {None}


@pytest.mark.parametrize("activation", [name for name in FORWARD if FORWARD[name]])
def test_an_mlp_computes_what_matrices_do(activation):
    names = [activation, "tanh", activation]
    model = shaken(MLP(3, [4, 5, 2], names, seed=1))
    x = np.array([0.3, -1.2, 2.0])
    out = x
    for name, (w, b) in zip(names, matrices(model), strict=True):
        out = FORWARD[name](w @ out + b)
    for inputs in (x, x.tolist(), tuple(x), [Value(v) for v in x]):
        np.testing.assert_allclose(data(model(inputs)), out, rtol=1e-13)


def test_an_activation_is_the_op_of_that_name():
    for name in ACTIVATIONS:
        neuron = Neuron(2, activation=name, seed=3)
        z = neuron.w[0] * 0.5 + neuron.w[1] * -2.0
        assert neuron([0.5, -2.0]).data == pytest.approx(getattr(z, name)().data, rel=1e-15)


def test_the_gradient_is_that_of_backpropagation_by_matrices():
    names = ["relu", "sigmoid", "tanh", None]
    model = shaken(MLP(2, [6, 5, 4, 3], names, seed=2))
    x, target = np.array([0.7, -0.4]), np.array([1.0, -2.0, 0.5])
    nn.mse(model(x), target).backward()

    layers = list(matrices(model))
    ins, zs = [x], []
    for name, (w, b) in zip(names, layers, strict=True):
        zs.append(w @ ins[-1] + b)
        ins.append(FORWARD[name](zs[-1]))
    expected = []
    ct = 2 * (ins[-1] - target) / 3
    for name, (w, _), z, inputs in zip(
        names[::-1], layers[::-1], zs[::-1], ins[-2::-1], strict=True
    ):
        ct = ct * SLOPE[name](z)
        # One row per neuron: its weights, then its bias.
        expected.insert(0, np.column_stack([np.outer(ct, inputs), ct]).ravel())
        ct = w.T @ ct
    gradient = [p.grad for p in model.parameters()]
    np.testing.assert_allclose(gradient, np.concatenate(expected), rtol=1e-12)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, None])
def test_the_gradient_is_that_of_finite_differences(activation):
    model = shaken(MLP(2, [3, 2], [activation, "linear"], seed=4))
    report = gradcheck(lambda m, *x: m(x), (model, 0.3, -0.8))
    assert report.total == len(report.entries) == 3 * 3 + 2 * 4 + 2
    assert not report.kinks


def test_an_mlp_is_used_as_in_micrograd():
    model = MLP(3, [4, 4, 1])
    assert len(model.parameters()) == 16 + 20 + 5
    out = model([2.0, 3.0, -1.0])
    assert isinstance(out, Value)
    out.backward()
    assert any(p.grad for p in model.parameters())
    neuron = Neuron(3, nonlin=False)
    assert (len(neuron.w), neuron.b.data, neuron.activation) == (3, 0.0, None)
    layer = Layer(3, 2, nonlin=False)
    assert [n.activation for n in layer.neurons] == [None, None]
    assert isinstance(Layer(3, 1)([1, 2, 3]), Value)
    assert [type(v) for v in layer([1, 2, 3])] == [Value, Value]


def test_a_layer_of_one_neuron_feeds_the_next():
    assert isinstance(MLP(1, [1, 1, 1])([2.0]), Value)
    assert len(MLP(1, [3, 1, 2])([2.0])) == 2


def test_a_neuron_is_three_nodes():
    root = Neuron(9)([1.0] * 9)
    assert [root._op, root.operands[0]._op, root.operands[0].operands[0]._op] == [
        "ReLU",
        "+",
        "dot",
    ]


def test_1_10_20_30_40_1_has_2151_parameters():
    assert len(MLP(1, [10, 20, 30, 40, 1]).parameters()) == 2151


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ((), ["relu", "relu", None]),
        (("tanh",), ["tanh", "tanh", None]),
        ((None,), [None, None, None]),
        (("linear",), [None, None, None]),
        ((["sin", None, "relu"],), ["sin", None, "relu"]),
        ((("linear", "gelu", "tanh"),), [None, "gelu", "tanh"]),
    ],
)
def test_activation_is_one_name_or_one_per_layer(given, held):
    model = MLP(2, [2, 2, 2], *given)
    assert [n.activation for layer in model.layers for n in layer.neurons] == np.repeat(
        held, 2
    ).tolist()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MLP(2, [3])([1.0]), "MLP takes 2 inputs, got 1"),
        (lambda: MLP(2, [3])([1.0, 2.0, 3.0]), "MLP takes 2 inputs, got 3"),
        (lambda: Layer(2, 3)([1.0]), "Layer takes 2 inputs, got 1"),
        (lambda: Neuron(2)([]), "Neuron takes 2 inputs, got 0"),
        (
            lambda: Neuron(2, activation="rleu"),
            "unknown activation 'rleu'; choose from linear, relu",
        ),
        (lambda: MLP(2, [3], [3]), "unknown activation 3"),
        (lambda: MLP(2, [3, 1], ["relu"]), "2 layers, 1 activations"),
        (lambda: MLP(2, [3], ["relu", None]), "1 layers, 2 activations"),
        (lambda: MLP(2, []), "at least one layer"),
    ],
)
def test_widths_and_names_that_do_not_fit_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("nin", Neuron),
        ("nin", lambda n: Layer(n, 2)),
        ("nout", lambda n: Layer(2, n)),
        ("nin", lambda n: MLP(n, [2])),
        ("nout", lambda n: MLP(2, [3, n, 1])),
    ],
)
def test_a_size_must_be_a_positive_integer(name, make, size):
    kind = ValueError if type(size) is int else TypeError
    with pytest.raises(kind, match=f"^{name} must be a positive integer, got {size}"):
        make(size)


def test_sizes_may_be_numpys():
    assert len(MLP(np.int64(2), np.array([3, 1])).parameters()) == 13


@pytest.mark.parametrize(
    "model",
    [
        MLP(1, [2]),
        Layer(1, 2),
        Neuron(1),
    ],
)
@pytest.mark.parametrize("x", [2.0, Value(2.0), np.float64(2.0), np.array(2.0)])
def test_a_number_for_a_sequence_is_refused_with_the_way_out(model, x):
    name = type(model).__name__
    message = rf"{name} takes a sequence of 1 inputs, got {type(x).__name__}; .* model\(\[x\]\)"
    with pytest.raises(TypeError, match=message):
        model(x)


# Without bias, and in PyTorch's words


def test_without_a_bias_the_output_is_the_product():
    neuron = Neuron(2, bias=False, activation=None, seed=0)
    assert neuron.b is None
    assert neuron([1.0, 2.0]).data == neuron.w[0].data + 2.0 * neuron.w[1].data
    layer = Layer(2, 3, bias=False, seed=0)
    assert len(layer.parameters()) == 6
    assert list(layer.state_dict()) == ["weight"]
    other = Layer(2, 3, bias=False, seed=1)
    other.load_state_dict(layer.state_dict())
    assert bits(other) == bits(layer)


@pytest.mark.parametrize("kind", [Layer, Linear])
def test_a_matrix_is_not_a_vector(kind):
    with pytest.raises(TypeError, match="Neuron takes one vector, got a sequence of sequences"):
        kind(2, 1)([1.0, [2.0]])
    with pytest.raises(TypeError, match="Neuron takes one vector, got a sequence of sequences"):
        Layer(2, 3)([[1.0, 2.0], [3.0, 4.0]])


def test_linear_is_a_vector_in_and_a_list_out():
    linear = Linear(3, 2, seed=0)
    linear.load_state_dict({"weight": np.arange(6.0).reshape(2, 3), "bias": [0.5, -1.5]})
    w, b = linear.state_dict().values()
    x = np.array([0.3, -1.2, 2.0])
    for v in (x, -x):  # one of them gives negative numbers
        np.testing.assert_allclose(data(linear(v)), w @ v + b, rtol=1e-14)
    rows = linear(np.array([[x, -x]]))
    assert [[data(row) for row in table] for table in rows] == [[data(linear(x)), data(linear(-x))]]
    assert [type(v) for v in Linear(3, 1)(x)] == [Value]
    assert len(Linear(3, 2, bias=False).parameters()) == 6
    assert repr(linear) == "Linear(3, 2)"
    assert repr(Linear(3, 2, bias=False)) == "Linear(3, 2, bias=False)"
    assert repr(Layer(3, 2, bias=False)) == "Layer(3, 2, activation='relu', bias=False)"
    assert repr(Neuron(3, bias=False)) == "Neuron(3, activation='relu', bias=False)"


def test_linear_refuses_anything_but_vectors_of_its_width():
    with pytest.raises(ValueError, match="Linear takes 3 inputs, got 2"):
        Linear(3, 2)([1.0, 2.0])
    with pytest.raises(ValueError, match="Linear takes 3 inputs, got 2"):
        Linear(3, 2)([[1.0, 2.0, 3.0], [1.0, 2.0]])
    with pytest.raises(TypeError, match=r"Linear takes a sequence of numbers, got Value; .* \[x\]"):
        Linear(3, 2)(Value(1.0))


def test_a_layer_of_one_neuron_feeds_the_next_in_a_trace_as_well():
    model = MLP(1, [1, 1, 2], "tanh", seed=0)
    kernel = autodiff.compile(lambda x: model([x]))
    x = np.array([0.5, -2.0])
    expected = [data(model([v])) for v in x]
    np.testing.assert_allclose(np.transpose(kernel(x)), expected, rtol=1e-14)


# Where the first weights come from


@pytest.mark.parametrize(
    "make",
    [lambda **o: Neuron(3, **o), lambda **o: Layer(3, 2, **o), lambda **o: MLP(3, [4, 1], **o)],
)
def test_a_seed_fixes_the_parameters(make):
    assert bits(make(seed=0)) == bits(make(seed=0)) != bits(make(seed=1))
    assert bits(make(seed=0)) == bits(make(rng=np.random.default_rng(0)))
    rng = np.random.default_rng(0)
    assert bits(make(rng=rng)) != bits(make(rng=rng))
    with pytest.raises(TypeError, match="give rng or seed, not both"):
        make(seed=0, rng=rng)


def test_without_a_seed_pythons_random_is_asked():
    def drawn(seed):
        random.seed(seed)
        return bits(MLP(2, [3, 1]))

    state = random.getstate()
    try:
        assert drawn(1) == drawn(1) != drawn(2)
        assert bits(MLP(2, [3, 1])) != bits(MLP(2, [3, 1]))
    finally:
        random.setstate(state)


def test_no_two_neurons_start_alike():
    model = MLP(3, [5, 5, 5], seed=0)
    weights = [w.data for layer in model.layers for neuron in layer.neurons for w in neuron.w]
    assert len(set(weights)) == len(weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, 4), r"MLP: nouts must be a list of sizes, as \[4, 1\], got 4"),
        ((1, "41"), "MLP: nouts must be a list of sizes, .*, got '41'"),
        ((1, [4, 1], autodiff.tanh), "MLP: activation must be a name or a list of names, got <op"),
    ],
)
def test_arguments_of_wrong_kinds_are_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        MLP(*arguments)
