"""Membership: the module of each node is the one whose code made it, as far as a graph shows."""

import random
from collections import Counter

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value, dot, toposort
from autodiff.view.modules import enclosing, membership, parameter_names


def values(*shape):
    if not shape:
        return Value(random.Random(0).random())
    return [values(*shape[1:]) for _ in range(shape[0])]


def counts(root, model):
    """The number of interior nodes per module."""
    modules = membership(root, parameter_names(model))
    assert list(modules) == toposort(root)
    return Counter(modules[node] for node in modules if node.operands)


class Recorded(nn.MLP):
    """An MLP that records which nodes each neuron makes."""

    def __call__(self, x):
        self.made = getattr(self, "made", {})
        for i, layer in enumerate(self.layers):
            outputs = []
            for j, neuron in enumerate(layer.neurons):
                outputs.append(neuron(x))
                path = f"layers.{i}.neurons.{j}"
                stack = [outputs[-1]]
                while stack:
                    node = stack.pop()
                    if node.operands and node not in self.made:
                        self.made[node] = path
                        stack.extend(node.operands)
            x = outputs
        return x[0] if len(x) == 1 else x


@pytest.mark.parametrize("nouts", [[1], [3, 2], [4, 5, 6, 1]])
@pytest.mark.parametrize("examples", [1, 3])
def test_a_neuron_has_the_nodes_that_it_made(nouts, examples):
    model = Recorded(2, nouts, activation=[*["tanh"] * (len(nouts) - 1), None], seed=0)
    outputs = [model([Value(k), 0.5]) for k in range(examples)]
    flat = [y for out in outputs for y in (out if isinstance(out, list) else [out])]
    loss = nn.mse(flat, [1.0] * len(flat))
    modules = membership(loss, parameter_names(model))
    for node in toposort(loss):
        if not node.operands:
            continue
        made = model.made.get(node, "")
        assert modules[node] == made, node


def test_a_parameter_belongs_to_its_module_and_an_input_to_none():
    x, model = Value(1.0), nn.MLP(1, [1], seed=0)
    modules = membership(model([x]), parameter_names(model))
    neuron = model.layers[0].neurons[0]
    assert modules[neuron.w[0]] == "layers.0.neurons.0"
    assert modules[neuron.b] == "layers.0.neurons.0"
    assert modules[x] == ""


def test_nodes_behind_the_last_parameter_belong_to_no_module():
    model = nn.MLP(1, [1], activation=["tanh"], seed=0)
    root = model([Value(1.0)]) ** 2
    modules = membership(root, parameter_names(model))
    assert [modules[node] for node in toposort(root) if node.op and node.op.name in "tanh pow"] == [
        "", ""]  # fmt: skip


def test_a_layer_without_bias_has_its_scalar_code_up_to_the_last_addition():
    w = values(3)
    products = [wi * xi for wi, xi in zip(w, values(3), strict=True)]
    assert counts(autodiff.sum(products).exp(), {"linear": {"w": w}}) == {"linear": 4, "": 1}
    root = sum(products)
    assert counts(root, {"linear": {"w": w}}) == {"linear": 6}
    assert counts(root.exp(), {"linear": {"w": w}}) == {"linear": 6, "": 1}


def test_an_addition_behind_a_dot_belongs_to_no_module():
    w = values(2)
    root = dot(w, [1.0, 2.0]) + Value(1.0)
    assert counts(root, {"linear": {"w": w}}) == {"linear": 1, "": 1}


def test_a_shared_module_has_the_nodes_of_all_its_calls():
    shared, head = nn.Neuron(1, seed=0), nn.Neuron(2, nonlin=False, seed=1)
    root = head([shared([Value(1.0)]), shared([Value(2.0)])])
    assert counts(root, {"shared": shared, "head": head}) == {
        "shared": 6, "head": 2}  # fmt: skip


@pytest.mark.parametrize("is_layered", [True, False])
def test_recurrent_calls_keep_their_activation(is_layered):
    cell = nn.Layer(3, 2, activation="tanh", seed=0)
    head = nn.Neuron(2, nonlin=False, seed=1)
    state = [0.0, 0.0]
    for t in range(4):
        state = cell([Value(t), *state])
        if not is_layered:
            state = [state[0] * 0.5, state[1]]
    found = counts(head(state) ** 2, {"cell": cell, "head": head})
    scaled = 0 if is_layered else 4
    assert found == {
        "cell.neurons.0": 12 + scaled, "cell.neurons.1": 12, "head": 2, "": 1}  # fmt: skip


def test_nodes_between_parts_of_a_module_belong_to_that_module():
    first, second, third = (nn.Neuron(1, seed=i) for i in range(3))
    embedding = nn.Neuron(1, nonlin=False, seed=3)
    x = embedding([Value(1.0)])
    h = x + first([x])  # a residual connection, part of the block
    root = third([h + second([h])])  # and one behind it
    model = {"e": embedding, "block": {"first": first, "second": second}, "third": third}
    found = counts(root, model)
    assert found["block"] == 1
    assert found[""] == 2, "the second residual and the activation behind everything"


def test_a_mixture_of_modules_belongs_to_the_module_around_them():
    q, k, out = nn.Layer(2, 2, seed=0), nn.Layer(2, 2, seed=1), nn.Neuron(1, seed=2)
    x = values(2)
    score = dot(q(x), k(x)).exp()
    assert counts(out([score]), {"attention": {"q": q, "k": k}, "out": out})["attention"] == 2
    assert counts(out([score]), {"q": q, "k": k, "out": out})[""] == 3


def test_each_of_several_matrices_is_a_module():
    w, b = values(2, 3), values(2)
    hidden = [(dot(row, values(3)) + bias).relu() for row, bias in zip(w, b, strict=True)]
    out = dot(values(2), hidden) * Value(1.0)
    found = counts(out, {"layer": {"w": w, "b": b}})
    assert found == {"layer": 4, "": 4}, "no parameter is behind the activations"
    v = values(1, 2)
    found = counts(dot(v[0], hidden), {"layer": {"w": w, "b": b, "v": v}})
    assert found == {"layer.w": 2, "layer": 4, "layer.v": 1}
    assert counts(dot(v[0], hidden), {"w": w, "v": v}) == {"w": 6, "v": 1}


def test_nodes_that_depend_on_no_parameter_belong_to_no_module():
    model = nn.Neuron(1, seed=0)
    root = model([(Value(1.0) - 3.0) * 2.0])
    assert counts(root, {"model": model})[""] == 3, "two before and the activation behind"


def test_names_are_paths_through_modules_and_containers():
    a, b = Value(1.0), Value(2.0)
    grid = np.array([[a, b]])
    model = {"net": nn.Neuron(1, seed=0), "grid": grid, "more": [b, (Value(3.0),)], "n": 3}
    assert list(parameter_names(model).values()) == [
        "net.w.0", "net.b", "grid.0.0", "grid.0.1", "more.1.0"]  # fmt: skip


def test_enclosing_modules_are_listed_from_the_outside_in():
    assert enclosing("layers.0.mixer.w") == ["layers.0", "layers.0.mixer", "layers.0.mixer.w"]
    assert enclosing("") == []


@pytest.mark.parametrize("wrong", [None, 3, "layers", Value(1.0)])
def test_a_wrong_model_is_refused(wrong):
    with pytest.raises(TypeError, match=r"model must be a module with named_parameters\(\), or"):
        parameter_names(wrong)


@pytest.mark.parametrize("empty", [{}, [], nn.Module(), {"a": Value(1.0) * 2.0}])
def test_a_model_without_parameters_is_refused(empty):
    with pytest.raises(ValueError, match="model has no parameters"):
        parameter_names(empty)


def test_a_deep_graph_is_walked_without_recursion():
    w = Value(1.0)
    root = Value(0.0)
    for _ in range(20_000):
        root = root * w
    assert counts(root, {"a": {"w": w}}) == {"a": 20_000}
