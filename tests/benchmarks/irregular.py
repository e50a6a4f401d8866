"""A random graph without structure, compiled: against the same graph as straight-line NumPy."""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from tests.benchmarks.harness import Bar, Row, share_of_time

LEAVES = 4  # inputs, and as many parameters

# In scalars, in NumPy, and the cotangents of its operands when `ct` is that of its result `out`.
# Sums and differences are halved by a node of their own, so that all numbers stay in [-1, 1].
OPS = {
    "half": (lambda x: x * 0.5, "{0} * 0.5", ["{ct} * 0.5"]),
    "square": (lambda x: x * x, "{0} * {0}", ["{ct} * (2.0 * {0})"]),
    "relu": (autodiff.relu, "np.maximum({0}, 0.0)", ["{ct} * ({0} > 0.0)"]),
    "tanh": (autodiff.tanh, "np.tanh({0})", ["{ct} * (1.0 - {out} * {out})"]),
    "sin": (autodiff.sin, "np.sin({0})", ["{ct} * np.cos({0})"]),
    "cos": (autodiff.cos, "np.cos({0})", ["{ct} * -np.sin({0})"]),
    "sigmoid": (
        autodiff.sigmoid,
        "1.0 / (1.0 + np.exp(-{0}))",
        ["{ct} * ({out} * (1.0 - {out}))"],
    ),
    "add": (lambda x, y: x + y, "{0} + {1}", ["{ct}", "{ct}"]),
    "sub": (lambda x, y: x - y, "{0} - {1}", ["{ct}", "-{ct}"]),
    "mul": (lambda x, y: x * y, "{0} * {1}", ["{ct} * {1}", "{ct} * {0}"]),
}


def random_graph(count, seed=0):
    """`count` nodes, each an op and the numbers of its operands: leaves are the first 2 LEAVES."""
    rng = random.Random(seed)
    drawn = [name for name in OPS if name != "half"]
    nodes = []
    while len(nodes) < count:
        latest = 2 * LEAVES + len(nodes)
        if nodes and nodes[-1][0] in ("add", "sub"):
            nodes.append(("half", [latest - 1]))
            continue
        name = rng.choice(drawn)
        nodes.append((name, [rng.randrange(latest) for _ in OPS[name][2]]))
    return nodes


def unused(nodes):
    """The numbers of the nodes that are no operand."""
    used = {operand for _, operands in nodes for operand in operands}
    return [i for i in range(2 * LEAVES, 2 * LEAVES + len(nodes)) if i not in used]


def in_scalars(nodes, parameters):
    """The function of one example that these nodes compute: the mean of those unused."""
    last = unused(nodes)

    def f(x):
        values = [*x, *parameters]
        for name, operands in nodes:
            values.append(OPS[name][0](*[values[i] for i in operands]))
        return sum(values[i] for i in last) / len(last)

    return f


def in_numpy(nodes):
    """(theta, x) → mean over the batch and gradient by theta: a line a node, a line a cotangent."""
    last = unused(nodes)
    is_batched = [True] * LEAVES + [False] * LEAVES
    lines = ["def straight(theta, x):"]
    lines.append(f"{', '.join(f'v{i}' for i in range(LEAVES))} = np.ascontiguousarray(x.T)")
    lines.append(f"{', '.join(f'v{i}' for i in range(LEAVES, 2 * LEAVES))} = theta")
    for i, (name, operands) in enumerate(nodes, 2 * LEAVES):
        lines.append(f"v{i} = " + OPS[name][1].format(*[f"v{j}" for j in operands]))
        is_batched.append(any(is_batched[j] for j in operands))
    lines.append("total = np.zeros(len(x))")
    lines += [f"total += v{i}" for i in last]
    lines.append(f"each = np.full(len(x), 1 / ({len(last)} * len(x)))")
    lines += [f"d{i} = " + ("each" if is_batched[i] else f"1 / {len(last)}") for i in last]
    shared = set(last)  # cotangents whose array is another's too
    known = set(last)
    for i, (name, operands) in reversed([*enumerate(nodes, 2 * LEAVES)]):
        arrays = [f"v{j}" for j in operands]
        for j, partial in zip(operands, OPS[name][2], strict=True):
            ct = partial.format(*arrays, out=f"v{i}", ct=f"d{i}")
            if is_batched[i] and not is_batched[j]:
                ct = f"np.sum({ct})"
            if j not in known:
                lines.append(f"d{j} = {ct}")
                known.add(j)
                shared |= {j} if ct == f"d{i}" else set()
            elif j in shared:
                lines.append(f"d{j} = d{j} + {ct}")
                shared.remove(j)
            else:
                lines.append(f"d{j} += {ct}")
    wanted = (f"d{i}" if i in known else "0.0" for i in range(LEAVES, 2 * LEAVES))
    lines.append(f"return total.mean() / {len(last)}, np.array([{', '.join(wanted)}])")
    scope = {"np": np}
    exec("\n    ".join(lines), scope)
    return scope["straight"]


class Competitors(NamedTuple):
    """A kernel and straight-line NumPy of one graph, and what both take.

    `order` is where each parameter of the kernel stands in theta.
    """

    kernel: Kernel
    straight: Callable[..., Any]
    order: list[int]
    theta: np.ndarray
    x: np.ndarray


def competitors(count, batch):
    """Both, of a graph of `count` nodes."""
    rng = np.random.default_rng(0)
    nodes = random_graph(count)
    x, theta = rng.uniform(-1, 1, (batch, LEAVES)), rng.uniform(-1, 1, LEAVES)
    parameters = [Value(number) for number in theta]
    kernel = autodiff.compile(in_scalars(nodes, parameters))
    kernel.value_and_grad(x)
    order = [parameters.index(parameter) for parameter in kernel.parameters]
    return Competitors(kernel, in_numpy(nodes), order, theta, x)


def measure(settings):
    """Yield the row."""
    count, batch = (1_000, 1_000) if settings.quick else (10_000, 1_000)
    made = competitors(count, batch)
    theta = made.theta[made.order]
    ratios = share_of_time(
        lambda: made.kernel.value_and_grad(made.x, parameters=theta),
        lambda: made.straight(made.theta, made.x),
        settings.repeats,
    )
    name = f"random graph of {count:,} nodes, batch {batch:,}"
    yield Row(name, "straight-line NumPy", ratios, "of its time", Bar("≤", 3.0))
