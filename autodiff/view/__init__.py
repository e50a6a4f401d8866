"""Graphs to look at: pictures, text trees, and a page that steps through backpropagation.

`graph` has `draw`, `player` has `play`, `terminal` has `tree`, and `programs` draws compiled
programs. They share `modules` (which module a node belongs to), `nearest` (which part of a large
graph is shown), `text`, `style` and `renderer`. `notebook` shows Values and programs in notebooks.
"""

from autodiff.view.graph.drawing import draw
from autodiff.view.notebook import bundle
from autodiff.view.player.page import play
from autodiff.view.renderer import Drawing, RendererNotFound, find_renderer
from autodiff.view.style import weight_line
from autodiff.view.terminal import tree

__all__ = [
    "Drawing",
    "RendererNotFound",
    "bundle",
    "draw",
    "find_renderer",
    "play",
    "tree",
    "weight_line",
]
