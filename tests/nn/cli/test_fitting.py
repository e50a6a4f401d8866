"""`fit` takes a function or a table."""

import pytest

from nn.cli import fitting, polynomial, tables


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        ([], polynomial), (["--target", "x"], polynomial), (["--csv", "t.csv"], tables),
        (["--x", "a"], tables), (["--y", "a"], tables),
    ],
)  # fmt: skip
def test_what_names_a_table_is_one(monkeypatch, arguments, module):
    for each in (polynomial, tables):
        monkeypatch.setattr(each, "run", lambda options, each=each: each)
    assert fitting.run(fitting.command_line("").parse_args(arguments)) is module
