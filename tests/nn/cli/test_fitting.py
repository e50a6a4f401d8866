"""`fit` takes a function or a table."""

import pytest

from nn.cli import columns, fitting, functions


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        ([], functions), (["--target", "x"], functions), (["--csv", "t.csv"], columns),
        (["--x", "a"], columns), (["--y", "a"], columns),
    ],
)  # fmt: skip
def test_options_of_a_table_run_the_fit_of_a_column(monkeypatch, arguments, module):
    for each in (functions, columns):
        monkeypatch.setattr(each, "run", lambda options, each=each: each)
    assert fitting.run(fitting.command_line("").parse_args(arguments)) is module
