"""Layers against PyTorch's with the same weights: outputs and gradients to 1e-12, both engines."""

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value

torch = pytest.importorskip("torch", reason="the torch extra is not installed")

LENGTH, WIDTH = 5, 6
SEQUENCE = np.random.default_rng(0).normal(size=(LENGTH, WIDTH))
TORCH_ACTIVATIONS = {
    "relu": "ReLU", "sigmoid": "Sigmoid", "tanh": "Tanh", "leaky_relu": "LeakyReLU",
    "elu": "ELU", "gelu": "GELU", "silu": "SiLU", "softplus": "Softplus",
}  # fmt: skip


class Sine(torch.nn.Module):
    def forward(self, x):
        return torch.sin(x)


def activation(name):
    return getattr(torch.nn, TORCH_ACTIVATIONS[name])() if name != "sin" else Sine()


class Attended(torch.nn.Module):
    def __init__(self, heads, bias=True, causal=True):
        super().__init__()
        self.attention = torch.nn.MultiheadAttention(WIDTH, heads, bias=bias)
        self.mask = torch.triu(torch.ones(LENGTH, LENGTH, dtype=torch.bool), 1) if causal else None

    def forward(self, x):
        return self.attention(x, x, x, attn_mask=self.mask, need_weights=False)[0]


def mlp(names):
    linear = torch.nn.Linear
    sizes = [WIDTH, 7, 4, 3]
    steps = [
        step
        for i, name in enumerate(names)
        for step in (linear(sizes[i], sizes[i + 1]), *([activation(name)] if name else []))
    ]
    return nn.MLP(WIDTH, sizes[1:], names), torch.nn.Sequential(*steps)


def sequential():
    ours = nn.Sequential(
        nn.Linear(WIDTH, 8), nn.Activation("gelu"), nn.LayerNorm(8), nn.Linear(8, 2, bias=False)
    )
    linear = torch.nn.Linear
    theirs = torch.nn.Sequential(
        linear(WIDTH, 8), torch.nn.GELU(), torch.nn.LayerNorm(8), linear(8, 2, bias=False)
    )
    return ours, theirs


PAIRS = {
    **{name: (lambda name=name: mlp([name, name, None])) for name in nn.ACTIVATIONS},
    "LayerNorm": lambda: (nn.LayerNorm(WIDTH), torch.nn.LayerNorm(WIDTH)),
    "LayerNorm, eps": lambda: (
        nn.LayerNorm(WIDTH, eps=0.1, bias=False), torch.nn.LayerNorm(WIDTH, eps=0.1, bias=False)
    ),
    "LayerNorm, not affine": lambda: (
        nn.LayerNorm(WIDTH, elementwise_affine=False),
        torch.nn.LayerNorm(WIDTH, elementwise_affine=False),
    ),
    "RMSNorm": lambda: (nn.RMSNorm(WIDTH), torch.nn.RMSNorm(WIDTH)),
    "RMSNorm, eps": lambda: (nn.RMSNorm(WIDTH, eps=0.1), torch.nn.RMSNorm(WIDTH, eps=0.1)),
    "SelfAttention": lambda: (nn.SelfAttention(WIDTH, 2), Attended(2)),
    "SelfAttention, one head": lambda: (
        nn.SelfAttention(WIDTH, 1, bias=False), Attended(1, bias=False)
    ),
    "SelfAttention, not causal": lambda: (
        nn.SelfAttention(WIDTH, 3, causal=False), Attended(3, causal=False)
    ),
    "Sequential": sequential,
}  # fmt: skip


def twins(name):
    """Ours and PyTorch's with the same random parameters."""
    ours, theirs = PAIRS[name]()
    theirs = theirs.double()
    rng = np.random.default_rng(1)
    arrays = {key: rng.normal(size=array.shape) for key, array in ours.state_dict().items()}
    ours.load_state_dict(arrays)
    tensors = map(torch.from_numpy, arrays.values())
    theirs.load_state_dict(dict(zip(theirs.state_dict(), tensors, strict=True)))
    return ours, theirs


def applied(model, xs):
    """The outputs at a sequence of vectors."""
    return [model(x) for x in xs] if isinstance(model, nn.MLP) else model(xs)


def weighted_sum(weights, out):
    rows = zip(weights.tolist(), out, strict=True)
    return autodiff.sum([autodiff.dot(w, row) for w, row in rows])


def gradients(model):
    """The gradient of every array of parameters, in the order of the state."""
    return [
        np.array([v.grad for v in array.ravel()]).reshape(array.shape)
        for _, array in model.named_arrays()
    ]


@pytest.mark.parametrize("name", PAIRS)
def test_a_layer_and_its_gradients_are_those_of_pytorch(name):
    ours, theirs = twins(name)
    xs = [[Value(x) for x in row] for row in SEQUENCE]
    out = applied(ours, xs)
    x = torch.tensor(SEQUENCE, requires_grad=True)
    expected = theirs(x)
    close = {"rtol": 1e-12, "atol": 1e-12}
    found = [[v.data for v in row] for row in out]
    np.testing.assert_allclose(found, expected.detach().numpy(), **close)

    weights = np.random.default_rng(2).normal(size=expected.shape)
    weighted_sum(weights, out).backward()
    (torch.tensor(weights) * expected).sum().backward()
    by_x = [[v.grad for v in row] for row in xs]
    np.testing.assert_allclose(by_x, x.grad.numpy(), **close)
    for mine, parameter in zip(gradients(ours), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine, parameter.grad.numpy(), **close)


@pytest.mark.parametrize("name", ["tanh", "LayerNorm", "RMSNorm", "SelfAttention", "Sequential"])
def test_a_compiled_layer_and_its_gradients_are_those_of_pytorch(name):
    ours, theirs = twins(name)
    x = torch.tensor(SEQUENCE, requires_grad=True)
    expected = theirs(x)
    weights = np.random.default_rng(2).normal(size=expected.shape)
    (torch.tensor(weights) * expected).sum().backward()

    def weighted(xs):
        out = applied(ours, [list(row) for row in xs])
        return weighted_sum(weights, out)

    kernel = autodiff.compile(weighted)
    close = {"rtol": 1e-12, "atol": 1e-12}
    _, by_x = kernel.value_and_grad(SEQUENCE[None], argnums=0)
    np.testing.assert_allclose(by_x[0], x.grad.numpy(), **close)
    kernel.backward(SEQUENCE[None])
    for mine, parameter in zip(gradients(ours), theirs.parameters(), strict=True):
        np.testing.assert_allclose(mine, parameter.grad.numpy(), **close)


def test_an_embedding_is_that_of_pytorch():
    ours, theirs = nn.Embedding(7, 3, seed=0), torch.nn.Embedding(7, 3).double()
    theirs.load_state_dict({k: torch.from_numpy(a) for k, a in ours.state_dict().items()})
    tokens = [[3, 0], [6, 3]]
    rows = ours(tokens)
    expected = theirs(torch.tensor(tokens))
    assert [[[v.data for v in r] for r in row] for row in rows] == expected.tolist()
    weights = np.random.default_rng(2).normal(size=12)
    autodiff.dot(weights.tolist(), [v for row in rows for r in row for v in r]).backward()
    (torch.tensor(weights) * expected.reshape(-1)).sum().backward()
    np.testing.assert_allclose(gradients(ours)[0], theirs.weight.grad.numpy(), rtol=1e-12)


def test_the_state_of_attention_is_pytorchs_by_name():
    ours, theirs = nn.SelfAttention(WIDTH, 2, seed=0), torch.nn.MultiheadAttention(WIDTH, 2)
    assert ours.load_state_dict(theirs.double().state_dict()) == ([], [])
    shapes = {k: tuple(t.shape) for k, t in theirs.state_dict().items()}
    assert shapes == {k: a.shape for k, a in ours.state_dict().items()}


def test_the_state_of_a_sequential_is_pytorchs_by_name():
    ours, theirs = sequential()
    assert ours.load_state_dict(theirs.double().state_dict()) == ([], [])
