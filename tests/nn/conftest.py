"""A folder to write into, and the command line as a function."""

import pytest

from nn import __main__ as command


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs the command; its exit status, the lines that it printed, the lines of its errors."""

    def runs(*arguments):
        try:
            status = command.main(arguments)
        except SystemExit as end:
            status = end.code
        printed = capsys.readouterr()
        return status, printed.out.splitlines(), printed.err.splitlines()

    return runs
