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
def test_what_names_a_table_is_one(monkeypatch, arguments, module):
    for each in (functions, columns):
        monkeypatch.setattr(each, "run", lambda options, each=each: each)
    assert fitting.run(fitting.command_line("").parse_args(arguments)) is module
