import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.ops import CAST
from autodiff.compiler.arrays.reverse.operands import ArrayOperand


@pytest.fixture
def x():
    builder = Builder()
    return ArrayOperand(builder, builder.leaf("x", 3, True))


def instr(lanes):
    return lanes.builder.instrs[lanes.index]


def test_operators_append_instructions(x):
    made = [
        x + 1.0, 1.0 - x, x * x, -x, ops.exp(x), 2.0 * x, abs(x),
        x <= 0, x == 0, x != x, x <= 1.0, (x > 0) & (x < 1), True ^ (x > 0), (x > 0) | False,
    ]  # fmt: skip
    assert [instr(y).name for y in made] == [
        "add", "sub", "mul", "neg", "exp", "mul", "abs",
        "less_equal", "equal", "not_equal", "less_equal", "logical_and", "logical_xor",
        "logical_or",
    ]  # fmt: skip
    assert [instr(y).kind for y in made] == ["f"] * 7 + ["b"] * 7
    assert +x is x


def test_conditions_are_numbers_in_arithmetic(x):
    both = [(x > 0) + (x > 1), (x > 0) - (x > 1), -(x > 0), ops.exp(x > 0), ops.sum([x > 0, x < 1])]
    for made in both:
        assert {x.builder.instrs[i].op for i in instr(made).operands} == {CAST}


def test_a_known_condition_takes_its_branch(x):
    assert ops.where(True, x, 0.0) is x
    assert ops.where(False, x, 3.0) == 3.0


def test_the_sum_of_all_operands_runs_along_the_last_axis(x):
    rows = ArrayOperand(x.builder, x.builder.fetch(x.index, np.arange(3).reshape(1, 3)))
    assert instr(ops.sum([rows])).shape == (1, 1)
    assert instr(ops.sum([rows, rows])).shape == (1, 3)
