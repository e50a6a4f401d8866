"""Ops on NumPy arrays: shapes, dtypes, broadcasting, objects, and backprop by hand."""

import re
from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from autodiff import Value, ops
from tests.support.samples import ROWS, count, every_row, grid, has_partial, vjp

relu_backward = ops.relu.vjp  # dZ = relu_backward(dA, Z), as in backprop written by hand
SHAPES = [(), (1,), (4,), (2, 3), (0,), (0, 3), (2, 1, 3)]


def same(actual, expected):
    """Equal as arrays: elements, shape and dtype."""
    assert_array_equal(actual, expected, strict=True)


def read_only(array):
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_relu_backward_passes_the_cotangent_where_z_is_positive(shape, dtype):
    rng = np.random.default_rng(0)
    z, da = (read_only(np.asarray(rng.normal(size=shape), dtype)) for _ in range(2))
    dz = relu_backward(da, z)
    assert isinstance(dz, np.ndarray)
    same(dz, np.where(z > 0, da, dtype(0)))
    assert not np.shares_memory(dz, da)


def test_relu_backward_lets_no_inf_or_nan_through_where_z_is_not_positive():
    z = np.array([-1.0, 0.0, -0.0, -inf, 2.0, 2.0, inf])
    da = np.array([inf, nan, -inf, nan, -inf, nan, 3.0])
    same(relu_backward(da, z), np.array([0.0, 0.0, 0.0, 0.0, -inf, nan, 3.0]))


def test_relu_backward_takes_any_layout():
    z = np.asfortranarray(np.arange(-6.0, 6.0).reshape(3, 4))
    da = np.arange(24.0).reshape(4, 6)[:, ::2].T
    same(relu_backward(da, z), da * (z > 0))


@pytest.mark.parametrize("shape", [(), (3, 1), (1, 3), (2,), (3, 3)], ids=str)
def test_cotangent_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"^relu: the cotangent has shape .*, the result \(3,\)$"):
        relu_backward(np.ones(shape), np.ones(3))


@every_row
@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (0, 2)], ids=str)
def test_result_and_cotangents_have_the_shape_of_the_operands(row, shape):
    operands = [read_only(np.full(shape, x)) for x in grid(row)[0]]
    out = row.apply(tuple(operands))
    assert (out.shape, out.dtype) == (shape, np.float64)
    for i, ct in enumerate(vjp(row, np.ones(shape), operands)):
        assert (ct is not None) == has_partial(row, i)
        assert ct is None or (ct.shape, ct.dtype) == (shape, np.float64)


BROADCAST = [((3,), (2, 3)), ((2, 1), (3,)), ((1, 1), (2, 3)), ((), (2, 3)), ((2, 1), (2, 3)),
             ((2, 3), (1,)), ((0, 1), (1, 3)), ((1,), (0,)), ((1, 1), (4, 3, 1))]  # fmt: skip


@pytest.mark.parametrize(("x", "y"), BROADCAST, ids=str)
@pytest.mark.parametrize("row", [ops.mul, ops.where, ops.maximum], ids=lambda row: row.name)
def test_cotangent_of_a_broadcast_operand_is_summed(row, x, y):
    rng = np.random.default_rng(1)
    operands = [rng.normal(size=shape) for shape in (x, y)]
    full = np.broadcast_arrays(*operands)
    ct = rng.normal(size=full[0].shape)
    condition = (ct > 0,) if row is ops.where else ()
    summed = row.vjp(ct, *condition, *operands)[-2:]
    elementwise = row.vjp(ct, *condition, *full)[-2:]
    for operand, got, every in zip(operands, summed, elementwise, strict=True):
        padded = (1,) * (ct.ndim - operand.ndim) + operand.shape
        axes = tuple(i for i, n in enumerate(padded) if n != ct.shape[i])
        same(got, every.sum(axis=axes).reshape(operand.shape) if axes else every)


def test_number_beside_an_array_gets_the_sum():
    x, slope = ops.leaky_relu.vjp(np.ones(3), np.array([-1.0, -2.0, 3.0]), 0.5)
    same(x, np.array([0.5, 0.5, 1.0]))
    assert slope == -3.0
    assert ops.mul.vjp(np.ones((2, 2)), 3.0, np.full((2, 2), 5.0))[0] == 20.0


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint8, np.uint64])
def test_integers_compute_as_floats(dtype):
    x = np.array([100, 2, 0], dtype)
    same(ops.mul(x, x), np.array([1e4, 4.0, 0.0]))
    same(ops.sub(x, np.array([127, 3, 1], dtype)), np.array([-27.0, -1.0, -1.0]))
    same(ops.div(1, x), np.array([0.01, 0.5, inf]))
    same(ops.pow(x, -1), np.array([0.01, 0.5, inf]))
    same(ops.relu.vjp(np.ones(3), x), np.array([1.0, 1.0, 0.0]))


@pytest.mark.parametrize("name", ["add", "sub", "mul", "neg", "abs", "sum", "take", "maximum"])
def test_booleans_compute_as_floats(name):
    row = getattr(ops, name)
    x = np.array([True, False])
    same(row.apply((x,) * count(row)), row.apply((x.astype(float),) * count(row)))


@pytest.mark.parametrize("row", [ops.exp, ops.relu, ops.softplus, ops.sigmoid, ops.silu, ops.sum])
def test_float32_stays_float32(row):
    assert row.apply((np.ones(3, np.float32),)).dtype == np.float32


@pytest.mark.parametrize(
    ("row", "constants"),
    [(ops.mul, (2.0,)), (ops.pow, (2,)), (ops.maximum, (0.0,)), (ops.leaky_relu, (0.01,)),
     (ops.erf, ()), (ops.erfc, ()), (ops.gelu, ())],
)  # fmt: skip
def test_float32_beside_numbers_stays_float32(row, constants):
    assert row.apply((np.ones(3, np.float32), *constants)).dtype == np.float32


@pytest.mark.parametrize(
    "x",
    [2, 2.0, True, np.float64(2), Fraction(2), Decimal(2), np.int64(2), np.True_],
    ids=repr,
)
def test_number_beside_an_array_keeps_its_precision(x):
    same(ops.mul(np.ones(3, np.float32), x), np.full(3, x, np.float32))


@pytest.mark.parametrize("kind", [bool, int, np.float32, np.float64])
def test_a_condition_does_not_affect_the_precision(kind):
    x = np.ones(3, np.float32)
    assert ops.where(np.array([0, 1, 2], kind), x, 0.0).dtype == np.float32
    assert ops.where(np.array([0, 1, 2], kind), 1.0, 0.0).dtype == np.float64


@every_row
def test_cotangent_of_float32_is_float32(row):
    operands = [np.full(3, x, np.float32) for x in grid(row)[0]]
    cotangents = [ct for ct in vjp(row, np.ones(3), operands) if ct is not None]
    assert all(ct.dtype == np.float32 for ct in cotangents)


@pytest.mark.parametrize("x", [np.array(["1"]), np.array([1j]), np.zeros(2, "datetime64[s]")])
def test_array_of_non_real_numbers_is_refused(x):
    for call in ops.exp, lambda x: ops.sum([1.0, x]), lambda x: ops.add(np.ones(2), x):
        with pytest.raises(
            TypeError,
            match=f"^(exp|sum|add): expected real numbers, got {re.escape(str(x.dtype))}$",
        ):
            call(x)


def test_non_numbers_in_object_arrays_are_refused_with_the_op():
    with pytest.raises(TypeError, match=r"^exp: expected a real number, got str 'a'$"):
        ops.exp(np.array([Value(1.0), "a"], object))


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.name not in ("where", "take")], ids=lambda r: r.name
)
def test_object_arrays_of_values_map_elementwise(row):
    table = grid(row)[:3]
    operands = [np.array(list(map(Value, column))) for column in zip(*table, strict=True)]
    out = row.apply(tuple(operands))
    for i, primals in enumerate(table):
        assert (out[i].op, out[i].data) == (row, row.apply(primals))
        assert out[i].operands == tuple(column[i] for column in operands)


def test_vjp_of_object_arrays_is_a_graph():
    x = np.array([[Value(2.0), Value(3.0)], [Value(4.0), Value(-5.0)]])
    ct = np.array([[1.0, 10.0], [100.0, 1000.0]])
    dx = ops.mul.vjp(ct, x, x)[0]
    assert (dx.shape, dx.dtype) == ((2, 2), object)
    ops.sum(dx.ravel()).backward()
    assert [v.grad for v in x.flat] == list(ct.flat)
    same(ops.relu.vjp(ct, x).astype(float), ct * [[1.0, 1.0], [1.0, 0.0]])


def test_cotangent_of_a_broadcast_row_of_values_is_summed():
    x = np.array([[Value(2.0)], [Value(3.0)]])
    ct, _ = ops.mul.vjp(np.ones((2, 3)), x, np.arange(6.0).reshape(2, 3).astype(object))
    same(ct.astype(float), np.array([[3.0], [12.0]]))


def test_cotangent_of_numbers_beside_values_is_a_graph():
    x = np.array([Value(2.0), Value(3.0)])
    _, ct = ops.mul.vjp(np.ones(2), x, np.array([4.0, 5.0]))
    assert [v.data for v in ct] == [2.0, 3.0]


def test_cotangent_of_one_value_beside_an_array_of_values_is_summed():
    x = np.array([Value(2.0), Value(3.0)])
    assert ops.mul.vjp(np.ones(2), x, Value(2.0))[1].data == 5.0


def test_array_of_one_value_without_axes_gives_a_value():
    out = ops.exp(np.array(Value(0.0)))
    assert (type(out), out.data) == (Value, 1.0)


def test_array_of_python_numbers_as_objects_computes():
    out = ops.exp(np.array([0, 1.0, True], object))
    assert_array_equal(out.astype(float), np.exp([0.0, 1.0, 1.0]))


def test_complex_cotangent_is_refused():
    with pytest.raises(TypeError, match="relu: expected real numbers, got complex128"):
        relu_backward(np.array([1j]), np.ones(1))


def test_error_state_of_the_caller_is_left_alone():
    with np.errstate(all="raise"):
        before = np.geterr()
        assert_array_equal(ops.div(np.ones(1), np.zeros(1)), [inf])
        assert_array_equal(ops.div.vjp(np.ones(1), np.ones(1), np.zeros(1)), [[inf], [-inf]])
        assert np.geterr() == before
