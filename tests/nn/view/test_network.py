"""`draw_network`: which neurons and weights are drawn, where, and how."""

import re
from itertools import pairwise

import pytest

import nn
from autodiff.view import find_renderer
from nn.view.network import draw_network

NODE = re.compile(r'^\t(n\d+_\d+) \[pos="(-?[\d.]+),(-?[\d.]+)!"\]$', re.MULTILINE)
EDGE = re.compile(r'^\t(\w+) -> (\w+) \[color="(#\w{6})(\w\w)" penwidth=([\d.]+)\]$', re.MULTILINE)
TEXT = re.compile(r'^\t(\w+) \[label="(.*?)"(?=.*pos="(-?[\d.]+),(-?[\d.]+)!")', re.MULTILINE)


def drawn(model):
    """Neurons with their places, edges, texts with their places."""
    source = draw_network(model).source
    nodes = {name: (float(x), float(y)) for name, x, y in NODE.findall(source)}
    texts = {name: (text, float(x), float(y)) for name, text, x, y in TEXT.findall(source)}
    return nodes, EDGE.findall(source), texts


def column(nodes, number):
    return [nodes[name] for name in nodes if name.startswith(f"n{number}_")]


@pytest.mark.parametrize("model", [3, nn.Linear(2, 1), nn.MLP])
def test_only_an_mlp_is_drawn(model):
    with pytest.raises(TypeError, match="draw_network: model must be an MLP, got"):
        draw_network(model)


@pytest.mark.parametrize(
    ("nin", "nouts"), [(1, [1]), (3, [5, 2]), (2, [40, 1]), (1, [10, 20, 30, 40, 1])]
)
def test_every_neuron_is_a_node_and_every_weight_an_edge(nin, nouts):
    nodes, edges, texts = drawn(nn.MLP(nin, nouts, seed=0))
    sizes = [nin, *nouts]
    assert set(nodes) == {f"n{i}_{row}" for i, size in enumerate(sizes) for row in range(size)}
    assert {(tail, head) for tail, head, *_ in edges} == {
        (f"n{i}_{source}", f"n{i + 1}_{row}")
        for i in range(len(nouts)) for source in range(sizes[i]) for row in range(sizes[i + 1])
    }  # fmt: skip
    assert len(edges) == sum(a * b for a, b in zip(sizes, nouts, strict=False))
    assert set(texts) == {f"title{i}" for i in range(len(sizes))}


def test_layers_go_from_left_to_right_and_neurons_from_top_to_bottom_in_order():
    nodes, _, texts = drawn(nn.MLP(3, [7, 1], seed=0))
    lefts = []
    for i, size in enumerate((3, 7, 1)):
        xs, ys = zip(*column(nodes, i), strict=True)
        assert len(ys) == size
        assert len(set(xs)) == 1
        assert list(ys) == sorted(set(ys), reverse=True)
        assert sum(ys) == pytest.approx(0, abs=0.02), "a column is centered"
        _, x, y = texts[f"title{i}"]
        assert x == xs[0]
        assert 0 < y - column(nodes, 1)[0][1] < 1, "titles are above the tallest column"
        lefts.append(x)
    assert lefts == sorted(set(lefts))
    gaps = [{round(a[1] - b[1], 2) for a, b in pairwise(column(nodes, i))} for i in (0, 1)]
    assert max(gaps[1]) < min(gaps[0]), "small layers are spread"
    assert lefts[1] - lefts[0] > max(gaps[0]), "layers are further apart"


def test_titles_say_activation_and_size():
    _, _, texts = drawn(nn.MLP(2, [3, 4, 1], ["relu", None, "tanh"]))
    assert [texts[f"title{i}"][0] for i in range(4)] == [
        r"input\n2", r"relu\n3", r"linear\n4", r"tanh\n1"]  # fmt: skip


@pytest.mark.parametrize(("size", "more"), [(40, None), (41, "… 2 more"), (1500, "… 1,461 more")])
def test_a_large_layer_shows_39_neurons_and_counts_the_others(size, more):
    for nin, nouts, large in [(size, [2], 0), (2, [size, 1], 1)]:
        nodes, edges, texts = drawn(nn.MLP(nin, nouts, seed=0))
        shown = 39 if more else 40
        assert len(column(nodes, large)) == shown
        ends = {end for edge in edges for end in edge[:2] if end.startswith(f"n{large}_")}
        assert ends == {f"n{large}_{row}" for row in range(shown)}
        assert texts[f"title{large}"][0].endswith(rf"\n{size}"), "the title counts all"
        if more:
            text, x, y = texts[f"more{large}"]
            above, bottom = column(nodes, large)[-2:]
            assert (text, x) == (more, bottom[0])
            assert bottom[1] - y == pytest.approx(above[1] - bottom[1], abs=0.02)
        else:
            assert f"more{large}" not in texts


def test_color_says_the_sign_and_width_and_shade_the_size_within_the_layer():
    model = nn.MLP(4, [1, 1], seed=0)
    for w, weight in zip(model.layers[0].neurons[0].w, (2.0, -1.0, 0.0, -2.0), strict=True):
        w.data = weight
    model.layers[1].neurons[0].w[0].data = 1e-3
    _, edges, _ = drawn(model)
    blue, orange = "#1f6fb4", "#e0701b"
    assert edges == [
        ("n0_0", "n1_0", blue, "e6", "2.00"),
        ("n0_1", "n1_0", orange, "4c", "0.72"),
        ("n0_2", "n1_0", blue, "19", "0.30"),
        ("n0_3", "n1_0", orange, "e6", "2.00"),
        ("n1_0", "n2_0", blue, "e6", "2.00"),
    ]


def test_weights_of_zero_are_drawn():
    model = nn.MLP(1, [1], seed=0)
    model.layers[0].neurons[0].w[0].data = 0.0
    assert drawn(model)[1] == [("n0_0", "n1_0", "#1f6fb4", "19", "0.30")]


def test_infinite_and_nan_weights_are_drawn():
    model = nn.MLP(2, [1], seed=0)
    model.layers[0].neurons[0].w[0].data = float("inf")
    assert len(drawn(model)[1]) == 2


def test_the_text_is_the_same_for_the_same_network():
    model = nn.MLP(2, [5, 1], seed=0)
    before = [p.data for p in model.parameters()]
    assert draw_network(model).source == draw_network(model).source
    assert draw_network(model).source != draw_network(nn.MLP(2, [5, 1], seed=1)).source
    assert [p.data for p in model.parameters()] == before


def test_it_renders_to_svg_with_the_neurons_in_their_places():
    if find_renderer("svg") is None:
        pytest.skip("no renderer: neither Graphviz nor graphviz-pure is installed")
    svg = draw_network(nn.MLP(2, [3, 41, 1], seed=0)).pipe("svg", encoding="utf-8")
    assert svg.count("<ellipse") == 2 + 3 + 39 + 1
    assert svg.count('class="edge"') == 2 * 3 + 3 * 39 + 39
    texts = re.findall("<text.*?>(.*?)</text>", svg)
    expected = ["input", "2", "relu", "3", "relu", "41", "… 2 more", "linear", "1"]
    assert sorted(texts) == sorted(expected), "neurons have no text"
    assert svg.rindex('class="edge"') < svg.index('class="node"'), "neurons cover the lines"
    assert "<polygon" not in svg.partition('class="edge"')[2], "lines have no arrowheads"
    centers = re.findall(r'<title>n1_\d</title>\s*<ellipse.*?cx="(.*?)" cy="(.*?)"', svg)
    xs, ys = ([float(c) for c in axis] for axis in zip(*centers, strict=True))
    assert len(set(xs)) == 1
    assert ys == sorted(ys), "SVG counts downwards"
