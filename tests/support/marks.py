"""What a test needs that is not installed everywhere."""

from importlib.util import find_spec

import pytest

from autodiff.view import find_renderer

needs_renderer = pytest.mark.skipif(
    find_renderer("svg") is None, reason='no renderer: pip install "scalar-autodiff[draw]"'
)
needs_matplotlib = pytest.mark.skipif(
    find_spec("matplotlib") is None, reason='no matplotlib: pip install "scalar-autodiff[plot]"'
)
