"""Programs: each instruction is a box with the facts of the printed program."""

import re
from pathlib import Path

import numpy as np
import pytest

import autodiff
from autodiff import Value, draw
from autodiff.compiler.arrays.ops import CONSTANT, LEAF, ArrayOp
from autodiff.compiler.arrays.program import Instr, Program
from autodiff.ops import sub
from tests.support.golden import recorded
from tests.support.marks import needs_renderer


@pytest.fixture(scope="module")
def program():
    w = [Value(0.5), Value(-1.0)]
    kernel = autodiff.compile(lambda x, y: (autodiff.dot(w, x).tanh() - y) ** 2)
    kernel.value_and_grad(np.ones((3, 2)), np.ones(3))
    return kernel.program


SMALL = Program(
    (
        Instr(LEAF, (), (2,), True, "x|<y>"),
        Instr(CONSTANT, (), (1,), False, np.array([0.1 + 0.2])),
        Instr(CONSTANT, (), (3,), False, np.arange(3.0)),
        Instr(sub, (1, 0), (2,), True),
        Instr(ArrayOp("reshape", "another shape", moves=True), (3,), (1, 2), True),
        Instr(ArrayOp("less", "a condition"), (4, 4), (), False, kind="b"),
    ),
    (3, 5),
)


def test_text_is_the_golden_one():
    text = draw(SMALL, precision=3).source
    assert text == recorded(Path(__file__).parent / "golden" / "program.gv", text)


def test_every_instruction_is_a_box_and_every_operand_an_arrow(program):
    source = draw(program).source
    assert set(re.findall(r"\ti(\d+) \[", source)) == {str(i) for i in range(len(program.instrs))}
    assert sorted(re.findall(r"i(\d+):e -> i(\d+):(\d+):w", source)) == sorted(
        (str(x), str(i), str(place))
        for i, instr in enumerate(program.instrs)
        for place, x in enumerate(instr.operands)
    )
    for i, instr in enumerate(program.instrs):
        shape = " × ".join(["batch"] * instr.is_batched + [str(size) for size in instr.shape])
        assert f"|%{i}|{shape}" in source or f"{{%{i}|{shape}" in source


def test_results_are_marked(program):
    source = draw(program).source
    marked = re.findall(r"\ti(\d+) \[.*result (\d)", source)
    assert {int(place): int(i) for i, place in marked} == dict(enumerate(program.results))


def test_a_large_program_is_drawn_near_its_results(program):
    source = draw(program, max_nodes=5).source
    assert len(re.findall(r"\ti\d+ \[", source)) == 5
    assert f"… {len(program.instrs) - 5} instructions not drawn" in source
    shown = set(re.findall(r"\t(i\d+) \[", source))
    assert shown == {end for ends in re.findall(r"\t(i\d+):e -> (i\d+):", source) for end in ends}
    assert source.count("dashed") > 0
    assert "not drawn" not in draw(program).source


@pytest.mark.parametrize(
    "option", [{"model": {"w": Value(1.0)}}, {"collapse": "ops"}, {"color": "grad"},
               {"highlight": [Value(1.0)]}])  # fmt: skip
def test_options_of_graphs_are_refused(option):
    with pytest.raises(ValueError, match=f"draw: {next(iter(option))} is for graphs of Values"):
        draw(SMALL, **option)


@needs_renderer
@pytest.mark.parametrize("direction", ["LR", "TB", "RL", "BT"])
def test_it_can_be_rendered(program, direction):
    svg = draw(program, direction=direction).pipe("svg", encoding="utf-8")
    assert svg.count('class="node"') == len(program.instrs)
