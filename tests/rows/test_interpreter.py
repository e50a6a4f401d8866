"""Who says what an op means, and what counts as a number."""

import math
from fractions import Fraction

import numpy as np
import pytest

from autodiff import Value, ops
from autodiff.rows import interpreter
from autodiff.rows.interpreter import NUMBERS, interpret, interpreter_of, interpreter_of_type


class Text(str):
    """A kind of operand for which ops write what would be computed."""


class _Writes:
    rank = 7
    hands_over = False

    def apply(self, primitive, operands):
        return Text(f"{primitive.name}({', '.join(map(str, operands))})")

    def take(self, values, index):
        return Text(f"take({values}, {index})")


@pytest.fixture(autouse=True)
def _registry(monkeypatch):
    monkeypatch.setattr(interpreter, "_interpreters", dict(interpreter._interpreters))
    interpret(Text, _Writes())


def test_registered_kind_says_what_an_op_means():
    assert ops.add(Text("x"), 2.0) == "add(x, 2.0)"
    assert ops.logsumexp([1.0, Text("x")]) == "logsumexp(1.0, x)"
    assert ops.exp(Text("x")) == "exp(x)"
    assert ops.take([1.0, 2.0], Text("i")) == "take([1.0, 2.0], i)"


@pytest.mark.parametrize("other", [1.0, Value(1.0), np.ones(2)], ids=lambda x: type(x).__name__)
def test_highest_rank_interprets_wherever_it_stands(other):
    text = Text("x")
    assert type(ops.mul(text, other)) is type(ops.mul(other, text)) is Text
    assert type(ops.sum([text, other])) is type(ops.sum([other, text])) is Text


@pytest.mark.parametrize("order", [1, -1])
def test_arrays_rank_above_values_and_values_above_numbers(order):
    array, value = np.ones(2), Value(1.0)
    assert type(ops.add(*(array, value)[::order])) is np.ndarray
    assert type(ops.sum([array, value][::order])) is np.ndarray
    assert type(ops.add(*(1.0, value)[::order])) is Value
    assert type(ops.sum([1.0, value][::order])) is Value
    assert interpreter_of((array, value, 1.0)[::order]).rank == 2
    assert interpreter_of((value, 1.0)[::order]).rank == 1
    assert interpreter_of(()) is interpreter_of((1.0, None)) is NUMBERS


def test_subclass_follows_its_nearest_base():
    class Parameter(Value):
        pass

    class Loud(Text):
        pass

    class Louder(Loud):
        pass

    assert interpreter_of_type(Parameter) is interpreter_of_type(Value)
    assert interpreter_of_type(Louder) is interpreter_of_type(Text)
    interpret(Loud, NUMBERS)
    assert interpreter_of_type(Louder) is NUMBERS
    assert ops.exp(Parameter(0.0)).data == 1.0


def test_kind_without_interpreter_is_a_number():
    assert interpreter_of_type(Fraction) is NUMBERS
    assert ops.mul(Fraction(1, 2), True) == 0.5
    assert NUMBERS.rank < interpreter_of_type(Value).rank


@pytest.mark.parametrize(("partial", "expected"), [(2.0, math.inf), (0.0, 0.0)])
def test_select_gives_zero_where_the_partial_is_zero(partial, expected):
    for kind in float, Value, np.ndarray:
        interpreter = interpreter_of_type(kind)
        with interpreter.quiet():
            assert interpreter.select(math.inf, partial) == expected
