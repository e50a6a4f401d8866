"""Values in NumPy: beside its scalars and arrays, in its functions, in arrays of objects."""

import math
import operator

import numpy as np
import pytest

from autodiff import Value, dot, ops
from autodiff.rows.primitive import Primitive

OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
F = np.array([[0.5, 2.0, 3.0], [1.0, 0.25, 4.0]])


def values(array):
    """An object array of leaves."""
    return np.vectorize(Value, otypes=[object])(array)


def data(array):
    """The numbers in an array that holds Values and nothing else."""
    assert all(type(v) is Value for v in array.flat)
    return np.vectorize(operator.attrgetter("data"), otypes=[float])(array)


def grads(array):
    return np.vectorize(operator.attrgetter("grad"), otypes=[float])(array)


@pytest.mark.parametrize("apply", OPERATORS)
@pytest.mark.parametrize(
    "c",
    [np.float64(2), np.float32(0.5), np.int64(3), np.uint8(3), np.bool_(True), np.array(2.5)],
    ids=repr,
)
def test_a_numpy_scalar_beside_an_operator_is_a_constant(apply, c):
    v = Value(0.75)
    for node, x, y in [(apply(v, c), 0.75, float(c)), (apply(c, v), float(c), 0.75)]:
        assert type(node) is Value
        assert node.operands == (v,)
        assert node.data == apply(x, y)
        assert all(type(a) in (Value, float) for a in node.arguments)
    total = Value(1.0)
    total += c
    assert type(total) is Value


@pytest.mark.parametrize("apply", OPERATORS)
def test_an_array_beside_an_operator_gives_an_array_of_values(apply):
    v, w = Value(1.5), values(F)
    for out, expected in [
        (apply(v, F), apply(1.5, F)),
        (apply(F, v), apply(F, 1.5)),
        (apply(v, w), apply(1.5, F)),
        (apply(w, v), apply(F, 1.5)),
        (apply(w, F), apply(F, F)),
        (apply(F[0], w), apply(F[0], F)),
    ]:
        assert out.dtype == object
        assert np.allclose(data(out), expected, rtol=1e-15)
    column = values(F[:, :1])
    assert apply(column, F).shape == (2, 3)
    apply(column, F).sum().backward()
    assert all(v.has_grad for v in column.flat)


@pytest.mark.parametrize(
    "compare", [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]
)
@pytest.mark.parametrize("y", [1.0, 2.0, 3.0])
def test_comparisons_with_numpy_compare_data(compare, y):
    v = Value(y)
    assert compare(np.float64(2.0), v) is compare(2.0, y)
    assert compare(v, np.float64(2.0)) is compare(y, 2.0)
    assert compare(np.longdouble(2.0), v) is compare(2.0, y)
    assert compare(v, np.longdouble(2.0)) is compare(y, 2.0)
    for array in (F, F.astype(np.longdouble)):
        assert (compare(v, array) == compare(y, F)).all()
        assert (compare(array, v) == compare(F, y)).all()


@pytest.mark.parametrize("connect", [operator.and_, operator.or_, operator.xor])
@pytest.mark.parametrize(
    "number", [np.longdouble(1), np.ones(2, np.longdouble), np.clongdouble(1), np.float32(1)]
)
def test_connectives_refuse_numbers_of_numpy(connect, number):
    for operands in [(Value(1.0), number), (number, Value(1.0))]:
        with pytest.raises(TypeError, match="unsupported operand"):
            connect(*operands)


def test_equality_of_values_in_arrays_is_identity():
    v = Value(0.5)
    assert (np.array([v, Value(0.5)]) == v).tolist() == [True, False]
    assert (np.array([v, Value(0.5), None]) == 0.5).tolist() == [True, True, False]


BY_UFUNC = [row for row in vars(ops).values() if isinstance(row, Primitive) and row.ufunc]
BY_UFUNC = [row for row in BY_UFUNC if not row.is_predicate]


@pytest.mark.parametrize("row", BY_UFUNC, ids=repr)
def test_a_ufunc_on_values_is_the_op_of_its_name(row):
    ufunc, rest = getattr(np, row.ufunc), [0.25, 0.75][: (row.arity or 2) - 1]
    v = Value(0.5)
    node = ufunc(v, *rest)
    assert type(node) is Value
    assert (node.op, node.data, node.operands) == (row, row(0.5, *rest), (v,))
    assert math.isclose(node.data, ufunc(0.5, *rest), rel_tol=1e-15)
    if rest and row.ufunc != "clip":  # np.clip is a method of its first argument
        other = ufunc(0.25, v)
        assert (other.op, other.arguments) == (row, (0.25, v))


@pytest.mark.parametrize("row", [row for row in BY_UFUNC if row.arity == 1], ids=repr)
def test_a_ufunc_on_an_array_of_values_maps_over_it(row):
    if row.name == "sign":
        pytest.skip("np.sign compares objects; autodiff.sign maps over arrays too")
    ufunc, x = getattr(np, row.ufunc), np.array([[0.25, 0.5], [0.125, 0.75]])
    array = values(x)
    out = ufunc(array)
    assert np.allclose(data(out), ufunc(x), rtol=1e-15)
    assert {node.op for node in out.flat} == {row}
    out.sum().backward()
    assert np.allclose(grads(array), row.vjp(np.ones_like(x), x), rtol=1e-15)


def test_a_ufunc_without_an_op_loops_over_objects():
    v = Value(3.0)
    np.square(v).backward()
    assert v.grad == 6.0
    with pytest.raises(TypeError, match=r"use v\.data"):
        np.floor(v)


X, Y = F, np.array([[1.0, -2.0], [0.5, 3.0], [-1.0, 0.25]])
FUNCTIONS = {
    "@": operator.matmul,
    "dot": np.dot,
    "einsum": lambda x, y: np.einsum("ij,jk->ik", x, y),
    "tensordot": lambda x, y: np.tensordot(x, y, 1),
    "outer": np.outer,
    "inner": lambda x, y: np.inner(x, y.T),
    "sum": lambda x, y: x.sum(axis=0) * y.T,
    "np.sum": lambda x, y: np.sum(x) * np.sum(y, axis=1, keepdims=True),
    "mean": lambda x, y: x.mean(axis=1) + np.mean(y, axis=0),
    "prod": lambda x, y: x.prod(axis=0) * y[:, 0],
    "cumsum": lambda x, y: np.cumsum(x, axis=1).T * y,
    "where": lambda x, y: np.where(x > 0.9, x, y.T),
    "stack": lambda x, y: np.concatenate([x, y.T]) ** 2,
    "trace": lambda x, y: np.array([np.trace(x @ y)]),
    "polyval": lambda x, y: np.polyval([2.0, -1.0, 0.5], x[0] * y[:, 0]),
}


@pytest.mark.parametrize("f", FUNCTIONS.values(), ids=FUNCTIONS)
def test_gradients_flow_through_numpy_functions(f):
    x, y = values(X), values(Y)
    out = np.asarray(f(x, y))
    assert np.allclose(data(out), f(X, Y), rtol=1e-14)
    weights = np.linspace(1.0, 2.0, out.size).reshape(out.shape)
    np.sum(out * weights).backward()

    def loss(theta):
        a, b = theta[: X.size].reshape(X.shape), theta[X.size :].reshape(Y.shape)
        return (f(a, b) * weights).sum()

    theta, step = np.concatenate([X.ravel(), Y.ravel()]), 1e-5
    shifts = step * np.eye(theta.size)
    numeric = [(loss(theta + h) - loss(theta - h)) / (2 * step) for h in shifts]
    assert np.allclose(np.concatenate([grads(x).ravel(), grads(y).ravel()]), numeric, atol=1e-6)


def test_maximum_and_clip_on_a_value_keep_the_graph():
    v = Value(-1.0)
    for node in (np.maximum(v, 0), np.minimum(0, -v), np.clip(v, 0, 1), v.clip(0, 1)):
        assert (node.data, node.operands[0] in (v, *node.operands)) == (0.0, True)
        assert node.op in (ops.maximum, ops.minimum, ops.clip)


def test_clip_with_one_bound_keeps_the_graph():
    v = Value(-1.0)
    for node in (np.clip(v, 0, None), np.clip(v, None, -2), v.clip(None, None)):
        assert (node.op, node.operands) == (ops.clip, (v,))
    assert (v.clip(0, None).data, v.clip(None, -2).data, v.clip(None, None).data) == (0, -2, -1)


def test_mixed_arguments_of_an_op_map_over_the_array():
    v, w = Value(1.5), values(F[0])
    out = ops.maximum(v, w)
    assert data(out).tolist() == [1.5, 2.0, 3.0]
    assert out[0].operands == (v, w[0])
    assert data(v.clip(0, F[0])).tolist() == [0.5, 1.5, 1.5]
    assert dot(w, F[1]).operands == tuple(w)


def test_values_do_not_become_an_array_of_floats():
    for make in (lambda v: np.array([v], float), lambda v: np.add(F, v, out=F.copy())):
        with pytest.raises(TypeError):
            make(Value(1.0))
    copy = F.copy()
    with pytest.raises(TypeError):
        copy[0, 0] = Value(1.0)
    with pytest.raises(TypeError):
        copy += Value(1.0)


@pytest.mark.parametrize("array", [np.array([1j]), np.array(["a"]), np.array([None])], ids=repr)
def test_an_array_of_non_numbers_is_a_type_error(array):
    for apply in OPERATORS:
        with pytest.raises(TypeError):
            apply(Value(1.0), array)
        with pytest.raises(TypeError):
            apply(array, Value(1.0))


HUGE, NAN = Value(1e200), Value(math.nan)


@pytest.mark.parametrize(
    "f",
    [
        lambda: np.array([1e200]) * HUGE,
        lambda: HUGE * np.array([1e200]),
        lambda: np.square(HUGE),
        lambda: np.float64(1.0) < NAN,
        lambda: np.array([1.0]) < NAN,
    ],
)
def test_inf_and_nan_arise_without_a_warning(f):
    f()
