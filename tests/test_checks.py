"""Checks of arguments: what each accepts, and the message for everything else."""

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from autodiff import Value
from autodiff.checks import flag, function, instance, integer, number, one_of, show, within


@pytest.mark.parametrize(
    "x",
    [2, True, 2.5, -0.0, Fraction(1, 3), Decimal("2.5"), np.float32(0.1), np.int8(-3), np.uint64(3),
     np.bool_(True), np.float16(2.5), np.array(2.5), np.array(3), np.array(True)],
    ids=lambda x: f"{type(x).__name__}-{x}",
)  # fmt: skip
def test_number_is_a_float(x):
    assert type(number(x)) is float
    assert number(x) == float(x)
    assert math.copysign(1.0, number(x)) == math.copysign(1.0, float(x))


@pytest.mark.parametrize(
    "x",
    ["1", b"1", bytearray(b"1"), 1j, None, [1.0], (), object(), Value(1.0), np.str_("1"),
     np.ones(1), np.complex128(1), np.array("1"), np.array(None), np.array(1.0, object),
     np.datetime64(1, "s")],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_a_non_number_is_refused(x):
    with pytest.raises(TypeError, match=f"^expected a real number, got {type(x).__name__} "):
        number(x)


def test_an_integer_beyond_float_is_refused():
    with pytest.raises(OverflowError):
        number(10**400)


def test_show_is_short():
    assert show(1.5) == "float 1.5"
    assert show("x" * 38) == f"str '{'x' * 38}'"
    assert show("x" * 39) == f"str '{'x' * 36}..."


@pytest.mark.parametrize("x", [3, np.int8(3), np.uint64(3)], ids=lambda x: type(x).__name__)
def test_integer_is_an_int(x):
    assert integer("n", x) == 3
    assert type(integer("n", x, least=3, most=3)) is int


@pytest.mark.parametrize("x", [True, 2.0, np.float64(2.0), np.bool_(True), "3", None, Value(1.0)])
def test_things_that_only_look_like_integers_are_refused(x):
    with pytest.raises(TypeError, match=r"^f: n must be a positive integer, got "):
        integer("f: n", x, least=1)


@pytest.mark.parametrize(
    ("x", "bounds", "wanted"),
    [
        (0, {"least": 1}, "a positive integer"),
        (1, {"least": 2}, "an integer of at least 2"),
        (18, {"least": 1, "most": 17}, "an integer from 1 to 17"),
        (0, {"least": 1, "most": 17}, "an integer from 1 to 17"),
        (1, {"most": 0}, "an integer of at most 0"),
        (10**50, {"most": 0}, "an integer of at most 0"),
    ],
)
def test_an_integer_outside_its_bounds_is_refused(x, bounds, wanted):
    with pytest.raises(ValueError, match=f"^f: n must be {wanted}, got {x}"[:60]):
        integer("f: n", x, **bounds)
    with pytest.raises(TypeError, match=f"^n must be {wanted}, got 2.5$"):
        integer("n", 2.5, **bounds)


def test_an_integer_without_bounds_may_be_any():
    assert integer("n", -(10**50)) == -(10**50)
    with pytest.raises(TypeError, match=r"^n must be an integer, got 2.5$"):
        integer("n", 2.5)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "wanted"),
    [
        ({}, [-1e300, 0, Fraction(1, 2), np.float32(2.0)], [10**400], "finite"),
        ({"least": 0}, [0, 1e300], [-1e-300], "at least 0"),
        ({"least": 0, "below": 1}, [0.0, 0.999], [-0.1, 1, 2], "at least 0 and below 1"),
        ({"above": 0}, [1e-300, 1e300], [0, -0.0, -1.0], "positive"),
        ({"above": 0, "most": 1}, [1.0, 0.5], [0, 1.01], "above 0 and at most 1"),
        ({"above": 0, "below": 1}, [0.5], [0, 1.0], "above 0 and below 1"),
    ],
)
def test_within_is_a_finite_float_between_its_bounds(bounds, inside, outside, wanted):
    for x in inside:
        assert type(within("lr", x, **bounds)) is float
        assert within("lr", x, **bounds) == x
    for x in (*outside, math.inf, -math.inf, math.nan):
        with pytest.raises(ValueError, match=f"^lr must be {wanted}, got "):
            within("lr", x, **bounds)


@pytest.mark.parametrize("x", ["0.5", None, [0.5], 1j, Value(0.5)], ids=show)
def test_within_refuses_a_non_number(x):
    with pytest.raises(TypeError, match=r"^lr must be a number, got "):
        within("lr", x)


def test_one_of_accepts_the_given_names_alone():
    assert one_of("f: mode", "b", {"a": 1, "b": 2}) == "b"
    with pytest.raises(ValueError, match=r"^f: mode must be 'a', 'b' or 'c', got 'd'$"):
        one_of("f: mode", "d", ["a", "b", "c"])
    with pytest.raises(TypeError, match=r"^mode must be 'a', got None$"):
        one_of("mode", None, ["a"])
    with pytest.raises(TypeError, match=r"^mode must be 'a', got \['a'\]$"):
        one_of("mode", ["a"], {"a"})


def test_a_flag_is_true_or_false():
    assert flag("f: strict", True) is True
    assert flag("f: strict", False) is False
    for x in (0, 1, None, "no"):
        with pytest.raises(TypeError, match=r"^f: strict must be True or False, got "):
            flag("f: strict", x)


def test_a_function_can_be_called_and_is_not_a_class():
    assert function("f", math.sin) is math.sin
    with pytest.raises(TypeError, match=r"^fit: loss must be a function, got 'mse'$"):
        function("fit: loss", "mse")
    with pytest.raises(TypeError, match=r"^fit: loss must be a function, got the class Value$"):
        function("fit: loss", Value)


def test_an_instance_is_not_its_class():
    x = Value(1.0)
    assert instance("root", x, Value, "a Value") is x
    with pytest.raises(TypeError, match=r"^root must be a Value, got 1.0$"):
        instance("root", 1.0, Value, "a Value")
    with pytest.raises(TypeError, match=r"^root must be a Value, got the class Value; pass an"):
        instance("root", Value, Value, "a Value")
    with pytest.raises(TypeError, match=r"^root must be a Value, got <class 'int'>$"):
        instance("root", int, Value, "a Value")
