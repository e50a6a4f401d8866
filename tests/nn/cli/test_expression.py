"""`parse`: values as Python's, and nothing but numbers gets in."""

import math

import numpy as np
import pytest

import nn
from autodiff import ops
from nn.cli.expression import parse

XS = (-5.0, -1.5, -0.0, 0.3, 2.0, 5.0)


@pytest.mark.parametrize(
    "text",
    [
        "x", "-x", "+x", "--x", "x + 1", "1 - x", "x - 1 - 2", "2*x/3", "x / 4 / 2", "-x**2",
        "x**2 + 2*x - 3", "2**-x", "2**3**2 + x", "(x + 1) * (x - 1)", " \t x ", "1e-3*x",
        "1_000 * x", "0x10 + x", "3", "pi", ".5", "sin(x) * x", "exp(-x**2 / 2)", "cos(pi * x) + e",
        "tanh(sinh(x)) - cosh(x)", "abs(x - 2)", "atan(x)", "erf(x)", "log(x**2 + 1)",
        "sqrt(x*x + 1)", "expm1(x) + log1p(x*x)",
    ],
)  # fmt: skip
def test_values_are_those_of_python(text):
    f = parse(text)
    for x in XS:
        expected = eval(text.strip(), vars(math) | {"abs": abs, "x": x})
        assert f(x) == pytest.approx(expected, rel=1e-14, abs=1e-300)
        assert isinstance(f(x), float)


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("1/x", 0.0, math.inf),
        ("-1/x", 0.0, -math.inf),
        ("log(x)", 0.0, -math.inf),
        ("log(x)", -1.0, math.nan),
        ("x**0.5", -1.0, math.nan),
        ("exp(x)", 1000.0, math.inf),
        ("9**9**9", 0.0, math.inf),
        ("9**9**9**9**9", 0.0, math.inf),
        ("-(9.9**x)", 999999.0, -math.inf),
        ("1e999", 0.0, math.inf),
        ("1e308*x", 10.0, math.inf),
    ],
)
def test_where_python_raises_values_are_those_of_numpy(text, x, expected):
    assert parse(text)(x) == pytest.approx(expected, nan_ok=True)


def test_functions_are_the_ops_of_one_operand():
    for name in {*nn.ACTIVATIONS} - {"leaky_relu", "elu"} | {"sign", "asin", "acos", "erfc", "neg"}:
        assert parse(f"{name}(x)")(0.3) == ops.TABLE[name](0.3)
    assert parse("relu(x)")(-2.0) == 0.0


ATTACKS = {
    "__import__('os')": "unknown function '__import__'",
    "__import__('os').system('true')": "is not allowed in an expression in x",
    "x.__class__": "'x.__class__' is not allowed",
    "().__class__.__bases__[0]": "is not allowed",
    "exp.__globals__": "is not allowed",
    "lambda: 0": "'lambda: 0' is not allowed",
    "[x for x in (1,)]": "is not allowed",
    "(y for y in x)": "is not allowed",
    "{x: 1}": "is not allowed",
    "x[0]": r"'x\[0\]' is not allowed",
    "x, x": "is not allowed",
    "'text'": "is not allowed",
    "b'x'": "is not allowed",
    "f'{x}'": "is not allowed",
    "2j": "'2j' is not allowed",
    "True": "'True' is not allowed",
    "None": "'None' is not allowed",
    "...": "is not allowed",
    "(x := 2)": "is not allowed",
    "x if x else 1": "is not allowed",
    "x < 1": "is not allowed",
    "x and x": "is not allowed",
    "not x": "is not allowed",
    "~x": "is not allowed",
    "x // 2": "is not allowed",
    "x % 2": r"'x % 2' is not allowed in an expression in x$",
    "x @ x": "is not allowed",
    "1 << 9**9": "is not allowed",
    "x^2": r"'x\^2' is not allowed in an expression in x; a power is written \*\*$",
    "sin(x=1)": "is not allowed",
    "sin(x, 2)": "is not allowed",
    "sin()": "is not allowed",
    "sin(*x)": "is not allowed",
    "sin(**x)": "is not allowed",
    "(sin)(x)(x)": "is not allowed",
    "await x": "is not allowed",
    "y": r"^unknown name 'y'; the names are x, pi, e$",
    "2*sin": "unknown name 'sin'",
    "eval(x)": "unknown function 'eval'; the functions are abs, acos",
    "take(x)": "unknown function 'take'",
    "maximum(x)": "unknown function 'maximum'",
    "sin(cos(z))": "unknown name 'z'",
    "": "not an expression in x: ''",
    "   ": "not an expression in x",
    "x +": r"not an expression in x: 'x \+'",
    "2x": "not an expression in x",
    "x = 1": "not an expression in x",
    "import os": "not an expression in x",
    "x; x": "not an expression in x",
    "x\nx": "not an expression in x",
    "x\0": r"not an expression in x: 'x\\x00'|null bytes",
    "(" * 400 + "x" + ")" * 400: "not an expression in x",
    "9" * 400: "a number in the expression is too large",
    "x" * 1001: "has 1001 characters, the limit is 1000",
    "+".join(["x"] * 500_000): "has 999999 characters, the limit is 1000",
}


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: text[:30])
def test_anything_else_is_a_value_error_that_quotes_it(text):
    with pytest.raises(ValueError, match=ATTACKS[text]) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_unicode_is_quoted():
    with pytest.raises(ValueError, match="not an expression in x"):
        parse("\ud800")


def test_an_expression_of_a_thousand_characters_is_short_enough():
    assert parse("x + 1".rjust(500).ljust(1000))(1.0) == 2.0


@pytest.mark.parametrize("minuses", [200, 500, 999])
def test_depth_costs_no_stack(minuses):
    def deeper(call, levels=300):
        return deeper(call, levels - 1) if levels else call()

    assert deeper(lambda: parse("-" * minuses + "x")(1.0)) == (-1.0) ** minuses


@pytest.mark.parametrize("text", ["not " + "-" * 990 + "x", "x" + ".a" * 490])
def test_a_forbidden_deep_expression_is_a_value_error(text):
    with pytest.raises(ValueError, match="is not allowed"):
        parse(text)


def test_a_function_maps_arrays_element_by_element():
    assert np.vectorize(parse("x**2 - 1"))([1.0, 2.0, 3.0]).tolist() == [0.0, 3.0, 8.0]
