from dataclasses import replace

import pytest

from autodiff import Value, ops
from autodiff.compiler.scalars.packing import pack
from autodiff.compiler.scalars.packs import CHAIN
from autodiff.compiler.scalars.sums import reassociate
from autodiff.compiler.scalars.tracing import trace


def sums_of(f):
    traced = trace(f, (), ())
    sums = reassociate(traced.scalars, traced.results)
    sums.verify()
    return sums


def leaves(n):
    return [Value(float(k)) for k in range(n)]


def test_a_short_beginning_is_repeated_in_the_sums_that_read_it():
    a, b, c, d = leaves(4)
    sums = sums_of(lambda: [ops.exp(a + b + c), ops.exp(a + b + d)])
    found = [[sums.scalars.line(x)[-2] for _, x, _ in terms] for terms in sums.terms.values()]
    assert sorted(found) == [["0", "1", "2"], ["0", "1", "3"]]


def test_a_sum_that_something_else_reads_stays():
    a, b, c, d = leaves(4)
    sums = sums_of(lambda: [ops.exp(a + b), ops.exp(a + b + c), ops.exp(a + b + d)])
    assert sorted(map(len, sums.terms.values())) == [2, 2, 2]


def test_a_long_beginning_is_shared():
    xs = leaves(30)
    y, z = leaves(2)
    sums = sums_of(lambda: [ops.exp(sum(xs[1:], xs[0]) + y), ops.exp(sum(xs[1:], xs[0]) + z)])
    assert sorted(map(len, sums.terms.values())) == [2, 2, 30]


def test_a_multiple_that_only_sums_read_is_part_of_each():
    a, b, c = leaves(3)
    sums = sums_of(lambda: [ops.exp(2.0 * a + b), ops.exp(2.0 * a - c)])
    assert all(terms[0][2] >= 0 for terms in sums.terms.values())


def prefixes(xs):
    total, found = 0.0, []
    for x in xs:
        total = total + x
        found.append(ops.exp(total))
    return found


@pytest.mark.parametrize(("n", "count"), [(3, 0), (4, 1), (9, 1)])
def test_prefixes_that_are_all_read_are_a_chain(n, count):
    xs = leaves(n)
    sums = sums_of(lambda: prefixes(xs))
    assert [len(chain) for chain in sums.chains] == [n] * count
    packs = pack(sums)
    packs.verify()
    assert [p.chains for p in packs.packs if p.op == CHAIN] == [1] * count
    assert ("cumulative sum" in str(packs)) == bool(count)


def test_chains_of_one_length_are_a_pack():
    xs, ys = leaves(5), leaves(5)
    packs = pack(sums_of(lambda: prefixes(xs) + prefixes(ys)))
    packs.verify()
    assert [(p.chains, len(p.lanes)) for p in packs.packs if p.op == CHAIN] == [(2, 10)]


def test_a_sum_whose_increment_depends_on_the_chain_begins_anew():
    xs = leaves(8)

    def f():
        total, found = xs[0] + xs[1], []
        for x in xs:
            total = total + ops.exp(total) * x
            found.append(ops.sin(total))
        return found

    assert sums_of(f).chains == ()


def test_chains_that_read_each_other_are_not_both_chains():
    a, b, c, d = leaves(4)
    w = leaves(12)

    def f():
        left, right = a + b, c + d
        first, second = [ops.exp(left)], [ops.exp(right)]
        base = left, right
        for k in range(6):
            left = left + w[k] * base[1]
            right = right + w[6 + k] * base[0]
            first.append(ops.exp(left))
            second.append(ops.exp(right))
        return first + second

    packs = pack(sums_of(f))
    packs.verify()


def test_the_verifier_asks_that_increments_come_before_the_chain():
    xs = leaves(5)
    sums = sums_of(lambda: prefixes(xs))
    (chain,) = sums.chains
    with pytest.raises(AssertionError, match="another beginning"):
        replace(sums, chains=((chain[1], chain[0]),)).verify()
