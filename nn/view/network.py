"""`draw_network`: neurons in columns, weights as lines."""

from collections.abc import Sequence
from math import isfinite

import graphviz

from autodiff.checks import instance
from autodiff.view import Drawing, weight_line
from nn.layers.mlp import MLP, Layer

_SHOWN = 40
"""The most circles in a column; a larger layer has one less, and its other neurons are counted."""
_COLUMN, _ROW = 2.2, 0.26  # inches
_GRAPH = {"outputorder": "edgesfirst", "splines": "line", "bgcolor": "white", "pad": "0.2"}
_NODE = {
    "shape": "circle",
    "style": "filled",
    "fillcolor": "white",
    "color": "#555555",
    "label": "",
    "width": "0.18",
    "fixedsize": "true",
    "fontname": "Helvetica",
    "fontsize": "12",
}


def draw_network(model: MLP) -> graphviz.Digraph:
    """The layers of `model` from left to right, one circle per neuron, one line per weight.

    Positive weights are blue, negative ones orange; larger weights within a layer are wider and
    darker. A layer of more than 40 neurons shows the first 39 and counts the others. Neurons
    keep their order, from top to bottom. Raises TypeError for any other module.
    """
    instance("draw_network: model", model, MLP, "an MLP")
    drawing = Drawing(engine="neato", graph_attr=_GRAPH, node_attr=_NODE)
    drawing.attr("edge", arrowhead="none")
    nin = len(model.layers[0].neurons[0].w)
    tallest = min(_SHOWN, max(nin, *(len(layer.neurons) for layer in model.layers)))
    _column(drawing, 0, nin, f"input\\n{nin}", tallest)
    width = nin
    for i, layer in enumerate(model.layers, start=1):
        count = len(layer.neurons)
        title = f"{layer.neurons[0].activation or 'linear'}\\n{count}"
        _column(drawing, i, count, title, tallest)
        _lines(drawing, i, layer, _drawn(width))
        width = count
    return drawing


def _drawn(count: int) -> int:
    """The number of neurons drawn in a layer of `count`."""
    return count if count <= _SHOWN else _SHOWN - 1


def _column(drawing: Drawing, column: int, count: int, title: str, tallest: int) -> None:
    drawn = _drawn(count)
    rows = min(count, _SHOWN)
    step = min(3.0, tallest / rows) * _ROW
    x, top = column * _COLUMN, (rows - 1) / 2 * step
    for row in range(drawn):
        drawing.node(_name(column, row), pos=f"{x:.2f},{top - row * step:.2f}!")
    if drawn < count:
        _text(drawing, f"more{column}", f"… {count - drawn:,} more", x, top - drawn * step)
    _text(drawing, f"title{column}", title, x, (tallest / 2 + 1) * _ROW)


def _text(drawing: Drawing, name: str, text: str, x: float, y: float) -> None:
    at = f"{x:.2f},{y:.2f}!"
    drawing.node(name, label=text, shape="plaintext", style="", fixedsize="false", pos=at)


def _name(column: int, row: int) -> str:
    return f"n{column}_{row}"


def _lines(drawing: Drawing, column: int, layer: Layer, drawn: int) -> None:
    neurons: Sequence[list[float]] = [
        [weight.data for weight in neuron.w[:drawn]]
        for neuron in layer.neurons[: _drawn(len(layer.neurons))]
    ]
    sizes = [abs(weight) for weights in neurons for weight in weights]
    largest = max(filter(isfinite, sizes), default=0.0)
    for row, weights in enumerate(neurons):
        for source, weight in enumerate(weights):
            ends = _name(column - 1, source), _name(column, row)
            drawing.edge(*ends, **weight_line(weight, largest))
