"""The table of array ops: every pass covers every row, and its facts are true."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from autodiff import ops
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import Gather, View
from autodiff.compiler.arrays.ops import TABLE
from autodiff.compiler.arrays.program import Program, verify
from autodiff.compiler.arrays.reverse import reach, rules
from autodiff.compiler.numpy import lines
from autodiff.compiler.numpy.loading import load
from autodiff.compiler.numpy.source import write


@pytest.mark.parametrize(
    "covered", [rules.RULES, reach.RULES, lines.LINES], ids=["adjoint", "reach", "lines"]
)
def test_every_pass_covers_every_row(covered):
    assert set(covered) == set(TABLE.values())


@pytest.mark.parametrize("name", TABLE)
def test_a_row_is_itself_after_a_copy_and_a_pickle(name):
    row = TABLE[name]
    assert copy.deepcopy(row) is row
    assert pickle.loads(pickle.dumps(row)) is row


def test_a_row_has_a_word_for_its_array_unless_it_is_free():
    assert all(bool(row.stem) != row.is_free for row in TABLE.values())


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
        "cumsum": builder.cumsum(rows),
        "reduce": builder.reduce(ops.prod, rows), "rows": picked,
        "add_rows": builder.add_rows(picked, index, (2, 3)), "take": taken,
        "untake": builder.untake(taken, table, index, (6,), True),
    }  # fmt: skip
    made["refine"] = builder.refine(builder.apply(ops.sub, [w, w]), ops.tanh, w)
    builder.logsumexp(rows)
    made["top"] = next(i for i, x in enumerate(builder.instrs) if x.name == "top")
    return made


def test_an_instruction_of_each_op_is_verified():
    builder = Builder()
    made = every_op(builder)
    assert {builder.instrs[i].name for name, i in made.items()} == set(made) == set(TABLE)
    verify(builder.program(list(range(len(builder.instrs))))[0])


BROKEN = {  # of an instruction of an op: the fields that do not fit
    "an axis too many": ("sum", {"fact": (0, 7)}),
    "an access of another shape": ("scatter", {"fact": (View(0, (2,), (1,)),)}),
    "a place outside": ("gather", {"fact": Gather(np.array([0, 1, 6]))}),
    "a product of other sizes": (
        "matmul",
        {"operands": lambda made: (made["view"],) * 2, "shape": (2, 3)},
    ),
    "a sum over no batch": ("matmul_batch", {"operands": (2, 2), "shape": (6, 6)}),
    "another kind": ("concatenate", {"kind": "i"}),
    "a constant of another kind": ("constant", {"kind": "b"}),
    "a fact of another op": ("take", {"fact": (0,)}),
    "a fact too many": ("copy", {"fact": (0,)}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_verifier_asks_what_the_row_needs(name):
    op, fields = BROKEN[name]
    builder = Builder()
    made = every_op(builder)
    i = made[op]
    fields = {name: value(made) if callable(value) else value for name, value in fields.items()}
    assert [x.name for x in builder.instrs[:3]] == ["leaf", "exp", "leaf"]
    verify(Program(tuple(builder.instrs), (i,)))
    builder.instrs[i] = replace(builder.instrs[i], **fields)
    with pytest.raises(AssertionError):
        verify(Program(tuple(builder.instrs), (i,)))


@pytest.fixture(scope="module")
def computed():
    """For each op its row and the arrays of its operands and its result, none of them negative."""
    builder = Builder()
    made = every_op(builder)
    numbers = list(
        dict.fromkeys(x for i in made.values() for x in (i, *builder.instrs[i].operands))
    )
    program, _ = builder.program(numbers)
    rng = np.random.default_rng(0)
    leaves = {
        "x": rng.random((2, 6)),
        "w": rng.random(6),
        "index": np.array([[0, 1, 1], [1, 0, 0]]),
    }
    source = write(program, list(leaves))
    found = load(source.text, "test")(2, 1.0, float, source.arrays)(*leaves.values())
    arrays = dict(zip(numbers, map(np.array, found), strict=True))
    return {
        name: (TABLE[name], [arrays[x] for x in builder.instrs[i].operands], arrays[i])
        for name, i in made.items()
    }


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.moves])
def test_ops_that_move_elements_compute_none(computed, name):
    _, operands, result = computed[name]
    if name == "add_rows":  # rows of several examples are added up
        assert np.isclose(result.sum(), operands[0].sum())
    else:
        assert np.isin(result[result != 0], np.concatenate([x.ravel() for x in operands])).all()


def test_ops_that_keep_elements_unsigned_give_none_below_zero(computed):
    for name, (row, _, result) in computed.items():
        if row.keeps_unsigned:
            assert not np.signbit(result).any(), name
