"""`play`: one file, whole or not at all, that needs no other and shows labels as text."""

import json
import os
import re
import zipfile
from pathlib import Path

import pytest

from autodiff import Value, play, toposort
from autodiff.view.player import page
from nn import MLP
from tests.support.process import ROOT, printed

ASSETS = ROOT / "autodiff" / "view" / "player" / "assets"

HOSTILE = [
    "\"'`",
    "<b>bold</b>",
    "</script><script>alert(1)</script>",
    "<!-- <script>",
    "&lt;&amp;",
    "two\nlines\r\n\tand\u2028more",
    "w" * 10_000,
    "emoji 😀 👩‍👩‍👧",
    "עברית \u202e والعربية",
    "half \ud83d",
    "nul \0 \x7f",
    "{0} {out} $title ${script} \\u003c",
]

PROGRAM = """
from autodiff import Value, dot, play
xs = [Value(i, f"x{i}") for i in range(9)]
play((dot(xs, xs[::-1]) - xs[3] ** 2 / xs[5]).tanh(), "page.html", model={"a": xs[:3], "b": xs[3:]})
"""


@pytest.fixture
def target(tmp_path):
    return tmp_path / "backprop.html"


def graph_in(path):
    """The data in a page, read as a browser does: up to the first </script."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search(r'id="graph">(.*?)</script', text, re.DOTALL)[1])


def test_the_path_is_returned_and_the_file_is_a_page(target):
    assert play(Value(1.0) + 2.0, target) == target
    text = target.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert [node["data"] for node in graph_in(target)["nodes"]] == [1.0, 3.0]
    assert play(Value(1.0), str(target)) == target


def test_the_default_name_is_beside_the_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert play(Value(1.0)) == Path("backprop.html")
    assert (tmp_path / "backprop.html").is_file()


def test_the_page_loads_nothing(target):
    play(Value(1.0) + 2.0, target)
    text = target.read_text(encoding="utf-8")
    urls = set(re.findall(r"https?://[^\s\"']+", text))
    assert urls == {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}  # names
    assert not re.search(r"@import|<link rel=.stylesheet|<script src|<img|url\(?!#", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("label", HOSTILE)
def test_a_label_is_data_and_never_markup(target, label):
    root = Value(1.0, label) + 2.0
    play(root, target, title=label)
    assert graph_in(target)["nodes"][0]["label"] == label
    text = target.read_text(encoding="utf-8")
    plain = play(Value(1.0, "x") + 2.0, target).read_text(encoding="utf-8")
    for markup in ("<script", "</script", "<!--", "<b>", "<title", "</title"):
        assert text.count(markup) == plain.count(markup)


def test_a_wrong_argument_is_named(target, tmp_path):
    x = Value(1.0, "x")
    for wrong in (None, 1.5, [x], lambda: x):
        with pytest.raises(TypeError, match=f"play takes a Value, got {type(wrong).__name__}"):
            play(wrong, target)
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing.* to write a.html into"):
        play(x, tmp_path / "missing" / "a.html")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        play(x, tmp_path)
    with pytest.raises(TypeError, match="model must be a module with named_parameters"):
        play(x, target, model=3)
    for wrong in (5, b"a.html", None):
        with pytest.raises(TypeError, match="path must be text or a path, got"):
            play(x, wrong)
    with pytest.raises(TypeError, match="title must be text, got 3"):
        play(x, target, title=3)
    for precision in (0, 18, 2.5, True, "4"):
        error = ValueError if type(precision) is int else TypeError
        with pytest.raises(error, match="play: precision must be an integer from 1 to 17"):
            play(x, target, precision=precision)
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_whole_or_stays(target, monkeypatch):
    target.write_text("before", encoding="utf-8")
    root = Value(1.0)
    for _ in range(600):
        root = root + 1.0
    with pytest.raises(ValueError, match="up to 500 boxes"):
        play(root, target)

    def full(*_):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="disk full"):
            play(Value(1.0), target)
    assert [path.name for path in target.parent.iterdir()] == ["backprop.html"]
    assert target.read_text(encoding="utf-8") == "before"
    play(Value(1.0), target)
    assert target.read_text(encoding="utf-8") != "before"


def test_a_folder_without_write_access_is_an_error_that_names_the_file(target, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied", ".backprop.x")

    monkeypatch.setattr(page.tempfile, "mkstemp", refuse)
    with pytest.raises(PermissionError, match=r"Permission denied: .*backprop\.html"):
        play(Value(1.0), target)


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_the_file_has_the_usual_permissions(target, tmp_path):
    (tmp_path / "usual").touch()
    play(Value(1.0), target)
    assert target.stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_graph_is_left_as_it_was(target):
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    root = a * b + a
    a.grad = 5.0
    play(root, target)
    assert [node.has_grad for node in toposort(root)] == [True, False, False, False]
    assert (a.grad, a.data, root.label, root.operands[1]) == (5.0, 2.0, "", a)


def test_the_same_graph_gives_the_same_file_whatever_the_hash_seed(tmp_path):
    pages = set()
    for seed in "012":
        printed(PROGRAM, tmp_path, PYTHONHASHSEED=seed)
        pages.add((tmp_path / "page.html").read_bytes())
    assert len(pages) == 1


def test_300_nodes_take_less_than_2_megabytes(target):
    model = MLP(3, [8, 8, 9, 1], activation="tanh", seed=0)
    root = (model([Value(1.0, f"x{i}") for i in range(3)]) - 1.0) ** 2
    for _ in range(300 - len(toposort(root))):
        root = root * 1.0
    assert len(toposort(root)) == 300
    assert play(root, target, model=model).stat().st_size < 2_000_000


def test_a_title_comes_from_the_root_or_from_the_caller(target):
    def title(root, **options):
        return re.search("<title>(.*)</title>", play(root, target, **options).read_text("utf-8"))[1]

    assert title(Value(1.0)) == "Backpropagation"
    assert title(Value(1.0, "the\nloss")) == "Backpropagation of the loss"
    assert title(Value(1.0), title="A <b>") == "A &lt;b&gt;"


def test_every_asset_is_used_and_short():
    used = {"page.html", *page._STYLES, *page._SCRIPTS}
    assert {path.name for path in ASSETS.iterdir()} == used
    for path in ASSETS.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) < 250
        assert all(line == line.rstrip() for line in lines)


def test_the_wheel_has_the_assets(tmp_path):
    pytest.importorskip("hatchling", reason='pip install -e ".[test]"')
    printed(f"from hatchling.build import build_wheel; build_wheel({str(tmp_path)!r})")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert {f"autodiff/view/player/assets/{path.name}" for path in ASSETS.iterdir()} <= held
