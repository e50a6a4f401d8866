"""Notebooks: small graphs as pictures, large ones as text with a hint, and no error."""

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.view import Drawing, bundle, renderer
from autodiff.view.notebook import SMALL
from tests.support.marks import needs_renderer

PICTURES = {"image/svg+xml", "image/png"}


def chain(nodes):
    v = Value(1.0)
    for _ in range(nodes - 1):
        v = v * 1.0
    return v


def program(width):
    w = [Value(0.1 * i) for i in range(width)]
    kernel = autodiff.compile(lambda x: autodiff.prod([(wi * x).tanh() for wi in w]))
    kernel.value_and_grad(np.ones(2))
    return kernel.program


@pytest.fixture
def no_renderer(monkeypatch):
    monkeypatch.setattr(renderer, "find_renderer", lambda _: None)


@needs_renderer
@pytest.mark.parametrize("nodes", [2, SMALL])
def test_a_small_graph_is_a_picture(nodes):
    value = chain(nodes)
    shown = value._repr_mimebundle_()
    assert set(shown) == {*PICTURES, "text/plain"}
    assert shown["image/svg+xml"].count('class="node"') == nodes
    assert shown["image/png"].startswith(b"\x89PNG")
    assert shown["text/plain"] == repr(value)


def test_a_leaf_is_text():
    assert Value(1.0, "a")._repr_mimebundle_() == {"text/plain": repr(Value(1.0, "a"))}


@pytest.mark.parametrize("nodes", [SMALL + 1, 100_000])
def test_a_large_graph_is_text_with_a_hint(nodes):
    value = chain(nodes)
    shown = value._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert shown["text/plain"].startswith(f"{value!r}\n")
    assert "autodiff.draw" in shown["text/plain"]


def test_without_a_renderer_it_is_text(no_renderer):
    assert set(chain(3)._repr_mimebundle_()) == {"text/plain"}
    assert set(program(2)._repr_mimebundle_()) == {"text/plain"}


@pytest.mark.parametrize(
    "error", [OSError("no"), renderer.RendererNotFound("no"), ImportError("no")]
)
def test_a_renderer_that_fails_leaves_the_text(error):
    def picture(include, exclude):
        raise error

    assert bundle("text", picture) == {"text/plain": "text"}


@needs_renderer
def test_a_notebook_may_choose_the_types():
    value = chain(3)
    assert set(value._repr_mimebundle_(include={"image/png"})) == {"image/png"}
    assert set(value._repr_mimebundle_(exclude={"image/png", "text/plain"})) == {"image/svg+xml"}
    assert set(value._repr_mimebundle_(include={"text/plain"}, exclude=None)) == {"text/plain"}


@needs_renderer
def test_a_short_program_is_a_picture():
    short = program(2)
    assert len(short.instrs) <= SMALL
    shown = short._repr_mimebundle_()
    assert set(shown) == {*PICTURES, "text/plain"}
    assert shown["text/plain"] == str(short)


def test_a_long_program_is_text_with_a_hint():
    long = type(program(2))(program(2).instrs * 10, (0,))
    shown = long._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    *lines, hint = shown["text/plain"].splitlines()
    assert lines == str(long).splitlines()[: len(lines)]
    assert hint.startswith(f"… {len(str(long).splitlines()) - len(lines)} more lines: print")


@needs_renderer
def test_a_value_in_a_list_stays_text():
    assert repr([Value(1.0)]) == "[Value(data=1.0, grad=0.0)]"
    assert isinstance(autodiff.draw(Value(1.0)), Drawing)
