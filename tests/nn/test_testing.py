"""The strategy with which users draw networks for their own tests."""

import re

import pytest

from autodiff.testing import assert_gradients
from nn.testing import modules
from tests.support.process import printed
from tests.support.strategies import examples, smallest


def test_modules_are_smooth_networks():
    found = examples(modules(max_inputs=2, max_layers=2), 40)
    assert {len(m.layers) for m in found} == {1, 2}
    assert len({len(m.parameters()) for m in found}) > 5
    used = {name for m in found for name in re.findall(r"activation='(\w+)'", repr(m))}
    assert used == {"tanh", "sigmoid"}
    for model in found[:5]:
        nin = len(model.layers[0].neurons[0].w)
        assert nin <= 2
        assert_gradients(model, ([0.3, -0.5][:nin],), order=1)


def test_modules_shrink_to_one_neuron():
    assert len(smallest(modules(), lambda model: True).parameters()) == 2


@pytest.mark.parametrize("name", ["max_inputs", "max_layers"])
def test_a_limit_is_a_positive_integer(name):
    with pytest.raises(ValueError, match=f"^modules: {name} must be a positive integer, got 0$"):
        modules(**{name: 0})


@pytest.mark.parametrize("module", ["autodiff.testing", "nn.testing"])
def test_without_hypothesis_only_this_module_is_missing(module):
    script = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "import autodiff, nn\n"
        f"try:\n    import {module}\n"
        "except ImportError as error:\n    print(error)"
    )
    assert printed(script) == f"{module} needs Hypothesis: pip install hypothesis\n"
