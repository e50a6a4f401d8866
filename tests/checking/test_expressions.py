"""Expressions built from choices: their code, their results, and where they are smooth."""

from math import inf, pi

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.checking.expressions import (
    ExpressionBuilder,
    domain_of,
    has_tie,
    is_inside,
    numbers_inside,
)
from autodiff.rows.primitive import Domain
from tests.support.samples import every_row


def built(*calls, max_inputs=3):
    builder = ExpressionBuilder(max_inputs)
    for row, *choices in calls:
        builder.call(row, choices)
    return builder.expression()


@pytest.mark.parametrize(
    ("choice", "operand"),
    [(0, "y0"), (1, "x1"), (2, "x0"), (3, "x2"), (4, "1.0"), (5, "1.0"), (6 + 4, "0.0")],
)
def test_an_operand_is_a_result_or_a_new_input_or_a_constant(choice, operand):
    two_inputs = (ops.mul, 0, 1)
    expression = built(two_inputs, (ops.sub, 0, choice), max_inputs=3)
    assert expression.source.splitlines()[1:] == [
        "    y0 = x0 * x1",
        f"    return y0 - {operand}",
    ]
    assert expression.rows == (ops.mul, ops.sub)
    assert (4 + (operand == "x2")) - 2 == len(expression.point)


def test_inputs_are_limited_and_no_call_is_constant():
    assert built((ops.mul, 0, 1), (ops.mul, 0, 2), max_inputs=1).point == (1.0,)
    calls = [(ops.neg, 0), (ops.sub, 0, 0), (ops.div, 1, 0), (ops.log, 0)]
    assert built(*calls, max_inputs=1).rows == (ops.neg, ops.sub, ops.div, ops.log)
    calls = [(ops.mul, 1, 0), (ops.log, 0)]  # of 0.0
    assert built(*calls, max_inputs=1).rows == (ops.mul,)
    assert built(*calls, max_inputs=2).rows == (ops.mul, ops.log)


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        ([(ops.tanh, 0)], "def f(x0):\n    return tanh(x0)\n"),
        ([(ops.dot, 0, 0, 0, 0)], "def f(x0):\n    return dot([x0, x0], [x0, x0])\n"),
        ([(ops.sum, 0, 0)], "def f(x0):\n    return sum([x0, x0])\n"),
        ([(ops.take, 0, 0, 0)], "def f(x0):\n    return take([x0, x0, x0], 0)\n"),
        ([(ops.maximum, 0)], "def f(x0):\n    return maximum([x0])\n"),
        ([(ops.pow, 0, 0)], "def f(x0):\n    return x0 ** x0\n"),
        ([(ops.where, 1, 0, 0)], "def f(x0):\n    return where(True, x0, x0)\n"),
        (
            [(ops.tanh, 0), (ops.where, 1, 0, 0)],
            "def f(x0):\n    y0 = tanh(x0)\n    return where(y0 > 1.0, y0, y0)\n",
        ),
        (
            [(ops.tanh, 0), (ops.sin, 1)],
            "def f(x0):\n    y0 = tanh(x0)\n    y1 = sin(x0)\n    return sum([y0, y1])\n",
        ),
    ],
)
def test_the_choices_determine_the_code(calls, text):
    expression = built(*calls)
    assert expression.source == text
    assert repr(expression) == f"Expression at (1.0,):\n{text.rstrip()}"


def test_the_code_shown_is_the_code_that_runs():
    expression = built((ops.exp, 0), (ops.mul, 0, 1))
    assert expression.source == "def f(x0):\n    y0 = exp(x0)\n    return y0 * x0\n"
    assert expression(2.0) == pytest.approx(2 * np.exp(2))
    assert expression(Value(2.0)).op is ops.mul
    assert expression(np.ones(3)).shape == (3,)


def test_a_tie_a_large_result_and_a_steep_slope_are_not_built():
    assert built((ops.exp, 0), (ops.maximum, 0, 0)).rows == (ops.exp,)
    assert built((ops.exp, 0), (ops.exp, 0)).source.count("exp") == 1, "e ** e is over 10"
    assert built(*[(ops.add, 0, 0)] * 9).source.count("+") == 3, "16 is over 10"
    assert built(*[(ops.sub, 0, 0)] * 9).source.count("-") == 4, "32 is steep, if all adds up"


@every_row
def test_short_numbers_fill_every_domain(row):
    for domain in row.domain:
        numbers = numbers_inside(domain)
        assert len(numbers) > 10
        assert all(is_inside(domain, x) for x in numbers)
        assert all(len(repr(x)) <= 4 for x in numbers)


def test_numbers_inside_a_domain_are_away_from_its_ends_and_kinks():
    domain = Domain(-pi / 2, inf, kinks=(1.0,))
    inside = [-1.3, 0.0, 0.75, 1.25, 9.0]
    outside = [-1.5, 0.9, 1.0, 1.1, 11.0, -9.0]
    assert [is_inside(domain, x) for x in inside + outside] == [True] * 5 + [False] * 6


def test_conditions_have_no_domain_and_reductions_have_one_for_all_operands():
    assert [domain_of(ops.where, i) is None for i in range(3)] == [True, False, False]
    assert domain_of(ops.sum, 7) is ops.sum.domain[0]
    assert domain_of(ops.take, 1) is ops.take.domain[0]


def test_two_nearly_equal_numbers_tie():
    assert has_tie([1.0, 5.0, 1.1])
    assert not has_tie([1.0, 5.0, 1.3])
    assert not has_tie([1.0])
