"""`Sequential`: composition, access to steps, and names as PyTorch gives them."""

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value
from nn import MLP, Activation, Layer, Linear, Sequential
from tests.support.values import data


def test_steps_are_applied_in_order():
    double = lambda xs: [2 * x for x in xs]  # noqa: E731
    model = Sequential(double, lambda xs: [x + 1 for x in xs], double)
    assert model([1.0, 2.0]) == [6.0, 10.0]
    assert Sequential()([1.0]) == [1.0]


def test_it_computes_what_an_mlp_of_the_same_weights_does():
    mlp = MLP(2, [3, 1], "tanh", seed=0)
    model = Sequential(Linear(2, 3), Activation("tanh"), Linear(3, 1))
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    model.load_state_dict(dict(zip(model.state_dict(), mlp.state_dict().values(), strict=True)))
    assert data(model([0.5, -1.0])) == [mlp([0.5, -1.0]).data]


def test_a_number_from_a_step_is_the_only_input_of_the_next_eager_and_traced():
    model = Sequential(Layer(2, 1, seed=0), Layer(1, 1, seed=1), Layer(1, 2, seed=2))
    x = np.array([[0.5, -1.0], [3.0, 2.0]])
    kernel = autodiff.compile(lambda x: model(list(x)))
    expected = [data(model(row)) for row in x]
    np.testing.assert_allclose(np.transpose(kernel(x)), expected, rtol=1e-14)
    assert isinstance(Sequential(Layer(2, 1))([1.0, 2.0]), Value)


def test_steps_are_found_by_index_and_slice():
    steps = [Linear(2, 2), Activation("relu"), Linear(2, 1)]
    model = Sequential(*steps)
    assert list(model) == steps
    assert len(model) == 3
    assert [model[0], model[-1]] == [steps[0], steps[2]]
    assert list(model[1:]) == steps[1:]
    assert isinstance(model[:1], Sequential)
    with pytest.raises(IndexError):
        model[3]


def test_parameters_of_modules_are_found_and_named_by_index():
    model = Sequential(Linear(1, 1), nn.LayerNorm(1), lambda x: x)
    names = [name for name, _ in model.named_parameters()]
    assert names == ["0.neurons.0.w.0", "0.neurons.0.b", "1.weight.0", "1.bias.0"]
    model.eval()
    assert not model[1].training


def test_repr_shows_the_steps_as_a_tree():
    inner = Sequential(Linear(2, 2))
    assert repr(Sequential(inner, Activation("relu"))) == (
        "Sequential(\n  (0): Sequential(\n    (0): Linear(2, 2)\n  )\n  (1): Activation('relu')\n)"
    )


def test_a_step_that_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="Sequential: step 1 cannot be called: 'relu'"):
        Sequential(Linear(2, 2), "relu")
    with pytest.raises(TypeError, match="step 0 is the class Linear; pass an instance"):
        Sequential(Linear)


def test_a_number_is_not_a_vector():
    with pytest.raises(TypeError, match=r"got float; a single number x is the sequence \[x\]"):
        Sequential(Linear(1, 1))(2.0)


def test_a_width_that_does_not_fit_is_named():
    model = Sequential(Linear(2, 3), Linear(2, 1))
    with pytest.raises(ValueError, match="Linear takes 2 inputs, got 3"):
        model([1.0, 2.0])
