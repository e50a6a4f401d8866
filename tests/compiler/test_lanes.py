import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.builder import Builder
from autodiff.compiler.lanes import Lanes


@pytest.fixture
def x():
    builder = Builder()
    return Lanes(builder, builder.leaf("x", 3, True))


def instr(lanes):
    return lanes.builder.instrs[lanes.index]


def test_operators_append_instructions(x):
    made = [x + 1.0, 1.0 - x, x * x, -x, ops.exp(x), x <= 0, (x > 0) & (x < 1), 2.0 * x]
    assert [instr(y).name for y in made] == [
        "add", "sub", "mul", "neg", "exp", "less_equal", "logical_and", "mul",
    ]  # fmt: skip
    assert [instr(y).kind for y in made] == ["f"] * 5 + ["b"] * 2 + ["f"]


def test_a_known_condition_takes_its_branch(x):
    assert ops.where(True, x, 0.0) is x
    assert ops.where(False, x, 3.0) == 3.0


def test_the_sum_of_all_operands_runs_along_the_last_axis(x):
    rows = Lanes(x.builder, x.builder.fetch(x.index, np.arange(3).reshape(1, 3)))
    assert instr(ops.sum([rows])).shape == (1, 1)
    assert instr(ops.sum([rows, rows])).shape == (1, 3)
