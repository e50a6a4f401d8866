"""The backward sweep: what it adds, where it adds it, and what it leaves alone."""

import math
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autodiff import Value, clip, dot, log, maximum, mean, minimum, ops, relu, toposort, where
from autodiff.engine import reverse
from tests.support.interruptions import (
    amid,
    at_opcode,
    can_fork,
    codes_of,
    opcodes,
    passes_in_child,
)
from tests.support.process import printed, printed_under_any_hash_seed


def gradients(f, *xs, seed=1.0):
    """d f / d x for every x, by a backward pass over fresh leaves."""
    values = [Value(x) for x in xs]
    f(*values).backward(seed)
    return [v.grad for v in values]


@pytest.mark.parametrize(
    ("f", "xs", "expected"),
    [
        (lambda x: x, [3.0], [1.0]),
        (lambda x: x * x, [3.0], [6.0]),
        (lambda x: x + x + x, [3.0], [3.0]),
        (lambda x: (x * 2) * (x + 1), [3.0], [14.0]),
        (lambda x, y: (x * y) + (x * y), [3.0, 4.0], [8.0, 6.0]),
        (lambda x, unused: x**3, [-2.0, 5.0], [12.0, 0.0]),
        (lambda x, y: dot([x, y, x], [y, 2.0, x]), [3.0, 4.0], [10.0, 5.0]),
        (lambda x, y: 1 / (x - y) - y / x, [3.0, 1.0], [-0.25 + 1 / 9, 0.25 - 1 / 3]),
    ],
)
def test_gradients_of_small_graphs(f, xs, expected):
    assert gradients(f, *xs) == expected
    assert gradients(f, *xs, seed=-2) == [-2 * x for x in expected]


RECIPES = st.lists(
    st.tuples(st.sampled_from(["+", "-", "*"]), st.integers(0, 99), st.integers(0, 99)),
    min_size=1,
    max_size=12,
)


@given(RECIPES, st.lists(st.integers(-3, 3), min_size=1, max_size=4))
def test_random_graphs_agree_with_forward_mode(recipe, xs):
    """Integers are exact in Python, so the two modes agree to the bit while floats hold them."""
    values = [Value(x) for x in xs]
    duals = [(x, [int(i == j) for j in range(len(xs))]) for i, x in enumerate(xs)]
    for op, i, j in recipe:
        v, w = values[i % len(values)], values[j % len(values)]
        (x, dx), (y, dy) = duals[i % len(duals)], duals[j % len(duals)]
        if op == "*":
            values.append(v * w)
            duals.append((x * y, [a * y + x * b for a, b in zip(dx, dy, strict=True)]))
        else:
            sign = 1 if op == "+" else -1
            values.append(v + w if op == "+" else v - w)
            duals.append((x + sign * y, [a + sign * b for a, b in zip(dx, dy, strict=True)]))
        if max(map(abs, [duals[-1][0], *duals[-1][1]])) > 2**20:
            break
    values[-1].backward()
    assert [v.grad for v in values[: len(xs)]] == duals[-1][1]


# What a second pass adds to


def test_a_second_pass_doubles_only_the_leaves():
    x, y = Value(3.0), Value(4.0)
    product = x * y
    root = product * product
    for passes in (1, 2, 3):
        root.backward()
        assert (x.grad, y.grad) == (96.0 * passes, 72.0 * passes)
        assert (product.grad, root.grad) == (24.0, 1.0)


def test_roots_that_share_a_graph_each_start_from_zero():
    x = Value(2.0)
    shared = x * 3
    one, two = shared * 5, shared * 7
    one.backward()
    two.backward()
    assert x.grad == 3 * (5 + 7)
    assert (one.grad, two.grad, shared.grad) == (1.0, 1.0, 7.0)


def test_a_gradient_set_by_the_user_accumulates_on_leaves_only():
    x = Value(2.0)
    y = x * 3
    root = y * 5
    x.grad = y.grad = root.grad = 100
    root.backward()
    assert (x.grad, y.grad, root.grad) == (115.0, 5.0, 1.0)


def test_a_leaf_as_root_accumulates_the_seed():
    x = Value(2.0)
    x.backward()
    x.backward(3)
    assert x.grad == 4.0


def test_has_grad_is_true_after_a_backward_pass():
    x, unused = Value(0.0), Value(0.0)
    (x * x).backward()
    assert (x.grad, x.has_grad) == (0.0, True)
    assert (unused.grad, unused.has_grad) == (0.0, False)


@pytest.mark.parametrize("seed", [None, "1", 1j, Value(1.0), [1.0]], ids=str)
def test_a_seed_is_a_number(seed):
    x = Value(2.0)
    with pytest.raises(TypeError, match="expected a real number"):
        (x * x).backward(seed)
    assert not x.has_grad


def test_partials_are_those_of_the_forward_pass():
    """An optimizer that steps before backward, or between two passes, corrupts nothing."""

    def f(x, y):
        return dot([x, y], [y, x]) * x**2 + x / y - maximum(x, y).exp() + (x * y).relu() * 3

    expected = gradients(f, 0.5, 2.0)
    x, y = Value(0.5), Value(2.0)
    root = f(x, y)
    for node in toposort(root):
        node.data = -7.0
    root.backward()
    assert [x.grad, y.grad] == expected


def test_nan_and_inf_flow():
    assert gradients(lambda x, y: x * y, math.inf, 2.0) == [2.0, math.inf]
    assert all(map(math.isnan, gradients(lambda x, y: x * y, math.nan, 2.0)[1:]))
    assert all(map(math.isnan, gradients(lambda x: x * x - x * x, math.inf)))
    assert gradients(lambda x: x.exp(), 1000.0) == [math.inf]
    assert all(map(math.isnan, gradients(lambda x: x + 1, 2.0, seed=math.nan)))


@pytest.mark.parametrize("ct", [math.inf, -math.inf, math.nan, 1.0])
@pytest.mark.parametrize(
    "choose",
    [
        lambda kept, cut: where(True, kept, cut),
        lambda kept, cut: where(False, cut, kept),
        lambda kept, cut: maximum(cut, kept),
        lambda kept, cut: maximum([kept, cut, cut]),
        lambda kept, cut: minimum(-kept, -cut),
        lambda kept, cut: clip(cut, kept, 9.0),
        lambda kept, cut: kept + relu(cut),
        lambda kept, cut: kept + relu(-1.0 - cut * cut),
        lambda kept, cut: kept + ops.sign(cut),
    ],
)
def test_no_cotangent_crosses_to_an_operand_that_was_not_selected(choose, ct):
    kept, leaf = Value(2.0), Value(-1.0)
    cut = leaf * 1.0
    choose(kept, cut).backward(ct)
    assert kept.has_grad
    assert (leaf.grad, cut.grad, leaf.has_grad) == (0.0, 0.0, False)


def test_the_branch_not_taken_does_not_matter():
    assert gradients(lambda x: where(x > 0, log(x), 0.0), 0.0) == [0.0]
    assert gradients(lambda x: where(x > 0, x.sqrt(), -x), 0.0) == [-1.0]
    assert gradients(lambda x: maximum(x, 1.0) * math.inf, 0.5) == [0.0]


def test_detach_cuts():
    assert gradients(lambda x: x.detach() * x, 3.0) == [3.0]
    assert gradients(lambda x: (x * x).detach(), 3.0) == [0.0]


# Size, memory, threads, hash seeds


@pytest.mark.usefixtures("collector_off")
def test_a_graph_is_freed_without_the_collector():
    x = Value(0.5)
    root = mean([x * x, 2 / x, x.exp(), -x, dot([x, 2.0], [x, 3.0]), where(x > 0, x, 1.0)]) ** x
    root.backward()
    alive = [weakref.ref(node) for node in toposort(root)]
    assert len(alive) == 9
    del root
    assert [node() for node in alive if node() is not None] == [x]


LONG = """
from autodiff import Value
x = Value(0.5)
y = x
for _ in range(500_000):
    y = y * x + 1.0
y.backward()
print(y.data, x.grad)
del y
"""

WIDE = """
from autodiff import Value, sum
xs = [Value(i) for i in range(200_000)]
y = sum(xs) * xs[3]
for x in xs:
    y = y + x * x
y.backward()
print(xs[0].grad, xs[3].grad, xs[199_999].grad)
del y, xs
"""


def test_a_chain_of_a_million_nodes_lives_and_dies_without_recursion():
    # y = xy + 1 has the fixed point 1 / (1 - x), whose slope is 1 / (1 - x)².
    assert printed(LONG) == "2.0 4.0\n"


def test_a_wide_graph_lives_and_dies_without_recursion():
    total = 199_999 * 200_000 // 2
    assert printed(WIDE) == f"3.0 {total + 3 + 6}.0 {3 + 2 * 199_999}.0\n"


BITS = """
import os, random
junk = [object() for _ in range(int(os.environ["PYTHONHASHSEED"]))]  # moves the nodes: ids differ
from autodiff import Value, dot, sum
rng = random.Random(0)
nodes = xs = [Value(rng.uniform(-1, 1)) for _ in range(20)]
for _ in range(300):
    a, b, c = rng.choices(nodes, k=3)
    nodes = [*nodes, rng.choice([a * b + c, a - b, (a + b).tanh(), dot([a, b], [c, a])])]
sum(nodes).backward()
print([x.grad.hex() for x in xs])
"""


def test_gradients_are_the_same_bits_under_every_hash_seed():
    assert printed_under_any_hash_seed(BITS).count("0x") == 20


@pytest.mark.usefixtures("threads_that_alternate")
def test_threads_with_separate_graphs_get_the_right_gradients():
    def work(k):
        x = Value(k)
        for _ in range(50):
            y = x
            for _ in range(50):
                y = (y * 0.25 + y * 0.75) + x
            y.backward()
        return x.grad

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [50 * 51.0] * 8


# Sweeps beside each other, and in the middle of each other

SWEEP = codes_of(reverse)
FLOW = codes_of(reverse._flow)


@pytest.mark.usefixtures("threads_that_alternate")
def test_two_roots_over_one_trunk_on_two_threads_add_up():
    x, scales = Value(1.0), [Value(3.0), Value(5.0)]
    trunk = x
    for _ in range(150):
        trunk = trunk * 0.5 + trunk * 0.5
    roots = [trunk * scale for scale in scales]
    start = threading.Barrier(2, timeout=10)

    def work(root):
        start.wait()
        for _ in range(400):
            root.backward()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, roots))
    assert [v.grad for v in (x, *scales)] == [400 * 8.0, 400.0, 400.0]


class Entangled:
    """Two roots over one trunk, with leaves in common and of their own; all slopes are exact."""

    def __init__(self):
        self.leaves = x, w, u, v = [Value(k) for k in (2.0, 3.0, 5.0, 7.0)]
        trunk = dot([x, w, x], [w, x, 1.0]) + maximum(x, w) * x
        self.outer = ops.sum([trunk * u, relu(trunk), x, w * w])
        self.inner = where(True, trunk * v, 0.0) + x * x - u
        self.own = v

    def grads(self):
        return [leaf.grad for leaf in self.leaves]

    def between(self):
        nodes = dict.fromkeys([*toposort(self.outer), *toposort(self.inner)])
        return [node.grad for node in nodes if node.operands]


def entangled(*passes):
    """An example after passes from its roots."""
    pair = Entangled()
    for name in passes:
        getattr(pair, name).backward()
    return pair


def test_a_sweep_may_interrupt_a_sweep_at_every_opcode():
    one, other = entangled("outer", "inner"), entangled("inner", "outer")
    assert one.grads() == other.grads()
    for position in range(opcodes(Entangled().outer.backward, SWEEP)):
        pair = Entangled()

        def interrupt(pair=pair):
            pair.inner.backward()
            said = pair.own.grad, pair.inner.grad
            assert said == (one.own.grad, 1.0)

        at_opcode(position, interrupt, pair.outer.backward, SWEEP)
        assert pair.grads() == one.grads(), position
        assert pair.between() in (one.between(), other.between()), position


def test_another_thread_may_sweep_during_a_sweep():
    expected = entangled("outer", "inner").grads()
    for position in range(0, opcodes(Entangled().outer.backward, FLOW), 40):
        pair = Entangled()
        thread = threading.Thread(target=pair.inner.backward)

        def interrupt(thread=thread):
            thread.start()
            thread.join(0.02)  # if it waits, it goes on after this sweep

        at_opcode(position, interrupt, pair.outer.backward, FLOW)
        thread.join(30)
        assert pair.grads() == expected, position


class Hooked(float):
    """A partial that calls functions before it is multiplied, each once."""

    def __rmul__(self, ct):
        while self.hooks:
            self.hooks.pop()()
        return ct * float(self)


def edges(root):
    return [(node, i) for node in toposort(root) for i, p in enumerate(node._partials) if p]


def sweep_hooked(root, edge, function):
    """Sweep back from `root`, and call `function` between the read and the write of one edge."""
    node, i = edges(root)[edge]
    before = node._partials
    hooked = Hooked(before[i])
    hooked.hooks = [function]
    node._partials = (*before[:i], hooked, *before[i + 1 :])
    try:
        root.backward()
    finally:
        node._partials = before


EDGES = range(len(edges(Entangled().inner)))


@pytest.mark.parametrize("edge", EDGES)
def test_a_sweep_may_interrupt_an_interrupting_sweep(edge):
    expected = entangled("outer", "inner", "outer").grads()
    for position in range(0, opcodes(Entangled().outer.backward, SWEEP), 7):
        pair = Entangled()
        third = (pair.outer * 1.0).backward
        at_opcode(
            position,
            partial(sweep_hooked, pair.inner, edge, third),
            pair.outer.backward,
            SWEEP,
        )
        assert pair.grads() == expected, position


def test_a_sweep_may_interrupt_the_adding_of_late_cotangents():
    expected = entangled("outer", "inner", "outer").grads()
    ending = codes_of(reverse.backward, reverse._settle)

    def swept(pair):
        return partial(sweep_hooked, pair.outer, 3, (pair.outer * 1.0).backward)

    for position in range(opcodes(swept(Entangled()), ending)):
        pair = Entangled()
        at_opcode(position, pair.inner.backward, swept(pair), ending)
        assert pair.grads() == expected, position


def test_a_separate_graph_may_be_swept_during_a_sweep():
    y = Value(3.0)
    square = y * y
    root = square * 2.0

    def interrupt():
        root.backward()
        assert (y.grad, square.grad) == (12.0, 2.0)

    at_opcode(150, interrupt, Entangled().outer.backward, SWEEP)
    assert (y.grad, square.grad, root.grad) == (12.0, 2.0, 1.0)


def test_adding_to_leaves_and_sweeps_interleave_at_every_opcode():
    cts = [1.0, 2.0, 3.0, 4.0]

    def adding(pair):
        return partial(reverse.add, pair.leaves, cts)

    expected = [
        g + k for g, k in zip(entangled("outer").grads(), (1.0, 2.0, 3.0, 4.0), strict=True)
    ]
    for position in range(opcodes(Entangled().outer.backward, SWEEP)):
        pair = Entangled()
        at_opcode(position, adding(pair), pair.outer.backward, SWEEP)
        assert pair.grads() == expected, position
    for position in range(opcodes(adding(Entangled()), SWEEP)):
        pair = Entangled()
        at_opcode(position, pair.outer.backward, adding(pair), SWEEP)
        assert pair.grads() == expected, position


def test_added_gradients_stay_on_the_given_leaves():
    x, y = Value(1.0), Value(2.0)
    x.grad = 3.0
    reverse.add([x], [-0.5])
    reverse.add([], [])
    assert (x.grad, y.has_grad) == (2.5, False)


def interrupted():
    raise KeyboardInterrupt


def test_an_aborted_sweep_does_not_affect_the_next():
    expected = entangled("inner", "outer").grads()
    for position in range(opcodes(Entangled().outer.backward, FLOW)):
        pair = Entangled()
        with pytest.raises(KeyboardInterrupt):
            at_opcode(position, interrupted, pair.outer.backward, FLOW)
        for leaf in pair.leaves:
            leaf.grad = 0.0
        pair.inner.backward()
        pair.outer.backward()
        assert pair.grads() == expected, position


@pytest.mark.parametrize("edge", EDGES)
def test_an_aborted_sweep_does_not_affect_the_outer_one(edge):
    expected = entangled("outer").grads()[:-1]
    for position in range(0, opcodes(Entangled().outer.backward, FLOW), 7):
        pair = Entangled()

        def interrupt(pair=pair):
            with pytest.raises(KeyboardInterrupt):
                sweep_hooked(pair.inner, edge, interrupted)

        at_opcode(position, interrupt, pair.outer.backward, FLOW)
        assert pair.grads()[:-1] == expected, position


@can_fork
def test_a_child_forked_while_another_thread_sweeps_can_sweep():
    pair = Entangled()

    def check():
        for leaf in pair.leaves:
            leaf.grad = 0.0
        pair.inner.backward()
        return pair.grads() == entangled("inner").grads()

    with amid(pair.outer.backward, 150, SWEEP):
        assert passes_in_child(check)
    assert pair.grads() == entangled("outer").grads()


@can_fork
def test_a_child_forked_during_a_sweep_can_sweep():
    pair = Entangled()

    def check():
        pair.inner.backward()
        return pair.own.grad == entangled("inner").own.grad

    def interrupt():
        assert passes_in_child(check)

    at_opcode(150, interrupt, pair.outer.backward, SWEEP)
    assert pair.grads() == entangled("outer").grads()
