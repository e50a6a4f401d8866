"""Renderers: which program draws, its pictures, and the advice if none is found."""

import os
import pickle
import re
import shutil
import stat
import sys
import sysconfig
import threading
from pathlib import Path

import graphviz
import pytest
from graphviz.backend import dot_command

from autodiff import Value
from autodiff.view import RendererNotFound, draw, find_renderer, renderer
from autodiff.view.renderer import EMBEDDED_FORMATS

EXE = ".exe" if os.name == "nt" else ""
INSTALLED = {
    "system": shutil.which("dot"),
    "embedded": shutil.which("graphviz-pure", path=sysconfig.get_path("scripts"))
    or shutil.which("graphviz-pure"),
}
PNG = b"\x89PNG\r\n\x1a\n"


def program(folder, name):
    """A file that looks like a program."""
    folder.mkdir(exist_ok=True)
    path = folder / (name + EXE)
    path.touch()
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """The folders that are searched, all empty: PATH, pip's folder, pip's folder per user."""
    path, scripts, users = (tmp_path / name for name in ("path", "scripts", "users"))
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setattr(sysconfig, "get_path", lambda _, *scheme: str(users if scheme else scripts))
    return path, scripts, users


@pytest.fixture(params=["system", "embedded"])
def installed(request, monkeypatch):
    """The only renderer on this machine."""
    path = INSTALLED[request.param]
    if path is None:
        pytest.skip(f"no {request.param} renderer here")
    monkeypatch.setattr(renderer, "find_renderer", lambda _: Path(path))
    return path


@pytest.fixture
def drawing():
    root = (Value(2.0, "é") * 3.0).tanh()
    root.backward()
    return draw(root)


@pytest.fixture
def dot_binary():
    """The program that graphviz runs, which a test has to leave as it was."""
    before = dot_command.DOT_BINARY
    yield before
    assert dot_command.DOT_BINARY is before


def test_the_systems_dot_comes_first(folders):
    path, scripts, _ = folders
    program(scripts, "graphviz-pure")
    dot = program(path, "dot")
    assert find_renderer("svg") == dot
    assert find_renderer("pdf") == dot


def test_the_embedded_renderer_is_found_in_pips_folders_then_on_the_path(folders):
    path, scripts, users = folders
    for folder in (path, users, scripts):
        embedded = program(folder, "graphviz-pure")
        assert find_renderer("svg") == embedded
        assert find_renderer("PNG") == embedded
        assert find_renderer("pdf") is None


def test_a_folder_on_the_path_may_be_relative(folders, monkeypatch, tmp_path):
    dot = program(folders[0], "dot")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "path")
    assert find_renderer("svg") == dot


def test_without_a_renderer_the_error_says_what_to_install(folders, drawing, tmp_path):
    assert find_renderer("svg") is None
    advice = r'^no program found that draws (svg|png): pip install "scalar-autodiff\[draw\]", or '
    attempts = [
        drawing.pipe,
        lambda: drawing.render(tmp_path / "graph"),
        lambda: drawing.render(outfile=tmp_path / "graph.png"),
    ]
    for attempt in attempts:
        with pytest.raises(RendererNotFound, match=advice):
            attempt()
    assert not list(tmp_path.iterdir())
    (shown,) = drawing._repr_mimebundle_().values()
    assert re.match(advice, shown), "a notebook shows it in place of the picture"


@pytest.mark.parametrize("has_embedded", [True, False])
def test_pdf_needs_the_systems_graphviz(folders, drawing, tmp_path, has_embedded):
    if has_embedded:
        program(folders[1], "graphviz-pure")
    for attempt in (
        lambda: drawing.pipe("pdf"),
        lambda: drawing.render(tmp_path / "graph", format="pdf"),
        lambda: drawing.render(outfile=tmp_path / "graph.pdf"),
    ):
        with pytest.raises(RendererNotFound, match=r"^pdf needs the system's Graphviz.*svg, png"):
            attempt()


def test_the_error_is_a_subclass_of_graphvizs():
    error = RendererNotFound("what to do")
    assert isinstance(error, graphviz.ExecutableNotFound)
    assert str(error) == str(pickle.loads(pickle.dumps(error))) == "what to do"


def test_an_unknown_format_is_graphvizs_error(folders, drawing):
    with pytest.raises(ValueError, match="unknown format: 'bpm'"):
        drawing.pipe("bpm")


def test_svg_and_png_are_drawn(installed, drawing, dot_binary):
    assert drawing.pipe().startswith(b"<?xml")
    assert drawing.pipe("png").startswith(PNG)
    assert drawing.pipe("PNG").startswith(PNG)
    assert drawing.pipe("json", engine="neato").startswith(b"{")
    text = drawing.pipe(encoding="utf-8")
    assert ">é<" in text
    assert text.encode("utf-8").startswith(b"<?xml")
    assert drawing.pipe("svg", encoding="utf-16") != text  # encoded differently from the DOT text


def test_a_notebook_shows_svg_and_keeps_png_for_viewers_that_hide_it(installed, drawing):
    bundle = drawing._repr_mimebundle_(include=None, exclude=None)  # as IPython calls it
    assert sorted(bundle) == ["image/png", "image/svg+xml"]
    assert bundle["image/svg+xml"].startswith("<?xml")
    assert bundle["image/png"].startswith(PNG)
    assert list(drawing._repr_mimebundle_(exclude=["image/png"])) == ["image/svg+xml"]
    assert list(drawing._repr_mimebundle_(include=["image/jpeg"])) == ["image/jpeg"]


def test_files_are_written(installed, drawing, tmp_path, dot_binary):
    assert drawing.render(tmp_path / "a") == str(tmp_path / "a.svg")
    assert drawing.render(outfile=tmp_path / "b.png") == str(tmp_path / "b.png")
    assert drawing.render(tmp_path / "c", format="png", cleanup=True) == str(tmp_path / "c.png")
    assert (tmp_path / "a").read_text(encoding="utf-8") == drawing.source
    assert (tmp_path / "a.svg").read_bytes() == drawing.pipe("svg")
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "c.png").read_bytes()
    names = ["a", "a.svg", "b.gv", "b.png", "c.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_a_copy_draws_to_the_same_format(installed, drawing):
    assert drawing.copy().pipe() == drawing.pipe()
    drawing.format = "png"
    assert drawing.copy().pipe().startswith(PNG)


def test_warnings_are_hidden_by_default(installed, drawing, tmp_path, capfd):
    drawing.node_attr["shape"] = "no_such_shape"
    drawing.pipe()
    drawing.render(tmp_path / "graph")
    assert capfd.readouterr() == ("", "")
    drawing.pipe(quiet=False)
    assert "no_such_shape" in capfd.readouterr().err


def test_failures_are_not_silent(installed, drawing, tmp_path, dot_binary):
    drawing.body.append("]")
    for attempt in (drawing.pipe, lambda: drawing.render(tmp_path / "graph")):
        with pytest.raises(graphviz.CalledProcessError, match="syntax error"):
            attempt()


@pytest.mark.skipif(INSTALLED["embedded"] is None, reason="no embedded renderer here")
def test_the_embedded_renderer_writes_the_formats_that_are_listed(drawing, monkeypatch):
    monkeypatch.setattr(renderer, "find_renderer", lambda _: Path(INSTALLED["embedded"]))
    for name in EMBEDDED_FORMATS:
        assert drawing.pipe(name)


@pytest.mark.skipif(os.name == "nt", reason="a script with #! is no program on Windows")
def test_the_program_that_was_found_is_run(folders, drawing):
    fake = program(folders[0], "dot")
    fake.write_text(f"#!{sys.executable}\nimport sys\nsys.stdin.read()\nprint(sys.argv[1:])\n")
    assert drawing.pipe("pdf", encoding="utf-8") == "['-Kdot', '-Tpdf']\n"


def test_threads_draw_one_at_a_time_and_leave_graphviz_as_it_was(dot_binary):
    first_is_in, second_is_in, go_on = (threading.Event() for _ in range(3))

    def first():
        with renderer._running(Path("first")):
            first_is_in.set()
            go_on.wait(10)
            seen.append(dot_command.DOT_BINARY)

    def second():
        with renderer._running(Path("second")):
            second_is_in.set()
            seen.append(dot_command.DOT_BINARY)

    seen = []
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert first_is_in.wait(10)
    threads[1].start()
    assert not second_is_in.wait(0.2)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert seen == [Path("first"), Path("second")]
