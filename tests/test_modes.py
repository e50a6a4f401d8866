"""`no_grad`: ops compute and record nothing, in this thread and task only."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from autodiff import Value, dot, maximum, modes, no_grad, where

PATHS = [
    lambda v: v + v,
    lambda v: v - v,
    lambda v: v * v,
    lambda v: v / v,
    lambda v: v**v,
    lambda v: v + 2,
    lambda v: 2 - v,
    lambda v: v * 2,
    lambda v: -v,
    abs,
    lambda v: v.exp(),
    lambda v: v.relu(),
    lambda v: v.leaky_relu(0.1),
    lambda v: v.clip(0, 1),
    lambda v: maximum(v, 2),
    lambda v: dot([v, 2], [3, v]),
    lambda v: where(v > 0, v, 0.0),
    np.tanh,
    lambda v: np.float64(2) * v,
    lambda v: (np.array([2.0]) * v)[0],
]


def records():
    return bool((Value(1.0) * Value(2.0)).operands)


@pytest.fixture(autouse=True)
def nothing_stays_switched():
    yield
    assert modes.switched == 0
    assert modes.is_recording()
    assert records()


@pytest.mark.parametrize("f", PATHS)
def test_results_are_leaves_with_the_same_data(f):
    v = Value(1.5, "v")
    expected = f(v)
    assert expected.operands
    with no_grad():
        out = f(v)
    assert type(out) is Value
    assert (out.data, out.operands, out.op, out.label) == (expected.data, (), None, "")
    out.backward()
    assert not v.has_grad


def test_what_an_op_refuses_it_refuses_inside():
    with no_grad(), pytest.raises(TypeError, match="the condition is a Value"):
        where(Value(1.0), 2.0, 3.0)


def test_backward_works_inside():
    v = Value(3.0)
    y = v * v
    with no_grad():
        y.backward()
    assert v.grad == 6.0


def test_modes_nest():
    with no_grad():
        with no_grad():
            assert not records()
        assert not records()
    assert records()


def test_one_instance_may_be_entered_again():
    quiet = no_grad()
    with quiet:
        with quiet:
            assert not records()
        assert not records()
    with quiet:
        assert not records()
    assert records()


def test_an_exception_leaves_the_mode():
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert records()


def test_a_decorated_function_records_nothing():
    @no_grad()
    def f(x, deeper):
        """Doc."""
        return (f(x, False) if deeper else x) * 2

    v = Value(3.0)
    assert (f(v, True).data, f(v, True).operands, f.__name__, f.__doc__) == (12.0, (), "f", "Doc.")
    with pytest.raises(TypeError):
        f(None, False)
    assert records()


def test_another_thread_still_records():
    inside, done = threading.Event(), threading.Event()

    def hold():
        with no_grad():
            inside.set()
            done.wait(10)
            return records()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert inside.wait(10)
        # The unrolled + - * ask further while any thread is in a mode.
        assert modes.switched == 1
        x, y = Value(3.0), Value(4.0)
        nodes = [x + y, x - y, x * y, x + 2, 2 * x, x.exp(), dot([x], [y])]
        done.set()
        assert held.result() is False
    assert all(node.operands for node in nodes)
    assert [node.data for node in nodes[:5]] == [7.0, -1.0, 12.0, 5.0, 6.0]
    nodes[2].backward()
    assert (x.grad, y.grad) == (4.0, 3.0)


def test_a_thread_that_starts_inside_records():
    with no_grad(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(records).result()


def overlapping(enter, threads=4):
    """What `records()` says in threads that all are inside at once, and leave in order of entry."""
    everyone = threading.Barrier(threads, timeout=10)
    left = [threading.Event() for _ in range(threads + 1)]
    left[0].set()

    def work(k):
        def body():
            everyone.wait()
            said = records()
            left[k].wait(10)
            return said

        try:
            said = enter(body)
        finally:
            left[k + 1].set()
        return said, records()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(threads)))


def test_a_decorated_function_may_run_on_threads_at_once():
    decorated = no_grad()(lambda body: body())
    assert overlapping(decorated) == [(False, True)] * 4


def test_one_instance_may_be_entered_by_threads_at_once():
    quiet = no_grad()

    def enter(body):
        with quiet:
            return body()

    assert overlapping(enter) == [(False, True)] * 4


def test_another_task_still_records():
    async def quiet(inside, done):
        with no_grad():
            inside.set()
            await done.wait()
            return records()

    async def main():
        inside, done = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(inside, done))
        await inside.wait()
        outside = records()
        done.set()
        return outside, await task, records()

    assert asyncio.run(main()) == (True, False, True)


def test_a_decorated_coroutine_function_records_nothing():
    @no_grad()
    async def f():
        return records()

    assert asyncio.run(f()) is False


def test_a_generator_function_is_refused():
    def f():
        yield 1

    with pytest.raises(TypeError, match="no_grad: f is a generator"):
        no_grad()(f)
