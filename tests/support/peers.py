"""The ops under the same names in other libraries: PyTorch, JAX, and HIPS autograd on NumPy.

Each namespace has `gradient(f, point)`: the value of f and its slopes, as floats, in double
precision.
"""

from importlib.metadata import version
from types import SimpleNamespace

import numpy as np

import autodiff
from autodiff import Value
from autodiff.rows.primitive import TABLE


def ours():
    """Ours."""

    def gradient(f, point):
        values = [Value(x) for x in point]
        root = f(*values)
        root.backward()
        return root.data, [value.grad for value in values]

    return SimpleNamespace(
        name="autodiff", gradient=gradient, version=autodiff.__version__, **TABLE
    )


def pytorch():
    """PyTorch; ImportError without it."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    def constant(x):
        return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)

    def stacked(xs):
        return torch.stack(list(map(constant, xs)))

    def gradient(f, point):
        tensors = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in point]
        root = f(*tensors)
        root.backward()
        return root.item(), [0.0 if x.grad is None else x.grad.item() for x in tensors]

    same = ("add", "sub", "mul", "div", "pow", "neg", "abs", "sign", "sqrt", "exp", "expm1", "log",
            "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh",
            "erf", "erfc", "relu", "sigmoid")  # fmt: skip
    return SimpleNamespace(
        name="PyTorch",
        version=torch.__version__,
        gradient=gradient,
        leaky_relu=lambda x, slope=0.01: F.leaky_relu(x, slope),
        softplus=lambda x: F.softplus(x, threshold=40),
        gelu=F.gelu,
        silu=F.silu,
        elu=lambda x, alpha=1.0: F.elu(x, alpha),
        where=lambda condition, x, y: torch.where(constant(condition) != 0, x, constant(y)),
        clip=lambda x, low, high: torch.clamp(constant(x), constant(low), constant(high)),
        take=lambda xs, index: stacked(xs)[index],
        sum=lambda xs: stacked(xs).sum(0),
        mean=lambda xs: stacked(xs).mean(0),
        prod=lambda xs: stacked(xs).prod(0),
        dot=lambda ws, xs: (stacked(ws) * stacked(xs)).sum(0),
        maximum=lambda *xs: stacked(xs).amax(0),
        minimum=lambda *xs: stacked(xs).amin(0),
        logsumexp=lambda xs: torch.logsumexp(stacked(xs), 0),
        **{name: getattr(torch, name) for name in same},
    )


def jax():
    """JAX; ImportError without it."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def gradient(f, point):
        value, slopes = jax.value_and_grad(f, argnums=tuple(range(len(point))))(*point)
        return float(value), [float(x) for x in slopes]

    return SimpleNamespace(
        name="JAX",
        version=jax.__version__,
        gradient=gradient,
        relu=jax.nn.relu,
        leaky_relu=jax.nn.leaky_relu,
        elu=jax.nn.elu,
        maximum=lambda *xs: jnp.max(jnp.stack(xs)),
        minimum=lambda *xs: jnp.min(jnp.stack(xs)),
        prod=lambda xs: jnp.prod(jnp.stack(xs)),
        logsumexp=lambda xs: jax.nn.logsumexp(jnp.stack(xs)),
        abs=jnp.abs, sign=jnp.sign, sqrt=jnp.sqrt, log=jnp.log, log1p=jnp.log1p, pow=jnp.power,
        asin=jnp.arcsin, atan2=jnp.arctan2, clip=jnp.clip, where=jnp.where,
    )  # fmt: skip


def hips():
    """HIPS autograd; ImportError without it. What it lacks is spelled as its users do."""
    import autograd
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    def gradient(f, point):
        numbers = [np.float64(x) for x in point]
        with np.errstate(all="ignore"):
            slopes = autograd.grad(f, argnum=tuple(range(len(point))))(*numbers)
            return float(f(*numbers)), [float(x) for x in slopes]

    return SimpleNamespace(
        name="HIPS autograd",
        version=version("autograd"),
        gradient=gradient,
        relu=lambda x: anp.maximum(x, 0.0),
        leaky_relu=lambda x, slope: anp.where(x > 0, x, slope * x),
        elu=lambda x, alpha: anp.where(x > 0, x, alpha * anp.expm1(x)),
        maximum=lambda *xs: anp.max(anp.array(xs)),
        minimum=lambda *xs: anp.min(anp.array(xs)),
        prod=lambda xs: anp.prod(anp.array(xs)),
        logsumexp=lambda xs: logsumexp(anp.array(xs)),
        abs=anp.abs, sign=anp.sign, sqrt=anp.sqrt, log=anp.log, log1p=anp.log1p, pow=anp.power,
        asin=anp.arcsin, atan2=anp.arctan2, clip=anp.clip, where=anp.where,
    )  # fmt: skip
