"""Kernels called inside themselves, by handlers at every opcode, after a fork, and as copies."""

import copy
import os
import pickle
import sys
import threading

import numpy as np
import pytest

import autodiff
from autodiff import TraceError, Value
from autodiff.compiler import Kernel

W = [Value(0.7), Value(-0.4)]


def model(x):
    hidden = [(W[0] * x[k] + W[1]).tanh() for k in range(3)]
    return autodiff.sum(hidden) ** 2 + autodiff.where(x[0] > 0, W[0] / x[0], 0.0)


X = np.array([[0.3, -1.0, 2.0], [0.1, 0.5, -0.2]])
OTHER = np.array([[1.3, 2.0, -0.7], [0.9, -0.3, 0.4]])


def test_a_kernel_may_be_called_at_every_opcode_of_its_own_call():
    kernel = Kernel(model)
    for call in (kernel, kernel.value_and_grad):
        inner = np.concatenate([np.ravel(x) for x in call(OTHER)], axis=None)
        outer = np.concatenate([np.ravel(x) for x in call(X)], axis=None)
        seen = wrong = 0
        is_inside = False

        def interrupt(frame, event, _, call=call, inner=inner):
            nonlocal seen, wrong, is_inside
            if is_inside or not frame.f_code.co_filename.startswith(("<autodiff", PACKAGE)):
                return None
            frame.f_trace_opcodes = True
            if event == "opcode":
                is_inside, seen = True, seen + 1
                found = np.concatenate([np.ravel(x) for x in call(OTHER)], axis=None)
                wrong += not np.array_equal(found, inner)
                is_inside = False
            return interrupt

        before = sys.gettrace()
        sys.settrace(interrupt)
        try:
            found = call(X)
        finally:
            sys.settrace(before)
        assert np.array_equal(np.concatenate([np.ravel(x) for x in found], axis=None), outer)
        if not seen and sys.version_info[:2] == (3, 12):
            pytest.skip("the first releases of Python 3.12 show no opcodes of frames to come")
        assert seen > 200
        assert not wrong


PACKAGE = os.path.dirname(autodiff.__file__)


def test_an_op_may_call_the_kernel_it_stands_in():
    kernels = []

    def form(x):
        if kernels and x.shape[-1] == 3 and x.flat[0] != 9.0:
            kernels[0](np.full_like(X, 9.0))
        return x * 1.5

    op = autodiff.custom_op("calls_its_kernel", lambda x: 1.5 * x, lambda x, out: 1.5, array=form)
    try:
        expected = Kernel(lambda x: autodiff.sum([1.5 * v for v in x]) * W[0])(X)
        kernels.append(Kernel(lambda x: autodiff.sum([op(v) for v in x]) * W[0]))
        assert np.allclose(kernels[0](X), expected, rtol=1e-14)
    finally:
        autodiff.rows.primitive.retract(op)


def test_a_kernel_that_reaches_itself_is_part_of_its_trace():
    w = Value(3.0)

    def power(x, n):
        return x if n == 0 else w * kernel(x, n - 1)

    kernel = Kernel(power, batched=False)
    assert kernel.value_and_grad(2.0, 3)[1].tolist() == [54.0]
    w.data = 2.0
    assert kernel(2.0, 3) == 16.0


def test_a_kernel_of_a_batch_and_derivatives_are_refused_in_a_trace():
    kernel = Kernel(lambda x: x * W[0])
    for inner in (kernel, kernel.value_and_grad, lambda x: kernel.hvp(x, vector=[1.0])):
        with pytest.raises(TraceError, match="test_reentry"):
            Kernel(lambda x, inner=inner: x * inner(np.ones(2))[0])(np.ones(2))
        inner(np.ones(2))
        with pytest.raises(TraceError, match="test_reentry"):
            Kernel(lambda x, inner=inner: x * inner(np.ones(2))[0])(np.ones(2))
    with pytest.raises(TraceError, match="parameters="):
        Kernel(lambda x: x * Kernel(lambda y: W[0] * y)(1.0, parameters=[1.0]))(np.ones(2))


def test_a_thread_may_call_a_kernel_while_another_traces_it():
    tracing, called = threading.Event(), threading.Event()

    def slow(x):
        if not tracing.is_set():
            tracing.set()
            assert called.wait(10)
        return x * W[0]

    kernel = Kernel(slow)
    found = []
    thread = threading.Thread(target=lambda: found.append(kernel(np.ones(1))))
    thread.start()
    assert tracing.wait(10)
    assert kernel(np.ones(1)).tolist() == [0.7]
    called.set()
    thread.join(10)
    assert found[0].tolist() == [0.7]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_while_a_kernel_is_traced_may_call_it():
    tracing, forked = threading.Event(), threading.Event()

    def slow(x):
        if threading.current_thread() is not threading.main_thread():
            tracing.set()
            assert forked.wait(20)
        return x * W[0]

    kernel = Kernel(slow)
    thread = threading.Thread(target=kernel, args=(np.ones(1),))
    thread.start()
    assert tracing.wait(10)
    child = os.fork()
    if child == 0:
        threading.Timer(10, os._exit, [1]).start()  # as one that hangs would
        os._exit(0 if kernel(np.ones(1)).tolist() == [0.7] else 2)
    _, status = os.waitpid(child, 0)
    forked.set()
    thread.join(10)
    assert os.waitstatus_to_exitcode(status) == 0


@pytest.mark.parametrize(
    "copied",
    [lambda kernel: pickle.loads(pickle.dumps(kernel)), copy.copy, copy.deepcopy],
    ids=["pickle", "copy", "deepcopy"],
)
def test_a_copy_is_a_kernel_of_the_same_function(copied):
    kernel = Kernel(model, dtype=np.float32)
    expected = kernel(X)
    again = copied(kernel)
    assert again(X).tolist() == expected.tolist()
    assert again(X).dtype == np.float32
    assert again.cache_info().misses == 1
    assert copied(Kernel(autodiff.relu, batched=False))(-1.0) == 0.0


def test_the_arrays_of_eight_batch_sizes_are_kept_however_they_are_reached():
    kernel = Kernel(model)
    for batch in range(1, 41):
        kernel.value_and_grad(np.ones((batch, 3)))
    kept = kernel._latest.function("grad")._local.__dict__
    assert [batch for batch, _ in kept] == list(range(33, 41))
