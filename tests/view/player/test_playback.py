"""Playback: the numbers of the engine and the modules of the model, as JSON."""

import json
from math import inf, nan

import pytest
from hypothesis import given, settings

from autodiff import Value, dot, toposort, where
from autodiff.testing import expressions
from autodiff.view.player.playback import LONGEST_LABEL, MOST_BOXES, MOST_NODES, playback
from nn import MLP


def chain(length):
    root = Value(1.0)
    for _ in range(length - 1):
        root = root * 1.0
    return root


def net(nin, *sizes):
    model = MLP(nin, sizes, activation="tanh", seed=0)
    return (model([Value(0.5) for _ in range(nin)]) - 1.0) ** 2, model


@settings(derandomize=True, deadline=None, database=None, max_examples=60)
@given(expressions())
def test_data_gradients_and_partials_are_the_engines(expression):
    root = expression(*map(Value, expression.point))
    shown = playback(root, None, 4)["nodes"]
    root.backward()
    order = toposort(root)
    assert [node["data"] for node in shown] == [node.data for node in order]
    assert [node["grad"] for node in shown] == [node.grad for node in order]
    assert [tuple(node["partials"]) for node in shown] == [node._partials for node in order]
    assert [[order[i] for i in node["operands"]] for node in shown] == [
        list(node.operands) for node in order
    ]


def test_contributions_name_their_edge_and_carry_three_numbers():
    x = Value(3.0, "x")
    root = x * x + x
    shown = playback(root, None, 4)
    assert [node["label"] for node in shown["nodes"]] == ["x", "", ""]
    assert shown["sweeps"]["topological"] == [
        (2, 0, 1.0, 1.0, 1.0),
        (2, 1, 1.0, 1.0, 1.0),
        (1, 0, 1.0, 3.0, 4.0),
        (1, 1, 1.0, 3.0, 7.0),
    ]
    assert shown["nodes"][0]["grad"] == 7.0
    assert shown["sweeps"]["overwriting"][-1] == (1, 1, 1.0, 3.0, 3.0)
    assert shown["sweeps"].keys() == {"topological", "depth_first", "overwriting"}


def test_infinities_and_nan_survive_json():
    root = Value(inf) * Value(-inf) + where(True, Value(nan), Value(0.0))
    shown = json.loads(json.dumps(playback(root, None, 4), allow_nan=False))
    numbers = [node["data"] for node in shown["nodes"]]
    for name in ("NaN", "Infinity", "-Infinity"):
        assert {"float": name} in numbers


def test_modules_come_in_the_order_of_the_model_with_their_parents():
    root, model = net(2, 2, 1)
    shown = playback(root, model, 4)
    assert [module["path"] for module in shown["modules"]] == [
        "layers.0",
        "layers.0.neurons.0",
        "layers.0.neurons.1",
        "layers.1",
        "layers.1.neurons.0",
    ]
    assert [module["name"] for module in shown["modules"]][:3] == [
        "layers.0",
        "neurons.0",
        "neurons.1",
    ]
    assert [module["parent"] for module in shown["modules"]] == [None, 0, 0, None, 3]
    leaves = {node["path"]: node for node in shown["nodes"] if node["path"]}
    assert leaves.keys() == {name for name, _ in model.named_parameters()}
    assert leaves["layers.0.neurons.1.w.1"]["label"] == "w.1"
    assert leaves["layers.0.neurons.1.b"]["label"] == "b"
    assert leaves["layers.0.neurons.1.b"]["module"] == 2
    assert shown["nodes"][-1]["module"] is None


def test_a_label_takes_precedence_over_the_name_in_the_model():
    root, model = net(1, 1)
    model.layers[0].neurons[0].b.label = "bias"
    labels = [node["label"] for node in playback(root, model, 4)["nodes"]]
    assert "bias" in labels
    assert "b" not in labels


@pytest.mark.parametrize(
    ("sizes", "open_depth", "boxes"),
    [
        ((2, 3, 1), None, None),  # 28 nodes: all open
        ((3, 8, 8, 8, 1), 2, 3 + 25 + 2),  # neurons closed
        ((1, 10, 20, 30, 40, 1), 1, 1 + 5 + 2),  # layers closed
    ],
)
def test_in_larger_nets_the_deepest_modules_that_fit_begin_closed(sizes, open_depth, boxes):
    root, model = net(*sizes)
    shown = playback(root, model, 4)
    closed = {shown["modules"][g]["path"] for g in shown["closed"]}
    if open_depth is None:
        assert not closed
        return
    depths = {module["path"]: module["path"].count("s.") for module in shown["modules"]}
    assert closed
    assert closed == {
        path for path, depth in depths.items() if depth >= open_depth or path.endswith("w")
    }
    outermost = {
        path
        for path in closed
        if not any(path != other and path.startswith(f"{other}.") for other in closed)
    }
    outside = [node for node in shown["nodes"] if node["module"] is None]
    assert len(outermost) + len(outside) == boxes


def test_a_graph_too_large_to_draw_is_refused_with_the_limit_and_advice():
    assert len(playback(chain(MOST_BOXES), None, 4)["nodes"]) == MOST_BOXES
    with pytest.raises(ValueError, match=r"up to 500 boxes, .* has 501: give model= .* smaller"):
        playback(chain(MOST_BOXES + 1), None, 4)
    with pytest.raises(ValueError, match=r"up to 5,000 nodes, .* has 5,001: play a part"):
        playback(chain(MOST_NODES + 1), net(1, 1)[1], 4)


def test_modules_that_fold_too_little_are_refused_too():
    w = Value(1.0)
    root = w
    for _ in range(300):
        root = Value(1.0) + root * 1.0
    with pytest.raises(ValueError, match=r"up to 500 boxes, .*: play a part of it"):
        playback(root, {"a": {"w": w}}, 4)


def test_data_that_has_changed_since_is_refused():
    w, x = Value(2.0, "w"), Value(3.0)
    root = (w * x).tanh()
    w.data = 2.5
    with pytest.raises(
        ValueError, match=r"data of a \* node .* is 6 and would be 7.5 now; compute"
    ):
        playback(root, None, 4)
    w.data = 2.0
    assert playback(root, None, 4)["nodes"][-1]["op"] == "tanh"


def test_nan_is_not_mistaken_for_a_change():
    assert playback(Value(nan) + 1.0, None, 4)["nodes"][-1]["data"] == {"float": "NaN"}


def test_gradients_from_before_are_neither_used_nor_changed():
    x = Value(2.0)
    root = dot([x, x], [3.0, 4.0])
    root.backward()
    x.grad = 100.0
    assert playback(root, None, 4)["nodes"][0]["grad"] == 7.0
    assert x.grad == 100.0


def test_a_label_is_kept_to_10_000_characters():
    shown = playback(Value(1.0, "é" * 10_001), None, 4)["nodes"]
    assert shown[0]["label"] == "é" * 10_000 == "é" * LONGEST_LABEL
