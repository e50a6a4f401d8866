"""What `help` and editors show of an op, from its row."""

import inspect
import pydoc

import pytest
from numpy.testing import assert_allclose

import autodiff
from autodiff import ops
from autodiff.rows.arrays import CUSTOM
from autodiff.rows.documentation import derivatives, documentation, operands_of
from autodiff.rows.primitive import INNER, TABLE, retract
from autodiff.rows.reduction import Reduction, Selection
from tests.support.samples import ROWS, USER_ROWS, count, every_row, grid

CBRT, BUMP, PICK, LOG = USER_ROWS
SIGNATURES = {
    "clip": "(x, low, high)",
    "leaky_relu": "(x, slope=0.01)",
    "elu": "(x, alpha=1.0)",
    "where": "(condition, x, y)",
    "atan2": "(y, x)",
    "add": "(x, y)",
    "exp": "(x)",
    "sum": "(xs)",
    "dot": "(ws, xs)",
    "maximum": "(*xs)",
    "take": "(xs, index)",
    "user_bump": "(x, w=1.0)",
    "user_cbrt": "(x)",
    "user_pick": "(condition, x, y)",
}


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items())
def test_an_op_has_a_signature(name, signature):
    assert str(inspect.signature(TABLE[name])) == signature


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: ops.clip(3.0, low=0, high=1), 1.0),
        (lambda: ops.clip(high=1, low=0, x=3.0), 1.0),
        (lambda: ops.leaky_relu(-2.0, slope=0.5), -1.0),
        (lambda: ops.leaky_relu(x=-2.0), -0.02),
        (lambda: ops.where(condition=False, x=1.0, y=2.0), 2.0),
        (lambda: ops.dot(ws=[1.0], xs=[2.0]), 2.0),
        (lambda: ops.sum(xs=[1.0, 2.0]), 3.0),
        (lambda: ops.take(xs=[1.0, 2.0], index=1), 2.0),
        (lambda: BUMP(0.0, w=3.0), 1.0),
        (lambda: autodiff.Value(-2.0).leaky_relu(slope=0.5).data, -1.0),
    ],
)
def test_operands_may_be_named(call, expected):
    assert call() == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.clip(1.0, lo=0.0), r"clip\(x, low, high\) has no parameter 'lo'"),
        (lambda: ops.clip(1.0, low=0.0), r"clip\(x, low, high\): missing .* 'high'"),
        (lambda: ops.clip(1.0, 0.0, 1.0, low=0.0), r"clip\(x, low, high\): multiple values .*"),
        (lambda: ops.maximum(1.0, x=2.0), r"maximum\(\*xs\) has no parameter 'x'"),
        (lambda: ops.take([1.0], i=0), r"take\(xs, index\) has no parameter 'i'"),
        (lambda: BUMP(1.0, v=2.0), r"user_bump\(x, w=1.0\) has no parameter 'v'"),
        (lambda: autodiff.Value(1.0).elu(slope=2.0), r"elu\(x, alpha=1.0\) has no .* 'slope'"),
    ],
)
def test_a_wrong_name_is_a_type_error_that_shows_the_parameters(call, message):
    with pytest.raises(TypeError, match=f"^{message}"):
        call()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_help_shows_call_meaning_domain_and_derivatives(row):
    text = pydoc.plain(pydoc.render_doc(row))
    for part in (f"{row.name}{row.signature}", row.meaning, "Smooth inside: ", "d/d"):
        assert part in text


def test_every_row_says_what_it_is():
    assert all(row.meaning for row in [*ROWS, *INNER.values()] if row.name in vars(ops))


def test_help_of_clip_reads_as_a_page():
    assert ops.clip.__doc__.splitlines() == [
        "clip(x, low, high)",
        "",
        "min(max(x, low), high): the upper bound wins where low > high.",
        "",
        "Smooth inside: no two equal",
        "d/dx: where((x > low) & (x < high), 1, 0)",
        "d/dlow: where((x < low) & (low < high), 1, 0)",
        "d/dhigh: where((x > high) | (low > high), 1, 0)",
        "NumPy: np.minimum(np.maximum(x, low), high)",
    ]


@every_row
def test_formulas_of_derivatives_are_true(row):
    if isinstance(row, Selection):
        return
    names = operands_of(row)
    formulas = derivatives(row)
    assert list(formulas) == names
    size = count(row) if row.arity else len(names)
    for operands in {tuple(operands[:size]) for operands in grid(row)}:
        out = row.apply(operands)
        scope = vars(ops) | dict(zip(names, operands, strict=True)) | {"out": out}
        found = [f and float(eval(f, scope)) for f in formulas.values()]
        expected = row.partials_at(operands, out)
        for mine, theirs in zip(found, expected, strict=True):
            assert (mine is None) == (theirs is None)
            if mine is not None:
                assert_allclose(mine, theirs, rtol=1e-5, atol=1e-9)


def test_a_users_function_gives_its_docstring():
    def own(speed: float, mass: float) -> float:
        """The kinetic energy."""
        return 0.5 * mass * speed * speed

    row = autodiff.custom_op(
        "own", own, [lambda v, m, out: m * v, lambda v, m, out: 0.5 * v * v], defaults=[1.0]
    )
    try:
        lines = documentation(row, "The kinetic energy.").splitlines()
        assert row.__doc__.splitlines() == lines
        assert lines[:3] == ["own(speed, mass=1.0)", "", "The kinetic energy."]
        assert lines[4:] == [
            "Smooth inside: ℝ",
            "d/dspeed: mass * speed",
            "d/dmass: 0.5 * speed * speed",
        ]
        assert row(2.0, mass=3.0) == 6.0
    finally:
        retract(row)
        CUSTOM.pop(row.name, None)


def test_a_partial_that_does_not_run_on_symbols_has_no_formula():
    row = autodiff.custom_op("own", lambda x: 2.0 * x, lambda x, out: 2.0 if x > 0 else 3.0)
    try:
        assert "d/d" not in row.__doc__
    finally:
        retract(row)
        CUSTOM.pop(row.name, None)


def test_a_class_keeps_its_own_docstring():
    assert Reduction.__doc__.startswith("A row of any number of operands")
    assert type(ops.exp).__doc__ == "An op on one operand."
