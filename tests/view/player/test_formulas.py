"""Formulas: an evaluator that knows no rows finds the numbers that the rows compute."""

import math
import re

import numpy as np
import pytest

import autodiff
from autodiff import Value, detect_anomaly, dot, no_grad, prod
from autodiff.view.player.formulas import (
    _SIGNS,
    LONGEST,
    _formula,
    _symbol,
    formula_of,
    partial_formulas,
)
from tests.support.samples import ROWS, USER_ROWS, every_row, grid, lift

FUNCTIONS = {row.label: row for row in ROWS + USER_ROWS} | {
    "take": lambda x: x,
    **{op: lambda *xs, op=op: getattr(autodiff, op)(xs) for op in ("mean", "prod", "logsumexp")},
}
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def evaluated(formula, operands, out):
    """The number of a formula, by the grammar of Python."""
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+", lambda m: f"**({m[0].translate(RAISED)})", formula)
    for ours, python in {"·": "*", "−": "-", "^": "**"}.items():
        text = text.replace(ours, python)
    text = re.sub(r"\{(\w+)\}", lambda m: f"x_{m[1]}", text)
    names = {f"x_{i}": np.float64(x) for i, x in enumerate(operands)} | {"x_out": np.float64(out)}
    with np.errstate(all="ignore"):
        return float(eval(text, {**FUNCTIONS, "nan": math.nan}, names))


def nodes(row):
    """Nodes of `row` over its domain, with and without constants among the operands."""
    for operands in grid(row):
        values = lift(row, operands)
        yield row.apply(tuple(values))
        if len(operands) > 1 and isinstance(values[1], Value):
            yield row.apply((values[0], values[1], *operands[2:]))
            yield row.apply((*operands[:1], *values[1:]))


@every_row
def test_formulas_compute_what_the_row_computes(row):
    for node in nodes(row):
        operands = [operand.data for operand in node.operands]
        # The constants of formulas have four digits.
        close = pytest.approx(node.data, rel=2e-3, abs=2e-3)
        assert evaluated(formula_of(node), operands, node.data) == close
        partials = partial_formulas(node)
        assert len(partials) == len(node.operands)
        for formula, partial in zip(partials, node._partials, strict=True):
            if formula is not None:
                found = evaluated(formula, operands, node.data)
                assert found == pytest.approx(partial or 0.0, rel=2e-3, abs=2e-3)


@every_row
def test_every_row_has_formulas_for_its_partials(row):
    assert all(formula is not None for formula in partial_formulas(next(nodes(row))))


X, Y = Value(2.0), Value(5.0)


@pytest.mark.parametrize(
    ("node", "formula", "partials"),
    [
        (X * Y, "{0} · {1}", ["{1}", "{0}"]),
        (3 * X, "3 · {0}", ["3"]),
        (X - Y, "{0} − {1}", ["1", "−1"]),
        (X / Y, "{0} / {1}", ["1 / {1}", "−({out} / {1})"]),
        (X**3, "{0}³", ["3 · {0}²"]),
        (X**-1, "{0}⁻¹", ["−1 · {0}⁻²"]),
        (X**0.5, "{0}^0.5", ["0.5 · {0}^(−0.5)"]),
        (X.exp(), "exp({0})", ["{out}"]),
        (X.tanh(), "tanh({0})", ["1 − {out}²"]),
        (X.sigmoid(), "sigmoid({0})", ["{out} · (1 − {out})"]),
        (X.sqrt(), "sqrt({0})", ["1 / (2 · {out})"]),
        (autodiff.atan(X), "atan({0})", ["1 / (1 + {0}²)"]),
        (X.relu(), "ReLU({0})", ["1"]),
        ((-X).relu(), "ReLU({0})", ["0"]),
        (-X, "−{0}", ["−1"]),
        (autodiff.where(True, X, Y), "where(1, {0}, {1})", ["1", "0"]),
        (dot([X, Y], [Y, X]), "{0}·{2} + {1}·{3}", ["{2}", "{3}", "{0}", "{1}"]),
        (dot([X], [-4.0]), "{0}·−4", ["−4"]),
        (autodiff.sum([X, Y]), "{0} + {1}", ["1", "1"]),
        (X + math.inf, "{0} + ∞", ["1"]),
    ],
    ids=str,
)
def test_formulas_read_as_in_a_book(node, formula, partials):
    assert formula_of(node) == formula
    assert partial_formulas(node) == partials


@pytest.mark.parametrize(
    ("expression", "formula"),
    [
        (X - (Y - X), "{0} − ({1} − {0})"),
        (X - Y - X, "{0} − {1} − {0}"),
        (X / (Y / X), "{0} / ({1} / {0})"),
        (X / Y / X, "{0} / {1} / {0}"),
        (X * (Y + X), "{0} · ({1} + {0})"),
        (X * Y + X, "{0} · {1} + {0}"),
        (-(X + Y), "−({0} + {1})"),
        (-X * Y, "−{0} · {1}"),
        ((-X) ** 2, "(−{0})²"),
        (-(X**2), "−{0}²"),
        ((X**2) ** 3, "({0}²)³"),
        (X ** (Y * 2), "{0}^({1} · 2)"),
        ((X + Y).exp() / 2, "exp({0} + {1}) / 2"),
        (1 * X**1, "{0}"),
        (X * X * Y, "{0}² · {1}"),
        ((X + Y) * (X + Y), "({0} + {1})²"),
        (X * -3, "{0} · −3"),
        (dot([X], [Y]) * X, "{0}·{1} · {0}"),
        (dot([X, Y], [Y, X]) * X, "({0}·{1} + {1}·{0}) · {0}"),
    ],
    ids=str,
)
def test_brackets_are_written_only_where_needed(expression, formula):
    assert _formula(expression, {X: _symbol(0), Y: _symbol(1)}) == formula
    assert evaluated(formula, [X.data, Y.data], 0.0) == pytest.approx(expression.data)


def test_long_formulas_are_elided_or_left_out():
    many = [Value(1.0) for _ in range(40)]
    assert formula_of(dot(many, many)) == "{0}·{40} + {1}·{41} + {2}·{42} + … + {39}·{79}"
    assert formula_of(prod(many)) == "prod({0}, {1}, {2}, …, {39})"
    assert partial_formulas(prod(many)) == [None] * 40
    assert len(formula_of(X + 1e-300)) < LONGEST


def test_formulas_do_not_depend_on_modes():
    node = (X * 1.0).sin()
    with no_grad(), detect_anomaly():
        assert partial_formulas(node) == ["cos({0})"]


def test_a_kink_is_shown_on_the_side_where_the_numbers_are():
    assert partial_formulas(abs(Value(-2.0))) == ["sign({0})"]
    assert partial_formulas(Value(-2.0).elu()) == ["exp({0})"]
    assert partial_formulas(Value(2.0).elu()) == ["1"]


def test_every_sign_between_operands_says_how_it_binds():
    assert {row.infix for row in ROWS if row.infix} == set(_SIGNS)
