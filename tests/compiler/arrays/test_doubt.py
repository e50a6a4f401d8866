"""Padding may make a nan that the result hides."""

from math import inf, nan

import numpy as np
import pytest

import autodiff
from autodiff import Value, ops
from autodiff.compiler import Kernel
from autodiff.engine.custom import custom_op
from autodiff.rows.arrays import CUSTOM
from autodiff.rows.primitive import TABLE, retract
from tests.support.eager import check_derivatives

W = [1.0, 2.0, 3.0, -1.0]


def ragged(w, x):
    rows = [[w[(n + k) % 4] for k in range(n)] for n in (1, 2, 3)]
    return [autodiff.dot(row, x[: len(row)]) for row in rows]


def texts(f):
    """The text of the function of the values, and that with gradients."""
    w = [Value(t) for t in W]
    kernel = Kernel(lambda x: f(w, list(x)))
    kernel(np.ones((1, 3)))
    return kernel._latest.function("call").source, kernel.source


@pytest.fixture
def declared():
    """A custom op of each name, for the time of a test."""
    made = {
        "step": custom_op("user_step", lambda x: float(x > 0), lambda x, out: 0.0),
        "cube": custom_op("user_cube", lambda x: x * x * x, lambda x, out: 3.0 * x * x),
        "bound": custom_op(
            "user_bound",
            lambda x, y: y if x != x or x > y else x,
            [lambda x, y, out: x < y, lambda x, y, out: x > y],
        ),
    }
    yield made
    for row in made.values():
        retract(row)
        del CUSTOM[row.name]


HIDING = {
    "compared": lambda w, y: autodiff.sum([autodiff.where(t > 0, w[3] * w[0], w[1]) for t in y]),
    "later": lambda w, y: autodiff.where(autodiff.exp(y[0]) + y[1] * y[2] > 3, w[3] * w[3], w[0]),
}  # fmt: skip


@pytest.mark.parametrize("case", HIDING)
@pytest.mark.parametrize("dtype", [float, np.float32])
@pytest.mark.parametrize("bad", [inf, -inf, nan])
def test_a_nan_from_padding_decides_nothing(case, dtype, bad):
    f = lambda w, x: HIDING[case](w, ragged(w, x))  # noqa: E731
    rows = [[1.0, 2.0, 0.5], [1.0, 2.0, bad], [-1.0, bad, 2.0], [3.0, -2.0, 1.0]]
    vector = [1.0, -1.0, 2.0, 0.5]
    tolerance = 1e-11 if dtype is float else 1e-5
    check_derivatives(f, W, rows, vector, dtype=dtype, tolerance=tolerance)


def test_each_array_may_be_in_doubt():
    def f(w, x):
        below, above = ragged(w, x), ragged(w, [autodiff.exp(t) for t in x])
        return autodiff.sum([autodiff.where(t > 1, w[0], w[1]) for t in [*below, *above]])

    rows = [[1.0, 2.0, 0.5], [1.0, 2.0, -inf], [1.0, 2.0, inf], [1.0, 710.0, 0.5]]
    check_derivatives(f, W, rows, [1.0, -1.0, 2.0, 0.5])


def test_custom_ops_may_hide_a_nan(declared):
    step, bound = declared["step"], declared["bound"]
    for f in (
        lambda w, x: autodiff.sum([step(t) for t in ragged(w, x)]) * w[3] * w[0],
        lambda w, x: autodiff.sum([bound(t, w[2]) for t in ragged(w, x)]),
    ):
        rows = [[1.0, 2.0, 0.5], [1.0, 2.0, inf], [-1.0, inf, 2.0]]
        check_derivatives(f, W, rows, [1.0, -1.0, 2.0, 0.5])


def test_quotients_of_ragged_rows_are_compared_as_they_are():
    w = [[Value(1.0)] * n for n in (1, 2, 3)]

    def signs(u):
        sums = [sum(wi / ui for wi, ui in zip(row, u, strict=False)) for row in w]
        return autodiff.sum([autodiff.where(y > 0, 1.0, -1.0) for y in sums])

    assert Kernel(signs)(np.array([[1.0, 2.0, 0.0], [-1.0, 2.0, 1.0]])).tolist() == [3.0, -1.0]


def test_a_comparison_that_is_the_result_is_in_doubt_too():
    w = [Value(t) for t in W]
    kernel = Kernel(lambda x: [y > 0 for y in ragged(w, list(x))])
    found = np.array(kernel(np.array([[1.0, 2.0, inf], [1.0, inf, nan]])))
    assert found.dtype == bool
    assert found.T.tolist() == [[True, True, True], [True, False, False]]


def test_only_programs_that_hide_a_nan_pay(declared):
    cube = declared["cube"]
    plain = lambda w, x: autodiff.sum([y.exp() * w[3] for y in ragged(w, x)])  # noqa: E731
    for f in (plain, lambda w, x: autodiff.sum([cube(y) for y in ragged(w, x)])):
        assert not any("np.abs" in text for text in texts(f))
    hiding = lambda w, x: HIDING["compared"](w, ragged(w, x))  # noqa: E731
    assert all("np.abs" in text for text in texts(hiding))


def test_the_sign_of_zero_is_not_lost_in_doubt():
    w = [Value(t) for t in W]

    def f(x):
        first, second, third = (y > 0 for y in ragged(w, list(x)))
        return autodiff.where(first & second & third, -0.0, 1.0)

    found = Kernel(f)(np.ones((1, 3)))
    assert found == 0.0
    assert np.signbit(found)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.hides_nan])
def test_rows_show_a_nan_or_do_not_depend_on_the_operand(name):
    row = TABLE[name]
    if row is ops.take:
        return
    if row.arity is None:
        assert np.isnan(row([0.5, nan]) if row is not ops.dot else row([0.5, nan], [1.0, 2.0]))
        return
    for k, partial in enumerate(row.partials):
        for other in (-1.5, 0.0, 0.5, 1.0):
            operands = [nan if j == k else other for j in range(row.arity)]
            out = row.value_at(operands)
            if partial is not None and not np.isnan(out):
                # Then it is the same for any operand, as x ** 0.
                xs = (-2.0, -0.5, 0.0, 0.25, 3.0)
                same = [
                    row.value_at([x if j == k else other for j in range(row.arity)]) for x in xs
                ]
                assert all(y == out for y in same), operands
