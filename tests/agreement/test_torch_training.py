"""Whole trainings against PyTorch's: loss, gradient, clipping, optimizer and schedule at once."""

import numpy as np
import pytest

import autodiff
import nn

torch = pytest.importorskip("torch", reason="the torch extra is not installed")

STEPS = 50
torch.set_num_threads(1)  # on a busy machine its threads wait for each other
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 3))
CLASSES = RNG.integers(0, 4, 12)
SEQUENCES = RNG.integers(0, 5, (3, 5))


def classifier():
    """An MLP, of the classes of X."""
    linear = torch.nn.Linear
    theirs = torch.nn.Sequential(linear(3, 6), torch.nn.Tanh(), linear(6, 4)).double()
    ours = nn.MLP(3, [6, 4], "tanh")
    return ours, theirs, lambda x, y: nn.cross_entropy(ours(x), y), (X, CLASSES), (X, CLASSES)


class Language(torch.nn.Module):
    """An embedding, attention with a residual, and logits."""

    def __init__(self):
        super().__init__()
        self.token = torch.nn.Embedding(5, 4)
        self.norm = torch.nn.LayerNorm(4)
        self.attention = torch.nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = torch.nn.Linear(4, 5)

    def forward(self, tokens):
        x = self.token(tokens)
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1)
        normal = self.norm(x)
        x = x + self.attention(normal, normal, normal, attn_mask=mask, need_weights=False)[0]
        return self.head(x).flatten(0, 1)


class OurLanguage(nn.Module):
    def __init__(self):
        self.token = nn.Embedding(5, 4)
        self.norm = nn.LayerNorm(4)
        self.attention = nn.SelfAttention(4, 2)
        self.head = nn.Linear(4, 5)

    def __call__(self, tokens):
        xs = self.token(list(tokens))
        found = self.attention(self.norm(xs))
        return self.head(
            [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, found, strict=True)]
        )


def language():
    """The next token of sequences, at every position."""
    ours, theirs = OurLanguage(), Language().double()
    x, y = SEQUENCES[:, :-1], SEQUENCES[:, 1:]
    return ours, theirs, lambda x, y: nn.cross_entropy(ours(x), list(y)), (x, y), (x, y.ravel())


def optimizer(package, parameters):
    schedules = package.optim.lr_scheduler if package is torch else package
    # The bias of the keys has no gradient but rounding, of which a smaller eps makes steps.
    adam = (torch.optim if package is torch else nn).AdamW(parameters, lr=0.05, eps=1e-4)
    return adam, schedules.CosineAnnealingLR(adam, 30)


def eager(model, loss, x, y):
    step, schedule = optimizer(nn, model.parameters())
    for _ in range(STEPS):
        step.zero_grad()
        autodiff.mean([loss(a, b) for a, b in zip(x, y.tolist(), strict=True)]).backward()
        nn.clip_grad_norm_(step.parameters, 0.5)
        step.step()
        schedule.step()


def compiled(model, loss, x, y):
    kernel = autodiff.compile(loss)
    kernel(x, y)
    step, schedule = optimizer(nn, kernel.parameters)
    theta = np.array([p.data for p in kernel.parameters])
    for _ in range(STEPS):
        _, gradient = kernel.value_and_grad(x, y, parameters=theta)
        nn.clip_grad_norm_(gradient, 0.5)
        step.update(theta, gradient)
        schedule.step()
    for parameter, data in zip(kernel.parameters, theta.tolist(), strict=True):
        parameter.data = data


def by_torch(model, x, y):
    step, schedule = optimizer(torch, model.parameters())
    for _ in range(STEPS):
        step.zero_grad()
        torch.nn.functional.cross_entropy(model(torch.tensor(x)), torch.tensor(y)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        step.step()
        schedule.step()


@pytest.mark.parametrize("train", [eager, compiled])
@pytest.mark.parametrize("make", [classifier, language])
def test_training_ends_where_pytorch_ends(make, train):
    ours, theirs, loss, mine, their = make()
    names = dict(zip(ours.state_dict(), theirs.state_dict(), strict=True))
    rng = np.random.default_rng(1)
    start = {name: rng.normal(0, 0.5, a.shape) for name, a in ours.state_dict().items()}
    ours.load_state_dict(start)
    theirs.load_state_dict({names[name]: torch.from_numpy(a) for name, a in start.items()})
    train(ours, loss, *mine)
    by_torch(theirs, *their)
    state = theirs.state_dict()
    for name, array in ours.state_dict().items():
        expected = state[names[name]].numpy()
        np.testing.assert_allclose(array, expected, rtol=1e-10, atol=1e-10, err_msg=name)
        assert np.abs(expected - start[name]).max() > 0.01, name  # it was trained
