"""The table of array ops: every pass covers every row, and its facts are true."""

import copy
import pickle

import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather, View
from autodiff.compiler.arrays.ops import TABLE
from autodiff.compiler.arrays.program import verify
from autodiff.compiler.arrays.reverse import reach, rules
from autodiff.compiler.numpy import lines

FREE = {name for name, row in TABLE.items() if row.is_free}


@pytest.mark.parametrize(
    ("covered", "expected"),
    [(rules.RULES, set(TABLE)), (reach.RULES, set(TABLE)), (lines.LINES, set(TABLE) - FREE)],
    ids=["adjoint", "reach", "lines"],
)
def test_every_pass_covers_every_row(covered, expected):
    assert {row.name for row in covered} == expected


@pytest.mark.parametrize("name", TABLE)
def test_a_row_is_itself_after_a_copy_and_a_pickle(name):
    row = TABLE[name]
    assert copy.deepcopy(row) is row
    assert pickle.loads(pickle.dumps(row)) is row


def test_a_row_has_a_word_for_its_array_unless_it_is_free():
    assert {name for name, row in TABLE.items() if not row.stem} == FREE


def every_op(builder):
    """An instruction of each op, by name."""
    x = builder.leaf("x", 6, True)
    e = builder.apply(ops.exp, [x])
    w = builder.leaf("w", 6, False)
    index = builder.leaf("index", 3, True, "i")
    rows, columns = (builder.fetch(e, np.arange(6).reshape(shape)) for shape in ((2, 3), (3, 2)))
    table = Gather(np.arange(6).reshape(3, 2))
    matrix = builder.fetch(w, np.arange(6).reshape(2, 3))
    picked = builder.rows(matrix, index)
    taken = builder.take(e, table, index)
    heads = np.arange(12).reshape(2, 3, 2).transpose(1, 0, 2).reshape(3, 4)
    turned = builder.fetch(builder.concatenate([e, w]), heads)
    made = {
        "leaf": x, "constant": builder.constant([1.0, 2.0]), "cast": builder.cast(index),
        "view": rows, "gather": builder.fetch(e, np.array([0, 1, 3])),
        "copy": builder.instrs[turned].operands[0], "broadcast": builder.broadcast(w, (6,), True),
        "concatenate": builder.concatenate([e, w]),
        "scatter": builder.scatter([(e, View(1, (6,), (1,)))], (8,)),
        "matmul": builder.matmul(rows, columns), "matmul_batch": builder.matmul_batch(rows, rows),
        "sum": builder.sum(rows, (0,)), "sum_batch": builder.sum_batch(e),
        "reduce": builder.reduce(ops.prod, rows), "rows": picked,
        "add_rows": builder.add_rows(picked, index, (2, 3)), "take": taken,
        "untake": builder.untake(taken, table, index, (6,), True),
    }  # fmt: skip
    builder.logsumexp(rows)
    made["top"] = next(i for i, x in enumerate(builder.instrs) if x.name == "top")
    return made


def test_an_instruction_of_each_op_is_verified():
    builder = Builder()
    made = every_op(builder)
    assert {builder.instrs[i].name for name, i in made.items()} == set(made) == set(TABLE)
    verify(builder.program(list(range(len(builder.instrs))))[0])
