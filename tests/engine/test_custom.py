"""`custom_op`: rows of a user. What every row can do, the tests over the table show."""

import copy
import math
import pickle
import re
from math import inf, nan

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import autodiff
from autodiff import (
    AnomalyError,
    Domain,
    Value,
    custom_op,
    detect_anomaly,
    grad,
    gradcheck,
    jvp,
    ops,
)
from autodiff.rows import arrays as array
from autodiff.rows.primitive import TABLE, UFUNCS
from tests.support.process import run
from tests.support.samples import USER_ROWS

CBRT, BUMP, PICK, LOG = USER_ROWS


@pytest.fixture
def tables():
    """Nothing that a test declares is there after it."""
    kept = [(table, dict(table)) for table in (TABLE, UFUNCS, array.CUSTOM)]
    yield
    for table, before in kept:
        table.clear()
        table.update(before)


def test_third_derivatives_come_from_the_row():
    third = grad(grad(grad(CBRT)))(8.0)
    assert third == pytest.approx(10 / 27 / 8 ** (8 / 3), rel=1e-14)
    assert jvp(grad(BUMP), (0.5, 1.0), (1.0, 0.0))[1] == pytest.approx(-math.exp(-0.25))
    for f, x in (CBRT, (-2.0,)), (BUMP, (0.5, 0.7)), (LOG, (3.0,)):
        assert gradcheck(f, x).passed
    assert gradcheck(lambda x, y: PICK(x > y, x * y, y), (2.0, 1.0)).passed


def test_rows_have_names_labels_and_defaults():
    node = BUMP(Value(0.5))
    assert (node.op, node.data, BUMP.label, CBRT.label) == (
        BUMP, math.exp(-0.25), "bump", "user_cbrt",
    )  # fmt: skip
    assert TABLE["user_bump"] is BUMP
    with pytest.raises(TypeError, match="user_bump takes 1 to 2 operands, got 3"):
        BUMP(1.0, 2.0, 3.0)


def test_a_ufunc_records_the_row_that_spells_it():
    node = np.cbrt(Value(8.0))
    assert (node.op, node.data) == (CBRT, 2.0)


@pytest.mark.usefixtures("tables")
def test_a_ufunc_of_ours_stays_ours():
    custom_op("own_exp", ops.exp, lambda x, out: out, array=np.exp)
    assert np.exp(Value(0.0)).op is ops.exp


def test_a_choice_cuts_edges_at_every_order():
    assert grad(lambda x: PICK(x > 0, ops.log(x), 0.0))(0.0) == 0.0
    assert grad(grad(lambda x: PICK(x > 0, ops.log(x), x * x)))(0.0) == -2.0
    with pytest.raises(TypeError, match="user_pick: operand 0, without derivative, is a Value"):
        PICK(Value(1.0), 2.0, 3.0)


def test_graphs_are_copied_and_pickled():
    root = CBRT(Value(8.0)) * 2
    for other in copy.deepcopy(root), pickle.loads(pickle.dumps(root)):
        assert other.operands[0].op is CBRT
        other.backward()
        assert other.operands[0].operands[0].grad == pytest.approx(1 / 6)


def test_unpickling_without_the_declaration_says_what_to_do():
    done = run(f"import pickle; pickle.loads({pickle.dumps(CBRT(Value(8.0)))})")
    assert "LookupError: there is no op 'user_cbrt': declare it with custom_op" in done.stderr


def test_anomalies_name_the_row():
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"user_log\(0.0\) is -inf"):
        LOG(Value(0.0))


def test_without_an_array_form_it_runs_element_by_element():
    x = np.array([[0.0, 0.5, 1.0]], np.float32)
    out = BUMP(x, 2.0)
    assert (out.dtype, out.shape) == (np.float32, (1, 3))
    np.testing.assert_allclose(out, np.exp(-2 * x * x), rtol=1e-6)
    assert BUMP(np.empty((0, 2))).shape == (0, 2)


@pytest.mark.usefixtures("tables")
def test_a_custom_row_has_the_facts_that_it_was_given():
    row = custom_op(
        "own", lambda x, y: x - y, [lambda x, y, out: 1.0, lambda x, y, out: -1.0],
        signs=[1, -1], singular=False, textbook=[one_of_two, lambda x, y, out: -1.0],
    )  # fmt: skip
    assert (row.signs, row.singular, len(row.textbook)) == ((1, -1), False, 2)
    assert [partial(3.0, 2.0, 1.0) for partial in row.textbook] == [1.0, -1.0]
    assert CBRT.singular
    assert (CBRT.signs, CBRT.textbook) == ((), ())


def one_of_two(x, y, out):
    return 1.0


@pytest.mark.usefixtures("tables")
def test_results_of_any_kind_of_number_are_floats():
    row = custom_op("own_floor", lambda x: math.floor(x), lambda x, out: 0, selects=True)  # noqa: PLW0108
    node = row(Value(2.5))
    node.backward()
    assert (type(row(2.5)), type(node.data), node.data) == (float, float, 2.0)
    assert type(node._partials[0]) in (float, type(None))


@pytest.mark.usefixtures("tables")
def test_later_errors_name_the_op_and_the_part():
    row = custom_op(
        "own",
        lambda x: "text" if x > 1 else x,
        lambda x, out: None if x < 0 else 1.0,
        array=lambda x: x if len(x) < 3 else x[:1],
    )
    with pytest.raises(TypeError, match="forward of own gave no real number: str 'text'"):
        row(Value(2.0))
    with pytest.raises(TypeError, match="partial 0 of own gave no real number: NoneType None"):
        row(Value(-2.0))
    with pytest.raises(ValueError, match=r"own: its array form gave \(1,\) on shapes \[\(3,\)\]"):
        row(np.ones(3))


@pytest.mark.usefixtures("tables")
def test_the_error_of_a_partial_names_the_ops_to_use():
    row = custom_op("own", lambda x: x * x, lambda x, out: 2 * out / x)
    assert grad(row)(3.0) == 6.0
    with pytest.raises(ZeroDivisionError) as caught:
        row(Value(0.0))
    (note,) = caught.value.__notes__
    assert note.startswith("in partial 0 of own: write autodiff's div, pow, exp, which give inf")


@pytest.mark.usefixtures("tables")
def test_partials_may_be_constants_and_domains_may_be_unbounded():
    inside = []

    def forward(x):
        inside.append(x)
        return 2.0 * x

    for i, domain in enumerate(
        [Domain(), Domain(low=3.0), Domain(high=-5.0), Domain(1.0, 1.25), Domain(kinks=(0.5,))]
    ):
        custom_op(f"own{i}", forward, lambda x, out: 2.0, domain=domain)
        assert all(domain.low < x < domain.high and x not in domain.kinks for x in inside)
        inside.clear()


def one(x, out):
    return 1.0


def same(x):
    return x


WRONG = [
    ((1, same, one), {}, "the name of an op is an identifier, got int 1"),
    (("2x", same, one), {}, "the name of an op is an identifier, got str '2x'"),
    (("lambda", same, one), {}, "the name of an op is an identifier, got str 'lambda'"),
    (("exp", same, one), {}, "exp: the name 'exp' is taken by <op exp>; take another"),
    (("own", same, one), {"label": "+"}, r"own: the label '\+' is taken by <op add>"),
    (("own", same, []), {}, "own: an op has at least one operand, and a partial for each"),
    (("own", same, [one, one]), {}, r"own: forward takes \(x\), but .* a partial each for 2 oper"),
    (("own", lambda x, y: x, one), {}, r"forward takes \(x, y\), .* a partial each for 1 operand$"),
    (("own", same, same), {}, r"partial 0 takes \(x\), .* for 1 operand, and the result last"),
    (("own", lambda x, y: x, [None, one]), {}, r"own: partial 1 takes \(x, out\)"),
    (("own", 3, one), {}, "own: forward must be a function, got int 3"),
    (("own", same, 3), {}, "own: partials must be a function or a list of them, got int 3"),
    (("own", same, [3]), {}, "own: partial 0 must be a function, got int 3"),
    (("own", lambda x: "s", one), {}, "forward of own gave no real number: str 's'"),
    (("own", lambda x: None, one), {}, "forward of own gave no real number: NoneType None"),
    (("own", lambda x: 1j, one), {}, "forward of own gave no real number: complex 1j"),
    (("own", lambda x: 1 / (x - 0.5), one), {}, r"forward fails at \(0.5\): ZeroDivisionError"),
    (("own", same, lambda x, out: "s"), {}, "partial 0 of own gave no real number: str 's'"),
    (("own", same, lambda x, out: math.exp(x)), {}, "fails on Values; write it in autodiff's ops"),
    (("own", same, one), {"array": 3}, "array is neither a function nor an expression in .*: 3"),
    (("own", same, one), {"array": "np.exp({1})"}, "neither a function nor an expression in"),
    (("own", same, one), {"array": "np.exp({0}"}, r"an expression in .*'\(' was never closed"),
    (("own", same, one), {"array": "nump.exp({0})"}, "array form fails .*name 'nump' is not def"),
    (("own", same, one), {"array": np.exp}, r"own: at \(0.5\) forward gives 0.5, array 1.64872"),
    (("own", same, one), {"array": np.arctanh}, "forward gives 0.5, array 0.549306"),
    (("own", same, one), {"array": np.sum}, r"its array form gave \(\) on shapes \[\(2,\)\]"),
    (("own", same, one), {"domain": [Domain()] * 2}, "own: 1 operands need a Domain each"),
    (("own", same, one), {"domain": [(0, 1)]}, "own: 1 operands need a Domain each"),
    (("own", same, one), {"defaults": [1.0]}, "own: 1 defaults for 1 operands"),
    (("own", same, one), {"signs": [1, 1]}, r"own: signs must be 1 or -1 per operand, got list"),
    (("own", same, one), {"signs": [2]}, "own: signs must be 1 or -1 per operand, got list"),
    (("own", same, one), {"signs": [-1]}, r"at \(0.5\) forward gives 0.5, the signed sum -0.5"),
    (("own", same, one), {"textbook": [one, one]}, "own: 2 textbook partials for 1 operand"),
    (("own", same, one), {"textbook": 3}, "own: textbook must be a function or a list of them"),
    (("own", same, one), {"textbook": lambda x, out: x}, r"partial 0 gives 1, the textbook's 0.5"),
    (("own", same, one), {"textbook": lambda x, out: 1 / 0}, "textbook 0 fails at .*: ZeroDiv"),
]


@pytest.mark.parametrize(("args", "options", "message"), WRONG)
def test_arguments_that_do_not_fit_are_refused_and_declare_nothing(args, options, message):
    before = dict(TABLE), dict(UFUNCS), dict(array.CUSTOM)
    with pytest.raises((TypeError, ValueError), match=message):
        custom_op(*args, **options)
    assert before == (TABLE, UFUNCS, array.CUSTOM)


def test_custom_ops_follow_ieee_at_the_edges():
    assert_array_equal([CBRT(-inf), CBRT(nan), LOG(-1.0)], [-inf, nan, nan])


# In kernels


def function(row):
    """A function of two numbers in which `row` has an operand that it depends on twice."""
    if row is PICK:
        return lambda x, y: PICK(x > y, x * y, y * y)
    if row is BUMP:
        return lambda x, y: BUMP(x * y, x + 2.0) + BUMP(y)
    return lambda x, y: row(x * y) * y + row(x + 2.0)


@pytest.mark.parametrize("row", USER_ROWS, ids=lambda row: row.name)
def test_kernels_of_custom_ops_equal_eager_execution(row):
    w = Value(0.7)
    f = function(row)
    kernel = autodiff.compile(lambda x, y: f(x, w * y) + w)
    x, y = np.array([0.5, 0.9, 1.5, 2.0]), np.array([1.0, 1.7, 0.3, 0.6])
    expected = [f(a, w.data * b) + w.data for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(kernel(x, y), expected, rtol=1e-14)
    slopes = [grad(lambda w, a=a, b=b: f(a, w * b) + w)(0.7) for a, b in zip(x, y, strict=True)]
    value, gradient = kernel.value_and_grad(x, y)
    np.testing.assert_allclose([value, *gradient], [np.mean(expected), np.mean(slopes)], rtol=1e-13)
    _, by_x = kernel.value_and_grad(x, y, argnums=0)
    slopes = [grad(f)(a, 0.7 * b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(by_x, slopes, rtol=1e-13)
    assert gradcheck(kernel, (x, y)).passed


def test_kernels_multiply_by_the_hessian_of_a_row():
    w, v = Value(0.7), 1.5
    kernel = autodiff.compile(lambda x: BUMP(w * x, x) + CBRT(w + x))
    x = np.array([0.5, 0.9])
    second = [grad(grad(lambda w, a=a: BUMP(w * a, a) + CBRT(w + a)))(0.7) for a in x]
    np.testing.assert_allclose(kernel.hvp(x, vector=[v]), [v * np.mean(second)], rtol=1e-12)


def test_the_source_of_a_kernel_names_the_array_form():
    kernel = autodiff.compile(lambda x: CBRT(x) + BUMP(x, 2.0) + LOG(x) + PICK(x > 1, x, 2.0))
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(kernel(x), CBRT(x) + BUMP(x, 2.0) + LOG(x) + np.where(x > 1, x, -2))
    for text in "np.cbrt(", "custom['user_bump'](", "custom['user_log'](", "np.where(":
        assert text in kernel.source


def shifted(x):
    return x * x


class Methods:
    def square(self, x):
        return x * x


FORMS = {
    "a function of NumPy": np.square.__call__,
    "an expression": "{0} * {0}",
    "a ufunc": np.square,
    "a ufunc in an expression": "np.square({0})",
    "a ufunc of a ufunc": "np.square(np.negative({0}))",
    "a function of NumPy in an expression": "np.sinc({0}) * 0.0 + {0}**2",
    "a function that takes no out": "np.nan_to_num({0} * {0})",
    "one function that takes no out": "np.float_power({0}, 2.0)",
    "a keyword": "np.multiply({0}, {0}, dtype=None)",
    "an operand too many": "np.square({0}, None)",
    "a choice": "np.where({0} > 0, {0} * {0}, {0} * {0})",
    "calls in calls": "np.abs(np.maximum({0}, -{0}) * np.minimum(np.abs({0}), np.inf))",
    "a comment": "{0} * {0}  # the square",
    "a long comment": "{0} * {0}  # " + "the square of it " * 9,
    "lines": " (\n{0}\n*\n{0})\n",
    "braces": "{{1: {0}}}[1] * {0}",
    "a lambda": "(lambda x: x * {0})({0})",
    "a comprehension": "np.array([step * step for step in {0}])",
    "a walrus": "(own1 := {0}) * own1",
    "a builtin": "abs({0}) ** 2",
    "math": "{0} ** math.sqrt(4.0)",
    "a lambda itself": lambda x: x * x,
    "a function": shifted,
    "a method": Methods().square,
    "a vectorized function": np.vectorize(lambda x: x * x, otypes=[float]),
    "a vectorized function of any type": np.vectorize(lambda x: x * x),
    "a ufunc of Python's": np.frompyfunc(lambda x: x * x, 1, 1),
    "nothing": None,
}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("form", FORMS)
def test_any_array_form_runs_in_kernels(form):
    row = custom_op("own", lambda x: x * x, lambda x, out: 2.0 * x, array=FORMS[form])
    w = Value(0.5)

    def f(x, abs, step, own1):
        return row(w * x) * row(abs) + row(step + own1) * 3.0 + row(x)

    args = np.random.default_rng(0).normal(size=(4, 3))
    kernel = autodiff.compile(f)
    kernel.check(*args)
    assert autodiff.compile(f, dtype=np.float32)(*args).dtype == np.float32
    is_in_place = re.search(r"np\.square\(\w+, out=own\d\)", kernel.source) is not None
    assert is_in_place == (form in ("a ufunc", "a ufunc in an expression"))


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("text", "forward"),
    [("{0} ** {1}", lambda x, y: x**y), ("{1} * {0} ** 2.0", lambda x, y: y * x**2),
     ("np.hypot({1}, {0} ** 2)", lambda x, y: math.hypot(y, x * x)),
     ("-{0} ** 2 + {1}", lambda x, y: y - x * x)],
)  # fmt: skip
def test_a_negative_number_in_an_expression_is_one_operand(text, forward):
    row = custom_op("own", forward, [lambda x, y, out: 0.0] * 2, array=text)
    x = np.array([2.0, 3.0])
    with np.errstate(all="ignore"):
        expected = [row(-2.0, t) for t in x]
    assert autodiff.compile(lambda x: row(-2.0, x))(x).tolist() == expected


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("name", ["np", "math", "sinc", "custom", "step", "bind", "größe", "ﬁ"])
def test_an_op_may_have_any_name(name):
    row = custom_op(name, math.sin, lambda x, out: ops.cos(x), array=lambda x: np.sin(x))  # noqa: PLW0108
    kernel = autodiff.compile(lambda x, step: row(x * step) + row(step), dtype=float)
    kernel.check(np.ones(2), np.array([0.1, 0.2]))
    assert kernel.source.isascii()


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("array", "message"),
    [(np.add, "np.add takes 2 operands, the op 1"), ("{0[a]}", "neither a function nor an expr"),
     ("x0 * {0}", "name 'x0' is not defined"), ("np.sum({0})", r"gave \(\) on shape \(2,\)"),
     (np.sum, r"gave \(\) on shapes")],
)  # fmt: skip
def test_an_array_form_of_other_operands_is_refused(array, message):
    with pytest.raises(ValueError, match=message):
        custom_op("own", lambda x: 2.0 * x, lambda x, out: 2.0, array=array)
    assert "own" not in TABLE


@pytest.mark.usefixtures("tables")
def first_is_set(x):
    x[0] = 1.0
    return x


@pytest.mark.usefixtures("tables")
def test_an_array_form_that_writes_to_its_operands_is_refused():
    with pytest.raises(ValueError, match="read-only"):
        custom_op("own", lambda x: 1.0, lambda x, out: 0.0, array=first_is_set)


@pytest.mark.usefixtures("tables")
def test_the_caller_owns_the_results_of_an_array_form():
    same = custom_op("own", lambda x: x, lambda x, out: 1.0, array=lambda x: x[...])
    x = np.ones(3)
    found = same(x)
    found[:] = 2.0
    assert x.tolist() == [1.0] * 3


def test_a_ufunc_with_fewer_operands_is_refused():
    with pytest.raises(ValueError, match=r"own: np.exp takes 1 operands?, the op 2"):
        custom_op("own", lambda x, y: math.exp(x), [lambda x, y, out: out] * 2, array=np.exp)


def test_a_ufunc_is_traced_as_the_row_that_spells_it():
    kernel = autodiff.compile(lambda x: np.cbrt(x) * 2)
    np.testing.assert_allclose(kernel(np.array([8.0, 27.0])), [4.0, 6.0])


@pytest.mark.usefixtures("tables")
def test_partials_with_signs_for_div_and_pow_compile():
    row = custom_op("own", lambda x: 1 / x, lambda x, out: 0 - 1 / x**2, domain=Domain(low=0.0))
    kernel = autodiff.compile(row)
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(kernel.value_and_grad(x, argnums=0)[1], -(x**-2.0))


@pytest.mark.usefixtures("tables")
def test_a_slope_of_0_has_a_slope_of_its_own_beside_a_number():
    row = custom_op("own", lambda x, n: x * x * n, [lambda x, n, out: 2.0 * x * n, None])
    assert grad(grad(lambda x: row(x, 3.0)))(0.0) == 6.0
    w = Value(0.0)
    kernel = autodiff.compile(lambda x: row(w, 3.0) + 0.0 * x)
    kernel(np.ones(1))
    assert kernel.hvp(np.ones(1), vector=[1.0]) == [6.0]
    with pytest.raises(TypeError, match="operand 1, without derivative, is a Value"):
        row(w, w)
    with pytest.raises(TypeError, match="operand 1, without derivative, is a Value"):
        autodiff.compile(lambda x: row(x, w))(np.ones(1))


def test_kernels_send_no_cotangent_to_unselected_operands():
    kernel = autodiff.compile(lambda x: ops.where(x > 0, LOG(x), 0.0) + PICK(x > 0, CBRT(x), 1.0))
    x = np.array([0.0, 8.0])
    assert_array_equal(kernel(x), [-1.0, math.log(8.0) + 2.0])
    assert_array_equal(kernel.value_and_grad(x, argnums=0)[1], [0.0, 1 / 8 + 1 / 12])


def test_kernels_keep_the_precision_they_are_asked_for():
    kernel = autodiff.compile(lambda x: CBRT(x) + BUMP(x), dtype=np.float32)
    out = kernel(np.array([8.0], np.float32))
    assert (out.dtype, out.tolist()) == (np.float32, [2.0])
