"""Weights that go into PyTorch's modules and come back, bit by bit."""

import numpy as np
import pytest

import nn
from nn import MLP
from tests.support.values import bits

torch = pytest.importorskip("torch", reason="the torch extra is not installed")


def twin():
    """torch.nn.Sequential of Linear layers, 3-5-4-2."""
    linear, tanh = torch.nn.Linear, torch.nn.Tanh
    layers = [linear(3, 5), tanh(), linear(5, 4), tanh(), linear(4, 2)]
    return torch.nn.Sequential(*layers).double()


def test_the_weights_of_an_mlp_go_into_linear_layers_and_back_exactly():
    model, other = MLP(3, [5, 4, 2], "tanh", seed=0), MLP(3, [5, 4, 2], "tanh", seed=1)
    net = twin()
    arrays = map(torch.from_numpy, model.state_dict().values())
    net.load_state_dict(dict(zip(net.state_dict(), arrays, strict=True)))

    x = [0.3, -0.8, 1.7]
    found = [v.data for v in model(x)]
    expected = net(torch.tensor([x], dtype=torch.float64))[0].detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-12)

    other.load_state_dict(dict(zip(other.state_dict(), net.state_dict().values(), strict=True)))
    assert bits(other) == bits(model)


def test_files_are_pytorchs(tmp_path):
    files = pytest.importorskip("safetensors.torch")
    model = MLP(3, [5, 4, 2], seed=0)
    nn.save(model, tmp_path / "model.safetensors")
    found = files.load_file(tmp_path / "model.safetensors")
    assert {k: t.numpy().tobytes() for k, t in found.items()} == {
        k: a.tobytes() for k, a in model.state_dict().items()
    }
    net = twin()
    files.save_model(net, str(tmp_path / "net.safetensors"))
    loaded = nn.load(tmp_path / "net.safetensors")
    model.load_state_dict({f"layers.{int(k[0]) // 2}{k[1:]}": a for k, a in loaded.items()})
    expected = [t.numpy().tobytes() for t in net.state_dict().values()]
    assert [a.tobytes() for a in model.state_dict().values()] == expected
