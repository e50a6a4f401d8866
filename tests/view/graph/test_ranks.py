"""Ranks: modules of one list that run side by side, in the order of the model."""

import nn
from autodiff import Value, dot
from autodiff.view.graph.folding import chosen_modules, folded_by_module
from autodiff.view.graph.ranks import ranks, siblings
from autodiff.view.modules import membership, parameter_names


def found(root, model, collapse):
    modules = membership(root, parameter_names(model))
    return [
        [box.module for box in rank]
        for rank in ranks(folded_by_module(modules, chosen_modules(collapse, modules)))
    ]


def test_neurons_of_a_layer_are_a_rank_in_their_order():
    model = nn.MLP(2, [12, 3, 1], seed=0)
    root = model([Value(1.0), 2.0])
    assert sorted(found(root, model, "neurons"), key=len) == [
        [f"layers.{i}.neurons.{j}" for j in range(n)] for i, n in ((2, 1), (1, 3), (0, 12))
    ]


def test_layers_behind_one_another_are_separate_ranks():
    model = nn.MLP(2, [3, 3, 1], seed=0)
    assert sorted(found(model([Value(1.0), 2.0]), model, "layers")) == [
        ["layers.0"], ["layers.1"], ["layers.2"]]  # fmt: skip


def test_branches_of_one_list_are_a_rank_and_branches_of_two_lists_are_not():
    x = [Value(1.0)]
    model = {"a": [nn.Neuron(1, seed=i) for i in range(2)], "b": [nn.Neuron(1, seed=3)]}
    head = nn.Neuron(3, seed=4)
    root = head([neuron(x) for branches in model.values() for neuron in branches])
    assert sorted(found(root, {**model, "head": head}, ["a", "b", "head"])) == [
        ["a.0", "a.1"], ["b.0"], ["head"]]  # fmt: skip


def test_siblings_share_the_module_around_them_and_their_name():
    model = nn.MLP(1, [2, 1], seed=0)
    root = dot([model([1.0])], [2.0])
    modules = membership(root, parameter_names(model))
    boxes = folded_by_module(modules, chosen_modules("neurons", modules))
    assert {siblings(box) for box in boxes.values()} == {
        ("layers.0", "neurons"), ("layers.1", "neurons"), ("", "")}  # fmt: skip
