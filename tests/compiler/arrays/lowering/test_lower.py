"""The array instructions that packs become; test_compile checks their results."""

from collections import Counter

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel

W = [[Value(0.1 * i - 0.3 * j + 1) for j in range(4)] for i in range(3)]
BIASES = [Value(0.5), Value(0.25), Value(-1.0)]


def dots(x):
    return [sum(w * xi for w, xi in zip(row, x, strict=True)) for row in W]


CASES = {
    "grid of dots": (dots, {"matmul": 1, "gather": 0}),
    "with biases": (
        lambda x: [autodiff.dot(row, x) + b for row, b in zip(W, BIASES, strict=True)],
        {"matmul": 1, "gather": 0, "concatenate": 0, "add": 1},
    ),
    "two right sides": (lambda x: [*dots(x), *dots(x[::-1])], {"matmul": 1}),
    "one dot": (lambda x: autodiff.dot(W[0], x), {"matmul": 1, "gather": 0}),
    "no grid": (
        lambda x: [x[i] * W[0][i] + x[(i + 1) % 4] * W[1][i] for i in range(4)],
        {"matmul": 0, "sum": 1},
    ),
    "prefixes": (lambda x: [autodiff.dot(W[n - 2][:n], x[:n]) for n in (4, 3, 2)], {"matmul": 1}),
    "elementwise": (lambda x: [xi.exp() for xi in x], {"exp": 1, "gather": 0, "view": 4}),
    "reversed": (lambda x: [xi.exp() + xj for xi, xj in zip(x, x[::-1], strict=True)],
                 {"exp": 1, "add": 1, "gather": 1}),
    "reduction": (lambda x: autodiff.prod(dots(x)), {"reduce": 1, "matmul": 1, "gather": 0}),
    "softmax": (lambda x: autodiff.logsumexp(dots(x)), {"top": 1, "exp": 1, "sum": 1, "log": 1}),
    "differences": (lambda x: [x[k + 1] - x[k] for k in range(3)], {"sub": 1, "gather": 0}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_packs_become_these_array_instructions(case):
    f, expected = CASES[case]
    x = np.random.default_rng(0).normal(size=(3, 4))
    kernel = Kernel(f)
    found = kernel(x)
    kernel._latest.analyzed.lowered.verify()
    instrs = kernel._latest.function("call").program.instrs
    counts = Counter(i.name for i in instrs)
    assert {op: counts[op] for op in expected} == expected
    for b, row in enumerate(x):
        eager = f([Value(t) for t in row])
        eager = eager if isinstance(eager, list) else [eager]
        mine = found if isinstance(found, list) else [found]
        assert np.allclose([r[b] for r in mine], [r.data for r in eager], rtol=1e-12, atol=1e-14)


def test_attention_is_computed_on_whole_grids():
    # A triangle of scores, their sums by row, and sums of values of rising length.
    q, k, v = ([[Value(0.1 * i * j - m) for j in range(3)] for i in range(5)] for m in range(3))

    def f(x):
        rows = [[autodiff.dot(q[i], k[j]).exp() * x for j in range(i + 1)] for i in range(5)]
        found = [
            autodiff.dot([s / sum(row) for s in row], [y[c] for y in v[: len(row)]])
            for row in rows
            for c in range(3)
        ]
        return autodiff.prod(found)

    kernel = Kernel(f)
    x = np.array([0.5, 2.0])
    kernel.check(x)
    counts = Counter(instr.name for instr in kernel._latest.function("call").program.instrs)
    assert counts["gather"] == counts["concatenate"] == 0
    assert counts["matmul"] == 2


def test_a_constant_result_and_a_parameter_result_are_arrays_too():
    found = Kernel(lambda x: [1.5, W[0][0], x])(np.array([1.0, 2.0]))
    assert [r.tolist() for r in found] == [[1.5] * 2, [W[0][0].data] * 2, [1.0, 2.0]]


ROWS = [[Value(0.3 * i - 0.2 * j) for j in range(i + 1)] for i in range(4)]
RAGGED = {
    "logsumexp": autodiff.logsumexp,
    "maximum": lambda xs: autodiff.maximum(*xs),
    "minimum": lambda xs: autodiff.minimum(*xs, 0.5),
    "prod": autodiff.prod,
}


@pytest.mark.parametrize("name", RAGGED)
def test_reductions_of_different_lengths_are_one(name):
    reduce = RAGGED[name]
    kernel = Kernel(lambda x: sum(reduce([w * x for w in row]) for row in ROWS))
    x = np.array([0.5, -1.5])
    kernel.check(x)
    _, slopes = kernel.value_and_grad(x, argnums=0)
    for b in range(2):
        leaf = Value(x[b])
        sum(reduce([w * leaf for w in row]) for row in ROWS).backward()
        assert np.isclose(slopes[b], leaf.grad, rtol=1e-12)
    counts = Counter(instr.name for instr in kernel._latest.function("call").program.instrs)
    assert counts["reduce"] + counts["top"] == 1


def test_a_lowered_program_prints_where_the_lanes_of_each_pack_are():
    kernel = Kernel(lambda x: [x[0].exp(), x[1].exp()])
    kernel(np.ones((1, 2)))
    lines = str(kernel._latest.analyzed.lowered).splitlines()
    assert lines[:2] == ["#0 (x): %0 at [0, 1]", "#1 (exp): %1 at [0, 1]"]
    assert lines[2:] == ["%0: B×[2] = leaf() x", "%1: B×[2] = exp(%0)", "return %1[0], %1[1]"]


@pytest.mark.parametrize("places", [[0, 2], [-1, 0], [0]])
def test_the_verifier_finds_lanes_without_a_place(places):
    kernel = Kernel(lambda x: [x[0].exp(), x[1].exp()])
    kernel(np.ones((1, 2)))
    lowered = kernel._latest.analyzed.lowered
    lowered.verify()
    lowered.places[1] = np.array(places)
    with pytest.raises(AssertionError, match="#1"):
        lowered.verify()
