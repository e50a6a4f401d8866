"""The steps of a first call, and its memory, grow with the size of a program, not with its square.

Steps are lines of Python that run, and calls into NumPy by how much they are given; a clock
would measure the machine.
"""

import math
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autodiff
from autodiff import Value, ops
from autodiff.compiler import Kernel
from autodiff.compiler.arrays.builder import Builder
from autodiff.compiler.arrays.layout import ANY
from autodiff.compiler.arrays.lowering import align, contract
from autodiff.compiler.arrays.program import Program
from autodiff.compiler.arrays.reverse.adjoint import adjoint
from autodiff.compiler.numpy.source import write


def values(n):
    return [Value(x) for x in np.random.default_rng(0).normal(size=n) * 0.1]


def squares(n):
    w = values(n)
    return lambda x: sum((a - x) ** 2 for a in w)


def differences(n):
    w = values(n)
    return lambda x: sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in pairwise(w)) * x


def activations(n):
    w, b = values(n), values(n)
    return lambda x: sum(ops.tanh(a * x + c) for a, c in zip(w, b, strict=True))


def softmax(n):
    w = values(n)

    def f(x):
        found = [ops.exp(a * x) for a in w]
        total = sum(found)
        return sum(a / total * a for a in found)

    return f


def chain(n):
    w = Value(0.9)

    def f(x):
        for _ in range(n // 4):
            x = (w * x).sin()
        return x

    return f


def running(n):
    def f(x):
        total = out = x
        for k in range(n // 4):
            total = total + x * k
            out = out + ops.tanh(total)
        return out

    return f


def gates(n):
    into, across, bias = (np.array(values(8 * k)).reshape(8, -1) for k in (1, 2, 1))

    def f(x):
        h = np.array([0.0, 0.0], dtype=object)
        for k in range(n // 16):
            z = into @ np.array([x * k]) + across @ h + bias[:, 0]
            a, b, c, d = (z[2 * k : 2 * k + 2] for k in range(4))
            h = autodiff.sigmoid(a) * autodiff.tanh(b) + autodiff.sigmoid(c) * h * autodiff.tanh(d)
        return sum(h)

    return f


def shuffled(n):
    rows = [ops.sin, ops.cos, ops.tanh, ops.exp]
    w = values(5)

    def f(x):
        rng = np.random.default_rng(0)
        v, total = [a * x for a in w], [0.0] * 5
        for k in range(n // 8):
            v = [rows[k % 4](a) for a in v]
            total = [a + v[j] for a, j in zip(total, rng.permutation(5), strict=True)]
        return sum(ops.tanh(a) for a in total)

    return f


def uneven(n):
    w = values(n)
    return lambda x: (
        ops.tanh(sum(a * x for a in w)) + sum(ops.tanh(a * x + b * x) for a, b in pairwise(w))
    )


def results(n):
    w = values(n)
    return lambda x: [ops.exp(a * x) for a in w]


def levels(n):
    rows = [ops.sin, ops.cos, ops.tanh, ops.exp]
    w = values(n // 8)

    def f(x):
        found = []
        for k, a in enumerate(w):
            x = rows[k % 4](x * a)
            found.append(x * a)
        return found

    return f


def compared(n):
    w = values(n // 4)
    return lambda x: [
        ops.where(sum(a * x for a in w[: k % 3 + 1]) > 0, x, a) for k, a in enumerate(w)
    ]


def steps(n):
    return spread(6, n // 20)


def cells(n):
    return spread(n // 14, 3)


def spread(count, turns):
    """Heat in cells between fixed ends."""
    k, w = Value(0.2), values(count)

    def f(x):
        u = [a * x for a in w]
        for _ in range(turns):
            inside = zip(u, u[1:], u[2:], strict=False)
            u = [u[0], *(b + k * (a - 2 * b + c) for a, b, c in inside), u[-1]]
        return sum(a * a for a in u)

    return f


def table(n):
    side = math.isqrt(n // 5)
    gap, w = Value(0.8), values(side)

    def f(x):
        row = [k * gap for k in range(side + 1)]
        for i in range(side):
            new = [row[0] + gap]
            for j in range(side):
                cost = (w[i] - w[j] * x) ** 2
                new.append(ops.minimum(row[j + 1] + gap, new[j] + gap, row[j] + cost))
            row = new
        return row[-1]

    return f


def prefixes(n):
    w = values(n // 4)

    def f(x):
        total, found = 0.0, []
        for a in w:
            total = total + a * x
            found.append(ops.tanh(total))
        return sum(found)

    return f


PROGRAMS: dict[str, Callable[[int], Any]] = {
    made.__name__: made
    for made in (squares, differences, activations, softmax, chain, running, gates, shuffled,
                 uneven, results, levels, compared, steps, cells, table, prefixes)
}  # fmt: skip


PACKAGE = str(Path(autodiff.__file__).parent)
MANY = 1000
"""Functions that run fewer lines are not compared."""


def lines(function, *args, **more):
    """How many lines of each function of the package a call runs."""
    found: Counter[str] = Counter()

    def line(frame, event, arg):
        if event == "line":
            found[f"{frame.f_code.co_filename.removeprefix(PACKAGE)} {frame.f_code.co_name}"] += 1
        return line

    def called(frame, event, arg):
        return line if frame.f_code.co_filename.startswith(PACKAGE) else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        function(*args, **more)
    finally:
        sys.settrace(before)
    return found


def check_linear(few, many, times=4):
    """Raise unless no function runs much more than so many times the lines."""
    assert sum(many.values()) > MANY
    grown = {
        name: (few[name], count)
        for name, count in many.items()
        if count > MANY and count > 1.15 * times * few[name]
    }
    assert grown == {}


def first_call(f, *args):
    kernel = Kernel(f)
    is_number = isinstance(f(*[Value(0.1) for _ in args]), Value)
    return lines(kernel.value_and_grad if is_number else kernel, *args)


@pytest.mark.parametrize("name", PROGRAMS)
def test_lines_that_run_in_a_first_call_grow_with_the_program(name):
    check_linear(*[first_call(PROGRAMS[name](n), np.ones(1)) for n in (320, 1280)])


def test_lines_grow_with_the_arguments():
    def call(count):
        kernel = Kernel(lambda *xs: sum(ops.tanh(x) * x for x in xs))
        chosen = tuple(range(count))
        return lines(kernel.value_and_grad, *np.ones((count, 1)), argnums=chosen)

    check_linear(call(40), call(160))


def test_lines_grow_with_the_keys_of_an_argument():
    def call(count):
        given = {f"a_key_of_more_than_two_dozen_letters_{k}": np.ones(1) for k in range(count)}
        kernel = Kernel(lambda d: sum(ops.tanh(x) * x for x in d.values()))
        return lines(kernel.value_and_grad, given, argnums=0)

    check_linear(call(40), call(160))


# What Python's lines do not show


def test_sums_of_many_arrays_compare_the_shapes_of_two_at_a_time(monkeypatch):
    given = []
    common_shape = align.common_shape

    def counted(periods, size):
        given.append(sum(1 + len(sizes) for sizes in periods))
        return common_shape(periods, size)

    def f(x, n):
        found = [list(x)]
        for _ in range(n):
            found.append([ops.sin(a) for a in found[-1]])
        return sum(ops.tanh(sum(column)) for column in zip(*found, strict=True))

    monkeypatch.setattr(align, "common_shape", counted)
    for n in (10, 100):
        Kernel(lambda x, n=n: f(x, n)).value_and_grad(np.ones((1, 3)))
    assert max(given) < 10


def test_a_result_is_fetched_without_the_places_of_all(monkeypatch):
    found = []
    place = Builder.place

    def counted(self, i):
        array, places = place(self, i)
        found.append(places.size)
        return array, places

    monkeypatch.setattr(Builder, "place", counted)
    sizes = []
    for n in (50, 200):
        found.clear()
        Kernel(results(n))(np.ones(1))
        sizes.append(sum(found))
    assert sizes[1] < 4.4 * sizes[0]


class Unsearched(tuple):
    """A sequence that is not searched, which would take as many steps as it is long."""

    __slots__ = ()

    def __contains__(self, item):
        raise AssertionError(f"a search for {item}")


def test_results_and_sources_are_looked_up():
    builder = Builder()
    x, y = builder.leaf("x", 3, True), builder.leaf("y", 3, True)
    product = builder.apply(ops.mul, [x, y])
    total = builder.sum(builder.apply(ops.mul, [product, builder.constant([2.0, 3.0, 4.0])]), (0,))
    total = builder.reshape(total, (1,))
    seed = builder.leaf("seed", 1, True)
    found, _ = adjoint(builder, [(total, seed)], Unsearched([x, y]))
    program, _ = builder.program([total, *found])
    write(Program(program.instrs, Unsearched(program.results)), ["x", "y"])


def test_inputs_of_many_arguments_are_looked_up():
    kernel = Kernel(lambda x, y: x * y)
    kernel(np.ones(1), np.ones(1))
    found = kernel._latest.inputs_of(Unsearched([1]))
    assert [item.leaf.name for item in found] == ["y"]


@pytest.mark.parametrize("order", ["in order", "backwards", "shuffled"])
def test_a_long_component_is_found_in_few_rounds(order, monkeypatch):
    rounds = []

    class Counted:
        def __getattr__(self, name):
            rounds.extend([name] * (name == "full"))
            return getattr(np, name)

    monkeypatch.setattr(contract, "np", Counted())
    n = 4096
    rows = {"in order": np.arange(n), "backwards": np.arange(n)[::-1],
            "shuffled": np.random.default_rng(0).permutation(n)}[order]  # fmt: skip
    row_of, column_of = np.r_[rows, rows[1:]], np.r_[np.arange(n), np.arange(n - 1)]
    assert (contract._components(row_of, column_of) == 0).all()
    assert len(rounds) < 20


def triangle(n, turned):
    """Rows of 1, 2, … n positions: 0, 1, … or, turned, …, 1, 0."""
    rows = np.full((n, n), ANY)
    for k in range(n):
        rows[k, : k + 1] = np.arange(k + 1)[:: -1 if turned else 1]
    return rows


@pytest.mark.parametrize("turned", [False, True])
def test_the_memory_of_ragged_dots_grows_with_their_terms(turned):
    n = 300
    left, right = triangle(n, False), triangle(n, turned)
    builder = Builder()
    a, b = builder.leaf("a", n, False), builder.leaf("b", n, True)
    tracemalloc.start()
    try:
        contract.Dots(builder, a, b, {}).contract(left, right)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 25 * left.nbytes


@pytest.mark.parametrize("reduce", [sum, ops.maximum, ops.logsumexp])
def test_the_memory_of_lanes_of_other_lengths_grows_with_their_terms(reduce):
    def f(x):
        whole, pairs = reduce(list(x)), [reduce([a, b]) for a, b in pairwise(x)]
        return ops.tanh(whole) + sum(ops.tanh(pair) for pair in pairs)

    peaks = []
    for n in (500, 2000):
        kernel = Kernel(f)
        x = np.random.default_rng(0).normal(size=(1, n))
        tracemalloc.start()
        try:
            kernel.value_and_grad(x, argnums=0)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    assert peaks[1] < 5 * peaks[0]
    kernel.check(x)


def test_a_trace_forgets_what_only_it_needs():
    kernel = Kernel(differences(10))
    kernel(np.ones(1))
    scalars = kernel._latest.analyzed.traced.scalars
    assert scalars.is_closed
    assert (scalars._known, scalars._values, scalars.own) == ({}, {}, set())
    assert math.isfinite(kernel.value_and_grad(np.ones(1))[0])
