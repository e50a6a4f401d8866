import pytest

from autodiff import Value
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.builder import Builder


@pytest.fixture
def w():
    return Value(2.0)


@pytest.fixture
def line(w):
    return Kernel(lambda x, y: w * x + y * y)


@pytest.fixture
def builder():
    return Builder()


@pytest.fixture
def no_fallback(monkeypatch):
    """No kernel falls back to eager execution."""
    for module in ("kernel", "results"):
        monkeypatch.setattr(f"autodiff.compiler.{module}.Fallback", None)
