"""Folding: every node is in one box, with the nodes of its module or those that do the same."""

import random

import pytest

import autodiff
import nn
from autodiff import Value, dot, toposort
from autodiff.view.graph.folding import (  # fmt: skip
    chosen_modules,
    counts,
    folded_by_module,
    folded_by_op,
    last_name,
    nearest_boxes,
    unfolded,
    users_of,
)
from autodiff.view.modules import membership, parameter_names


def network(*nouts, nin=2):
    model = nn.MLP(nin, list(nouts), activation="tanh", seed=0)
    out = model([Value(1.0, f"x{i}") for i in range(nin)])
    return model, out if isinstance(out, Value) else dot(out, out)


def titles(boxes):
    """Op and number of nodes of each box."""
    return [
        (box.nodes[0].op.name if box.nodes[0].op else "leaf", len(box.nodes))
        for box in dict.fromkeys(boxes.values())
    ]


def is_acyclic(boxes):
    """Whether no box comes before itself."""
    before = {box: set() for box in boxes.values()}
    for node, box in boxes.items():
        before[box] |= {boxes[x] for x in node.operands} - {box}
    while before:
        free = [box for box in before if not before[box]]
        if not free:
            return False
        for box in free:
            del before[box]
        for sources in before.values():
            sources.difference_update(free)
    return True


def random_graph(rng):
    nodes = [Value(rng.random()) for _ in range(3)]
    for _ in range(40):
        a, b = rng.choice(nodes), rng.choice(nodes)
        nodes.append(rng.choice([a + b, a * b, a.tanh(), a - b]))
    return sum(nodes)


@pytest.mark.parametrize("seed", range(30))
def test_folding_by_op_partitions_any_graph_without_a_cycle(seed):
    root = random_graph(random.Random(seed))
    order = toposort(root)
    boxes = folded_by_op(unfolded(order))
    assert list(boxes) == order
    for box in set(boxes.values()):
        assert [node for node in order if boxes[node] is box] == box.nodes
        assert len({node.op for node in box.nodes}) == 1
    assert boxes[root].nodes[-1] is root
    assert is_acyclic(boxes)


def test_neurons_of_a_layer_share_boxes():
    _, root = network(4, 3, 1)
    assert titles(folded_by_op(unfolded(toposort(root)))) == [
        ("leaf", 8), ("leaf", 2), ("dot", 4), ("leaf", 4), ("add", 4), ("tanh", 4),
        ("leaf", 12), ("dot", 3), ("leaf", 3), ("add", 3), ("tanh", 3),
        ("leaf", 3), ("dot", 1), ("leaf", 1), ("add", 1)]  # fmt: skip


def test_a_chain_of_additions_is_one_sum_however_long():
    leaves = [Value(i) for i in range(50)]
    exps = [leaf.exp() for leaf in leaves]
    assert titles(folded_by_op(unfolded(toposort(sum(exps))))) == [
        ("leaf", 50),
        ("exp", 50),
        ("add", 50),
    ]


@pytest.mark.parametrize("reduction", [autodiff.sum, autodiff.prod, autodiff.maximum])
def test_all_leaves_of_a_reduction_do_the_same(reduction):
    root = reduction([Value(i) for i in range(50)])
    assert titles(folded_by_op(unfolded(toposort(root)))) == [("leaf", 50), (root.op.name, 1)]


def test_a_sum_inside_a_sum_is_a_part_of_it():
    leaves = [Value(i).exp() for i in range(6)]
    root = autodiff.sum([autodiff.sum(leaves[:3]), *leaves[3:]])
    folded = folded_by_op(unfolded(toposort(root)))
    assert titles(folded) == [("leaf", 6), ("exp", 6), ("sum", 2)]


def test_an_addition_that_is_used_twice_is_no_part_of_a_longer_one():
    a, b, c = (Value(i) for i in range(3))
    inner = a + b
    root = inner + c + inner
    boxes = folded_by_op(unfolded(toposort(root)))
    assert boxes[inner] is not boxes[root]


def test_different_ops_and_different_sources_have_separate_boxes():
    x, y = Value(1.0), Value(2.0)
    root = x.exp() * x.tanh() * y.exp().tanh()
    boxes = folded_by_op(unfolded(toposort(root)))
    assert titles(boxes).count(("tanh", 1)) == 2


def test_a_chain_that_depends_on_itself_is_not_folded():
    v = Value(1.0)
    for _ in range(30):
        v = v * 2.0
    assert counts(folded_by_op(unfolded(toposort(v)))) == (31, 30)


def test_modules_are_boxes_and_other_nodes_have_their_own():
    model, root = network(4, 3, 1)
    found = membership(root, parameter_names(model))
    boxes = folded_by_module(found, chosen_modules("layers", found))
    assert list(boxes) == toposort(root)
    modules = {box.module: len(box.nodes) for box in boxes.values()}
    assert modules == {"layers.0": 24, "layers.1": 24, "layers.2": 6, "": 1}
    neurons = folded_by_module(found, chosen_modules("neurons", found))
    assert len({box.module for box in neurons.values()}) == 4 + 3 + 1 + 1


def test_a_module_inside_a_box_is_not_a_box():
    model, root = network(4, 1)
    found = membership(root, parameter_names(model))
    boxes = folded_by_module(found, chosen_modules(["layers.0", "neurons"], found))
    assert {box.module for box in boxes.values()} == {"layers.0", "layers.1.neurons.0", ""}


def test_folding_by_op_leaves_modules_as_they_are():
    model, root = network(4, 1)
    found = membership(root, parameter_names(model))
    boxes = folded_by_module(found, ["layers.0"])
    folded = folded_by_op(boxes)
    assert [b.nodes for b in folded.values() if b.module] == [
        b.nodes for b in boxes.values() if b.module]  # fmt: skip


def test_a_sum_outside_a_module_is_not_part_of_a_sum_inside():
    x, y, b = Value(1.0), Value(2.0), Value(3.0)
    outside = x + y
    root = outside + b
    found = membership(root, {b: "m.b"})
    folded = folded_by_op(folded_by_module(found, ["m"]))
    assert folded[outside].nodes == [outside]
    assert set(folded[root].nodes) == {b, root}


def test_an_unknown_module_is_refused_with_the_known_names():
    model, root = network(4, 1)
    found = membership(root, parameter_names(model))
    with pytest.raises(ValueError, match="no module is called 'layer'; there are: layers, neurons"):
        chosen_modules("layer", found)
    with pytest.raises(ValueError, match="no module is called 'a'; there are: none"):
        chosen_modules(["a"], dict.fromkeys(found, ""))


def test_the_last_name_is_without_indices():
    assert [last_name(m) for m in ("layers.0.neurons.3", "a.b", "a", "0.1")] == [
        "neurons", "b", "a", "0.1"]  # fmt: skip


def test_the_nearest_boxes_are_the_fewest_edges_from_the_root():
    v = Value(1.0)
    chain = [v := v * 2.0 for _ in range(9)]
    boxes = unfolded(toposort(v))
    assert nearest_boxes(v, boxes, 4) == {boxes[node] for node in chain[-4:]}
    assert nearest_boxes(v, boxes, 100) == set(boxes.values())
    assert nearest_boxes(v, boxes, 1) == {boxes[v]}


def test_users_are_listed_once_per_use():
    a = Value(1.0)
    square = a * a
    root = square + a
    assert users_of(toposort(root)) == {a: [square, square, root], square: [root], root: []}


def test_100_000_nodes_fold_without_recursion():
    v = Value(0.0)
    for i in range(50_000):
        v = v + Value(i)
    assert counts(folded_by_op(unfolded(toposort(v)))) == (2, 1)
