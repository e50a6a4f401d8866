"""Graphs to look at."""

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
