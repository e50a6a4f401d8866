"""Strategies and an assertion for tests of users: right examples, and failures where due."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autodiff as ad
import nn
from autodiff import GradcheckError, Value, ops
from autodiff.checking.expressions import domain_of, has_tie, is_inside
from autodiff.rows.primitive import Domain, Primitive
from autodiff.testing import OPS, assert_gradients, expressions, operands, values
from tests.support.samples import ROWS, USER_ROWS, every_row, unlisted_op
from tests.support.strategies import examples, smallest

quickly = settings(max_examples=20, deadline=None, database=None)


# expressions


def test_expressions_use_every_op_and_have_shared_results_constants_and_comparisons():
    found = examples(expressions(), 500)
    assert {row for expression in found for row in expression.rows} == set(ROWS)
    with_users = examples(expressions([*OPS[:4], *USER_ROWS]), 60)
    assert {row for expression in with_users for row in expression.rows} == {*OPS[:4], *USER_ROWS}
    texts = [expression.source for expression in found]
    assert sum(text.count("y0") > 2 for text in texts) > 50
    assert sum(bool(re.search(r"-?\d\.\d+[],)\n]", text)) for text in texts) > 50
    assert sum(" > " in text for text in texts) > 5
    assert {len(expression.point) for expression in found} == {1, 2, 3}
    assert max(text.count("\n") for text in texts) > 8


def test_expressions_keep_to_the_given_ops_and_sizes():
    for expression in examples(expressions([ops.tanh, ops.mul], max_inputs=1, max_ops=2), 50):
        assert set(expression.rows) <= {ops.tanh, ops.mul}
        assert len(expression.point) == 1
        assert expression.source.count("\n") <= 1 + 2 + 1


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (ops.tanh, "Expression at (1.0,):\ndef f(x0):\n    return tanh(x0)"),
        (ops.div, "Expression at (1.0,):\ndef f(x0):\n    return x0 / x0"),
        (ops.asin, "Expression at (0.0,):\ndef f(x0):\n    return asin(x0)"),
        (ops.dot, "Expression at (1.0,):\ndef f(x0):\n    return dot([x0], [x0])"),
    ],
)
def test_an_op_shrinks_to_its_only_call(row, shown):
    assert repr(smallest(expressions(), lambda expression: row in expression.rows)) == shown


def test_a_users_wrong_op_is_found_and_shown():
    cube = Primitive("cube", lambda x: x * x * x, (lambda x, out: 3.001 * x * x,),
                     array="", domain=(Domain(),), label="cube")  # fmt: skip

    def is_wrong(expression):
        return not ad.gradcheck(expression, expression.point, raise_exception=False)

    shown = repr(smallest(expressions([ops.add, ops.tanh, cube]), is_wrong))
    assert shown == "Expression at (1.0,):\ndef f(x0):\n    return cube(x0)"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: expressions([]), ValueError, "expressions: ops must not be empty"),
        (
            lambda: expressions(max_inputs=0),
            ValueError,
            "max_inputs must be a positive integer, got 0",
        ),
        (lambda: expressions(max_ops=0), ValueError, "max_ops must be a positive integer, got 0"),
        (lambda: expressions(["tanh"]), TypeError, "expressions takes ops, .* got str 'tanh'"),
        (lambda: expressions(max_ops=2.0), TypeError, "max_ops must be a positive integer"),
        (lambda: operands(len), TypeError, "operands takes ops, as autodiff.tanh, got builtin"),
    ],
)
def test_wrong_arguments_are_named(make, error, message):
    with pytest.raises(error, match=message):
        make()


# operands, values


@every_row
def test_operands_are_inside_the_domains_and_vary(row):
    found = examples(operands(row), 30)
    for xs in found:
        domains = [domain_of(row, i) for i in range(len(xs))]
        assert all(d is None or is_inside(d, x) for d, x in zip(domains, xs, strict=True))
        assert not (row.ties and has_tie(xs))
    assert len(set(found)) > 8
    sizes = {len(xs) for xs in found}
    assert sizes == {row.arity} or len(sizes) > 2


def test_values_are_leaves_between_their_bounds_and_away_from_kinks():
    found = examples(values(-1.0, 3.0, kinks=[0.0, 1.0]))
    assert all(-1 <= v.data <= 3 and min(abs(v.data), abs(v.data - 1)) >= 0.2 for v in found)
    assert not any(v.operands or v.has_grad for v in found)
    assert max(v.data for v in found) > 2
    assert min(v.data for v in found) < -0.5


# assert_gradients


def test_right_derivatives_pass_and_the_report_is_returned():
    report = assert_gradients(lambda x, y: ad.sin(x) * y, (1.0, 2.0))
    assert [entry.order for entry in report.entries] == [1] * 2 + [2] * 4


def test_a_wrong_derivative_of_either_order_raises():
    right = unlisted_op(lambda x: x * x * x, lambda x, out: 3 * x * x)
    at_first = replace(right, partials=(lambda x, out: 3.001 * x * x,))
    at_second = replace(right, partials=(lambda x, out: 3 * x * getattr(x, "data", x),))
    assert_gradients(right, 2.0)
    with pytest.raises(GradcheckError, match="wrong"):
        assert_gradients(at_first, 2.0)
    with pytest.raises(GradcheckError, match=r"inputs\[0\] × inputs\[0\] .* wrong"):
        assert_gradients(at_second, 2.0)
    assert_gradients(at_second, 2.0, order=1)


def test_a_kink_raises():
    assert ad.gradcheck(ad.relu, 0.0).passed
    with pytest.raises(GradcheckError, match=r"at a kink there is nothing to check\n.*1 kink") as e:
        assert_gradients(ad.relu, 0.0, order=1)
    assert e.value.report.kinks


def test_options_are_passed_to_gradcheck():
    slightly = unlisted_op(lambda x: x, lambda x, out: 1.001)
    assert_gradients(slightly, 1.0, order=1, rtol=1e-2)
    assert len(assert_gradients(nn.Neuron(9, seed=0), ([0.1] * 9,), sample=2, order=1).entries) == 2


@quickly
@given(values(), st.data())
def test_values_may_be_drawn_beside_others(x, data):
    y = data.draw(values(0.5, 2.0))
    assert_gradients(lambda x, y: ad.tanh(x) / y, (x, y), order=1)
    assert type(x) is type(y) is Value
