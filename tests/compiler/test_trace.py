"""Never silently wrong: what depends on the data raises, with the user's file and line."""

# ruff: noqa: PLW0108 (the line in the message is that of the lambda)

import gc
import math

import numpy as np
import pytest

import autodiff
from autodiff import TraceError, Value
from autodiff.modes import collector_paused

X = np.array([0.5, 1.0, 2.0])
w, v = Value(2.0), Value(3.0)

REFUSED = {
    "if": lambda x: x if x > 0 else -x,
    "bool": lambda x: bool(x),
    "not": lambda x: 1.0 if not x else 2.0,
    "max": lambda x: max(x, 0.0),
    "sorted": lambda x: sorted([x, w])[0],
    "while": lambda x: [x for _ in range(x)],
    "float": lambda x: float(x),
    "math.exp": lambda x: math.exp(x),
    "math.floor": lambda x: math.floor(x),
    "np.float64": lambda x: np.float64(x),
    "float array": lambda x: np.array([x], dtype=float),
    "complex": lambda x: complex(x),
    "data": lambda x: x.data * 2,
    "grad": lambda x: x.grad,
    "int": lambda x: int(x),
    "round": lambda x: round(x),
    "format": lambda x: f"{x:.2f}",
    "np.floor": lambda x: np.floor(x),
    "np.log2": lambda x: np.log2(x),
    "np.isnan": lambda x: np.isnan(x),
    "list index": lambda x: [1.0, 2.0][x],
    "take": lambda x: autodiff.take([1.0, 2.0], x),
    "backward": lambda x: x.backward(),
    "data of a parameter": lambda x: x * w.data,
    "branch on a parameter": lambda x: x if w > 0 else -x,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_needs_the_data_raises_where_it_is_written(name):
    f = REFUSED[name]
    with pytest.raises(TraceError) as caught:
        autodiff.compile(f)(X)
    assert f"{__file__}:{f.__code__.co_firstlineno}: " in str(caught.value)


def test_the_line_is_that_of_the_user_also_in_a_function_that_is_called():
    def inner(z):
        return z if z > 0 else -z

    with pytest.raises(TraceError, match="branch on a traced scalar") as caught:
        autodiff.compile(lambda x: inner(2 * x))(X)
    assert f"{__file__}:{inner.__code__.co_firstlineno + 1}: " in str(caught.value)


@pytest.mark.parametrize(
    "f",
    [lambda x: x % 2, lambda x: x // 2, lambda x: ~x, lambda x: math.trunc(x),
     lambda x: np.round(x), lambda x: str(x), lambda x: None, lambda x: "text"],
)  # fmt: skip
def test_what_is_no_op_is_a_type_error(f):
    with pytest.raises(TypeError):
        autodiff.compile(f)(X)


def test_an_error_of_the_function_passes_and_the_next_call_works():
    fails = [True]

    def f(x):
        if fails:
            raise ZeroDivisionError
        return 2 * x

    kernel = autodiff.compile(f)
    with pytest.raises(ZeroDivisionError):
        kernel(X)
    fails.clear()
    assert (kernel(X) == 2 * X).all()
    assert gc.isenabled()


EQUALITY = {
    "==": lambda x: 10.0 if x == 1.0 else x,
    "!=": lambda x: x if x != 1.0 else 10.0,
    "in": lambda x: 10.0 if x in (1.0, 3.0) else x,
    "where ==": lambda x: autodiff.where(x == 1.0, 10.0, x),
}


@pytest.mark.parametrize("name", EQUALITY)
def test_comparing_for_equality_is_refused_or_right(name):
    try:
        result = autodiff.compile(EQUALITY[name])(X)
    except TraceError:
        return
    assert result.tolist() == [0.5, 10.0, 2.0]


# Tracers outlive their trace


@pytest.fixture
def escaped():
    kept = []
    autodiff.compile(lambda x: (kept.append(x), x * w)[1])(X)
    return kept[0]


@pytest.mark.parametrize(
    "use",
    [lambda t: t * 2, lambda t: t.exp(), lambda t: t > 0, lambda t: -t, lambda t: 2 ** t,
     lambda t: autodiff.compile(lambda x: x + t)(X),
     lambda t: autodiff.compile(lambda x: autodiff.sum([x, t]))(X)],
)  # fmt: skip
def test_an_escaped_tracer_is_refused(escaped, use):
    with pytest.raises(TraceError, match="another trace") as caught:
        use(escaped)
    assert __file__ in str(caught.value)


def test_an_escaped_tracer_as_a_result_is_refused(escaped):
    with pytest.raises(TraceError):
        autodiff.compile(lambda x: [x * 3, escaped])(X)


# What traces


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.exp(x) + np.tanh(x), lambda x: np.maximum(x, 1.0), lambda x: x.exp().log(),
        lambda x: autodiff.where((x > 0.6) & (x <= 1.0), x, 3 * x),
        lambda x: autodiff.where((x < 0.6) | (x >= 1.5), x, 3 * x),
        lambda x: abs(-x) + (+x), lambda x: 2**x - 3 / x, lambda x: np.array([x, 2 * x]) @ [1, 2],
        lambda x: (np.array([1.0, 2.0]) * x).sum(), lambda x: sum([x, x, 1]),
        lambda x: autodiff.clip(x, 0.6, 1.5), lambda x: x.relu() + w.exp(),
        lambda x: autodiff.prod([x, x, w]), lambda x: autodiff.atan2(x, w),
    ],
)  # fmt: skip
def test_ops_operators_methods_and_numpy_trace(f):
    values, slopes = autodiff.compile(f).value_and_grad(X, argnums=0)
    for x, value, slope in zip(X.tolist(), values, slopes, strict=True):
        leaf = Value(x)
        result = f(leaf)
        result.backward()
        assert is_near([value, slope], [result.data, leaf.grad])
    w.grad = 0.0


def test_where_at_the_edge_of_a_logarithm_has_slope_zero():
    kernel = autodiff.compile(lambda x: autodiff.where(x > 0, autodiff.log(x), 0.0))
    value, slope = kernel.value_and_grad(np.array([0.0, 1.0, -1.0, 4.0]), argnums=0)
    assert value.tolist() == [0.0, 0.0, 0.0, math.log(4.0)]
    assert slope.tolist() == [0.0, 1.0, 0.0, 0.25]


def test_a_table_of_rows_gives_a_row():
    table = [[Value(1.0), Value(2.0)], [Value(3.0), Value(4.0)]]
    kernel = autodiff.compile(lambda i: autodiff.dot(autodiff.take(table, i), [10.0, 1.0]))
    assert kernel(np.array([1, 0, 1])).tolist() == [34.0, 12.0, 34.0]
    _, gradient = kernel.value_and_grad(np.array([1, 0, 1]))
    at = {id(p): g for p, g in zip(kernel.parameters, gradient, strict=True)}
    assert is_near([at[id(v)] for row in table for v in row], [10 / 3, 1 / 3, 20 / 3, 2 / 3])


def is_near(x, y):
    return np.allclose(x, y, rtol=1e-14, atol=0)


def test_an_index_out_of_range_raises():
    kernel = autodiff.compile(lambda i: autodiff.take([w, v], i) * 1.0)
    assert kernel(np.array([1, 0])).tolist() == [3.0, 2.0]
    for wrong in ([0, 2], [0, -1]):
        with pytest.raises(IndexError):
            kernel(np.array(wrong))


@pytest.mark.parametrize(
    "choices",
    [
        lambda x: [w, 3.0], lambda x: [x, w], lambda x: [x.exp(), x.sin()],
        lambda x: [x + w, w * v + x * v], lambda x: [[x, w], [w, x]],
    ],
)  # fmt: skip
def test_choices_may_come_from_several_packs(choices):
    def f(x, i):
        found = autodiff.take(choices(x), i)
        return autodiff.dot(found, [1.0, 10.0]) if isinstance(found, list) else found * w

    index = np.array([0, 1, 1])
    expected = [f(Value(x), i) for x, i in zip(X.tolist(), index.tolist(), strict=True)]
    assert is_near(autodiff.compile(f)(X, index), [result.data for result in expected])


def test_the_collector_is_paused_and_comes_back():
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_tracer_shows_itself_without_data():
    shown = []
    autodiff.compile(lambda x: (shown.append(repr(x)), x)[1])(X)
    assert shown == ["Tracer(0)"]
