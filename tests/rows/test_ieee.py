"""Float functions: as NumPy at every edge, as `math` elsewhere, never an exception."""

import math
from itertools import product
from math import inf, nan

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from autodiff.rows import ieee

TINY, LARGEST = 5e-324, 1.7976931348623157e308
EDGES = [
    sign * x
    for x in (0, TINY, 1e-200, 0.25, 1, 1.5, 2, 3, 710, 750, 2**53 + 2, 1e200, LARGEST, inf)
    for sign in (1.0, -1.0)
] + [nan]
IN_MATH_AND_NUMPY = ["exp", "expm1", "cosh", "sinh", "sqrt", "sin", "cos", "tan", "log", "log1p"]


def bits(x):
    """Tells -0.0 from 0.0; every nan alike."""
    return "nan" if math.isnan(x) else float(x).hex()


def numpy_on(name, *xs):
    with np.errstate(all="ignore"):
        return float(getattr(np, name)(*xs))


@pytest.mark.parametrize("name", [*IN_MATH_AND_NUMPY, "sign", "arcsin", "arccos"])
def test_one_operand_is_as_in_numpy(name):
    function = getattr(ieee, {"arcsin": "asin", "arccos": "acos"}.get(name, name))
    results = [function(x) for x in EDGES]
    assert {type(result) for result in results} == {float}
    assert_allclose(results, [numpy_on(name, x) for x in EDGES], rtol=1e-13)


@pytest.mark.parametrize("name", [*IN_MATH_AND_NUMPY, "asin", "acos"])
def test_inside_the_domain_is_as_in_math(name):
    for x in 0.25, 0.5, 0.75:
        assert getattr(ieee, name)(x) == getattr(math, name)(x)


@pytest.mark.parametrize("name", ["divide", "power"])
def test_two_operands_are_as_in_numpy_with_the_signs_of_zeros(name):
    for x, y in product(EDGES, repeat=2):
        result, expected = getattr(ieee, name)(x, y), numpy_on(name, x, y)
        if name == "power" and 0 < abs(expected) < inf:
            assert_allclose(result, expected, rtol=1e-13)
        else:
            assert (x, y, bits(result)) == (x, y, bits(expected))


@pytest.mark.parametrize(
    ("function", "args", "expected"),
    [
        (ieee.exp, (1000.0,), inf),
        (ieee.sinh, (-1000.0,), -inf),
        (ieee.cosh, (-1000.0,), inf),
        (ieee.log, (0.0,), -inf),
        (ieee.log, (-1.0,), nan),
        (ieee.log1p, (-1.0,), -inf),
        (ieee.log1p, (-1.5,), nan),
        (ieee.sqrt, (-1.0,), nan),
        (ieee.sin, (inf,), nan),
        (ieee.asin, (1.5,), nan),
        (ieee.divide, (1.0, 0.0), inf),
        (ieee.divide, (1.0, -0.0), -inf),
        (ieee.divide, (-inf, -0.0), inf),
        (ieee.divide, (nan, 0.0), nan),
        (ieee.divide, (0.0, 0.0), nan),
        (ieee.power, (-8.0, 1 / 3), nan),
        (ieee.power, (0.0, 0.0), 1.0),
        (ieee.power, (nan, 0.0), 1.0),
        (ieee.power, (-0.0, -3.0), -inf),
        (ieee.power, (-0.0, -2.0), inf),
        (ieee.power, (-0.0, -0.5), inf),
        (ieee.power, (-1e200, 3.0), -inf),
        (ieee.power, (-1e200, 4.0), inf),
        (ieee.power, (1e200, 3.0), inf),
        (ieee.power, (-1e-200, -3.0), -inf),
        (ieee.sigmoid, (-750.0,), 0.0),
        (ieee.sigmoid, (750.0,), 1.0),
        (ieee.sigmoid, (-700.0,), 9.85967654375977e-305),
        (ieee.sigmoid, (0.0,), 0.5),
        (ieee.sigmoid, (nan,), nan),
        (ieee.softplus, (0.5,), 0.9740769841801067),
        (ieee.softplus, (-40.0,), 4.248354255291589e-18),
        (ieee.softplus, (1e308,), 1e308),
        (ieee.softplus, (-inf,), 0.0),
        (ieee.softplus, (inf,), inf),
        (ieee.softplus, (nan,), nan),
        (ieee.maximum, ((1.0, 3.0, 2.0),), 3.0),
        (ieee.maximum, ((-inf, -inf),), -inf),
        (ieee.maximum, ((nan, 1.0, 2.0),), nan),
        (ieee.maximum, ((1.0, nan, 2.0),), nan),
        (ieee.maximum, ((1.0, 2.0, nan),), nan),
        (ieee.minimum, ((3.0, 1.0, 2.0),), 1.0),
        (ieee.minimum, ((1.0, nan, inf),), nan),
        (ieee.clip, (0.5, 0.0, 1.0), 0.5),
        (ieee.clip, (-inf, 0.0, 1.0), 0.0),
        (ieee.clip, (inf, 0.0, 1.0), 1.0),
        (ieee.clip, (nan, 0.0, 1.0), nan),
        (ieee.clip, (0.5, nan, 1.0), nan),
        (ieee.clip, (0.5, 0.0, nan), nan),
        (ieee.clip, (0.5, 1.0, 0.0), 0.0),
        (ieee.logsumexp, ((0.0, 0.0),), math.log(2.0)),
        (ieee.logsumexp, ((1000.0, 1000.0),), 1000.6931471805599),
        (ieee.logsumexp, ((-1000.0, -1000.0),), -999.3068528194401),
        (ieee.logsumexp, ((-inf, 2.0),), 2.0),
        (ieee.logsumexp, ((-inf, -inf),), -inf),
        (ieee.logsumexp, ((inf, -inf),), inf),
        (ieee.logsumexp, ((inf, nan),), nan),
        (ieee.logsumexp, ((1e308, 1e308),), 1e308),
    ],
)
def test_values_at_edges_are_those_listed(function, args, expected):
    assert_allclose(function(*args), expected, rtol=1e-15)


def test_sign_keeps_zero_and_nan():
    assert_array_equal([ieee.sign(x) for x in (-inf, -2.0, -0.0, 0.0, TINY, nan)],
                       [-1.0, -1.0, 0.0, 0.0, 1.0, nan])  # fmt: skip


def test_sigmoid_and_softplus_are_symmetric():
    for x in 0.1, 1.0, 30.0, 700.0:
        assert_allclose(ieee.sigmoid(x) + ieee.sigmoid(-x), 1.0, rtol=1e-15)
        assert_allclose(ieee.softplus(x) - ieee.softplus(-x), x, rtol=1e-15)
