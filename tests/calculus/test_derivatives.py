"""Derivatives of functions: every order, every mixture of modes, every structure."""

import asyncio
import gc
import math
import random
import weakref
from concurrent.futures import ThreadPoolExecutor
from math import inf, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import autodiff
from autodiff import (
    Value,
    backward,
    clip,
    detect_anomaly,
    dot,
    exp,
    grad,
    gradcheck,
    hessian,
    hvp,
    jacobian,
    jvp,
    leaves,
    log,
    logsumexp,
    maximum,
    no_grad,
    prod,
    relu,
    toposort,
    value_and_grad,
    vjp,
    where,
)
from nn import MLP
from tests.support.process import printed
from tests.support.samples import draw_program


def forward(f):
    """d f / d x in forward mode."""
    return lambda x: jvp(f, (x,), (1.0,))[1]


def back(f):
    """d f / d x by `vjp`."""
    return lambda x: vjp(f, x)[1](1.0)[0]


MODES = {"grad": grad, "jvp": forward, "vjp": back, "jacobian": jacobian}
every_mode = pytest.mark.parametrize("outer", MODES.values(), ids=MODES)
every_inner_mode = pytest.mark.parametrize("inner", MODES.values(), ids=MODES)


# Nested derivatives: what belongs to the outer variable is a constant of the inner


@every_mode
@every_inner_mode
def test_nested_derivatives_do_not_confuse_their_variables(outer, inner):
    assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(2.0) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y)(1.0))(2.0) == 4.0
    assert outer(lambda x: inner(lambda y: x * y)(x))(3.0) == 1.0
    assert outer(lambda x: inner(lambda y: x * y * y)(x))(3.0) == 12.0
    assert outer(lambda x: x * inner(lambda y: y * y)(x))(3.0) == 12.0
    assert outer(lambda x: inner(lambda y: x)(x))(3.0) == 0.0
    assert outer(lambda x: inner(lambda x: x * x)(x) * x + x)(3.0) == 13.0
    assert outer(inner(lambda x: inner(lambda y: x * y**3)(x)))(2.0) == 36.0


@every_mode
@every_inner_mode
def test_any_mixture_of_modes_gives_the_same_higher_derivatives(outer, inner):
    def f(x):
        return x.sin() * x + 1 / x - (x * 0.5).exp()

    third = outer(inner(outer(f)))(0.7)
    expected = -3 * math.sin(0.7) - 0.7 * math.cos(0.7) - 6 / 0.7**4 - 0.125 * math.exp(0.35)
    assert third == pytest.approx(expected, rel=1e-12)


@every_mode
def test_every_derivative_of_a_power_is_exact(outer):
    f = Value.tanh
    g = lambda x: x**5  # noqa: E731
    for expected in 80.0, 160.0, 240.0, 240.0, 120.0, 0.0, 0.0:
        g = outer(g)
        assert g(2.0) == expected
    for _ in range(4):
        f = outer(f)
    t = math.tanh(0.3)
    assert f(0.3) == pytest.approx(8 * t * (2 - 3 * t * t) * (1 - t * t) * 1.0, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_second_derivatives_agree_in_every_mode(seed):
    draw = random.Random(seed)
    program = draw_program(draw)
    v = [draw.uniform(-1, 1) for _ in range(3)]

    def f(xs):
        return program.results(xs)[-1]

    x = program.leaves
    expected = np.array(hessian(f)(x))
    assert_allclose(expected, expected.T, rtol=1e-9, atol=1e-9)
    assert_allclose(jacobian(jacobian(f))(x), expected, rtol=1e-9, atol=1e-9)
    product = expected @ v
    assert_allclose(hvp(f, (x,), (v,)), product, rtol=1e-9, atol=1e-9)
    ways = [
        grad(lambda xs: dot(grad(f)(xs), v)),
        grad(lambda xs: jvp(f, (xs,), (v,))[1]),
        lambda xs: vjp(grad(f), xs)[1](v)[0],
        lambda xs: [jvp(lambda ys, i=i: grad(f)(ys)[i], (xs,), (v,))[1] for i in range(3)],
    ]
    for way in ways:
        assert_allclose(way(x), product, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_gradient_is_that_of_backward(seed):
    program = draw_program(random.Random(seed))
    value, slopes = value_and_grad(lambda xs: program.results(xs)[-1])(program.leaves)
    assert_allclose(slopes, program.gradient(), rtol=1e-13, atol=1e-13)
    assert value == program.results(program.leaves)[-1]


def test_hessian_is_the_slope_of_the_gradient():
    def f(x, y):
        return logsumexp([x * y, x.sin(), y]) + prod([x, y, x]) - x / y

    x, y, h = 0.7, 1.3, 1e-5
    slopes = [
        [
            (a - b) / (2 * h)
            for a, b in zip(grad(f, (0, 1))(*up), grad(f, (0, 1))(*down), strict=True)
        ]
        for up, down in [((x + h, y), (x - h, y)), ((x, y + h), (x, y - h))]
    ]
    assert_allclose(hessian(f, (0, 1))(x, y), slopes, rtol=1e-8)


CUT = [  # at 0 the branch not taken has slopes that are inf or nan at every order
    lambda x: where(x > 0, log(x), 0.0),
    lambda x: where(x > 0, x * log(x), x * 0.0),
    lambda x: where(x <= 0, 0.0, 1 / x),
    lambda x: relu(x).sqrt(),
    lambda x: clip(x, 0.0, 1.0).sqrt(),
    lambda x: maximum(x - 1, 0.0).sqrt(),
    lambda x: x.log().sign(),
]


@pytest.mark.parametrize("f", CUT)
@every_mode
@every_inner_mode
def test_the_branch_not_taken_has_no_slope_at_any_order(f, outer, inner):
    assert outer(f)(0.0) == 0.0
    assert outer(inner(f))(0.0) == 0.0
    assert inner(outer(inner(f)))(0.0) == 0.0


@every_mode
def test_the_branch_taken_keeps_every_order(outer):
    f = lambda x: where(x > 0, x**3, log(-x))  # noqa: E731
    assert outer(outer(f))(2.0) == 12.0
    assert outer(outer(f))(-2.0) == -0.25
    assert outer(outer(lambda x: maximum(x**3, x)))(2.0) == 12.0
    assert outer(outer(lambda x: relu(x) ** 2))(3.0) == 2.0


@every_mode
def test_infinite_and_undefined_slopes_are_returned(outer):
    assert outer(autodiff.sqrt)(0.0) == inf
    assert math.isnan(outer(autodiff.log)(-1.0))
    assert math.isnan(outer(lambda x: x * nan)(1.0))


# Structures


def test_gradient_has_the_structure_of_the_argument():
    def f(x, ignored):
        assert ignored == "kept"
        return x["w"][0] * x["b"].sum() + x["w"][1]

    x = {"w": (2.0, 3), "b": np.array([[1.0, 2.0]], np.float32), "none": None}
    slopes = grad(f)(x, "kept")
    assert slopes["w"] == (3.0, 1.0)
    assert_array_equal(slopes["b"], [[2.0, 2.0]])
    assert (slopes["b"].dtype, slopes["none"], slopes.keys()) == (float, None, x.keys())


def test_argnums_choose_what_to_differentiate_by():
    f = lambda x, y, z: x * y**2 * z  # noqa: E731
    assert grad(f)(2.0, 3.0, 1.0) == 9.0
    assert grad(f, 1)(2.0, 3.0, 1.0) == 12.0
    assert grad(f, -1)(2.0, 3.0, 1.0) == 18.0
    assert grad(f, (2, 0))(2.0, 3.0, 1.0) == (18.0, 9.0)
    assert grad(f, [1])(2.0, 3.0, z=1.0) == (12.0,)
    assert grad(f, ())(2.0, 3.0, 1.0) == ()
    assert hessian(f, (0, 1))(2.0, 3.0, 1.0) == ((0.0, 6.0), (6.0, 4.0))
    assert hvp(f, (2.0, 3.0, 1.0), (0.0, 1.0, 0.0)) == (6.0, 4.0, 12.0)
    assert hvp(lambda x: x[0] * x[1], ([2.0, 3.0],), ([1.0, 0.0],)) == [0.0, 1.0]


def test_value_comes_with_the_gradient_and_aux():
    f = lambda x: (x * x, {"twice": x * 2})  # noqa: E731
    assert value_and_grad(lambda x: x * x)(3.0) == (9.0, 6.0)
    assert value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"twice": 6.0}), 6.0)
    assert grad(f, has_aux=True)(3.0) == (6.0, {"twice": 6.0})
    assert jacobian(f, has_aux=True)(3.0) == (6.0, {"twice": 6.0})
    assert hessian(f, has_aux=True)(3.0) == (2.0, {"twice": 6.0})
    assert jvp(f, (3.0,), (2.0,), has_aux=True) == (9.0, 12.0, {"twice": 6.0})
    value, pull, aux = vjp(f, 3.0, has_aux=True)
    assert (value, pull(2.0), aux) == (9.0, (12.0,), {"twice": 6.0})


def test_jacobian_has_the_structure_of_both_sides():
    def f(x):
        return {"a": x["p"] * x["q"], "b": [x["p"] ** 2, 7.0]}

    found = jacobian(f)({"p": 2.0, "q": np.array([1.0, 3.0])})
    assert_array_equal(found["a"]["p"], [1.0, 3.0])
    assert_array_equal(found["a"]["q"], [[2.0, 0.0], [0.0, 2.0]])
    assert found["b"][0]["p"] == 4.0
    assert_array_equal(found["b"][0]["q"], [0.0, 0.0])
    assert found["b"][1]["p"] == 0.0


@pytest.mark.parametrize("shape", [(2,), (2, 3), (0,), (1, 2, 2)], ids=str)
@pytest.mark.parametrize("outputs", [1, 2, 9])
def test_a_jacobian_of_arrays_has_both_shapes(shape, outputs):
    draw = np.random.default_rng(0)
    x, w = draw.normal(size=shape), draw.normal(size=(outputs, *shape))
    found = jacobian(lambda x: (w * np.tanh(x)).reshape(outputs, -1).sum(axis=1) + 0.0 * w.size)(x)
    assert found.shape == (outputs, *shape)
    assert_allclose(found.astype(float), w / np.cosh(x) ** 2)


def test_matrix_code_over_arrays_is_differentiated():
    draw = np.random.default_rng(1)
    a, x, b = draw.normal(size=(3, 3)), draw.normal(size=3), draw.normal(size=3)
    assert_allclose(grad(lambda x: x @ a @ x + b @ x)(x), (a + a.T) @ x + b)
    assert_allclose(hessian(lambda x: x @ a @ x + b @ x)(x), a + a.T)
    assert_allclose(hvp(lambda x: x @ a @ x, (x,), (b,)), (a + a.T) @ b)
    value, pull = vjp(lambda x: a @ x, x)
    assert_allclose(value, a @ x)
    assert_allclose(pull(b)[0], b @ a)
    assert_allclose(jvp(lambda x: a @ x, (x,), (b,))[1], a @ b)


def test_vjp_and_jvp_take_structures():
    f = lambda x, y: [x * y, {"s": x + y}]  # noqa: E731
    value, pull = vjp(f, 2.0, 3.0)
    assert value == [6.0, {"s": 5.0}]
    assert pull([1.0, {"s": 0}]) == (3.0, 2.0)
    assert pull([0, {"s": 1}]) == (1.0, 1.0)
    assert jvp(f, [2.0, 3.0], [1, 0]) == ([6.0, {"s": 5.0}], [3.0, {"s": 1.0}])


def test_an_input_that_is_not_used_has_slope_zero():
    assert grad(lambda x, y: x, 1)(2.0, 3.0) == 0.0
    assert grad(lambda x: 5)(2.0) == 0.0
    assert grad(lambda x: x)(2.0) == 1.0
    assert grad(lambda xs: xs[0] * 1.0)([2.0, 3.0]) == [1.0, 0.0]
    assert jvp(lambda x: 5.0, (2.0,), (1.0,)) == (5.0, 0.0)


def test_the_function_runs_once():
    calls = []

    def f(xs):
        calls.append(1)
        return [dot(xs, xs), xs[0]]

    jacobian(f)([1.0, 2.0, 3.0])
    _, pull = vjp(f, [1.0, 2.0])
    pull([1.0, 0.0])
    pull([0.0, 1.0])
    hessian(lambda xs: f(xs)[0])([1.0, 2.0])
    assert len(calls) == 3


# Values: leaves, closures, graphs


def test_derivatives_by_values_are_graphs():
    x = Value(3.0)
    y = grad(lambda x: x**3)(x)
    assert (type(y), y.data, leaves(y)) == (Value, 27.0, [x])
    y.backward()
    assert x.grad == 18.0
    assert type(grad(lambda x: 2 * x)(x)) is Value


def test_values_that_f_reads_can_be_trained_through_its_derivative():
    """d/dw of (d model / dx)², as a network that solves a differential equation needs it."""
    model = MLP(1, [3, 1], activation="tanh", seed=3)

    def loss():
        return (grad(lambda x: model([x]))(0.5) - 2.0) ** 2

    loss().backward()
    for parameter in model.parameters():
        x, h = parameter.data, 1e-5
        ends = []
        for parameter.data in (x + h, x - h):
            ends.append(loss().data)
        parameter.data = x
        assert parameter.grad == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-5, abs=1e-8)


def test_gradients_of_outer_leaves_are_not_touched():
    w = Value(2.0)
    for derivative in grad, forward, jacobian, back:
        derivative(lambda x: w * x * x)(Value(3.0))
    hessian(lambda x: w * x * x)(3.0)
    assert not w.has_grad


def test_inside_no_grad_numbers_give_numbers():
    w = Value(2.0)
    with no_grad():
        assert grad(lambda x: w * x * x)(3.0) == 12.0
        assert hessian(lambda x: w * x * x)(3.0) == 4.0
        assert grad(lambda x: x * x)(Value(3.0)).operands == ()


def test_gradcheck_passes_through_every_derivative():
    def f(x, y):
        return (x * y).sin() * x.exp() / (1 + y * y)

    assert gradcheck(grad(f), (0.3, 0.7)).passed
    assert gradcheck(lambda x, y: hvp(f, (x, y), (y, 1.0)), (0.3, 0.7)).passed
    assert gradcheck(hessian(f, (0, 1)), (0.3, 0.7)).passed
    assert gradcheck(lambda x, y: jvp(f, (x, y), (y, x))[1], (0.3, 0.7)).passed


def test_backward_as_a_graph_gives_slopes_that_are_values():
    x, w = Value(2.0), Value(-3.0)
    loss = (w * x).exp() + w
    slopes = backward(loss, as_graph=True)
    assert list(slopes) == [w, x]
    assert not x.has_grad
    assert not w.has_grad
    e = math.exp(-6.0)
    assert [slopes[w].data, slopes[x].data] == [2 * e + 1, -3 * e]
    (slopes[w] ** 2).backward()
    assert w.grad == pytest.approx(2 * (2 * e + 1) * 4 * e, rel=1e-14)
    seed = Value(5.0)
    by_seed = backward(backward(loss, seed, as_graph=True)[x], as_graph=True)
    assert by_seed[seed].data == -3 * e


def test_backward_as_a_graph_names_every_leaf():
    x, cut = Value(2.0), Value(3.0)
    slopes = backward(where(x > 0, x, cut) + 1, as_graph=True)
    assert [(type(s), s.data) for s in slopes.values()] == [(Value, 1.0), (Value, 0.0)]
    assert backward(x, as_graph=True)[x].data == 1.0


def test_backward_without_a_graph_is_the_method():
    x = Value(2.0)
    assert backward(x * x, 3) is None
    assert x.grad == 12.0


def test_backward_as_a_graph_refuses_data_that_changed():
    x, w = Value(2.0), Value(3.0)
    loss = exp(x * w)
    w.data = 4.0
    with pytest.raises(RuntimeError, match="the data of a node changed"):
        backward(loss, as_graph=True)


# Cost


def test_graphs_of_derivatives_grow_with_the_graph_alone():
    def size(derivative, n):
        def f(x):
            y = x
            for _ in range(n):
                y = y * x + x.sin()
            return y

        return len(toposort(derivative(f)(Value(0.5))))

    for derivative in grad, forward, lambda f: grad(grad(f)), lambda f: forward(grad(f)):
        small, middle, large = (size(derivative, n) for n in (50, 100, 150))
        assert large - middle == middle - small
    assert size(grad, 100) < 6 * 300
    assert size(forward, 100) < 6 * 300


def test_nodes_from_before_are_visited_once():
    """A derivative at each of n steps, of a function that reads what the steps before made."""
    visits = 0

    class Watched(Value):
        @property
        def operands(self):
            nonlocal visits
            visits += 1
            return self.inner

        @operands.setter
        def operands(self, operands):
            self.inner = operands

    def watched(x):
        node = Watched(x.data)
        node.op, node._partials, node.operands = x.op, x._partials, x.operands
        return node

    def count(n):
        nonlocal visits
        visits = 0
        state = watched(Value(1.0) * 0.5)
        for _ in range(n):
            state = watched(state * 0.5 + grad(lambda y: y * y * state)(1.0))  # noqa: B023
        return visits

    assert count(200) < 2.1 * count(100)


def test_nothing_is_kept_and_nothing_is_cyclic():
    gc.collect()
    gc.disable()
    try:
        w = Value(2.0)
        made = []

        def f(x):
            made.extend([weakref.ref(x), weakref.ref(x * w)])
            return x * w * w

        hvp(f, (3.0,), (1.0,))
        jacobian(f)(Value(3.0))
        vjp(f, 3.0)[1](1.0)
        assert [ref() for ref in made] == [None] * 6
    finally:
        gc.enable()


DEEP = """
import gc
gc.disable()
from autodiff import grad, jvp, hvp
def chain(x):
    y = x
    for _ in range({n} // 2):
        y = y * x + 1.0
    return y
print({call})
"""


@pytest.mark.parametrize(
    ("n", "call", "expected"),
    [
        (1_000_000, "grad(chain)(0.5)", "4.0"),
        (200_000, "jvp(chain, (0.5,), (1.0,))", "(2.0, 4.0)"),
        (100_000, "round(hvp(chain, (0.5,), (1.0,)), 9)", "16.0"),
    ],
)
def test_depth_is_bounded_by_memory_alone(n, call, expected):
    # y = xy + 1 has the fixed point 1 / (1 - x), with slopes 1 / (1 - x)² and 2 / (1 - x)³.
    assert printed(DEEP.format(n=n, call=call)) == f"{expected}\n"


# Threads and tasks


@pytest.mark.usefixtures("threads_that_alternate")
def test_threads_differentiate_at_once_each_in_its_mode():
    w = Value(2.0)

    def third(k):
        """d³ (w k x⁴) / dx³ at 0.5, as a Value that knows w, or inside `no_grad` as a number."""
        f = lambda x: w * k * x**4  # noqa: E731
        return forward(grad(grad(f)))(0.5)

    def work(k):
        found = []
        for i in range(20):
            with (no_grad, detect_anomaly)[(k + i) % 2]():
                found.append(third(k))
        assert all(type(x) is (float, Value)[(k + i) % 2] for i, x in enumerate(found))
        return {getattr(x, "data", x) for x in found}

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [{24.0 * k} for k in range(8)]
    assert not w.has_grad


def test_tasks_differentiate_in_turn():
    async def work(k):
        with (no_grad if k % 2 else detect_anomaly)():
            first = grad(lambda x: x**k)(2.0)
            await asyncio.sleep(0)
            value = grad(grad(lambda x: x**k))(Value(2.0))
            await asyncio.sleep(0)
            return first, value.data, bool(value.operands)

    async def main():
        return await asyncio.gather(*[work(k) for k in (2, 3, 4, 5)])

    assert asyncio.run(main()) == [
        (4.0, 2.0, True),
        (12.0, 12.0, False),
        (32.0, 48.0, True),
        (80.0, 160.0, False),
    ]


# Wrong use


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grad(3.0), "grad takes a function, got float 3.0"),
        (lambda: jacobian(None), "jacobian takes a function, got NoneType None"),
        (lambda: hessian("f"), "hessian takes a function, got str 'f'"),
        (lambda: value_and_grad(3.0), "value_and_grad takes a function, got float 3.0"),
        (lambda: grad(grad, "x"), "grad: argnums must be an integer, got 'x'"),
        (lambda: jacobian(grad, (0, 1.5)), "jacobian: argnums must be an integer, got 1.5"),
        (lambda: grad(autodiff.compile(abs)), "grad takes a function; a kernel has value_and_grad"),
        (lambda: hvp(abs, 1.0, 1.0), "hvp: primals and tangents have to be tuples"),
        (lambda: jvp(1.0, (1.0,), (1.0,)), "jvp takes a function"),
        (lambda: vjp(1.0, 1.0), "vjp takes a function"),
        (lambda: backward(3.0), "backward takes a Value, got float 3.0"),
        (
            lambda: backward(Value(1.0), "x", as_graph=True),
            "the seed is not a real number",
        ),
        (lambda: grad(lambda x: [x, x])(1.0), "grad: f has to return one number, got list"),
        (lambda: grad(lambda x: [x])(1.0), "jacobian differentiates several"),
        (lambda: grad(lambda x: None)(1.0), "one number, got NoneType None"),
        (lambda: grad(lambda x: x)("1"), "grad: argument 0 is not a real number: str '1'"),
        (lambda: grad(lambda x: x)(x=1.0), "grad: argnums 0 of 0 positional arguments"),
        (lambda: jvp(lambda x: x, 1.0, 1.0), "primals and tangents have to be tuples"),
        (lambda: jvp(lambda x: x, (1.0,), ("a",)), r"jvp: tangents\[0\] is not a real number"),
        (lambda: vjp(lambda x: x, 1.0)[1]("a"), "vjp: the cotangent is not a real number: str 'a'"),
    ],
)
def test_wrong_use_is_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: jvp(lambda x: x, (1.0,), (1.0, 2.0)), "jvp: tangents has to be a tuple of 1"),
        (lambda: jvp(lambda x: x[0], ([1.0],), (1.0,)), r"tangents\[0\] has to be a list of 1"),
        (lambda: vjp(lambda x: [x, x], 1.0)[1](1.0), "cotangent has to be a list of 2"),
        (lambda: vjp(lambda x: x, np.ones(2))[1](np.ones(3)), r"an array of shape \(2,\)"),
    ],
)
def test_wrong_structure_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_derivative_of_a_traced_function_names_the_kernel():
    kernel = autodiff.compile(grad(lambda y: y * y))
    with pytest.raises(TypeError, match="a kernel has value_and_grad and hvp of its own"):
        kernel(np.ones(3))


def test_the_derivative_has_the_name_of_the_function():
    def f(x):
        """Doc."""
        return x

    for derivative in grad, value_and_grad, jacobian, hessian:
        assert (derivative(f).__name__, derivative(f).__doc__) == ("f", "Doc.")
    assert grad(MLP(1, [1], seed=0).__call__)([Value(1.0)])[0].data != 0


def test_nothing_flows_through_a_stopped_gradient_at_any_order():
    stop = autodiff.stop_gradient
    f = {
        "value": lambda x: stop(x) * x * x,
        "tree": lambda x: stop({"a": [x, 1.0, "s", None]})["a"][0] * x * x,
        "array": lambda x: stop(np.array([x, 2.0], dtype=object))[0] * x * x,
        "twice": lambda x: stop(stop(x)) * x * x,
        "detach": lambda x: x.detach() * x * x,
    }
    for g in f.values():
        assert grad(g)(3.0) == 18.0
        assert grad(grad(g))(3.0) == 6.0
        assert hessian(g)(3.0) == 6.0
        assert jvp(g, (3.0,), (1.0,)) == (27.0, 18.0)
    v = Value(3.0)
    stop(v * v).backward()
    assert v.grad == 0.0
    assert stop(v).data == 3.0


def test_stop_gradient_returns_numbers_as_they_are():
    for x in (2, 2.5, "s", None, True):
        assert autodiff.stop_gradient(x) is x
    array = np.arange(3)
    assert autodiff.stop_gradient([array])[0] is array
