"""The mutation run: it has a mutant for every partial, leaves no trace, and can fail."""

import pytest

from autodiff import ops
from autodiff.rows.primitive import TABLE
from tests.mutants import Mutant, declarations, functions, mutants, mutants_of_functions
from tests.mutation import Suite, report

from tests.support.samples import ROWS  # isort: skip


@pytest.fixture(scope="module")
def suite():
    return Suite(("tests/test_ops.py",))


def test_every_partial_of_every_row_has_a_mutant():
    assert list(declarations()) == [row.name for row in ROWS]
    for row in ROWS:
        where = {place for mutant in mutants(row) for place in mutant.partials}
        assert where == {row.name}
        found = {mutant.where for mutant in mutants(row)}
        wanted = {f"partial {i}" for i, partial in enumerate(row.partials) if partial}
        assert wanted <= found
        assert all(mutant.partials[row.name] != row.partials for mutant in mutants(row))


def test_functions_that_partials_call_are_changed_too():
    assert {"_over_square", "_products_of_others", "_shares"} <= set(functions())
    (mutant, *_) = [m for m in mutants_of_functions() if m.where == "_over_square"]
    assert mutant.rows == [ops.atan2]


@pytest.mark.parametrize("row", [ops.mul, ops.relu, ops.maximum], ids=lambda row: row.name)
def test_mutants_are_killed_and_leave_no_trace(row, suite):
    before = {name: row.partials for name, row in TABLE.items()}, dict(vars(ops))
    text, survivors = report([row], suite)
    assert survivors == []
    assert text.splitlines()[2].startswith(f"| {row.name} | {len(list(mutants(row)))} | ")
    assert ({name: row.partials for name, row in TABLE.items()}, dict(vars(ops))) == before
    assert suite.killer(Mutant([row], "", "none")) == ""


def test_a_mutant_that_no_test_looks_at_survives(suite):
    mutant = Mutant([ops.tanh], "partial 0", "no change", {"tanh": ops.tanh.partials})
    assert suite.killer(mutant) == ""
    blind = Suite(("tests/engine/test_graph.py",))
    (flip, *_) = mutants(ops.tanh)
    assert suite.killer(flip) == "test_partial_is_the_slope_of_forward"
    assert blind.killer(flip) == ""
