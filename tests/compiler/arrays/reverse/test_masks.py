"""Conditions on elements, joined and brought into other shapes."""

import numpy as np
import pytest

from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.program import verify
from autodiff.compiler.arrays.reverse.masks import NOT, Masks


@pytest.fixture
def masks():
    return Masks(Builder())


def condition(masks, name, size=1, is_batched=True):
    return masks.builder.condition(masks.builder.leaf(name, size, is_batched))


def test_clauses_of_both_branches_of_a_choice_merge(masks):
    p, q = (condition(masks, name) for name in "pq")
    assert masks.any_of([((p, True),), ((p, False),)]) == ()
    assert masks.any_of([((p, True), (q, True)), ((p, False), (q, True))]) == ((q, True),)
    assert masks.any_of([((p, True),), ((p, True), (q, False))]) == ((p, True),)
    assert masks.any_of([((q, True), (p, False)), ((p, True),), ((q, False), (p, False))]) == ()


def test_clauses_that_do_not_merge_are_joined_by_or(masks):
    p, q = (condition(masks, name) for name in "pq")
    ((joined, holds),) = masks.any_of([((p, True),), ((q, False),)])
    instr = masks.builder.instrs[joined]
    assert (instr.name, holds) == ("logical_or", True)
    assert set(instr.operands) == {p, masks.builder.apply(NOT, [q])}


def test_not_not_is_nothing(masks):
    p = condition(masks, "p")
    opposite = masks.holding(p, False)
    assert masks.literal(opposite) == (p, False)
    assert masks.holding(opposite, False) == p


def test_along_lost_axes_one_is_enough(masks):
    known = masks.builder.constant(np.array([[True, False, True], [False, False, False]]))
    assert masks.values(masks.fitted(known, (2, 1))).tolist() == [[True], [False]]
    assert masks.values(masks.fitted(known, (3,))).tolist() == [True, False, True]
    assert masks.builder.shape(masks.fitted(known, (1, 2, 3))) == (1, 2, 3)
    p = condition(masks, "p", 3)
    assert masks.builder.shape(masks.fitted(p, (1,))) == (1,)
    over_the_batch = masks.fitted(p, (3,), is_batched=False)
    assert not masks.builder.instrs[over_the_batch].is_batched
    assert masks.fitted(p, (3,)) == p
    program, _ = masks.builder.program([over_the_batch, masks.fitted(p, (1,))])
    verify(program)
