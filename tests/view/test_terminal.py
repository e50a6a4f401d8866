"""Trees: every node once, its operands below it in order, and a count of missing nodes."""

import io
import re
import sys

import pytest

import nn
from autodiff import Value, dot, toposort, tree
from tests.view.test_text import INVISIBLE

ESCAPES = re.compile(r"\x1b\[\d+m")

GOLDEN = """\
y +  data 4.46  grad 1
├─ tanh  data 0.462  grad 1
│  └─ +  data 0.5  grad 0.786
│     ├─ *  data -6  grad 0.786
│     │  ├─ w  data -3  grad 1.57
│     │  └─ x [1]  data 2  grad -0.359
│     └─ b  data 6.5  grad 0.786
└─ *  data 4  grad 1
   ├─ ↑ [1] x
   └─ 2"""


@pytest.fixture(autouse=True)
def no_preference(monkeypatch):
    for variable in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(variable, raising=False)


def expression():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.5, label="b")
    y = (w * x + b).tanh() + x * 2.0
    y.label = "y"
    y.backward()
    return y


def test_text_is_the_golden_one_in_a_session_and_in_print():
    shown = tree(expression(), precision=3)
    assert str(shown) == GOLDEN
    assert repr(shown) == GOLDEN


def test_every_node_has_one_line_and_every_further_use_is_a_reference():
    model = nn.MLP(2, [3, 2], seed=0)
    x = Value(1.0)
    root = dot(model([x, x * 2.0]), [1.0, 2.0])
    order = toposort(root)
    lines = tree(root).splitlines()
    references = [re.search(r"↑ (\[\d+\])", line) for line in lines]
    assert sum("  data " in line for line in lines) == len(order)
    assert sum(map(bool, references)) == sum(len(node.operands) for node in order) - len(order) + 1
    numbers = [re.search(r"(\[\d+\])  data", line) for line in lines]
    marks = [found[1] for found in numbers if found]
    assert marks == [f"[{i + 1}]" for i in range(len(marks))]
    assert {found[1] for found in references if found} == set(marks)


def test_a_line_is_indented_by_its_distance_from_the_root():
    lines = tree(expression()).splitlines()
    assert [len(re.match(r"[ │├└─]*", line)[0]) // 3 for line in lines] == [
        0, 1, 2, 3, 4, 4, 3, 1, 2, 2]  # fmt: skip


def test_parameters_are_named_by_the_model():
    model = nn.Neuron(2, seed=0)
    shown = tree(model([1.0, 2.0]), model={"unit": model})
    assert re.findall(r"unit\.\S+", shown) == ["unit.w.0", "unit.w.1", "unit.b"]


def test_grad_is_a_dash_until_a_backward_pass():
    root = Value(1.0) * 2.0
    assert tree(root) == "*  data 2  grad —\n├─ leaf  data 1  grad —\n└─ 2"
    root.backward()
    assert "—" not in tree(root)


def test_consecutive_constants_share_a_line():
    root = dot([1.0] * 20, [Value(2.0)] * 20)
    assert "├─ 1, 1, 1, 1, 1, 1, 1, 1, … 12 more" in tree(root)


@pytest.mark.parametrize("most", [1, 2, 7, 15])
def test_a_large_graph_is_shown_near_its_root(most):
    model = nn.MLP(2, [3, 1], seed=0)
    root = model([1.0, 2.0])
    *lines, last = tree(root, max_nodes=most).splitlines()
    assert sum("  data " in line for line in lines) == most
    assert last == f"… {len(toposort(root)) - most} nodes not shown"
    assert any(re.search(r"… \d+ operands?$", line) for line in lines)


def test_the_note_counts_one_node_and_is_absent_if_none_is_missing():
    root = Value(1.0) * 2.0
    assert tree(root, max_nodes=1).endswith("\n… 1 node not shown")
    assert "not shown" not in tree(root)


def test_the_tree_is_cut_at_the_given_depth():
    shown = tree(expression(), depth=1)
    assert shown.splitlines()[1:] == [
        "├─ tanh  data 0.4621  grad 1", "│  └─ …", "└─ *  data 4  grad 1", "   └─ …",
        "… 5 nodes not shown"]  # fmt: skip


def test_a_node_cut_at_its_first_use_has_its_operands_at_the_second():
    x = Value(2.0, "x")
    y = x.exp()
    root = y.exp().exp() + y
    assert tree(root, depth=3).splitlines()[-4:] == [
        "│     └─ exp [1]  data 7.389  grad —", "│        └─ …",
        "└─ exp [1]  data 7.389  grad —", "   └─ x  data 2  grad —"]  # fmt: skip


def test_a_node_is_shown_once_at_the_deepest_level_too():
    y = Value(2.0, "x").exp()
    shown = tree(y.tanh() + y.sin(), depth=2)
    assert shown.splitlines()[2:] == [
        "│  └─ exp [1]  data 7.389  grad —", "│     └─ …", "└─ sin  data 0.8939  grad —",
        "   └─ ↑ [1] exp", "… 1 node not shown"]  # fmt: skip


def test_100_000_nodes_are_walked_without_recursion():
    v = Value(1.0)
    for _ in range(100_000):
        v = v * 1.0
    assert tree(v).endswith("… 99,970 nodes not shown")
    assert tree(v, depth=10**9).endswith("… 99,801 nodes not shown")


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_colors_change_no_text():
    plain = tree(expression(), color=False)
    colored = tree(expression(), color=True)
    assert plain != colored
    assert ESCAPES.sub("", colored) == plain
    for line in colored.splitlines():
        opened = re.findall(r"\x1b\[(\d+)m", line)
        assert opened[1::2] == ["0"] * (len(opened) // 2), "each is closed on its line"


@pytest.mark.parametrize(
    ("screen", "variables", "is_colored"),
    [
        (Screen, {}, True), (io.StringIO, {}, False), (Screen, {"NO_COLOR": "1"}, False),
        (Screen, {"TERM": "dumb"}, False), (io.StringIO, {"FORCE_COLOR": "1"}, True),
        (Screen, {"NO_COLOR": ""}, True), (Screen, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_colors_are_for_terminals(screen, variables, is_colored, monkeypatch):
    monkeypatch.setattr(sys, "stdout", screen())
    for variable, content in variables.items():
        monkeypatch.setenv(variable, content)
    assert bool(ESCAPES.search(tree(expression()))) == is_colored


def test_without_a_stdout_there_are_no_colors(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    assert not ESCAPES.search(tree(expression()))


@pytest.mark.parametrize("hostile", [*INVISIBLE, "a\nb", "\r", "x" * 10_000, "│  └─"])
def test_a_label_stays_on_its_line(hostile):
    root = Value(1.0, hostile) * 2.0
    assert len(tree(root).splitlines()) == 3
    assert "\x1b" not in tree(root)
    assert max(map(len, tree(root).splitlines())) < 80


@pytest.mark.parametrize("wrong", [None, 1.5, [Value(1.0)]])
def test_anything_but_a_value_is_refused(wrong):
    with pytest.raises(TypeError, match="tree takes a Value, got"):
        tree(wrong)


@pytest.mark.parametrize("name", ["depth", "precision", "max_nodes"])
def test_a_limit_is_a_positive_integer(name):
    with pytest.raises(ValueError, match=f"tree: {name} must be a positive integer, got 0"):
        tree(Value(1.0), **{name: 0})
