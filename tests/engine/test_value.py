"""`Value`: what comes in at the door, what an op records, what is refused."""

import math
import operator
from contextlib import nullcontext
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autodiff
from autodiff import Value, ops
from autodiff.rows.primitive import Primitive

NUMBERS = [
    3, True, 2.5, -0.0, math.inf, Fraction(1, 3), Decimal("0.1"), np.float32(0.1), np.float64(0.1),
    np.int8(-3), np.uint64(3), np.bool_(True), np.array(2.5), np.array(3),
]  # fmt: skip
NO_NUMBERS = [
    1j, "1", b"1", None, [1.0], (1.0,), object(), np.array([1.0]), np.array(None), np.complex128(1),
    np.str_("1"), np.datetime64(1, "s"), Value(1.0),
]  # fmt: skip


def kind(x):
    return type(x).__name__


def construct(x):
    return Value(x).data


def set_data(x):
    v = Value(0.0)
    v.data = x
    return v.data


def set_grad(x):
    v = Value(0.0)
    v.grad = x
    return v.grad


DOORS = pytest.mark.parametrize("door", [construct, set_data, set_grad])


@DOORS
@pytest.mark.parametrize("x", NUMBERS, ids=kind)
def test_a_real_number_becomes_a_float(door, x):
    assert type(door(x)) is float
    assert door(x) == float(x)


@DOORS
@pytest.mark.parametrize("x", NO_NUMBERS, ids=kind)
def test_anything_but_a_real_number_is_refused(door, x):
    with pytest.raises(TypeError, match=f"expected a real number, got {type(x).__name__}"):
        door(x)


@DOORS
def test_an_integer_too_large_for_a_float_overflows(door):
    with pytest.raises(OverflowError):
        door(10**400)


@pytest.mark.parametrize("v", [Value(1.0), Value(1.0) * Value(2.0), Value(1.0).exp()], ids=repr)
def test_stray_attributes_are_refused(v):
    with pytest.raises(AttributeError):
        v.dta = 1.0
    assert not hasattr(v, "__dict__")


@pytest.mark.parametrize("name", ["_op", "_prev", "arguments", "has_grad"])
def test_attributes_derived_from_the_graph_are_read_only(name):
    with pytest.raises(AttributeError):
        setattr(Value(1.0) * 2, name, ())


# What an op records

EDGES = [-2.0, -0.0, 0.0, 0.5, 3.0, 1e200, math.inf, -math.inf, math.nan]
OPERATORS = {
    operator.add: ops.add,
    operator.sub: ops.sub,
    operator.mul: ops.mul,
    operator.truediv: ops.div,
    operator.pow: ops.pow,
}
BINARY = pytest.mark.parametrize(
    ("apply", "row"), OPERATORS.items(), ids=[row.name for row in OPERATORS.values()]
)
ROWS = [row for row in vars(ops).values() if isinstance(row, Primitive) and not row.is_predicate]


def assert_recorded(node, row, *arguments):
    """`node` is what the table says about `row` on Values and numbers, to the sign of a zero."""
    constants = [None if isinstance(x, Value) else float(x) for x in arguments]
    primals = [x.data if isinstance(x, Value) else float(x) for x in arguments]
    out = row.value_at(primals)
    partials = list(row.partials_at(primals, out, constants))
    if row.selects:
        partials = [partial or None for partial in partials]
    assert type(node) is Value
    assert node.op is row
    assert repr((node.data, list(node._partials))) == repr((out, partials))
    assert (node.grad, node.has_grad, node.label) == (0.0, False, "")
    assert node.operands == tuple(x for x in arguments if isinstance(x, Value))
    given = [x if isinstance(x, Value) else float(x) for x in arguments]
    assert repr(node.arguments) == repr(tuple(given))


@BINARY
@pytest.mark.parametrize("x", EDGES)
@pytest.mark.parametrize("y", EDGES)
def test_an_operator_records_its_row(apply, row, x, y):
    v, w = Value(x), Value(y)
    assert_recorded(apply(v, w), row, v, w)
    assert_recorded(apply(v, y), row, v, y)
    assert_recorded(apply(x, w), row, x, w)
    assert_recorded(row(v, w), row, v, w)


@BINARY
def test_one_value_may_be_both_operands(apply, row):
    v = Value(3.0)
    assert_recorded(apply(v, v), row, v, v)


@BINARY
@pytest.mark.parametrize("c", [x for x in NUMBERS if not hasattr(x, "dtype")], ids=kind)
def test_a_number_beside_an_operator_is_a_constant_not_a_node(apply, row, c):
    v = Value(0.75)
    assert_recorded(apply(v, c), row, v, c)
    assert_recorded(apply(c, v), row, c, v)
    assert apply(v, c).operands == apply(c, v).operands == (v,)


@pytest.mark.parametrize("x", EDGES)
@pytest.mark.parametrize("row", [row for row in ROWS if hasattr(Value, row.name)], ids=repr)
def test_a_method_records_the_row_of_its_name(row, x):
    v, rest = Value(x), [0.25, 0.75][: (row.arity or 2) - 1]
    method = getattr(v, row.name)
    assert_recorded(method(*rest), row, v, *rest)
    if rest:
        w = Value(0.25)
        assert_recorded(method(w, *rest[1:]), row, v, w, *rest[1:])


def test_every_op_on_one_value_is_a_method_or_an_operator():
    missing = {row.name for row in ROWS if row.arity == 1 and not hasattr(Value, row.name)}
    assert missing == {"neg", "stop_gradient", "take"}  # -v, v.detach(), a choice from a sequence
    v = Value(-2.0)
    assert_recorded(-v, ops.neg, v)
    assert_recorded(abs(v), ops.abs, v)
    assert +v is v


def test_operands_are_ordered():
    x, y = Value(1.0), Value(2.0)
    assert (x - y).operands == (x, y)
    assert (y - x).operands == (y, x)
    assert (2 / x).arguments == (2.0, x)
    assert (x / 2).arguments == (x, 2.0)


class Kind(Value):
    """A Value of the user's own."""


@BINARY
def test_a_subclass_computes_as_its_base(apply, row):
    v, k = Value(3.0), Kind(2.0)
    for x, y in [(v, k), (k, v), (k, k)]:
        assert_recorded(apply(x, y), row, x, y)
    assert_recorded(k.exp(), ops.exp, k)


class Friend:
    """An operand that knows what to do with a Value."""

    def answer(self, other):
        return "friend"

    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = answer
    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __gt__ = __lt__ = answer


@BINARY
def test_an_unknown_type_may_answer(apply, row):
    assert apply(Value(1.0), Friend()) == apply(Friend(), Value(1.0)) == "friend"
    assert (Value(1.0) < Friend()) == "friend"


@BINARY
@pytest.mark.parametrize("other", [1j, "a", b"a", None, [1.0], {}, object()], ids=kind)
def test_an_unknown_type_is_a_type_error(apply, row, other):
    for method in (f"__{apply.__name__}__", f"__r{apply.__name__}__"):
        assert getattr(Value(1.0), method)(other) is NotImplemented
    with pytest.raises(TypeError):
        apply(Value(1.0), other)
    with pytest.raises(TypeError):
        apply(other, Value(1.0))


# How it reads


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("y", [1.0, 2.0, 3.0, math.nan])
def test_comparisons_compare_data(compare, y):
    expected = compare(2.0, y)
    for x, other in [(Value(2.0), y), (Value(2.0), Value(y)), (2.0, Value(y))]:
        assert compare(x, other) is expected
    for stranger in (None, "2", 2j):
        assert getattr(Value(2.0), f"__{compare.__name__}__")(stranger) is NotImplemented
        with pytest.raises(TypeError):
            compare(Value(2.0), stranger)


@pytest.mark.parametrize("y", [1.0, 2, True, math.nan, Fraction(2), Decimal(1)])
def test_equality_with_a_number_compares_data(y):
    for x in (1.0, 2.0):
        assert (Value(x) == y) is (y == Value(x)) is (x == float(y))
        assert (Value(x) != y) is (y != Value(x)) is (x != float(y))


@pytest.mark.parametrize("stranger", [None, "1.0", 1j, [1.0], object(), Value])
def test_a_value_does_not_equal_a_non_number(stranger):
    assert not Value(1.0) == stranger  # noqa: SIM201
    assert Value(1.0) != stranger


def test_the_value_of_sinc_at_zero_is_one():
    x = Value(0.0)
    sinc = ops.where(x != 0, ops.sin(x) / x, 1.0)
    sinc.backward()
    assert (sinc.data, x.grad) == (1.0, 0.0)


def test_equality_of_values_and_hash_are_those_of_the_object():
    v, w = Value(1.0), Value(1.0)
    assert v == v
    assert v != w
    assert not v == w  # noqa: SIM201
    assert {v: "v", w: "w"}[w] == "w"
    assert v not in [w]
    v.data = 5.0
    assert v in {v, w}


REFUSALS = {
    float: "autodiff.exp",
    int: "round",
    bool: "v > 0",
    complex: "real numbers",
    math.exp: "autodiff.exp",
    lambda v: np.array([v], float): "autodiff.exp",
}


@pytest.mark.parametrize(("convert", "instead"), REFUSALS.items())
@pytest.mark.parametrize("v", [Value(1.0), Value(1.0) * 2])
def test_a_conversion_that_cuts_the_graph_names_the_way_out(convert, instead, v):
    with pytest.raises(
        TypeError, match=rf"of a Value would lose its graph: use v\.data .*{instead}"
    ):
        convert(v)


def test_a_value_is_neither_an_index_nor_a_sequence():
    for use in (lambda v: [1, 2][v], len, iter, lambda v: v[0]):
        with pytest.raises(TypeError):
            use(Value(1.0))


def test_a_value_converts_to_numbers():
    v = Value(-2.567, "loss")
    assert v.item() == v.data == -2.567
    assert (round(v), type(round(v))) == (-3, int)
    assert round(v, 1) == -2.6
    assert f"{v:.2f}|{v:>8.1f}|{v}" == f"-2.57|    -2.6|{v!r}"


def test_repr_shows_data_gradient_and_label():
    v = Value(3, "x")
    assert repr(Value(3)) == "Value(data=3.0, grad=0.0)"
    (v * v).backward()
    assert repr(v) == "Value(data=3.0, grad=6.0, label='x')"
    v.label = ""
    assert repr(v) == "Value(data=3.0, grad=6.0)"
    result = v * v
    assert result.label == ""
    result.label = "y"
    assert repr(result) == "Value(data=9.0, grad=0.0, label='y')"


def test_micrograds_names_stay():
    v, w = Value(2.0), Value(3.0)
    assert (v._op, v._prev, v.op, v.operands) == ("", (), None, ())
    assert (v * w)._prev == (v * w).operands == (v, w)
    nodes = [v + w, v - w, v * w, v / w, v**2, v**-0.5, v**w, 2**v, v.relu(), v.tanh()]
    labels = ["+", "-", "*", "/", "**2", "**-0.5", "**", "**", "ReLU", "tanh"]
    assert [node._op for node in nodes] == labels


def test_detach_is_a_leaf_with_the_same_data_and_label():
    v = Value(3.0) * 2
    v.label = "y"
    cut = v.detach()
    assert cut is not v
    assert (cut.data, cut.label, cut.operands, cut.op) == (6.0, "y", (), None)


def test_values_compare_with_integers_too_large_for_floats():
    v = Value(1.0)
    assert [v < 10**400, v <= -(10**400), v == 10**400, v != 10**400] == [True, False, False, True]


@pytest.mark.parametrize("mode", [nullcontext, autodiff.no_grad])
def test_zero_grad_changes_nothing_if_one_is_no_value(mode):
    class Module:
        grad = 1.0

    v = Value(2.0)
    (v * v).backward()
    cases = [
        ([v, Module()], "a parameter is a Value, got Module"),
        ({"v": v}, "a parameter is a Value, got str"),
        (v, "zero_grad takes a list of parameters, got Value"),
    ]
    for given, message in cases:
        with mode(), pytest.raises(TypeError, match=message):
            autodiff.zero_grad(given)
    assert v.grad == 4.0


def test_zero_grad_clears_values_and_a_trace_refuses_it():
    v, w = Value(2.0), Value(3.0)
    (v * w).backward()
    autodiff.zero_grad(iter([v]))
    assert (v.grad, v.has_grad, w.grad) == (0.0, True, 2.0)

    def cleared(x):
        autodiff.zero_grad([w])
        return x * w

    with pytest.raises(autodiff.TraceError, match=r"setting \.grad of a Value"):
        autodiff.compile(cleared, batched=False)(1.0)
    assert w.grad == 2.0
