"""Drawings: each node with its numbers, in DOT text that no label or hash seed disturbs."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from math import inf, nan

import graphviz
import pytest

from autodiff import Value, exp, ops, toposort, where
from autodiff.view import draw
from tests.support.marks import needs_renderer
from tests.support.process import printed_under_any_hash_seed

GOLDEN = """\
digraph {
	graph [nodesep=0.15 rankdir=LR ranksep=0.5 size=100]
	node [color="#555555" fillcolor="#dbe9f6" fontname=Helvetica fontsize=11 height=0.2 \
shape=record style=filled]
	edge [arrowsize=0.6 color="#555555"]
	n4 [label="{{<0> 2.5|<1> 2}|*|{c|data 5|grad 1}}"]
	n3:e -> n4:0:w
	n0:e -> n4:1:w
	n3 [label="{{<0> 5|<1> 2}|/|{data 2.5|grad 2}}"]
	n2:e -> n3:0:w
	n2 [label="{{<0> 2|<1> -3}|-|{data 5|grad 1}}"]
	n0:e -> n2:0:w
	n1:e -> n2:1:w
	n1 [label="b|data -3|grad -1" fillcolor="#fff4cc"]
	n0 [label="a|data 2|grad 1.5" fillcolor="#fff4cc"]
}
"""

PROGRAM = """
from autodiff import Value, dot
from autodiff.view import draw
leaves = [Value(i, f"x{i}") for i in range(9)]
print(ascii(draw(dot(leaves, leaves[::-1]) - leaves[3] ** 2 / leaves[5]).source))
"""


def cells(root):
    """The texts in each box, from left to right and down, by node."""
    svg = ET.fromstring(draw(root).pipe("svg", encoding="utf-8"))
    groups = svg.iterfind(".//{*}g[@class='node']")
    return {g.find("{*}title").text: [t.text for t in g.iterfind("{*}text")] for g in groups}


def labels(root):
    """The label of each node in the DOT text."""
    return dict(re.findall(r'(n\d+) \[label="(.*?)"[ \]]', draw(root).source))


def arrows(root):
    """(from, to, cell) of each edge in the DOT text."""
    return re.findall(r"(n\d+):e -> (n\d+):(\d+):w", draw(root).source)


def test_text_is_the_golden_one():
    a, b = Value(2.0, "a"), Value(-3.0, "b")
    c = (a - b) / 2 * a
    c.label = "c"
    c.backward()
    a.grad, b.grad = 1.5, -1.0
    assert draw(c).source == GOLDEN


def test_result_is_a_digraph_that_leaves_the_graph_as_it_was():
    a = Value(2.0, "a")
    root = a * a
    assert isinstance(draw(root), graphviz.Digraph)
    assert not root.has_grad
    assert (root.data, root.label, root.operands) == (4.0, "", (a, a))


@pytest.mark.parametrize("wrong", [None, 1.5, "a", [Value(1.0)]])
def test_anything_but_a_value_is_refused(wrong):
    with pytest.raises(
        TypeError,
        match=rf"draw takes a Value or a Program \(kernel.program\), got {type(wrong).__name__}",
    ):
        draw(wrong)


def test_text_does_not_depend_on_the_hash_seed():
    assert printed_under_any_hash_seed(PROGRAM).count("->") == 18 + 1 + 2 + 2


def test_names_count_the_nodes_in_topological_order():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    root = exp(b) + a * b
    shown = labels(root)
    assert len(shown) == 5
    for i, node in enumerate(toposort(root)):
        assert f"data {node.data:.4g}|grad" in shown[f"n{i}"]


def test_a_chain_of_10_000_nodes_is_drawn_without_recursion():
    v = Value(1.0)
    for _ in range(10_000):
        v = v + 1.0
    source = draw(v, max_nodes=10_001).source
    assert source.count(" -> ") == 10_000
    assert "n9999:e -> n10000:0:w" in source


def test_grad_is_a_dash_until_a_backward_pass():
    a = Value(2.0, "a")
    root = a * 3.0
    assert all("grad —" in text for text in labels(root).values())
    root.backward()
    assert labels(root) == {"n0": "a|data 2|grad 3", "n1": "{{<0> 2|<1> 3}|*|{data 6|grad 1}}"}


def test_grad_is_0_where_the_backward_pass_from_the_root_did_not_arrive():
    a, b = Value(2.0, "a"), Value(5.0, "b")
    root = where(True, a, b)
    root.backward()
    assert not b.has_grad
    assert labels(root)["n1"] == "b|data 5|grad 0"


def test_grad_of_an_earlier_backward_pass_is_shown():
    a = Value(2.0, "a")
    (a * 7.0).backward()
    shown = labels(a + Value(1.0, "b"))
    assert shown["n0"] == "a|data 2|grad 7"
    assert shown["n1"] == "b|data 1|grad —"
    assert shown["n2"].endswith("grad —}}")


def test_constants_have_their_position_in_the_formula_and_no_arrow():
    x = Value(3.0)
    for root, ins in {2 / x: "{<0> 2|<1> 3}", x / 2: "{<0> 3|<1> 2}"}.items():
        assert labels(root)["n1"].startswith(f"{{{ins}|/|")
    assert arrows(2 / x) == [("n0", "n1", "1")]
    assert arrows(x**2) == [("n0", "n1", "0")]


def test_operands_keep_their_order():
    a, b = Value(1.0, "a"), Value(2.0, "b")
    for root, cells_of in ((a - b, {a: "0", b: "1"}), (b - a, {b: "0", a: "1"})):
        names = {node: f"n{i}" for i, node in enumerate(toposort(root))}
        assert set(arrows(root)) == {(names[x], "n2", cell) for x, cell in cells_of.items()}
    both = a - b + (b - a)
    assert sorted(arrows(both), key=lambda arrow: arrow[1:]) == [
        ("n0", "n2", "0"),
        ("n1", "n2", "1"),
        ("n1", "n3", "0"),
        ("n0", "n3", "1"),
        ("n3", "n4", "0"),
        ("n2", "n4", "1"),
    ]
    assert labels(both)["n2"].startswith("{{<0> 2|<1> 1}|-|")


def test_a_node_used_twice_by_one_op_has_two_arrows():
    x = Value(3.0)
    assert arrows(x * x) == [("n0", "n1", "0"), ("n0", "n1", "1")]


def test_a_leaf_alone_is_one_box():
    assert labels(Value(1.0, "a")) == {"n0": "a|data 1|grad —"}


def test_leaves_have_their_own_color():
    lines = draw(Value(1.0) + 1.0).source.splitlines()
    leaf, op = (next(line for line in lines if f"\t{name} [" in line) for name in ("n0", "n1"))
    assert "fillcolor" in leaf
    assert "fillcolor" not in op


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1 / 3, "0.3333"),
        (123456789.0, "1.235e+08"),
        (1e300, "1e+300"),
        (-5e-324, "-4.941e-324"),
        (2.0, "2"),
        (inf, "inf"),
        (-inf, "-inf"),
        (nan, "nan"),
    ],
)
def test_numbers_have_four_digits(number, shown):
    assert labels(Value(number)) == {"n0": f"data {shown}|grad —"}


def test_text_begins_at_the_root_to_keep_operands_in_order():
    source = draw(Value(1.0) * 2.0 + 3.0).source
    assert re.findall(r"\t(n\d) \[", source) == ["n2", "n1", "n0"]


def test_size_is_bounded_so_that_a_large_graph_fits_in_memory():
    assert draw(Value(1.0)).graph_attr["size"] == "100"


HOSTILE = [
    '"',
    '\\"',
    "\\",
    "a\\",
    "\\N \\G \\l \\n",
    "<b>bold</b>",
    "<>",
    "<0> {a|b} | c",
    "}{",
    "&lt;b&gt; &amp; & &#65;",
    "</script>--><!-- ]]>",
    "'); DROP TABLE n0; -- ",
    "x -> y; [label=z]",
    "emoji 😀 👩‍👩‍👧",
    "עברית والعربية",
    "漢字 é",
]


@needs_renderer
@pytest.mark.parametrize("label", HOSTILE)
def test_any_label_is_shown_as_it_is(label):
    a = Value(1.0, label)
    root = a + 1.0
    root.label = label
    root.op = replace(ops.add, label=label)
    shown = label.strip()
    assert cells(root) == {
        "n0": [shown, "data 1", "grad —"],
        "n1": ["1", "1", shown, shown, "data 2", "grad —"],
    }


@needs_renderer
@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("two\nlines\r\n\tand\u2028more", "two lines and more"),
        ("nul \0 bell \a del \x7f c1 \x80", "nul \ufffd bell \ufffd del \ufffd c1 \ufffd"),
        ("lone \ud83d half \uffff", "lone \ufffd half \ufffd"),
        ("w" * 10_000, "w" * 31 + "…"),
        ("\\" * 10_000, "\\" * 31 + "…"),
        ("w" * 32, "w" * 32),
    ],
)
def test_a_label_that_does_not_fit_a_line_is_made_readable(label, shown):
    assert cells(Value(1.0, label)) == {"n0": [shown, "data 1", "grad —"]}


@needs_renderer
@pytest.mark.parametrize("label", ["", " \n "])
def test_without_a_label_there_is_no_cell_for_it(label):
    assert cells(Value(1.0, label)) == {"n0": ["data 1", "grad —"]}
