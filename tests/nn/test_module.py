"""`Module`: which parameters it finds, under which names, in which order."""

import numpy as np
import pytest

import nn
from autodiff import Value, dot
from nn import Module


def module(**attributes):
    made = Module()
    vars(made).update(attributes)
    return made


def names(found):
    return [name for name, _ in found.named_parameters()]


def test_parameters_are_named_by_their_path_in_the_order_of_attributes():
    found = module(
        z=Value(0), skipped=3.0, text="text", a=[Value(1), (Value(2),)], none=None,
        zero_d=np.array(None), d={"k": Value(3), 7: [module(w=Value(4))]},
        m=module(inner=module(b=Value(5))), y=Value(6),
    )  # fmt: skip
    assert names(found) == ["z", "a.0", "a.1.0", "d.k", "d.7.0.w", "m.inner.b", "y"]
    assert [p.data for p in found.parameters()] == list(range(7))
    assert [p for _, p in found.named_parameters()] == found.parameters()


def test_the_parameters_of_a_network_are_those_of_its_neurons_in_order():
    model = nn.MLP(3, [4, 2])
    names = [name for name, _ in model.named_parameters()]
    neuron = ["w.0", "w.1", "w.2"]
    assert names[:5] == [*(f"layers.0.neurons.0.{w}" for w in neuron), "layers.0.neurons.0.b",
                         "layers.0.neurons.1.w.0"]  # fmt: skip
    assert "layers.0.neurons.3.w.2" in names
    assert names[-1] == "layers.1.neurons.1.b"
    assert len(names) == len(set(names)) == 4 * 4 + 2 * 5
    assert model.parameters()[0] is model.layers[0].neurons[0].w[0]


def test_shared_parameters_count_once_under_their_first_name():
    w = Value(1.0)
    part = module(w=w, b=Value(2.0))
    assert names(module(one=part, tied=[w, part], two={"again": part})) == ["one.w", "one.b"]
    # Equal numbers are not the same parameter.
    assert names(module(ws=[Value(1.0), Value(1.0)])) == ["ws.0", "ws.1"]


def test_a_module_without_attributes_has_no_parameters():
    assert Module().parameters() == []
    assert repr(Module()) == "Module()"


def test_an_array_of_values_holds_parameters():
    assert names(module(w=np.array([Value(1.0), Value(2.0)]))) == ["w.0", "w.1"]


def test_a_result_is_no_parameter():
    w = Value(1.0)
    assert names(module(w=w, last_output=w * 2)) == ["w"]


def test_zero_grad_clears_parameters_and_nothing_else():
    inner, outside = module(w=Value(1.0)), Value(2.0)
    model = module(inner=[inner], b=Value(3.0))
    (inner.w * model.b * outside).backward()
    assert [inner.w.grad, model.b.grad, outside.grad] == [6.0, 2.0, 3.0]
    model.zero_grad()
    assert [inner.w.grad, model.b.grad, outside.grad] == [0.0, 0.0, 3.0]
    assert [inner.w.data, model.b.data] == [1.0, 3.0]


def test_a_subclass_defines_call():
    class Linear(Module):
        def __init__(self):
            self.w = [Value(2.0), Value(3.0)]

        def __call__(self, x):
            return dot(self.w, x)

    assert Linear()([5.0, 7.0]).data == 31.0
    with pytest.raises(NotImplementedError, match="Module defines no __call__"):
        Module()([1.0])


def test_repr_shows_the_modules_inside():
    assert repr(nn.MLP(2, [3, 1], "tanh")) == (
        "MLP(\n"
        "  (layers.0): Layer(2, 3, activation='tanh')\n"
        "  (layers.1): Layer(3, 1, activation=None)\n"
        ")"
    )
    outer = module(net=module(a=nn.Neuron(1)), pair=(nn.Neuron(2, nonlin=False),), w=Value(1.0))
    assert repr(outer) == (
        "Module(\n"
        "  (net): Module(\n"
        "    (a): Neuron(1, activation='relu')\n"
        "  )\n"
        "  (pair.0): Neuron(2, activation=None)\n"
        ")"
    )


@pytest.mark.parametrize("nested", [{"a": nn.Neuron(1)}, [[nn.Neuron(1)]]])
def test_modules_whose_parameters_are_found_are_shown(nested):
    assert "Neuron" in repr(module(nested=nested))
