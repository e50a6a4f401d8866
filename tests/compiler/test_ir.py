from dataclasses import replace

import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.access import View
from autodiff.compiler.ir import Builder, Program, verify

from .programs import compiled


@pytest.fixture
def builder():
    return Builder()


def test_equal_instructions_are_made_once(builder):
    x = builder.leaf("x", 4, True)
    assert builder.leaf("x", 4, True) == x
    assert builder.apply(ops.exp, [x]) == builder.apply(ops.exp, [x])
    assert builder.constant([1.0, 2.0]) == builder.constant([1.0, 2.0])
    assert builder.constant([1.0, 2.0]) != builder.constant([2.0, 1.0])
    assert len(builder.instrs) == 4
    assert Builder(builder.instrs).apply(ops.exp, [x]) == 1


def test_a_constant_of_equal_elements_is_one_number(builder):
    assert builder.shape(builder.constant([3.0] * 5)) == (1,)
    assert builder.shape(builder.constant([3.0, 4.0])) == (2,)
    # -0.0 == 0.0, but they are two numbers.
    assert builder.shape(builder.constant([0.0, -0.0])) == (2,)


def test_fetching_makes_as_little_as_it_can(builder):
    x = builder.leaf("x", 6, True)
    assert builder.fetch(x, np.arange(6)) == x
    ops_of = {
        "reshape": np.arange(6).reshape(2, 3), "view": np.arange(6).reshape(2, 3).T,
        "gather": np.array([0, 1, 3]),
    }  # fmt: skip
    for op, positions in ops_of.items():
        made = builder.instrs[builder.fetch(x, positions)]
        assert (made.op, made.shape) == (op, positions.shape)
    assert builder.shape(builder.fetch(x, np.array([[2, 2], [2, 2]]))) == (1, 1)
    known = builder.instrs[builder.fetch(builder.constant([1.0, 2.0, 5.0]), np.array([2, 0]))]
    assert (known.op, known.fact.tolist()) == ("constant", [5.0, 1.0])


def test_transposing_twice_is_nothing(builder):
    x = builder.fetch(builder.leaf("x", 6, True), np.arange(6).reshape(2, 3))
    once = builder.transpose(x)
    assert builder.shape(once) == (3, 2)
    assert builder.transpose(once) == x


def test_shapes_and_batches_follow_from_operands(builder):
    x = builder.fetch(builder.leaf("x", 6, True), np.arange(6).reshape(2, 3))
    w = builder.fetch(builder.leaf("w", 12, False), np.arange(12).reshape(3, 4))
    product = builder.matmul(x, w)
    assert (builder.shape(product), builder.instrs[product].is_batched) == ((2, 4), True)
    total = builder.matmul_batch(x, product)
    assert (builder.shape(total), builder.instrs[total].is_batched) == ((3, 4), False)
    assert builder.shape(builder.sum(product, (0,))) == (4,)
    assert builder.sum(product, ()) == product
    assert not builder.instrs[builder.sum_batch(product)].is_batched
    assert builder.shape(builder.reduce(ops.logsumexp, x)) == (2,)


def test_a_program_keeps_what_its_results_need(builder):
    x = builder.leaf("x", 2, True)
    builder.apply(ops.sin, [x])
    y = builder.apply(ops.exp, [x])
    program, number = builder.program([y])
    assert [instr.op for instr in program.instrs] == ["leaf", ops.exp]
    assert program.results == (1,)
    assert number == {x: 0, y: 1}


def test_programs_print_one_line_an_instruction(builder):
    x = builder.leaf("x", 4, True)
    y = builder.apply(ops.exp, [builder.fetch(x, np.array([0, 2]))])
    assert str(builder.program([y])[0]).splitlines() == [
        "%0: B×[4] = leaf() x", "%1: B×[2] = view(%0) 0 + [2]·[2]",
        "%2: B×[2] = exp(%1)", "return %2",
    ]  # fmt: skip


def break_order(instrs, i):
    return replace(instrs[i], operands=(len(instrs) - 1,))


def break_shape(instrs, i):
    return replace(instrs[i], shape=(*instrs[i].shape, 7))


def break_batch(instrs, i):
    return replace(instrs[i], is_batched=not instrs[i].is_batched)


def break_view(instrs, i):
    return replace(instrs[i], fact=View(10**6, instrs[i].shape, (1,) * len(instrs[i].shape)))


@pytest.mark.parametrize(
    ("broken", "op"),
    [(break_order, ops.relu), (break_shape, ops.relu), (break_batch, ops.relu),
     (break_shape, "view"), (break_batch, "matmul"), (break_view, "view")],
)  # fmt: skip
def test_the_verifier_finds_what_is_broken(broken, op):
    program = compiled("mlp_module")[1].program
    verify(program)
    instrs = list(program.instrs)
    i = next(i for i, instr in enumerate(instrs) if instr.op == op)
    instrs[i] = broken(instrs, i)
    with pytest.raises(AssertionError):
        verify(Program(tuple(instrs), program.results))


def test_the_verifier_finds_results_that_are_not_there():
    program = compiled("mlp_module")[1].program
    with pytest.raises(AssertionError):
        verify(Program(program.instrs, (len(program.instrs),)))
