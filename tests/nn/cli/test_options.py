"""Options: numbers within their range, and one line for a wrong one."""

import argparse

import pytest

from nn.cli.options import Parser, positive, rate, seed, temperature


@pytest.mark.parametrize(
    ("kind", "good", "bad", "wanted"),
    [
        (positive, {"1": 1, "12": 12}, ["0", "-1", "'1.5'", "'x'", "''"], "a positive integer"),
        (seed, {"0": 0, "7": 7}, ["-1", "'0.5'", "'x'"], "an integer of at least 0"),
        (rate, {"1e-3": 0.001, "2": 2.0}, ["0.0", "-1.0", "nan", "inf"], "positive"),
        (rate, {}, ["'x'"], "a number"),
        (temperature, {"0": 0.0, "1.5": 1.5}, ["-0.1", "nan", "inf"], "at least 0"),
    ],
)
def test_a_number_out_of_range_is_shown(kind, good, bad, wanted):
    assert {text: kind(text) for text in good} == good
    for shown in bad:
        message = f"^the value must be {wanted}, got {shown}$"
        with pytest.raises(argparse.ArgumentTypeError, match=message):
            kind(shown.strip("'"))


def test_a_wrong_option_is_one_line_and_is_not_completed(capsys):
    parser = Parser("python -m nn", "It does.", "python -m nn --seed 1")
    parser.add_argument("--seed", type=seed)
    for arguments in (["--seed", "x"], ["--see", "1"]):
        with pytest.raises(SystemExit) as end:
            parser.parse_args(arguments)
        assert end.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("python -m nn: error: ")
    assert "example: python -m nn --seed 1" in parser.format_help()
