"""Optimizers, clipping and schedules against PyTorch, over 50 steps to 1e-10."""

import numpy as np
import pytest

import autodiff
import nn
from autodiff import Value

torch = pytest.importorskip("torch", reason="the torch extra is not installed")

STEPS = 50
START = [-1.2, 1.0, 0.3, -0.8]
OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.002, "momentum": 0.9}),
    ("SGD", {"lr": 0.002, "momentum": 0.9, "dampening": 0.3}),
    ("SGD", {"lr": 0.002, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.002, "weight_decay": 0.5}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.5, "lr_decay": 0.1, "weight_decay": 0.2, "eps": 1e-3,
                 "initial_accumulator_value": 2.0}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.8, "momentum": 0.7, "centered": True, "weight_decay": 0.1}),
    ("RMSprop", {"eps": 0.1, "momentum": 0.5}),
    ("Adam", {}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
]  # fmt: skip


def rosenbrock(a, b, c, d):
    """Two curved valleys: gradients that turn and differ in size."""
    return (1 - a) ** 2 + 10 * (b - a * a) ** 2 + (2 - c) ** 2 + 5 * (d + c * c) ** 2


def ours(name, options, after=lambda optimizer: None):
    values = [Value(x) for x in START]
    optimizer = getattr(nn, name)(values, **options)
    for _ in range(STEPS):
        optimizer.zero_grad()
        rosenbrock(*values).backward()
        after(optimizer)
        optimizer.step()
        yield [v.data for v in values]


def compiled(name, options):
    values = [Value(x) for x in START]
    kernel = autodiff.compile(lambda: rosenbrock(*values), batched=False)
    kernel()
    optimizer = getattr(nn, name)(kernel.parameters, **options)
    theta = np.array([v.data for v in kernel.parameters])
    place = [kernel.parameters.index(v) for v in values]
    for _ in range(STEPS):
        _, gradient = kernel.value_and_grad(parameters=theta)
        optimizer.update(theta, gradient)
        yield theta[place].tolist()


def theirs(name, options, after=lambda optimizer, values: None):
    values = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    optimizer = getattr(torch.optim, name)(values, **options)
    for _ in range(STEPS):
        optimizer.zero_grad()
        rosenbrock(*values).backward()
        after(optimizer, values)
        optimizer.step()
        yield [v.item() for v in values]


@pytest.mark.parametrize("engine", [ours, compiled])
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS, ids=str)
def test_a_trajectory_is_that_of_pytorch(name, options, engine):
    found, expected = list(engine(name, options)), list(theirs(name, options))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    assert np.ptp(expected, axis=0).min() > 1e-3  # it went somewhere


def test_defaults_are_those_of_pytorch():
    import inspect

    for name in ("SGD", "Adagrad", "RMSprop", "Adam", "AdamW"):
        theirs = inspect.signature(getattr(torch.optim, name)).parameters
        for option, parameter in inspect.signature(getattr(nn, name)).parameters.items():
            if option != "parameters":
                assert theirs[option].default == parameter.default, f"{name}: {option}"


@pytest.mark.parametrize(
    ("mine", "name", "arguments"),
    [
        (nn.clip_grad_norm_, "clip_grad_norm_", (3.0,)),
        (nn.clip_grad_norm_, "clip_grad_norm_", (3.0, 1.0)),
        (nn.clip_grad_norm_, "clip_grad_norm_", (3.0, float("inf"))),
        (nn.clip_grad_value_, "clip_grad_value_", (2.0,)),
    ],
)
def test_clipped_steps_are_those_of_pytorch(mine, name, arguments):
    clip = getattr(torch.nn.utils, name)
    options = {"lr": 0.01, "momentum": 0.9}
    norms = []

    def check(optimizer, values):
        norm = clip(values, *arguments)
        if norm is not None:
            norms.append(norm.item())

    expected = list(theirs("SGD", options, check))
    mine_norms = []
    after = lambda optimizer: mine_norms.append(mine(optimizer.parameters, *arguments))  # noqa: E731
    found = list(ours("SGD", options, after))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    if norms:
        np.testing.assert_allclose(mine_norms, norms, rtol=1e-10)
        assert max(norms) > 3.0


S = torch.optim.lr_scheduler
METRICS = np.abs(np.random.default_rng(0).normal(1, 0.3, STEPS)) * 0.97 ** np.arange(STEPS)


def warm(optimizer):
    ramp = S.LinearLR(optimizer, start_factor=1 / 8, total_iters=7)
    return S.SequentialLR(optimizer, [ramp, S.CosineAnnealingLR(optimizer, 30, 0.01)], [7])


@pytest.mark.parametrize(
    ("mine", "their"),
    [
        (lambda o: nn.StepLR(o, 7), lambda o: S.StepLR(o, 7)),
        (lambda o: nn.StepLR(o, 3, 0.8), lambda o: S.StepLR(o, 3, 0.8)),
        (lambda o: nn.ExponentialLR(o, 0.9), lambda o: S.ExponentialLR(o, 0.9)),
        (lambda o: nn.CosineAnnealingLR(o, 20), lambda o: S.CosineAnnealingLR(o, 20)),
        (lambda o: nn.CosineAnnealingLR(o, 60, 0.01), lambda o: S.CosineAnnealingLR(o, 60, 0.01)),
        (lambda o: nn.CosineAnnealingLR(o, 30, 0.01, warmup=7), warm),
        *[
            (lambda o, k=k: nn.ReduceLROnPlateau(o, **k),
             lambda o, k=k: S.ReduceLROnPlateau(o, **k))
            for k in (
                {"patience": 2, "factor": 0.5},
                {"patience": 1, "cooldown": 3, "factor": 0.7, "min_lr": 0.05},
                {"patience": 0, "mode": "max", "threshold": 0.2, "threshold_mode": "abs"},
                {"patience": 1, "threshold": 0.05, "eps": 0.01, "factor": 0.8},
            )
        ],
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*(lr_scheduler.step|scheduler).*")
def test_the_rates_are_those_of_pytorch(mine, their):
    optimizer = nn.SGD([Value(1.0)], lr=0.4)
    schedule = mine(optimizer)
    torch_optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    torch_schedule = their(torch_optimizer)
    found, expected = [optimizer.lr], [torch_optimizer.param_groups[0]["lr"]]
    for metric in METRICS:
        torch_optimizer.step()
        schedule.step(metric)
        is_plateau = isinstance(torch_schedule, S.ReduceLROnPlateau)
        torch_schedule.step(*[metric] * is_plateau)
        found.append(optimizer.lr)
        expected.append(torch_optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert len(set(np.round(expected, 12))) > 2
