"""The mechanism of a call: what binds, what is refused, what `vjp` returns."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal
from math import inf, nan

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.rows import primitive
from autodiff.rows.primitive import INNER, TABLE, Domain, Primitive, declare


def raises(*_):
    raise AssertionError("this partial is of a constant")


V = Value(1.0)
CUBE = Primitive(
    "cube", lambda x: x * x * x, (lambda x, out: 3.0 * x * x,), "{0} ** 3", (Domain(),), "cube"
)


def test_bind_fills_in_defaults():
    assert ops.elu.bind(-2.0) == (-2.0, 1.0)
    assert ops.elu.bind(-2.0, 3.0) == (-2.0, 3.0)
    assert ops.leaky_relu(-2.0) == -0.02
    assert ops.leaky_relu(-2.0, 0.5) == -1.0


@pytest.mark.parametrize(
    ("row", "args", "message"),
    [
        (ops.exp, (), "exp takes 1 operand, got 0"),
        (ops.exp, (1.0, 2.0), "exp takes 1 operand, got 2"),
        (ops.add, (1.0,), "add takes 2 operands, got 1"),
        (ops.elu, (1.0, 2.0, 3.0), "elu takes 1 to 2 operands, got 3"),
    ],
)
def test_wrong_number_of_operands_is_named(row, args, message):
    with pytest.raises(TypeError, match=f"^{message}$"):
        row(*args)


@pytest.mark.parametrize("call", [ops.exp, lambda x: ops.add(1.0, x), lambda x: ops.add(V, x)])
@pytest.mark.parametrize("x", ["1", None, 1j, [1.0], object()], ids=lambda x: type(x).__name__)
def test_a_non_number_operand_is_named_with_the_op(call, x):
    with pytest.raises(
        TypeError, match=f"^(exp|add): expected a real number, got {type(x).__name__}"
    ):
        call(x)


def test_partials_of_constants_are_not_evaluated():
    row = replace(ops.pow, partials=(ops.pow.partials[0], raises))
    assert row.partials_at((-2.0, 3.0), -8.0, (None, 3.0)) == [12.0]
    assert row.apply((Value(-2.0), 3.0)).data == -8.0
    with pytest.raises(AssertionError, match="of a constant"):
        row.partials_at((-2.0, 3.0), -8.0)


@pytest.mark.parametrize(
    ("cotangent", "row", "args", "expected"),
    [
        (2.0, ops.exp, (0.0,), 2.0),  # one argument: no tuple
        (2.0, ops.mul, (3.0, 5.0), (10.0, 6.0)),
        (2.0, ops.elu, (3.0,), 2.0),  # defaults are no arguments
        (2.0, ops.elu, (3.0, 1.0), (2.0, 0.0)),
        (2.0, ops.where, (True, 3.0, 5.0), (None, 2.0, 0.0)),
        (2, ops.mul, (3, True), (2.0, 6.0)),
        (inf, ops.where, (False, 3.0, 5.0), (None, 0.0, inf)),
        (nan, ops.relu, (-1.0,), 0.0),
    ],
)
def test_vjp_has_one_cotangent_per_argument(cotangent, row, args, expected):
    assert row.vjp(cotangent, *args) == expected


@pytest.mark.parametrize(
    ("cotangent", "x"),
    [
        (Value(2.0), 3.0),
        (2.0, Value(3.0)),
        (Value(2.0), Value(3.0)),
    ],
    ids=["cotangent", "argument", "both"],
)
def test_vjp_of_values_is_a_graph(cotangent, x):
    out = CUBE.vjp(cotangent, x)
    assert out.data == 54.0
    out.backward()
    if isinstance(x, Value):
        assert x.grad == 36.0
    if isinstance(cotangent, Value):
        assert cotangent.grad == 27.0


@pytest.mark.parametrize(
    ("row", "args"),
    [
        (ops.erf, (np.float64(1e200),)),
        (ops.mul, (np.float64(1e200), np.float64(1e200))),
        (ops.prod, ([np.float64(1e200)] * 3,)),
        (ops.erf, (10**200,)),
        (ops.mul, (Decimal("1.5"), 2.0)),
    ],
)
def test_vjp_takes_every_number_that_the_op_takes(row, args):
    flat = [list(map(float, x)) if isinstance(x, list) else float(x) for x in args]
    assert row.vjp(1e200, *args) == row.vjp(1e200, *flat)


@pytest.mark.parametrize("shape", [(), (2,), (3, 1), (1, 3)])
def test_cotangent_of_another_shape_is_refused(shape):
    with pytest.raises(
        ValueError, match=r"^add: the cotangent has shape \(.*\), the result \(3,\)$"
    ):
        ops.add.vjp(np.ones(shape), np.ones(3), 1.0)


def test_cotangent_of_an_array_for_a_number_is_refused():
    with pytest.raises(ValueError, match=r"relu: the cotangent has shape \(2,\), the result \(\)"):
        ops.relu.vjp(np.ones(2), 1.0)


def test_op_is_copied_and_pickled_by_name():
    for op in ops.exp, ops.maximum, ops.take:
        assert copy.deepcopy([op])[0] is copy.copy(op) is pickle.loads(pickle.dumps(op)) is op
        assert repr(op) == f"<op {op.name}>"


@pytest.mark.parametrize("name", INNER)
def test_inner_rows_are_found_by_name_but_are_not_in_the_table(name):
    row = INNER[name]
    assert copy.deepcopy([row])[0] is pickle.loads(pickle.dumps(row)) is row
    assert name not in TABLE
    assert row not in primitive.UFUNCS.values()
    with pytest.raises(ValueError, match="is taken by"):
        declare(replace(CUBE, name=name))


def test_a_row_that_is_not_declared_is_not_found():
    with pytest.raises(LookupError, match="no op 'cube'"):
        pickle.loads(pickle.dumps(CUBE))


def test_op_is_equal_to_itself_alone_and_frozen():
    for op in ops.exp, ops.maximum, ops.take:
        assert replace(op) != op
        with pytest.raises(FrozenInstanceError):
            op.selects = True
        with pytest.raises(FrozenInstanceError):
            op.domain[0].low = 1.0


@pytest.mark.parametrize("taken", [{"name": "exp"}, {"label": "+"}], ids=["name", "label"])
def test_declare_refuses_a_name_or_label_that_is_taken(monkeypatch, taken):
    monkeypatch.setattr(primitive, "TABLE", dict(TABLE))
    assert declare(CUBE) is CUBE is primitive.TABLE["cube"]
    with pytest.raises(ValueError, match=r"is taken by <op .*>; take another"):
        declare(replace(CUBE, **{"name": "new", "label": "new"} | taken))
    assert "new" not in primitive.TABLE


def test_declared_op_runs_on_numbers_arrays_and_values():
    x = Value(2.0)
    CUBE(x).backward()
    assert (CUBE(2.0), x.grad, CUBE.arity) == (8.0, 12.0, 1)
    np.testing.assert_array_equal(CUBE(np.array([1, 2])), [1.0, 8.0])
    np.testing.assert_array_equal(CUBE.vjp(np.ones(2), np.array([1, 2])), [3.0, 12.0])
