"""Every row of the table: its derivatives, its three interpreters, its values at the edges."""

import operator
from itertools import product
from math import inf, isnan, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose

import autodiff
from autodiff import Value, ops
from autodiff.rows.primitive import TABLE
from autodiff.rows.reduction import Reduction
from tests.support.samples import (
    ROWS,
    USER_ROWS,
    backward,
    count,
    edges,
    every_row,
    forward_and_vjp,
    grid,
    has_partial,
    lift,
    replaced,
    slope,
    vjp,
)  # fmt: skip

EPS = np.finfo(float).eps
OPERATORS = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
    "pow": operator.pow, "neg": operator.neg, "abs": abs,
}  # fmt: skip
OF_NO_VALUE = {"where", "take", "sum", "mean", "prod", "dot", "logsumexp"}
UFUNC_ROWS = [row for row in ROWS if row.ufunc]
SEVERAL = [row for row in ROWS + USER_ROWS if count(row) > 1]
PARTIALS = [(row, i) for row in ROWS + USER_ROWS for i in range(count(row)) if has_partial(row, i)]

every_partial = pytest.mark.parametrize(
    ("row", "i"), PARTIALS, ids=[f"{row.name}-{i}" for row, i in PARTIALS]
)


def columns(table):
    return [np.array(column) for column in zip(*table, strict=True)]


@every_partial
def test_partial_is_the_slope_of_forward(row, i):
    exact, numeric = [], []
    for operands in grid(row):
        exact.append(row.partials_at(operands, row.apply(operands))[i])
        numeric.append(slope(row.apply, operands, i))
    assert len(exact) >= 8
    assert_allclose(exact, numeric, rtol=1e-9, atol=1e-10)


@every_partial
def test_gradient_of_partial_is_the_slope_of_partial(row, i):
    def partial(operands):
        return row.partials_at(operands, row.apply(operands))[i]

    exact, numeric = [], []
    for operands in grid(row):
        values = lift(row, operands)
        graph = row.partials_at(values, row.apply(tuple(values)))[i]
        assert getattr(graph, "data", graph) == partial(operands)
        if isinstance(graph, Value):  # else a constant, whose gradient is 0
            graph.backward()
        for j, value in enumerate(values):
            if has_partial(row, j):
                exact.append(value.grad)
                numeric.append(slope(partial, operands, j))
    assert_allclose(exact, numeric, rtol=1e-8, atol=1e-8)


@every_row
def test_values_arrays_and_floats_agree(row):
    table = grid(row)
    floats = [forward_and_vjp(row, 1.5, operands) for operands in table]
    on_arrays = forward_and_vjp(row, np.full(len(table), 1.5), columns(table))
    assert_allclose(np.stack(on_arrays), np.transpose(floats), rtol=16 * EPS, atol=16 * EPS)
    scale = np.array([1.0] + [1.5] * (len(on_arrays) - 1))  # `backward` starts from 1
    assert_allclose(scale * [backward(row, operands) for operands in table], floats, rtol=2 * EPS)


@every_row
def test_edges_agree_and_raise_nothing(row):
    table = edges(row)
    floats = [forward_and_vjp(row, 1.0, operands) for operands in table]
    values = [backward(row, operands) for operands in table]
    arrays = forward_and_vjp(row, np.ones(len(table)), columns(table))
    assert {type(x) for line in floats + values for x in line} == {float}
    np.testing.assert_array_equal(values, floats)
    assert_allclose(np.transpose(arrays), floats, rtol=1e-12)


@every_row
def test_partials_at_the_edges_are_those_of_floats_and_have_gradients(row):
    for operands in edges(row):
        values = lift(row, operands)
        on_values = row.partials_at(values, row.apply(tuple(values)))
        on_floats = row.partials_at(operands, row.apply(operands))
        assert repr([getattr(p, "data", p) for p in on_values]) == repr(list(on_floats))
        for partial in on_values:
            if isinstance(partial, Value):
                partial.backward()
    assert {type(v.grad) for v in values if isinstance(v, Value)} == {float}


@pytest.mark.parametrize(
    "row",
    [
        ops.tanh,
        *(ops.sigmoid, ops.softplus, ops.erf, ops.erfc, ops.gelu, ops.silu),
    ],
)
def test_second_derivative_is_zero_where_the_slope_is_flat(row):
    for x in 750.0, -750.0, 1e200:
        value = Value(x)
        row.partials_at((value,), row(value))[0].backward()
        assert value.grad == 0.0


C3 = 1 / 3
CONVENTIONS = [  # op, operands, result, slopes
    ("relu", (0.0,), 0.0, (0.0,)),
    ("relu", (-0.0,), 0.0, (0.0,)),
    ("relu", (nan,), nan, (1.0,)),
    ("leaky_relu", (0.0, 0.25), 0.0, (0.25, 0.0)),
    ("elu", (0.0, 1.0), 0.0, (1.0, 0.0)),
    ("elu", (0.0, 0.5), 0.0, (0.5, 0.0)),
    ("abs", (0.0,), 0.0, (0.0,)),
    ("abs", (-inf,), inf, (-1.0,)),
    ("sign", (-3.0,), -1.0, (0.0,)),
    ("sign", (0.0,), 0.0, (0.0,)),
    ("sign", (nan,), nan, (0.0,)),
    ("maximum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("maximum", (2.0, 2.0, 2.0), 2.0, (C3, C3, C3)),
    ("maximum", (2.0, 1.0, 2.0), 2.0, (0.5, 0.0, 0.5)),
    ("minimum", (2.0, 2.0), 2.0, (0.5, 0.5)),
    ("minimum", (2.0, 1.0, 1.0), 1.0, (0.0, 0.5, 0.5)),
    ("clip", (1.0, 1.0, 2.0), 1.0, (0.0, 0.0, 0.0)),
    ("clip", (2.0, 1.0, 2.0), 2.0, (0.0, 0.0, 0.0)),
    ("clip", (1.5, 1.0, 2.0), 1.5, (1.0, 0.0, 0.0)),
    ("clip", (0.5, 1.0, 2.0), 1.0, (0.0, 1.0, 0.0)),
    ("clip", (2.5, 1.0, 2.0), 2.0, (0.0, 0.0, 1.0)),
    ("clip", (0.0, 1.0, 1.0), 1.0, (0.0, 0.0, 0.0)),
    ("clip", (0.0, 2.0, 1.0), 1.0, (0.0, 0.0, 1.0)),  # the upper end wins, as in NumPy
    ("sqrt", (0.0,), 0.0, (inf,)),
    ("sqrt", (-1.0,), nan, (nan,)),
    ("log", (0.0,), -inf, (inf,)),
    ("log", (-1.0,), nan, (nan,)),
    ("log1p", (-1.0,), -inf, (inf,)),
    ("log1p", (-2.0,), nan, (nan,)),
    ("asin", (1.0,), np.pi / 2, (inf,)),
    ("asin", (-1.0,), -np.pi / 2, (inf,)),
    ("acos", (1.0,), 0.0, (-inf,)),
    ("asin", (1.5,), nan, (nan,)),
    ("div", (1.0, 0.0), inf, (inf, -inf)),
    ("div", (-1.0, 0.0), -inf, (inf, inf)),
    ("div", (1.0, -0.0), -inf, (-inf, -inf)),
    ("div", (0.0, 0.0), nan, (inf, nan)),
    ("div", (49.0, 49.0), 1.0, (1 / 49, -1 / 49)),
    ("div", (3e-200, 2e-200), 1.5, (5e199, -7.5e199)),
    ("exp", (1000.0,), inf, (inf,)),
    ("exp", (-1000.0,), 0.0, (0.0,)),
    ("pow", (-8.0, C3), nan, (nan, nan)),
    ("pow", (-2.0, 3.0), -8.0, (12.0, nan)),
    ("pow", (3.0, 0.0), 1.0, (0.0, np.log(3.0))),
    ("pow", (0.0, 0.0), 1.0, (0.0, 0.0)),
    ("pow", (0.0, 1.0), 0.0, (1.0, 0.0)),
    ("pow", (0.0, 2.0), 0.0, (0.0, 0.0)),
    ("pow", (0.0, 0.5), 0.0, (inf, 0.0)),
    ("pow", (0.0, -1.0), inf, (-inf, -inf)),
    ("tanh", (15.0,), 0.9999999999998128, (3.743049187535369e-13,)),
    ("tanh", (-400.0,), -1.0, (0.0,)),
    ("sigmoid", (40.0,), 1.0, (4.248354255291589e-18,)),
    ("sigmoid", (-40.0,), 4.248354255291589e-18, (4.248354255291589e-18,)),
    ("sigmoid", (-750.0,), 0.0, (0.0,)),
    ("softplus", (1000.0,), 1000.0, (1.0,)),
    ("softplus", (-40.0,), 4.248354255291589e-18, (4.248354255291589e-18,)),
    ("erfc", (10.0,), 2.088487583762545e-45, (-4.197656231354417e-44,)),
    ("gelu", (-12.0,), -2.1317785344932147e-32, (-2.5578956616748956e-31,)),
    ("silu", (-40.0,), -1.6993417021166355e-16, (-1.6568581595637197e-16,)),
    ("prod", (0.0, 2.0, 3.0), 0.0, (6.0, 0.0, 0.0)),
    ("prod", (0.0, 2.0, 0.0), 0.0, (0.0, 0.0, 0.0)),
    ("logsumexp", (1000.0, 1000.0), 1000.6931471805599, (0.5, 0.5)),
    ("logsumexp", (-1000.0, -1000.0), -999.3068528194401, (0.5, 0.5)),
    ("logsumexp", (3.0, -inf), 3.0, (1.0, 0.0)),
    ("logsumexp", (-inf, -inf), -inf, (nan, nan)),
    ("logsumexp", (inf, 3.0), inf, (nan, 0.0)),
    ("logsumexp", (1e200, 1e200), 1e200, (0.5, 0.5)),
    ("atan2", (1e200, 1e200), np.pi / 4, (5e-201, -5e-201)),
    ("atan2", (1e-200, -1e-200), 3 * np.pi / 4, (-5e199, -5e199)),
    ("atan2", (-1e200, 1.0), -np.pi / 2, (0.0, 1e-200)),
    ("atan2", (1.0, -1e200), np.pi, (-1e-200, -0.0)),
    ("atan2", (0.0, -1.0), np.pi, (-1.0, -0.0)),
    ("atan2", (1.0, inf), 0.0, (0.0, 0.0)),
    ("atan2", (inf, -inf), 3 * np.pi / 4, (0.0, 0.0)),
    ("maximum", (nan, 1.0), nan, (nan, nan)),
    ("minimum", (1.0, nan), nan, (nan, nan)),
]
CONVENTIONS_OF_NAN = [("maximum", (nan, 1.0)), ("maximum", (1.0, nan)), ("minimum", (nan, 1.0)),
                      ("clip", (nan, 0.0, 1.0)), ("clip", (0.0, nan, 1.0))]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "out", "slopes"), CONVENTIONS)
def test_slopes_at_kinks_and_edges_follow_the_conventions(name, operands, out, slopes):
    row, expected = TABLE[name], [out, *slopes]
    arrays = forward_and_vjp(row, np.ones(1), [np.array([x]) for x in operands])
    assert_allclose(forward_and_vjp(row, 1.0, operands), expected, rtol=1e-12)
    assert_allclose(backward(row, operands), expected, rtol=1e-12)
    assert_allclose(np.ravel(arrays), expected, rtol=1e-12)
    if np.isfinite(out) and out == int(out):
        assert row.apply(operands) == out  # 49 / 49 is 1 to the bit


@pytest.mark.parametrize(("name", "operands"), CONVENTIONS_OF_NAN)
def test_choice_among_nan_is_nan(name, operands):
    row = TABLE[name]
    assert isnan(row.apply(operands))
    assert isnan(row.apply(tuple(map(np.array, operands))))


CUT = [  # at 0 the branch not taken has slope inf or nan
    lambda x: ops.where(x > 0, ops.log(x), 0.0),
    lambda x: ops.where(x > 0, x * ops.log(x), 0.0),
    lambda x: ops.where(x <= 0, 0.0, 1 / x),
    lambda x: ops.sqrt(ops.where(x > 0, x, 0.0)),
    lambda x: ops.sqrt(ops.relu(x)),
    lambda x: ops.sqrt(ops.clip(x, 0.0, 1.0)),
    lambda x: ops.sqrt(ops.maximum(x - 1, 0.0)),
    lambda x: ops.sqrt(ops.sign(x)),
    lambda x: ops.sign(ops.log(x)),
]


@pytest.mark.parametrize("f", CUT)
def test_no_cotangent_crosses_to_unselected_operands(f):
    x = Value(0.0)
    f(x).backward()
    assert x.grad == 0.0


@pytest.mark.parametrize("ct", [inf, -inf, nan])
@pytest.mark.parametrize(
    ("name", "operands"),
    [("where", (1.0, 2.0, 3.0)), ("relu", (-1.0,)), ("sign", (2.0,)), ("maximum", (3.0, 2.0)),
     ("minimum", (2.0, 3.0)), ("clip", (2.0, 0.0, 1.0))],
)  # fmt: skip
def test_an_infinite_cotangent_gives_zero_where_the_slope_is_zero(name, operands, ct):
    row = TABLE[name]
    slopes = np.array(vjp(row, 1.0, operands), float)
    expected = np.where(slopes == 0, 0.0, ct)[~np.isnan(slopes)]
    on_arrays = forward_and_vjp(row, np.array(ct), list(map(np.array, operands)))[1:]
    np.testing.assert_array_equal(forward_and_vjp(row, ct, operands)[1:], expected)
    np.testing.assert_array_equal(on_arrays, expected)


def test_constant_exponent_keeps_the_slope_at_a_negative_base():
    x = Value(-2.0)
    (x**3).backward()
    assert x.grad == 12.0


@pytest.mark.parametrize("x", [2.0, 0.5])
def test_slope_of_a_power_by_its_base_has_a_slope_by_its_exponent_at_zero(x):
    """d/dy (y x^(y - 1)) is 1 / x at y = 0."""
    base, exponent = Value(x), Value(0.0)
    slope = ops.pow.partials_at((base, exponent), base**exponent)[0]
    assert slope.data == 0.0
    slope.backward()
    assert (base.grad, exponent.grad) == (0.0, 1 / x)


OUTSIDE = [
    (ops.log, -2.0), (ops.log1p, -3.0), (ops.sqrt, -2.0), (ops.asin, 1.5), (ops.acos, -1.5),
    (lambda x: ops.pow(x, 0.5), -2.0), (lambda x: ops.pow(x, Value(0.3)), -2.0),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x"), OUTSIDE)
def test_outside_a_domain_derivatives_of_every_order_are_nan(f, x):
    for _ in range(4):
        assert isnan(f(x) if isinstance(f(x), float) else f(x).data)
        f = autodiff.grad(f)


@pytest.mark.parametrize("y", [-1.5, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0])
def test_the_hessian_of_a_power_is_symmetric_at_zero(y):
    (_, xy), (yx, _) = autodiff.hessian(lambda v: v[0] ** v[1])([0.0, y])
    mixed = [0.0, -inf, inf][(y > 0) - (y > 1) - (y < 0)]  # the limit of x^(y - 1) (1 + y log x)
    assert (xy, yx) == (mixed, mixed)


@pytest.mark.parametrize("shift", [0.0, -1000.0, 1000.0, 1e8])
@pytest.mark.parametrize("order", [1, 2])
def test_softmax_is_right_to_a_few_units(shift, order):
    xs = [shift, shift - 1.0, shift - 0.25]
    e = [1.0, np.exp(-1.0), np.exp(-0.25)]
    p = np.array(e) / np.sum(e)
    slopes = autodiff.grad(autodiff.logsumexp)
    found = slopes(xs) if order == 1 else autodiff.jacobian(slopes)(xs)
    assert_allclose(found, p if order == 1 else np.diag(p) - np.outer(p, p), rtol=4 * EPS)


def sides(row, i, others):
    """What the row and its partials give where operand i is 0.0 and where it is -0.0."""
    for zero in 0.0, -0.0:
        operands = replaced(others, i, zero)
        out = row.apply(tuple(operands))
        yield [out, *[p for p in row.partials_at(operands, out) if p is not None]]


@every_row
def test_a_row_says_which_operands_tell_the_sign_of_a_zero(row):
    for i in range(count(row)):
        pairs = [list(sides(row, i, list(others))) for others in edges(row)[::7]]
        is_told = any(not np.array_equal(*pair, equal_nan=True) for pair in pairs)
        assert is_told <= (i in row.signed)
        assert (i in row.signed) <= (is_told or row in USER_ROWS)


@every_row
def test_a_row_says_where_its_results_are_never_negative(row):
    def is_signed(x):
        return x < 0 or (x == 0 and np.signbit(x))

    table = [list(operands) for operands in edges(row) + grid(row)]
    results = [row.apply(tuple(operands)) for operands in table]
    kept = [
        out
        for operands, out in zip(table, results, strict=True)
        if not any(is_signed(x) for i, x in enumerate(operands) if has_partial(row, i))
    ]
    assert not row.unsigned or not any(map(is_signed, results))
    assert not row.keeps_unsigned or not any(map(is_signed, kept))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_whether_a_slope_may_be_infinite(row):
    places = (-1000.0, -1.0, 0.0, 0.5, 1.0, 2.0, 1000.0)
    slopes = [
        slope
        for operands in product(places, repeat=count(row))
        for slope in row.partials_at(operands, row.value_at(operands))
        if slope is not None
    ]
    assert row.singular == (not np.isfinite(slopes).all())


def test_rows_have_unique_names_and_labels():
    assert len({row.label for row in ROWS}) == len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row_is_public_under_its_name(row):
    assert getattr(autodiff, row.name) is getattr(ops, row.name) is TABLE[row.name] is row
    assert row.name in autodiff.__all__


@every_row
def test_row_has_one_domain_per_operand(row):
    assert len(row.domain) == (row.arity or 1)
    for domain in row.domain:
        assert all(domain.low < kink < domain.high for kink in domain.kinks)


def breaks(row, operands, i, x):
    """Whether the slope in operand `i` is not finite at `x`, or differs from side to side."""
    at, left, right = (row.apply(replaced(operands, i, x + h)) for h in (0.0, -1e-6, 1e-6))
    slopes = np.array([at - left, right - at]) / 1e-6
    return not (np.ptp(slopes) < 0.01 and np.abs(slopes).max() < 100)


@every_row
def test_domain_ends_and_kinks_are_where_the_slope_breaks(row):
    for i, domain in enumerate(row.domain):
        if (row, i) == (ops.atan2, 1):
            continue  # its kink is where both operands are 0, which no sample is
        for x in {domain.low, domain.high, *domain.kinks} - {-inf, inf}:
            assert any(breaks(row, operands, i, x) for operands in grid(row))


@pytest.mark.parametrize(
    "row", [r for r in ROWS + USER_ROWS if count(r) > 1], ids=lambda row: row.name
)
def test_equal_operands_are_a_kink_where_the_row_says_so(row):
    equal = (0.5,) * count(row)

    def one_sided(i, step):
        return (row.apply(replaced(equal, i, 0.5 + step)) - row.apply(equal)) / step

    operands = [i for i in range(len(equal)) if has_partial(row, i)]
    jumps = [abs(one_sided(i, 1e-6) - one_sided(i, -1e-6)) for i in operands]
    assert (max(jumps) > 0.1) == row.ties


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_value_has_the_method_or_operator(row):
    operands = grid(row)[1]
    calls = [call for call in (OPERATORS.get(row.name), getattr(Value, row.name, None)) if call]
    assert bool(calls) == (row.name not in OF_NO_VALUE)
    for call in calls:
        out = call(*map(Value, operands))
        assert (out.op, out.data) == (row, row.apply(operands))


@pytest.mark.parametrize("row", UFUNC_ROWS, ids=lambda row: row.ufunc)
def test_numpy_ufunc_works_on_values(row):
    ufunc = getattr(np, row.ufunc)
    table = [operands[:2] if row.arity is None else operands for operands in grid(row)]
    on_values = [ufunc(*map(Value, operands)) for operands in table]
    on_objects = ufunc(*[np.array(list(map(Value, column))) for column in zip(*table, strict=True)])
    expected = [row.apply(operands) for operands in table]
    assert {out.op for out in on_values} == {row}
    assert [out.data for out in on_values] == expected
    # np.sign and np.maximum on objects compare and return no result of an op
    assert [getattr(out, "data", out) for out in on_objects] == expected


# Facts of rows

TEXTBOOK = [row for row in ROWS if row.textbook]


def partials_by_the_book(row, operands, out):
    """What the textbook's partials give, one per operand."""
    if isinstance(row, Reduction):
        (partials,) = row.textbook
        return partials(operands, out)
    return [None if p is None else p(*operands, out) for p in row.textbook]


def test_some_rows_have_partials_of_a_textbook():
    assert {"tanh", "sigmoid", "sqrt", "pow", "log", "logsumexp"} <= {row.name for row in TEXTBOOK}


@pytest.mark.parametrize("row", TEXTBOOK, ids=lambda row: row.name)
def test_partials_of_a_textbook_are_those_of_the_row(row):
    for operands in grid(row):
        out = row.apply(operands)
        book = partials_by_the_book(row, operands, out)
        assert_allclose(book, row.partials_at(operands, out), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("row", TEXTBOOK, ids=lambda row: row.name)
def test_partials_of_a_textbook_have_the_slopes_of_those_of_the_row(row):
    def slopes(partials, operands, i):
        values = lift(row, operands)
        slope = partials(values, row.apply(tuple(values)))[i]
        if isinstance(slope, Value):
            slope.backward()
        return [value.grad for value in values]

    for operands in grid(row):
        for i in range(count(row)):
            book = slopes(lambda *args: partials_by_the_book(row, *args), operands, i)
            assert_allclose(book, slopes(row.partials_at, operands, i), rtol=1e-9, atol=1e-11)


@every_row
def test_a_row_with_signs_is_the_sum_with_these_signs(row):
    for operands in grid(row):
        signs = row.signs * count(row) if row.arity is None else row.signs
        signed = sum(sign * x for sign, x in zip(signs, operands, strict=bool(signs)))
        assert not row.signs or row.apply(operands) == pytest.approx(signed, rel=1e-15)


def test_sums_have_signs():
    assert {row.name: row.signs for row in ROWS if row.signs} == {
        "add": (1, 1), "sub": (1, -1), "neg": (-1,), "sum": (1,)
    }  # fmt: skip


NEUTRAL = [row for row in ROWS if getattr(row, "neutral", None) is not None]


@pytest.mark.parametrize("row", NEUTRAL, ids=lambda row: row.name)
def test_one_more_neutral_operand_changes_nothing(row):
    for operands in grid(row) + edges(row)[::5]:
        half = len(operands) // max(1, row.sequences)
        sequences = [list(operands[i : i + half]) for i in range(0, len(operands), half)]
        more = row.apply(row.bind(*[[*sequence, row.neutral] for sequence in sequences]))
        assert repr(more) == repr(row.apply(tuple(operands)))


def test_every_reduction_but_the_mean_has_a_neutral_operand():
    without = [row for row in ROWS if isinstance(row, Reduction) and row not in NEUTRAL]
    assert without == [ops.mean]
