"""Pictures of graphs: golden texts, the order of neurons, paths, colors, and omissions."""

import re
from itertools import pairwise
from math import inf, nan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autodiff import Value, dot, draw, prod, toposort
from tests.programs import gpt
from tests.support.golden import recorded
from tests.support.marks import needs_renderer
from tests.support.process import printed_under_any_hash_seed

GOLDEN = Path(__file__).parents[1] / "golden"


def network(nouts=(2, 1), nin=2, activation="tanh"):
    model = nn.MLP(nin, list(nouts), activation=activation, seed=0)
    for i, parameter in enumerate(model.parameters()):
        parameter.data = ((7 * i) % 11 - 5) / 4
    out = model([Value(1.0 + i, f"x{i}") for i in range(nin)])
    out = out if isinstance(out, Value) else dot(out, out)
    root = (out - 1.0) ** 2
    root.backward()
    return model, root


def recurrent():
    cell, head = nn.Layer(3, 2, activation="tanh", seed=0), nn.Neuron(2, nonlin=False, seed=1)
    state = [0.0, 0.0]
    for t in range(3):
        state = cell([Value(t, f"x{t}"), *state])
    return {"cell": cell, "head": head}, head(state) ** 2


def boxes(source):
    """The label of each box in DOT text."""
    return dict(re.findall(r'\t([nm]\d+) \[label="(.*?)"[ \]]', source))


def attributes(source):
    """The attributes of each box and of each edge in the DOT text."""
    nodes = dict(re.findall(r"\t([nm]\d+) \[(.*)\]", source))
    edges = re.findall(r"\t([nm]\d+)(?::\w+)? -> ([nm]\d+)(?::\w+)*(?: \[(.*)\])?", source)
    return nodes, edges


PICTURES = {
    "named": lambda m, r: draw(r, model=m),
    "by_grad": lambda m, r: draw(r, model=m, color="grad", precision=2),
    "highlighted": lambda m, r: draw(r, highlight=m.layers[0].neurons[1].b, direction="TB"),
    "neurons": lambda m, r: draw(r, model=m, collapse="neurons"),
    "layers": lambda m, r: draw(r, model=m, collapse="layers"),
    "ops": lambda m, r: draw(r, model=m, collapse="ops"),
    "cut": lambda m, r: draw(r, model=m, collapse=False, max_nodes=6),
}


@pytest.mark.parametrize("name", PICTURES)
def test_text_is_the_golden_one(name):
    model, root = network()
    text = PICTURES[name](model, root).source
    assert text == recorded(GOLDEN / f"{name}.gv", text)


def test_parameters_have_the_names_of_the_model_unless_they_have_a_label():
    model, root = network()
    model.layers[1].neurons[0].b.label = "bias"
    labels = [
        label.partition("|data")[0] for label in boxes(draw(root, model=model).source).values()
    ]
    assert "layers.0.neurons.1.w.1" in labels
    assert "bias" in labels
    assert "layers.1.neurons.0.b" not in labels


def test_the_5_layer_network_has_one_box_per_layer():
    model, root = network(
        (10, 20, 30, 40, 1), nin=1, activation=["relu", "sigmoid", "tanh", "relu", None]
    )
    assert len(toposort(root)) > 300
    source = draw(root, model=model).source
    shown = boxes(source)
    assert [label.split("\\n")[0] for label in shown.values() if label.startswith("layers")] == [
        f"layers.{i}" for i in (4, 3, 2, 1, 0)]  # fmt: skip
    assert "20 outputs, 220 parameters\\ndot, +, sigmoid" in source
    assert re.findall(r'label="([\d,]+ weights)"', source) == [
        "40 weights", "1,200 weights", "600 weights", "200 weights", "10 weights"]  # fmt: skip
    assert len(shown) == 5 + 3
    assert f"{len(toposort(root)):,} nodes in 8 boxes" in source


def test_up_to_max_nodes_nothing_is_collapsed_by_default():
    model, root = network()
    count = len(toposort(root))
    assert len(boxes(draw(root, model=model, max_nodes=count).source)) == count
    collapsed = draw(root, model=model, max_nodes=count - 1).source
    assert len(boxes(collapsed)) < count
    assert f"{count} nodes in" in collapsed
    assert "not drawn" not in collapsed


def test_without_a_model_equal_ops_are_collapsed():
    _, root = network((10, 20, 30, 40, 1), nin=1)
    labels = boxes(draw(root).source).values()
    assert sum("dot × 30" in label for label in labels) == 1
    assert len(labels) < 30


def test_a_gpt_of_14_000_nodes_has_fewer_than_fifty_boxes_with_one_per_matrix():
    state = gpt.make_state()
    root = gpt.loss(state, "hannah")
    assert len(toposort(root)) > 14_000
    labels = boxes(draw(root, model=state).source).values()
    assert len(labels) < 50
    modules = {label.split("\\n")[0]: label for label in labels}
    assert set(state) <= set(modules)
    assert "32 outputs, 256 parameters\\n*, +, ReLU\\ncalled 7 times" in modules["wide"]
    without = boxes(draw(root).source)
    assert len(without) < 60


def test_a_graph_that_cannot_be_collapsed_is_drawn_near_its_root():
    v = Value(1.0)
    for _ in range(10_000):
        v = v * 1.5
    source = draw(v).source
    assert set(boxes(source)) == {f"n{i}" for i in range(9701, 10_001)}
    assert "… 9,701 nodes not drawn" in source
    assert source.count("dashed") == 1


def test_a_wide_op_has_no_cell_for_every_number():
    leaves = [Value(i) for i in range(5000)]
    source = draw(dot(leaves, leaves)).source
    assert "dot of 10,000" in source
    assert "leaves × 5,000" in source
    assert len(source) < 3000


@needs_renderer
@pytest.mark.parametrize("collapse", ["neurons", False])
@pytest.mark.parametrize(("nin", "nouts"), [(2, (5, 4, 1)), (1, (10, 12, 1)), (3, (12, 3, 2))])
def test_neurons_keep_their_order(nin, nouts, collapse):
    model, root = network(nouts, nin)
    drawing = draw(root, model=model, collapse=collapse, max_nodes=1000)
    svg = drawing.pipe("svg", encoding="utf-8")
    heights = {
        name: float(y)
        for name, y in re.findall(
            r"<title>(\w+)</title>.*?<text[^>]* y=\"(-?[\d.]+)\"", svg, re.DOTALL
        )
    }
    ids = {f"n{i}": node for i, node in enumerate(toposort(root))}
    for i, layer in enumerate(model.layers[:-1]):
        if collapse:
            names = {
                re.match(r"[\w.]*", label)[0]: name for name, label in boxes(drawing.source).items()
            }
            column = [names[f"layers.{i}.neurons.{j}"] for j in range(nouts[i])]
        else:
            biases = {neuron.b: j for j, neuron in enumerate(layer.neurons)}
            sums = [(biases[x], n) for n, node in ids.items() for x in node.operands if x in biases]
            column = [n for _, n in sorted(sums)]
        found = [heights[name] for name in column]
        assert found == sorted(found)


@needs_renderer
@pytest.mark.parametrize("collapse", ["cell", "neurons", "ops", None])
@pytest.mark.parametrize("direction", ["LR", "RL", "TB", "BT"])
def test_recurrent_graphs_can_be_rendered_in_every_direction(collapse, direction):
    model, root = recurrent()
    drawing = draw(root, model=model, collapse=collapse, direction=direction)
    svg = drawing.pipe("svg", encoding="utf-8")
    assert svg.count('class="node"') == len(boxes(drawing.source))
    assert f"rankdir={direction}" in drawing.source


def test_a_loop_shows_that_a_module_is_called_on_its_own_output():
    model, root = recurrent()
    _, edges = attributes(draw(root, model=model, collapse="cell").source)
    loops = [style for tail, head, style in edges if tail == head]
    assert len(loops) == 1
    assert re.search(r"\tm(\d+) -> m\1 ", draw(root, model=model, collapse="cell").source)
    assert "4 weights" in loops[0]


def test_exactly_the_nodes_that_depend_on_a_node_are_highlighted():
    a, b, c = Value(1.0, "a"), Value(2.0, "b"), Value(3.0, "c")
    square = b * b
    root = (a + square) * (c + b) + c.exp()
    names = {node: f"n{i}" for i, node in enumerate(toposort(root))}
    depends = {b, square}
    for node in toposort(root):
        if depends & set(node.operands):
            depends.add(node)
    nodes, edges = attributes(draw(root, highlight=b).source)
    assert {n for n, style in nodes.items() if "#00a03e" in style} == {names[n] for n in depends}
    for tail, _, style in edges:
        assert ("#00a03e" in style) == (tail in {names[n] for n in depends})
    both, _ = attributes(draw(root, highlight=[b, a]).source)
    assert "#00a03e" in both[names[a]]


def test_a_path_through_boxes_is_highlighted():
    model, root = network((3, 2, 1))
    first = model.layers[0].neurons[1].w[0]
    nodes, _ = attributes(draw(root, model=model, collapse="neurons", highlight=first).source)
    marked = [
        re.match(r'label="([\w.]+)', s)[1] for s in nodes.values() if "00a03e" in s and "lay" in s
    ]
    assert sorted(marked) == [
        f"layers.{i}.neurons.{j}" for i, j in ((0, 1), (1, 0), (1, 1), (2, 0))
    ]

    _, edges = attributes(draw(root, model=model, collapse="neurons", highlight=first).source)
    assert sum("00a03e" in style for *_, style in edges) == 2 + 2 + 2


def test_collapsed_boxes_too_are_drawn_near_the_root():
    model, root = network((3, 2, 1))
    source = draw(root, model=model, collapse="neurons", max_nodes=4).source
    assert len(boxes(source)) == 4
    assert f"… {len(toposort(root)) - (1 + 1 + 5 + 7)} nodes not drawn" in source
    assert source.count("dashed") == 2


def test_inner_modules_are_collapsed_before_outer_ones():
    inner, outer = nn.Layer(2, 2, seed=0), nn.Neuron(2, seed=1)
    scale = Value(0.5)
    model = {"block": {"inner": inner, "scale": scale}, "outer": outer}
    root = outer([x * scale for x in inner([Value(1.0), 2.0])])
    titles = {
        label.split("\\n")[0]
        for label in boxes(draw(root, model=model, max_nodes=20).source).values()
    }
    assert {"block.inner.neurons.0", "block.inner.neurons.1", "outer"} <= titles
    assert "block" not in titles


def test_color_is_that_of_the_gradient():
    a, b = Value(2.0, "a"), Value(3.0, "b")
    root = a * 100.0 + b * 0.0
    root.backward()
    nodes, _ = attributes(draw(root, color="grad").source)
    label = {
        re.search(r'label="([ab])\|', s)[1]: s for s in nodes.values() if re.search(r'"[ab]\|', s)
    }
    assert "#960000" in label["a"]
    assert "#ffffff" in label["b"]
    a.grad = inf
    assert "#c51bbf" in draw(root, color="grad").source
    leaves = [Value(1.0), Value(2.0), Value(3.0)]
    product = prod([leaf.exp() for leaf in leaves])
    for leaf in leaves:
        product.backward()
        leaf.grad = nan
        assert draw(product, color="grad", collapse="ops").source.count("#c51bbf") == 1
        leaf.grad = 0.0


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"direction": "up"}, ValueError, "direction must be 'LR', 'RL', 'TB' or 'BT', got 'up'"),
        ({"precision": 0}, ValueError, "precision must be a positive integer, got 0"),
        ({"max_nodes": 2.5}, TypeError, "max_nodes must be a positive integer, got 2.5"),
        ({"max_nodes": True}, TypeError, "max_nodes must be a positive integer, got True"),
        ({"color": "red"}, ValueError, "color must be 'kind' or 'grad', got 'red'"),
        ({"color": "grad"}, ValueError, "no gradients to color by; call root.backward"),
        ({"collapse": "layers"}, ValueError, "collapse='layers' needs model="),
        ({"collapse": 3}, TypeError, "collapse must be a name, names or False, got int 3"),
        ({"highlight": 3}, TypeError, "highlight must be one or more nodes, got int 3"),
        ({"highlight": Value(7.0)}, ValueError, "highlight must be nodes of this graph, got Value"),
        ({"model": 3}, TypeError, "model must be a module with named_parameters"),
        ({"model": {"a": Value(1.0)}}, ValueError, "none of the parameters of model= is in this"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_refused(option, error, message):
    with pytest.raises(error, match=message):
        draw(Value(1.0) * 2.0, **option)


HOSTILE = ['"', "\\", "\\N", "<b>bold</b>", "<>", "&lt;", "]; x -> y; [", "a" * 10_000,
           "שלום", "😀", "two\nlines", "\x1b[31m", "\u202e"]  # fmt: skip


@needs_renderer
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("collapse", [None, "modules", "ops"])
def test_hostile_names_neither_break_nor_inject(name, collapse):
    a, b = Value(1.0), Value(2.0)
    model = {"modules": [{name: a}, {name: b}]}
    root = (a * 2.0).exp() * (b * 3.0).exp()
    drawing = draw(root, model=model, collapse=collapse)
    svg = drawing.pipe("svg", encoding="utf-8")
    assert svg.count('class="node"') == len(boxes(drawing.source))
    assert "<b>" not in svg


@needs_renderer
@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(), min_size=2, max_size=2, unique=True),
    st.lists(st.text(st.sampled_from('a.0\\"<>|{}[]\n')), min_size=2, max_size=2, unique=True),
    st.sampled_from([None, False, "ops"]),
    st.sampled_from([1, 3, 300]),
)
def test_any_names_can_be_drawn(outer, inner, collapse, most):
    model = {name: {key: [Value(1.0), Value(2.0)] for key in inner} for name in outer}
    leaves = [x for part in model.values() for xs in part.values() for x in xs]
    root = sum(a * b for a, b in pairwise(leaves))
    drawing = draw(root, model=model, collapse=collapse, max_nodes=most)
    svg = drawing.pipe("svg", encoding="utf-8")
    assert svg.count('class="node"') == len(boxes(drawing.source)) + drawing.source.count("dashed")


def test_text_does_not_depend_on_the_hash_seed():
    program = """if True:
        import nn
        from autodiff import Value, draw
        model = nn.MLP(2, [9, 5, 1], seed=0)
        root = nn.mse([model([Value(i), 2.0]) for i in range(5)], [0.0] * 5)
        for collapse in (None, "layers", "neurons", "ops"):
            print(ascii(draw(root, model=model, collapse=collapse, highlight=root).source))
    """
    assert len(printed_under_any_hash_seed(program)) > 1000
