"""Files appear together or not at all."""

import pytest

import nn
from nn.cli import output
from nn.cli.output import output_folder, print_missing, print_written, write_drawing


def test_files_move_when_all_are_written(tmp_path):
    out = tmp_path / "a" / "b"
    with output_folder(out) as folder:
        (folder / "one").write_text("1")
        assert [path.name for path in out.iterdir()] == [folder.name]
    assert [path.name for path in out.iterdir()] == ["one"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_nothing(tmp_path, error):
    def fail():
        with output_folder(tmp_path / "a" / "b") as folder:
            (folder / "one").write_text("1")
            raise error

    with pytest.raises(error):
        fail()
    assert [*tmp_path.iterdir()] == []


def test_written_files_are_named_in_order(tmp_path, capsys):
    for name in ("b.png", "a.svg"):
        (tmp_path / name).touch()
    print_written(tmp_path / "out", tmp_path)
    assert capsys.readouterr().out == f"wrote {tmp_path}/out/a.svg, {tmp_path}/out/b.png\n"


@pytest.mark.parametrize("draws", [True, False])
def test_extras_that_would_have_helped_are_named(monkeypatch, capsys, draws):
    monkeypatch.setattr(output, "can_plot", lambda: False)
    monkeypatch.setattr(output, "find_renderer", lambda kind: None)
    print_missing(draws=draws)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("[")[1].split("]")[0] for line in lines] == ["plot", "draw"][: 1 + draws]


def test_a_drawing_is_dot_where_nothing_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "find_renderer", lambda kind: None)
    write_drawing(tmp_path, nn.MLP(1, [2, 1], seed=0))
    assert (tmp_path / "network.gv").read_text(encoding="utf-8").startswith("digraph")
