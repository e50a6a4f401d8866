"""Losses and softmax against PyTorch: values and gradients of every reduction to 1e-12."""

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value
from tests.support.values import data

torch = pytest.importorskip("torch", reason="the torch extra is not installed")
F = torch.nn.functional

RNG = np.random.default_rng(0)
SCORES = np.concatenate([RNG.normal(0, 2, 12), [1000.0, -1000.0, 0.0, 30.0]]).reshape(4, 4)
REALS = RNG.normal(0, 2, (4, 4))
LABELS = RNG.choice([0.0, 1.0], (4, 4))
SOFT = RNG.uniform(0, 1, (4, 4))
CLASSES = np.array([3, 0, 1, 2])
DISTRIBUTIONS = np.vstack([RNG.dirichlet(np.ones(4), 3), [0.0, 0.5, 0.5, 0.0]])


def divergence(z, t, reduction):
    reduction = "batchmean" if reduction == "mean" else reduction
    terms = F.kl_div(F.log_softmax(z, -1), t, reduction=reduction)
    return terms.sum(-1) if reduction == "none" else terms


def signed(score, target, reduction):
    terms = torch.clamp(1 - target * score, min=0)
    return terms if reduction == "none" else getattr(terms, reduction)()


CASES = [
    (nn.mse, F.mse_loss, REALS),
    (nn.mae, F.l1_loss, REALS),
    (nn.huber, F.huber_loss, REALS),
    (lambda p, t, reduction: nn.huber(p, t, delta=2.5, reduction=reduction),
     lambda p, t, reduction: F.huber_loss(p, t, delta=2.5, reduction=reduction), REALS),
    (nn.hinge, signed, 2 * LABELS - 1),
    (nn.binary_cross_entropy, F.binary_cross_entropy_with_logits, LABELS),
    (nn.binary_cross_entropy, F.binary_cross_entropy_with_logits, SOFT),
    (nn.cross_entropy, F.cross_entropy, CLASSES),
    (nn.kl_divergence, divergence, DISTRIBUTIONS),
]  # fmt: skip


def flat(tree):
    return [x for branch in tree for x in flat(branch)] if isinstance(tree, list) else [tree]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("ours", "theirs", "targets"), CASES)
def test_a_loss_and_its_gradient_are_those_of_pytorch(ours, theirs, targets, reduction):
    logits = [[Value(x) for x in row] for row in SCORES]
    found = ours(logits, targets, reduction=reduction)
    z = torch.tensor(SCORES, requires_grad=True)
    expected = theirs(z, torch.tensor(targets), reduction=reduction)
    np.testing.assert_allclose(data(found), expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    # Of "none" the terms are weighted, so that each has a gradient of its own.
    terms = flat(found) if isinstance(found, list) else [found]
    weights = np.arange(1.0, len(terms) + 1)
    autodiff.dot(weights.tolist(), terms).backward()
    (torch.tensor(weights) * expected.reshape(-1)).sum().backward()
    gradient = [[v.grad for v in row] for row in logits]
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_is_that_of_pytorch(name):
    logits = [[Value(x) for x in row] for row in SCORES]
    found = getattr(nn, name)(logits)
    z = torch.tensor(SCORES, requires_grad=True)
    expected = getattr(F, name)(z, dim=-1)
    np.testing.assert_allclose(data(found), expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    weights = np.linspace(-1, 1, 16)
    autodiff.dot(weights.tolist(), flat(found)).backward()
    (torch.tensor(weights).reshape(4, 4) * expected).sum().backward()
    gradient = [[v.grad for v in row] for row in logits]
    np.testing.assert_allclose(gradient, z.grad.numpy(), rtol=1e-12, atol=1e-12)
