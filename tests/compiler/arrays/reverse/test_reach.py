"""Elements that receive no cotangent in eager execution, behind every op of the array program."""

import numpy as np
import pytest

import autodiff
from autodiff import Value
from autodiff.compiler import Kernel
from tests.support.eager import check_derivatives

W = [0.0, 0.5, 0.0, 1.5]
ROWS = [[0.0, 0.25, 0.0, 4.0], [-1.0, 0.0, 0.0, 0.0], [2.0, 1.0, 0.5, 3.0], [1.0, 2.0, -1.0, 4.0]]
VECTOR = [1.0, -1.0, 0.5, 2.0]


def roots(x):
    return [autodiff.sqrt(abs(t)) for t in x]


def chosen(condition, x):
    return autodiff.where(condition, x, 0.0)


def norm(x):
    return autodiff.sqrt(autodiff.sum([t * t for t in x]))


# Each meets a root of 0 that is not chosen, on the way back through an op of its own.
CASES = {
    "elements": lambda w, x: autodiff.sum([chosen(t > 0, autodiff.sqrt(t)) for t in x]),
    "the other branch": lambda w, x: autodiff.sum(
        [autodiff.where(t <= 0, 0.0, autodiff.log(t) * w[1]) for t in x]
    ),
    "views": lambda w, x: autodiff.sum([
        *[chosen(t > 0, r) for t, r in zip(x[:2], roots(x)[:2], strict=True)],
        *[chosen(t > 0, r.exp()) for t, r in zip(x[1:], roots(x)[1:], strict=True)],
    ]),
    "gathers": lambda w, x: autodiff.sum(
        [chosen(x[i] * x[j] > 0, (roots(x)[i] * roots(x)[j]).tanh())
         for i, j in ((0, 3), (3, 1), (2, 0), (1, 2), (0, 1))]
    ),
    "windows": lambda w, x: autodiff.sum(
        [chosen(x[i] * x[i + 1] > 0, autodiff.dot(w[:2], roots(x)[i : i + 2])) for i in range(3)]
    ),
    "one for all": lambda w, x: chosen(x[1] > x[0] - x[0], autodiff.dot(w, [t / x[1] for t in x])),
    "sums": lambda w, x: chosen(norm(x[:3]) > 0.3, (w[1] * norm(x[:3])).tanh()) * w[3],
    "shared": lambda w, x: autodiff.sum([chosen(t > 0, t / norm(x[:3])) for t in x[:3]]),
    "matrices": lambda w, x: autodiff.sum(
        [chosen(x[3] - i > 0, autodiff.dot(w[i : i + 2], [1 / x[3], autodiff.log(x[3])]))
         for i in range(3)]
    ),
    "both branches": lambda w, x: autodiff.sum(
        [chosen(t > 0, autodiff.where(t > 1, autodiff.sqrt(t) * w[1], autodiff.sqrt(t))) for t in x]
    ),
    "maxima": lambda w, x: autodiff.maximum(
        *[r * v for r, v in zip(roots(x), w, strict=True)], 0.1
    ),
    "minima of rows": lambda w, x: autodiff.sum(
        [autodiff.minimum(0.0 * v - 1.0, roots(x)[0], roots(x)[1]) for v in w]
    ),
    "bounds": lambda w, x: autodiff.sum(
        [autodiff.clip(t + 0.1, autodiff.sqrt(abs(t)) / 9, autodiff.sqrt(abs(t)) + 9.0) for t in x]
    ),
    "a reduction": lambda w, x: chosen(x[1] > 0, autodiff.logsumexp(roots([x[1], x[3]]))),
    "a product": lambda w, x: chosen(x[3] > 0, autodiff.prod(roots(x)[1::2])) + w[1] * x[0],
    "products": lambda w, x: autodiff.sum(
        [chosen(t > 0, v * autodiff.log(t)) for t, v in zip(x, w, strict=True)]
    ),
    "only compared": lambda w, x: chosen(autodiff.log(x[3]) > autodiff.log(x[1]), w[1]) * x[2],
    "stopped": lambda w, x: autodiff.stop_gradient(roots(x)[0]) * w[1] + x[1],
    "stopped beside": lambda w, x: (
        chosen(x[0] > 0, autodiff.sqrt(x[0])) + autodiff.stop_gradient(autodiff.sqrt(abs(x[0])))
        + autodiff.stop_gradient(autodiff.log1p(x[1])) * chosen(x[0] > -1, autodiff.log1p(x[0]))
    ),
    "signs": lambda w, x: autodiff.sign(autodiff.log(abs(x[0]))) * w[1] + x[1],
    "by parameters": lambda w, x: autodiff.sum([chosen(v > 0, autodiff.sqrt(v) * x[0]) for v in w]),
    "a product of parameters": lambda w, x: chosen(x[0] > 5, autodiff.dot(roots(w), x)) + w[1],
    "some": lambda w, x: (
        chosen(x[3] > 9, autodiff.log1p(x[0])) * w[0] + autodiff.log1p(x[3]) * autodiff.log1p(x[1])
    ),
    "by data": lambda w, x: chosen(x[0] > 5, autodiff.sqrt(w[0]) * x[0]) + w[1],
}  # fmt: skip

# In these an infinite input of a matrix product meets the cotangent 0 of another row.
MET = {"one for all"}


@pytest.mark.parametrize("case", CASES)
def test_unreached_slopes_are_0_and_all_others_are_as_in_eager_execution(case, monkeypatch):
    f = CASES[case]
    check_derivatives(f, W, ROWS, VECTOR)
    if case not in MET:
        for module in ("kernel", "results"):
            monkeypatch.setattr(f"autodiff.compiler.{module}.Fallback", None)
        parameters = [Value(t) for t in W]
        kernel = Kernel(lambda x: f(parameters, list(x)))
        assert np.isfinite(kernel.value_and_grad(np.array(ROWS))[1]).all()
        assert np.isfinite(kernel.value_and_grad(np.array(ROWS), argnums=0)[1]).all()


@pytest.mark.usefixtures("no_fallback")
def test_elements_chosen_by_an_index_are_guarded_as_well():
    w = [Value(t) for t in (0.5, 2.0, 1.0)]

    def f(x, k):
        taken = autodiff.take([autodiff.log(t) * v for t, v in zip(x, w, strict=True)], k)
        return chosen(x[0] > 0, taken)

    x, k = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), np.array([1, 2])
    _, slopes = Kernel(f).value_and_grad(x, k, argnums=0)
    assert slopes.tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 1 / 3]]


def test_programs_without_a_guard_get_no_mask():
    w = [Value(t) for t in (0.5, 2.0, 1.0)]
    kernel = Kernel(
        lambda x: autodiff.sqrt(autodiff.sum([v / t for v, t in zip(w, x, strict=True)]))
    )
    kernel.value_and_grad(np.ones((2, 3)))
    assert "logical" not in kernel.source
    assert "where" not in kernel.source
    branching = Kernel(lambda x: autodiff.where(x[0] > 1, x[1] / w[0], w[0] / x[1]).exp())
    branching.value_and_grad(np.ones((2, 3)))
    assert branching.source.count("where=") > 1


def test_a_slope_that_is_known_gets_no_mask():
    w = Value(0.5)
    kernel = Kernel(lambda x: chosen(x > 0, 1 / x + w))
    kernel.value_and_grad(np.ones(2), argnums=0)
    assert kernel._latest.function("grad", (0,)).source.count("where=") == 1


def test_an_array_that_both_branches_read_gets_no_mask():
    w = Value(0.5)

    def f(x):
        root = autodiff.sqrt(x)
        return autodiff.where(x > 1, w * root, root + w)

    kernel = Kernel(f)
    kernel.value_and_grad(np.ones(2), argnums=0)
    assert "logical" not in kernel._latest.function("grad", (0,)).source
