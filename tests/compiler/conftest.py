import pytest

from autodiff import Value
from autodiff.compiler import Kernel


@pytest.fixture
def w():
    return Value(2.0)


@pytest.fixture
def line(w):
    return Kernel(lambda x, y: w * x + y * y)
