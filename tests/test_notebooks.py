"""The notebooks run, their checks hold, and the outputs that are stored are those of today."""

from pathlib import Path

import pytest

from autodiff.view.renderer import find_renderer

for _module in ("nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(_module, reason=f'no {_module}: pip install -e ".[notebooks]"')
notebooks = pytest.importorskip("tests.notebooks")

AGAIN = "run python -m tests.notebooks"


@pytest.fixture(params=notebooks.NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.mark.skipif(not find_renderer("svg"), reason='no renderer: pip install -e ".[draw]"')
def test_a_run_puts_out_what_is_stored(path: Path) -> None:
    stored = notebooks.read(path)
    compared = [cell for cell in stored.cells if not notebooks.is_measured(cell)]
    assert any(isinstance(text, tuple) for cell in compared for text in notebooks.texts(cell))
    fresh = notebooks.executed(stored)
    for old, new in zip(stored.cells, fresh.cells, strict=True):
        if old in compared:
            assert notebooks.texts(old) == notebooks.texts(new), f"{AGAIN}: {old.source}"


def test_nothing_of_the_kernel_or_of_chance_is_stored(path: Path) -> None:
    assert notebooks.written(notebooks.read(path)) == path.read_text(encoding="utf-8"), AGAIN


def test_a_host_shows_it(path: Path) -> None:
    cells = notebooks.read(path).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert cells[0].source.startswith("# ")
    assert path.stat().st_size < 500_000
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), AGAIN
    assert any("assert" in cell.source for cell in code)
    outputs = [output for cell in code for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)


def test_the_readme_names_each() -> None:
    readme = (notebooks.FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert [path for path in notebooks.NOTEBOOKS if f"(notebooks/{path.name})" not in readme] == []
