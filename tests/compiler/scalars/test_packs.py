import dataclasses

import pytest

from autodiff import Value, ops
from autodiff.compiler.scalars.packing import pack
from autodiff.compiler.scalars.packs import SUM
from autodiff.compiler.scalars.program import PARAMETERS, Leaf, Scalars
from autodiff.compiler.scalars.sums import reassociate
from tests.compiler.programs import compiled


class Recorded:
    """Scalars of two leaves, x and y, with eight lanes each, and their packs."""

    def __init__(self):
        self.scalars = Scalars()
        leaves = Leaf("x", True, size=8), Leaf("y", True, size=8)
        self.x, self.y = ([self.scalars.add(leaf, (k,)) for k in range(8)] for leaf in leaves)

    def __call__(self, op, *operands):
        return self.scalars.apply(op, operands)

    def packs(self, *results):
        packs = pack(reassociate(self.scalars, results))
        packs.verify()
        return packs, [p for p in packs.packs if not isinstance(p.op, Leaf)]


@pytest.fixture
def record():
    return Recorded()


def test_equal_ops_of_one_source_are_one_pack(record):
    results = [record(ops.exp, x) for x in record.x]
    packs, made = record.packs(*results)
    assert [(p.op, p.lanes) for p in made] == [(ops.exp, results)]
    assert [packs.lane_of[i] for i in results] == list(range(8))


def test_other_ops_sources_and_levels_are_other_packs(record):
    one = record(ops.exp, record.x[0])
    packs, made = record.packs(
        one, record(ops.sin, record.x[0]), record(ops.exp, record.y[0]), record(ops.exp, one)
    )
    assert len(made) == 4
    assert packs.pack_of[one].level == 1


def test_a_leaf_has_the_lanes_of_its_array(record):
    packs, _ = record.packs(record(ops.exp, record.x[5]))
    assert packs.lane_of[record.x[5]] == 5


def test_sums_of_other_lengths_are_one_pack(record):
    sums = []
    for n in (1, 2, 5, 8):
        total = record.scalars.constant(0.0)
        for k in range(n):  # pairs of no other sum, as a product used twice is no term
            product = record(ops.mul, record.x[k], record.y[(k + n) % 8])
            total = record(ops.add, total, product)
        sums.append(total)
    packs, made = record.packs(*sums)
    assert [(p.op, p.lanes) for p in made] == [(SUM, sums)]
    assert [len(packs.terms[i]) for i in sums] == [1, 2, 5, 8]


def test_terms_have_signs_and_both_factors(record):
    x, y = record.x, record.y
    product = record(ops.mul, x[1], y[1])
    total = record(ops.sub, record(ops.add, x[0], record(ops.neg, product)), y[2])
    packs, _ = record.packs(total)
    assert packs.terms[total] == [(1, x[0], -1), (-1, x[1], y[1]), (-1, y[2], -1)]


def test_minus_a_difference_turns_both_signs(record):
    x = record.x
    total = record(ops.sub, x[0], record(ops.sub, x[1], x[2]))
    packs, _ = record.packs(total)
    assert packs.terms[total] == [(1, x[0], -1), (-1, x[1], -1), (1, x[2], -1)]


def test_a_sum_used_twice_stays_whole(record):
    inner = record(ops.add, record.x[0], record.x[1])
    outer = record(ops.add, inner, record.x[2])
    packs, _ = record.packs(outer, record(ops.exp, inner))
    assert packs.terms[outer] == [(1, inner, -1), (1, record.x[2], -1)]


def test_a_sum_that_is_a_result_stays_whole(record):
    inner = record(ops.add, record.x[0], record.x[1])
    outer = record(ops.add, inner, record.x[2])
    packs, _ = record.packs(outer, inner)
    assert inner in packs.terms
    assert packs.terms[outer][0] == (1, inner, -1)


def test_parameters_come_first_in_a_product(record):
    w = record.scalars.value(Value(2.0))
    total = record(ops.add, record(ops.mul, record.x[0], w), record(ops.mul, w, record.y[0]))
    packs, _ = record.packs(total)
    assert packs.terms[total] == [(1, w, record.x[0]), (1, w, record.y[0])]
    assert packs.pack_of[w].op is PARAMETERS


def test_what_no_result_needs_is_in_no_pack(record):
    record(ops.exp, record.x[0])
    _, made = record.packs(record(ops.sin, record.x[0]))
    assert [p.op for p in made] == [ops.sin]


def test_packs_come_after_their_operands():
    packs = compiled("gpt_4")[1]._latest.analyzed.packs
    packs.verify()
    backwards = dataclasses.replace(packs, packs=packs.packs[::-1])
    with pytest.raises(AssertionError, match="an operand not before"):
        backwards.verify()


def test_query_key_and_value_are_one_pack_and_lengths_make_no_more_packs():
    packs = {n: compiled(f"gpt_{n}")[1]._latest.analyzed.packs for n in (4, 8)}
    widths = {n: [len(p.lanes) for p in found.packs] for n, found in packs.items()}
    assert 3 * 6 * 8 in widths[8]
    assert 3 * 6 * 4 in widths[4]
    assert len(widths[4]) == len(widths[8])
