"""Edges: they count distinct values and weights, and show a module called on its own output."""

import pytest

import nn
from autodiff import Value, dot
from autodiff.view.graph.edges import edges_between
from autodiff.view.graph.folding import chosen_modules, folded_by_module
from autodiff.view.modules import membership, parameter_names


def edges(root, model, collapse):
    """(values, weights, all weighted) of each edge, by the modules at its ends."""
    names = parameter_names(model)
    found = membership(root, names)
    boxes = folded_by_module(found, chosen_modules(collapse, found))
    folded = {box for box in boxes.values() if box.is_folded}
    return {
        (source.module or source.nodes[0].label, box.module): (
            len(edge.values), [names[w] for w in edge.weights], edge.is_weighted)
        for box, sources in edges_between(boxes, folded, names).items()
        for source, edge in sources.items()
    }  # fmt: skip


def test_an_edge_between_layers_has_one_weight_per_pair_of_neurons():
    model = nn.MLP(2, [4, 3, 1], seed=0)
    found = edges(model([1.0, 2.0]), model, "layers")
    assert {ends: (n, len(ws), w) for ends, (n, ws, w) in found.items()} == {
        ("layers.0", "layers.1"): (4, 12, True),
        ("layers.1", "layers.2"): (3, 3, True),
    }


def test_an_edge_between_neurons_has_one_weight():
    model = nn.MLP(2, [3, 2], seed=0)
    root = dot(model([1.0, 2.0]), [1.0, 2.0])
    found = edges(root, model, "neurons")
    assert found == {
        (f"layers.0.neurons.{i}", f"layers.1.neurons.{j}"):
            (1, [f"layers.1.neurons.{j}.w.{i}"], True)
        for i in range(3) for j in range(2)}  # fmt: skip


def test_constants_among_the_operands_do_not_shift_the_weights():
    w = [Value(i + 1.0) for i in range(3)]
    x = nn.Neuron(1, seed=0)([1.0])
    found = edges(dot(w, [7.0, x, 8.0]), {"linear": {"w": w}}, "linear")
    assert found == {("", "linear"): (1, ["linear.w.1"], True)}


@pytest.mark.parametrize("form", [lambda w, x: w * x, lambda w, x: x * w])
def test_a_product_is_weighted_from_either_side(form):
    w, x = Value(2.0), Value(3.0)
    assert edges(form(w, x).exp(), {"m": {"w": w}}, "m") == {("", "m"): (1, ["m.w"], True)}


def test_a_value_that_no_parameter_multiplies_has_no_weight():
    w, v, x, y = Value(1.0), Value(2.0), Value(3.0, "x"), Value(4.0, "y")
    root = (w * x - y) * v
    assert edges(root, {"m": {"w": w, "v": v}}, "m") == {
        ("x", "m"): (1, ["m.w"], True), ("y", "m"): (1, [], False)}  # fmt: skip


@pytest.mark.parametrize(("calls", "loop"), [(1, set()), (2, {("cell", "cell")})])
def test_a_module_called_on_its_own_output_has_a_loop(calls, loop):
    cell, head = nn.Neuron(1, seed=0), nn.Neuron(1, seed=1)
    state = Value(1.0)
    for _ in range(calls):
        state = cell([state])
    found = edges(head([state]), {"cell": cell, "head": head}, ["cell", "head"])
    assert set(found) == {("", "cell"), ("cell", "head")} | loop


def test_calls_side_by_side_are_not_a_loop():
    model = nn.MLP(1, [2, 1], seed=0)
    root = nn.mse([model([x]) for x in (1.0, 2.0, 3.0)], [0.0] * 3)
    assert set(edges(root, model, "layers")) == {("layers.0", "layers.1")}


def test_layers_inside_a_box_are_not_a_loop():
    model, head = nn.MLP(1, [3, 3, 1], seed=0), nn.Neuron(1, seed=0)
    root = head([model([1.0])])
    found = edges(root, {"body": model, "head": head}, ["body", "head"])
    assert set(found) == {("body", "head")}
