"""What the README says is true."""

import re
from typing import Any

import pytest

from tests.op_table import README, rewritten

TEXT = README.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_the_op_table_is_that_of_the_rows() -> None:
    assert rewritten(TEXT) == TEXT, "run python -m tests.op_table"


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_each_example_prints_what_its_comments_say(
    number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.chdir(tmp_path)
    code = EXAMPLES[number]
    exec(compile(code, f"README.md, example {number}", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out.splitlines()
    said = [line.partition("# → ")[2] for line in code.splitlines() if "# → " in line]
    assert printed == said


def test_the_source_shown_is_the_source_that_runs() -> None:
    example, _ = [code for code in EXAMPLES if "autodiff.compile" in code]
    names: dict[str, Any] = {}
    exec(example.replace("print(", "str("), names)
    shown = re.search(r"what runs.*?```text\n(.*?)```", TEXT, re.DOTALL)
    assert shown
    assert shown[1] in names["kernel"].source


def test_the_readme_has_examples() -> None:
    assert len(EXAMPLES) >= 3


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", TEXT)
    assert pictures
    for picture in pictures:
        assert (README.parent / picture).stat().st_size < 200_000
