"""`no_grad` and `detect_anomaly`: what the first does, and where each of them holds."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np
import pytest

from autodiff import (
    AnomalyError,
    Value,
    detect_anomaly,
    dot,
    grad,
    maximum,
    no_grad,
    where,
)
from autodiff.engine import modes
from tests.support.interruptions import (
    amid,
    at_opcode,
    can_fork,
    codes_of,
    finishes,
    opcodes,
    passes_in_child,
)

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


def is_quiet():
    return not records()


def is_watched():
    try:
        return Value(0.0).log() is None
    except AnomalyError:
        return True


# A mode, and a function that says whether it holds.
every_mode = pytest.mark.parametrize(
    ("mode", "holds"),
    [(no_grad, is_quiet), (detect_anomaly, is_watched)],
    ids=["no_grad", "detect_anomaly"],
)


@pytest.fixture(autouse=True)
def nothing_stays_switched():
    yield
    assert not modes.switched
    assert modes.is_recording()
    assert records()
    assert not is_watched()


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


def test_ops_refuse_the_same_inside_a_mode():
    with no_grad(), pytest.raises(TypeError, match="the condition is a Value"):
        where(Value(1.0), 2.0, 3.0)


def test_backward_works_inside():
    v = Value(3.0)
    y = v * v
    with no_grad():
        y.backward()
    assert v.grad == 6.0


@every_mode
def test_modes_nest(mode, holds):
    with mode():
        with mode():
            assert holds()
        assert holds()
    assert not holds()


def test_one_mode_inside_the_other():
    with no_grad(), detect_anomaly():
        assert is_quiet()
        assert is_watched()
    with detect_anomaly():
        with no_grad():
            assert is_watched()
        assert records()


@every_mode
def test_one_instance_may_be_entered_again(mode, holds):
    instance = mode()
    with instance:
        with instance:
            assert holds()
        assert holds()
    with instance:
        assert holds()
    assert not holds()


@every_mode
def test_an_exception_leaves_the_mode(mode, holds):
    with pytest.raises(ZeroDivisionError), mode():
        raise ZeroDivisionError
    assert not holds()


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


@every_mode
def test_another_thread_is_outside(mode, holds):
    inside, done = threading.Event(), threading.Event()

    def hold():
        with mode():
            inside.set()
            done.wait(10)
            return holds()

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert inside.wait(10)
        # The unrolled + - * ask further while any thread is in a mode.
        assert len(modes.switched) == 1
        assert not holds()
        x, y = Value(3.0), Value(4.0)
        nodes = [x + y, x - y, x * y, x + 2, 2 * x, x.exp(), dot([x], [y])]
        done.set()
        assert held.result()
    assert all(node.operands for node in nodes)
    assert [node.data for node in nodes[:5]] == [7.0, -1.0, 12.0, 5.0, 6.0]
    nodes[2].backward()
    assert (x.grad, y.grad) == (4.0, 3.0)


@every_mode
def test_a_thread_started_inside_a_mode_is_outside(mode, holds):
    with mode(), ThreadPoolExecutor(1) as pool:
        assert not pool.submit(holds).result()


def overlapping(enter, holds, threads=4):
    """What `holds()` says in threads that all are inside at once, and leave in order of entry."""
    everyone = threading.Barrier(threads, timeout=10)
    left = [threading.Event() for _ in range(threads + 1)]
    left[0].set()

    def work(k):
        def body():
            everyone.wait()
            said = holds()
            left[k].wait(10)
            return said

        try:
            said = enter(body)
        finally:
            left[k + 1].set()
        return said, holds()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(threads)))


@every_mode
def test_a_decorated_function_may_run_on_threads_at_once(mode, holds):
    decorated = mode()(lambda body: body())
    assert overlapping(decorated, holds) == [(True, False)] * 4


@every_mode
def test_one_instance_may_be_entered_by_threads_at_once(mode, holds):
    instance = mode()

    def enter(body):
        with instance:
            return body()

    assert overlapping(enter, holds) == [(True, False)] * 4


@every_mode
def test_another_task_is_outside(mode, holds):
    async def hold(inside, done):
        with mode():
            inside.set()
            await done.wait()
            return holds()

    async def main():
        inside, done = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(hold(inside, done))
        await inside.wait()
        outside = holds()
        done.set()
        return outside, await task, holds()

    assert asyncio.run(main()) == (False, True, False)


@every_mode
def test_a_decorated_coroutine_function_runs_inside(mode, holds):
    @mode()
    async def f():
        await asyncio.sleep(0)
        return holds()

    assert asyncio.run(f()) is True


@every_mode
def test_a_generator_function_is_refused(mode, holds):
    def f():
        yield 1

    with pytest.raises(TypeError, match=f"{mode.__name__}: f is a generator"):
        mode()(f)


@every_mode
def test_a_task_created_inside_a_mode_stays_inside(mode, holds):
    async def work():
        await asyncio.sleep(0)
        said = holds()
        with mode():
            pass
        return said, holds()

    async def main():
        with mode():
            tasks = [asyncio.create_task(work()) for _ in range(2)]
        outside = holds()
        return outside, [await task for task in tasks], holds()

    assert asyncio.run(main()) == (False, [(True, True)] * 2, False)


@every_mode
def test_a_context_copied_inside_a_mode_is_inside(mode, holds):
    with mode():
        context = copy_context()
    assert not holds()
    assert context.run(holds)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(context.run, holds).result()


@every_mode
def test_leaving_a_mode_in_another_context_changes_nothing_there(mode, holds):
    def inside():
        with mode():
            yield holds()

    generator = inside()
    assert copy_context().run(next, generator)
    generator.close()
    with mode():
        assert holds()
    assert not holds()


# Signal handlers, forks


def entered(mode):
    with mode():
        pass


def derived():
    assert grad(lambda x: x * x)(3.0) == 6.0


CHANGES = codes_of(modes._Mode, modes.recording) | codes_of(
    *[getattr(modes, name) for name in ("_count", "_count_derivatives", "_change", "_Entry")]
)


@every_mode
@finishes
def test_two_threads_enter_modes_at_every_opcode(mode, holds):
    def check():
        with mode():
            assert holds()

    for outer in mode, no_grad, detect_anomaly:
        for position in range(opcodes(lambda outer=outer: entered(outer), CHANGES)):
            at_opcode(position, check, lambda outer=outer: entered(outer), CHANGES)
            assert not modes.switched
            assert records()


@finishes
def test_derivatives_on_two_threads_interleave_at_every_opcode():
    for position in range(opcodes(derived, CHANGES)):
        at_opcode(position, derived, derived, CHANGES)
        assert not modes.deriving


@every_mode
def test_ctrl_c_on_the_way_into_a_mode_leaves_it(mode, holds):
    entering = codes_of(modes._Mode.__enter__)

    def interrupted():
        raise KeyboardInterrupt

    last = opcodes(mode().__enter__, entering) - 2  # None is loaded and returned: no signal comes
    mode().__exit__()
    for position in range(last):
        with pytest.raises(KeyboardInterrupt):
            at_opcode(position, interrupted, mode().__enter__, entering)
        assert not holds()
        assert not modes.switched


@can_fork
@pytest.mark.parametrize("call", [lambda: entered(no_grad), derived])
def test_a_child_forked_while_another_thread_changes_the_mode_may_change_it(call):
    def check():
        entered(no_grad)
        derived()
        return records()

    for position in range(0, opcodes(call, CHANGES), 5):
        with amid(call, position, CHANGES):
            assert passes_in_child(check), position
