"""Captions: the text of a box counts its nodes, calls and parameters."""

from math import inf

import nn
from autodiff import Value, dot, toposort
from autodiff.view.graph.captions import Caption
from autodiff.view.graph.folding import (
    chosen_modules,
    folded_by_module,
    folded_by_op,
    unfolded,
    users_of,
)
from autodiff.view.modules import membership, parameter_names


def captions(root, model, collapse, precision=3):
    """The lines of each folded box behind the first, by the first."""
    names = parameter_names(model) if model else {}
    order = toposort(root)
    if collapse:
        found = membership(root, names)
        boxes = folded_by_module(found, chosen_modules(collapse, found))
    else:
        boxes = folded_by_op(unfolded(order))
    folded = dict.fromkeys(box for box in boxes.values() if box.is_folded)
    captions = [Caption(box, users_of(order), boxes, names, precision).lines() for box in folded]
    return {first: others for first, *others in captions}


def test_a_layer_shows_its_width_parameters_ops_and_largest_gradient():
    model = nn.MLP(2, [4, 3], activation=["tanh", None], seed=0)
    root = dot(model([1.0, 2.0]), [1.0, 2.0, 3.0])
    assert captions(root, model, "layers")["layers.0"] == [
        "4 outputs, 12 parameters", "dot, +, tanh", "", ""]  # fmt: skip
    root.backward()
    hidden = [node for node in toposort(root) if node.op and node.op.name == "tanh"]
    largest = max(abs(node.grad) for node in hidden)
    assert captions(root, model, "layers") == {
        "layers.0": ["4 outputs, 12 parameters", "dot, +, tanh", "", f"|grad| ≤ {largest:.3g}"],
        "layers.1": ["3 outputs, 15 parameters", "dot, +", "", "|grad| ≤ 3"]}  # fmt: skip


def test_a_neuron_shows_its_one_number():
    model = nn.MLP(1, [2, 1], activation=["relu", None], seed=0)
    root = model([1.0])
    root.backward()
    assert captions(root, model, "neurons")["layers.1.neurons.0"] == [
        "3 parameters", "dot, +", "", f"data {root.data:.3g}, grad 1"]  # fmt: skip


def test_calls_are_counted_and_do_not_widen_a_layer():
    model = nn.MLP(1, [4, 1], seed=0)
    root = nn.mse([model([x]) for x in (1.0, 2.0, 3.0)], [0.0] * 3)
    found = captions(root, model, "layers")
    assert found["layers.0"] == ["4 outputs, 8 parameters", "dot, +, ReLU", "called 3 times", ""]


def test_a_parameter_that_one_call_uses_twice_does_not_count_as_two_calls():
    w, b = Value(1.0), Value(2.0)
    root = Value(3.0) * w + Value(4.0) * w + b
    assert captions(root, {"m": {"w": w, "b": b}}, "m")["m"][2] == ""


def test_equal_ops_show_their_number_and_range():
    a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(-3.0, "c")
    root = a.exp() * b.exp() * c.exp()
    found = captions(root, None, None)
    assert found["a … c × 3"] == ["data -3 … 2", ""]
    assert found["exp × 3"] == ["data 0.0498 … 7.39", ""]
    root.backward()
    assert found["exp × 3"] != captions(root, None, None)["exp × 3"]


def test_leaves_without_names_are_leaves_and_paths_are_joined():
    assert "leaves × 2" in captions(Value(1.0).exp() * Value(2.0).exp(), None, None)
    model = nn.MLP(1, [3, 1], seed=0)
    names = parameter_names(model)
    for parameter, name in names.items():
        parameter.label = name
    assert "layers.0.neurons.*.b × 3" in captions(model([1.0]), None, None)


def test_an_infinite_gradient_is_not_hidden():
    a, b = Value(1.0), Value(2.0)
    root = a.exp() * b.exp()
    root.backward()
    a.grad = -inf
    assert captions(root, None, None)["leaves × 2"][-1] == "|grad| ≤ inf"
