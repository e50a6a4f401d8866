"""Random programs over the whole table: shared results, constants, reductions."""

import os
import subprocess
import sys
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from samples import ROWS, Program, draw_program, slope

from autodiff import Value, ops

SEEDS = range(40)
programs = st.randoms(use_true_random=False).map(draw_program)
on_random_programs = settings(derandomize=True, deadline=None, database=None, max_examples=100)


def given_program(test):
    return on_random_programs(given(program=programs)(test))


def hexadecimal(numbers):
    return [x.hex() for x in numbers]


def assert_gradient_is_the_slope(program):
    def output(leaves):
        return program.results(leaves)[-1]

    numeric = [slope(output, program.leaves, i, step=1e-3) for i in range(len(program.leaves))]
    assert_allclose(program.gradient(), numeric, rtol=1e-6, atol=1e-6)


@given_program
def test_gradient_is_the_slope_of_the_program(program):
    assert_gradient_is_the_slope(program)


@given_program
def test_values_compute_what_floats_compute(program):
    on_values = program.results(map(Value, program.leaves))
    on_floats = program.results(program.leaves)
    assert [getattr(x, "data", x) for x in on_values] == on_floats


@given_program
def test_arrays_compute_what_floats_compute(program):
    columns = [x + np.array([0.0, 1e-3, -1e-3]) for x in program.leaves]
    on_arrays = np.array(program.results(columns))
    for j, leaves in enumerate(zip(*columns, strict=True)):
        assert_allclose(on_arrays[:, j], program.results(map(float, leaves)), rtol=1e-9, atol=1e-9)


@given_program
def test_two_runs_give_the_same_bits(program):
    assert hexadecimal(program.gradient()) == hexadecimal(program.gradient())


@given_program
def test_second_backward_doubles_leaves_and_nothing_else(program):
    values = [Value(x) for x in program.leaves]
    nodes = program.results(values)
    passes = []
    for _ in range(2):
        nodes[-1].backward()
        passes.append([node.grad for node in nodes])
    first, second = passes
    n = len(values)
    assert second[n:] == first[n:]
    assert_allclose(second[:n], np.multiply(2, first[:n]), rtol=1e-12, atol=1e-12)


@pytest.fixture(scope="module")
def gradients():
    return [draw_program(Random(seed)).gradient() for seed in SEEDS]


SCRIPT = f"""
from random import Random
from samples import draw_program
for seed in {SEEDS}:
    print(*[g.hex() for g in draw_program(Random(seed)).gradient()])
"""


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_gradient_bits_do_not_depend_on_the_hash_seed(gradients, hash_seed):
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert printed.splitlines() == [" ".join(hexadecimal(g)) for g in gradients]


def test_programs_use_every_row_share_results_and_hold_constants():
    steps = [step for seed in SEEDS for step in draw_program(Random(seed)).steps]
    assert {row for row, _ in steps} == set(ROWS)
    references = [x for _, operands in steps for x in operands]
    assert {type(x) for x in references} == {int, float}


@pytest.mark.parametrize("factor", [1.00025, -1.0])
def test_wrong_partial_is_found(factor):
    wrong = replace(ops.mul, partials=(lambda x, y, out: factor * y, ops.mul.partials[1]))
    program = Program([1.5, 2.0], [(wrong, (0, 1))])
    with pytest.raises(AssertionError, match="Mismatched elements: 1 / 2"):
        assert_gradient_is_the_slope(program)
