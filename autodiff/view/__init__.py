"""Graphs to look at."""

from autodiff.view.dot import draw
from autodiff.view.renderer import Drawing, RendererNotFound, find_renderer

__all__ = ["Drawing", "RendererNotFound", "draw", "find_renderer"]
