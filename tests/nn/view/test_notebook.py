"""Notebooks: a small network and a history are pictures, the rest is text, and nothing raises."""

import builtins

import pytest

import nn
from autodiff import Value
from autodiff.view import renderer
from nn.view.notebook import SMALL
from tests.support.marks import needs_matplotlib, needs_renderer


class Scale(nn.Module):
    def __init__(self):
        self.factor = Value(2.0)


@needs_renderer
def test_a_small_network_is_a_picture():
    shown = nn.MLP(2, [3, 1], seed=0)._repr_mimebundle_()
    assert set(shown) == {"image/svg+xml", "image/png", "text/plain"}
    assert shown["image/svg+xml"].count("<ellipse") == 2 + 3 + 1


@pytest.mark.parametrize(
    ("module", "count"), [(nn.Linear(2, 3, seed=0), "9 parameters"), (Scale(), "1 parameter")]
)
def test_another_module_is_text_with_the_number_of_parameters(module, count):
    assert module._repr_mimebundle_() == {"text/plain": f"{module!r}\n{count}"}


@needs_renderer
def test_a_large_network_is_text_with_a_hint():
    assert set(nn.MLP(SMALL // 2, [1, SMALL // 2], seed=0)._repr_mimebundle_()) > {"text/plain"}
    larger = nn.MLP(SMALL // 2, [1, SMALL // 2 + 1], seed=0)._repr_mimebundle_()
    assert set(larger) == {"text/plain"}
    assert larger["text/plain"].endswith("parameters; nn.draw_network draws them")


def test_without_a_renderer_a_network_is_text(monkeypatch):
    monkeypatch.setattr(renderer, "find_renderer", lambda _: None)
    assert set(nn.MLP(2, [3, 1], seed=0)._repr_mimebundle_()) == {"text/plain"}


def history(iterations):
    return nn.History(losses=[1.0 / (i + 1) for i in range(iterations)])


@needs_matplotlib
def test_a_history_is_its_curves_and_its_table():
    shown = history(20)._repr_mimebundle_()
    assert shown["image/png"].startswith(b"\x89PNG")
    assert shown["text/plain"] == repr(history(20))
    assert set(history(20)._repr_mimebundle_(exclude={"image/png"})) == {"text/plain"}


@pytest.mark.parametrize("iterations", [0, 1])
def test_an_empty_history_is_text(iterations):
    assert set(history(iterations)._repr_mimebundle_()) == {"text/plain"}


def test_without_matplotlib_a_history_is_text(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert history(20)._repr_mimebundle_() == {"text/plain": repr(history(20))}
