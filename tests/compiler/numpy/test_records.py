"""Lines of a program: what they read, which are left out, and where they are broken."""

import ast

import pytest

from autodiff.compiler.numpy.lines import form, lines_of
from autodiff.compiler.numpy.records import Expr, Line, all_of, call, name, written
from autodiff.compiler.numpy.runtime import ARGUMENTS, BUILTINS, NAMESPACE
from autodiff.compiler.numpy.source import WIDTH, broken, needed, wrapped
from autodiff.compiler.numpy.writer import Writer
from tests.support.programs import PROGRAMS, compiled

X, Y, Z = map(name, "xyz")


def text(*lines):
    return list(broken(lines))


def test_an_expression_reads_the_names_of_its_pieces():
    assert written("{}[{}, {}]", X, 3, Y) == Expr(("x[3, y]",), ("x", "y"))
    made = call("np.take", X, written("{}.T", Y), axis=0, out=Z, mode="'clip'")
    assert str(made) == "np.take(x, y.T, axis=0, out=z, mode='clip')"
    assert made.reads == ("x", "y", "z")
    assert call(X, Y).reads == ("x", "y")


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("wanted", ["grad", "hvp"])
def test_every_line_says_what_its_text_reads(program, wanted):
    function = compiled(program)[1]._latest.function(wanted)
    leaves = {x.leaf for x in function.program.instrs if x.leaf}
    given = {*NAMESPACE, *BUILTINS, *ARGUMENTS}
    for line in lines_of(Writer(function.program, sorted(leaves - {"seed"}), {}, [])):
        tree = ast.parse("\n".join(text(line)))
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
        read = {x.id for x in names if isinstance(x.ctx, ast.Load)} - given
        assert read == set(line.reads)
        bound = {x.id for x in names if isinstance(x.ctx, ast.Store)}
        assert bound == ({line.binds} if line.binds else set())


def test_a_name_that_nothing_reads_is_left_out_with_those_that_it_alone_reads():
    lines = [
        Line(written("np.empty(3)"), binds="x"),
        Line(written("{}[1:]", X), binds="y"),
        Line(written("{}.T", Y), binds="z"),
        Line(written("0.0"), into=all_of(X)),
    ]
    assert needed(lines, frozenset()) == ([lines[0], lines[3]], {"x"})
    assert needed(lines, frozenset({"z"})) == (lines, {"x", "y", "z"})
    assert needed(lines, frozenset({"y"})) == ([lines[0], lines[1], lines[3]], {"x", "y"})


def test_lines_that_write_into_arrays_are_never_left_out():
    lines = [
        Line(call("np.exp", X, out=Y)),
        Line(written("{}", X), into=written("{}[0]", Y), sign="+="),
        Line(Expr(()), comment="backward"),
    ]
    assert needed(lines, frozenset())[0] == lines
    assert text(*lines) == ["np.exp(x, out=y)", "y[0] += x", "# backward"]


def test_a_name_may_be_bound_again():
    lines = [Line(written("1"), binds="x"), Line(written("{} + 1", X), binds="x")]
    assert needed(lines, frozenset({"x"}))[0] == lines
    assert needed(lines, frozenset()) == ([], set())


LONG = name("x" * 50)


def test_a_long_line_that_binds_a_name_is_put_in_brackets():
    line = Line(written("{}.reshape({})", LONG, LONG), binds="z")
    assert text(line) == ["z = (", f"    {LONG}.reshape({LONG})", ")"]


def test_a_long_call_is_broken_before_out_or_its_last_operand():
    lines = [
        Line(call("np.take", LONG, Y, out=LONG, mode="'clip'"), comment="(2,)"),
        Line(call("np.copyto", LONG, LONG), comment="(2,)"),
        Line(call("np.copyto", LONG, "0.0", where=LONG), comment="(2,)"),
    ]
    assert text(*lines) == [
        f"np.take({LONG}, y,  # (2,)", f"    out={LONG}, mode='clip')",
        f"np.copyto({LONG},  # (2,)", f"    {LONG})",
        f"np.copyto({LONG}, 0.0,  # (2,)", f"    where={LONG})",
    ]  # fmt: skip
    for line in lines:
        ast.parse("\n".join(text(line)))


def test_a_long_quotient_is_broken_before_its_last_sign():
    words = f"np.exp({LONG}) / 2 / (1.0 + {LONG})".split(" ")
    line = Line(Expr(tuple(words), LONG.reads), into=all_of(Z), comment="(2,)")
    assert text(line) == [
        "z[...] = (  # (2,)", f"    np.exp({LONG}) / 2", f"    / (1.0 + {LONG})", ")"
    ]  # fmt: skip


def test_a_line_of_the_greatest_width_is_not_broken():
    line = Line(written("x" * (WIDTH - len("z = "))), binds="z")
    assert [len(row) for row in text(line)] == [WIDTH]
    assert len(text(Line(written(f"{line.expression}x"), binds="z"))) == 3


def test_words_are_wrapped_where_a_row_is_full():
    assert list(wrapped(["aa", "bb", "cc"], 5)) == ["aa bb", "cc"]
    assert list(wrapped(["aa", "/", "bb"], 50)) == ["aa", "/ bb"]
    assert list(wrapped(["a" * 9], 5)) == ["a" * 9]


@pytest.mark.parametrize(
    ("template", "is_plain_call", "takes_out"),
    [
        ("np.add({0}, {1})", True, True),
        ("np.where({0}, {1}, {2})", True, False),
        ("custom['mine']({0}, {1})", True, False),
        ("np.maximum({0}, 0.0)", False, True),
        ("np.add({0} ** 2, {1})", False, True),
        ("np.add({0}, {1}, {2})", True, False),  # the third would be where it writes
        ("np.exp(np.minimum({0}, 0.0))", False, False),
        ("np.exp({0}) / (1.0 + {1})", False, False),
        ("{0} ** np.abs({1})", False, False),
        ("np.exp({0} ** {1})", False, True),
    ],
)
def test_a_template_says_whether_it_is_a_call_that_takes_out(template, is_plain_call, takes_out):
    assert form(template)[1:] == (is_plain_call, takes_out)
