from dataclasses import replace

import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.layout import Gather, View
from autodiff.compiler.arrays.ops import CONSTANT, LEAF, MATMUL, SUM, VIEW
from autodiff.compiler.arrays.program import Instr, Program, verify
from tests.support.programs import compiled


def test_programs_print_one_line_per_instruction(builder):
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


def break_fact(instrs, i):
    return replace(instrs[i], fact=Gather(np.zeros(instrs[i].shape, dtype=np.intp)))


@pytest.mark.parametrize(
    ("broken", "op"),
    [(break_order, ops.relu), (break_shape, ops.relu), (break_batch, ops.relu),
     (break_shape, VIEW), (break_batch, MATMUL), (break_view, VIEW),
     (break_fact, VIEW), (break_fact, LEAF), (break_fact, CONSTANT)],
)  # fmt: skip
def test_the_verifier_finds_broken_instructions(broken, op):
    program = compiled("mlp_module")[1].program
    verify(program)
    instrs = list(program.instrs)
    i = next(i for i, instr in enumerate(instrs) if instr.op is op)
    instrs[i] = broken(instrs, i)
    with pytest.raises(AssertionError):
        verify(Program(tuple(instrs), program.results))


@pytest.mark.parametrize("op", [SUM, ops.exp, ops.mul, ops.where, ops.greater])
def test_the_verifier_finds_a_kind_that_the_op_does_not_read_or_give(builder, op):
    x = builder.leaf("x", 3, True)
    positive = builder.apply(ops.greater, [x, builder.constant([0.0])])
    instr = {
        SUM: Instr(SUM, (positive,), (), True, (0,)),
        ops.exp: Instr(ops.exp, (positive,), (3,), True),
        ops.mul: Instr(ops.mul, (positive, positive), (3,), True),
        ops.where: Instr(ops.where, (x, x, x), (3,), True),
        ops.greater: Instr(ops.greater, (x, x), (3,), True, kind="f"),
    }[op]
    program, _ = builder.program([positive])
    verify(program)
    with pytest.raises(AssertionError, match="kinds"):
        verify(Program((*program.instrs, instr), ()))


def test_the_verifier_finds_missing_results():
    program = compiled("mlp_module")[1].program
    with pytest.raises(AssertionError):
        verify(Program(program.instrs, (len(program.instrs),)))
