"""Modules and histories in a notebook: text, and pictures of small networks and of curves."""

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

from autodiff.view import bundle
from nn.layers.mlp import MLP
from nn.module import Module
from nn.train.curves import png
from nn.train.history import History
from nn.view.network import draw_network

SMALL = 500
"""The most weights of a network that a notebook draws by itself."""

Types = Collection[str] | None


def _of_module(
    module: Module, include: Types = None, exclude: Types = None, **_: object
) -> dict[str, Any]:
    """The modules inside and the number of parameters; a small MLP is drawn."""
    count = len(module.parameters())
    text = f"{module!r}\n{count:,} parameter{'s' * (count != 1)}"
    picture = None
    if isinstance(module, MLP):
        if _lines(module) <= SMALL:
            picture = draw_network(module)._repr_mimebundle_
        else:
            text += "; nn.draw_network draws them"
    return bundle(text, picture, include, exclude)


def _lines(model: MLP) -> int:
    """The number of weights in a network."""
    widths = [len(model.layers[0].neurons[0].w), *(len(layer.neurons) for layer in model.layers)]
    return sum(before * behind for before, behind in pairwise(widths))


def _of_history(
    history: History, include: Types = None, exclude: Types = None, **_: object
) -> dict[str, Any]:
    """The table of epochs, and the learning curves where matplotlib is installed."""

    def picture(include: Types, exclude: Types) -> Mapping[str, Any]:
        return {"image/png": png(history.plot())}

    drawn = picture if len(history.losses) > 1 else None
    return bundle(repr(history), drawn, include, exclude)


# Modules and histories cannot import what draws them: pictures are a floor above.
Module._repr_mimebundle_ = _of_module  # type: ignore[attr-defined]
History._repr_mimebundle_ = _of_history  # type: ignore[attr-defined]
