"""Functions on arrays that NumPy does not have: digits, edges, types, and where they write."""

import math

import mpmath
import numpy as np
import pytest

from autodiff.rows import special

POINTS = np.concatenate([
    np.linspace(-28, 28, 1601), np.linspace(-1, 1, 801),
    *(sign * np.logspace(-320, 2.8, 401) for sign in (1, -1)),
])  # fmt: skip
EXACT = {
    "erf": mpmath.erf,
    "erfc": mpmath.erfc,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
}
WITHIN = {"erf": 3, "erfc": 4, "sigmoid": 3, "softplus": 3}
EDGES = {
    "erf": [0.0, -0.0, 1.0, -1.0, math.nan],
    "erfc": [1.0, 1.0, 0.0, 2.0, math.nan],
    "sigmoid": [0.5, 0.5, 1.0, 0.0, math.nan],
    "softplus": [math.log(2), math.log(2), math.inf, 0.0, math.nan],
}
SIZES = 1, special.FEW, special.FEW + 1, 3 * special.BLOCK - 1


def units(found, exact, kind):
    """The distance of a number from an exact one, in units of the exact one's last place."""
    spacing = float(np.spacing(kind(abs(exact))))
    return abs(float((mpmath.mpf(float(found)) - exact) / mpmath.mpf(spacing)))


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", EXACT)
@np.errstate(all="ignore")
def test_all_digits_are_right(name, kind):
    points = POINTS[np.abs(POINTS) < 100].astype(kind) if kind is np.float32 else POINTS
    with mpmath.workdps(50):
        found = getattr(special, name)(points)
        assert found.dtype == kind
        for x, y in zip(points.tolist(), found, strict=True):
            exact = EXACT[name](mpmath.mpf(x))
            if float(exact):  # below the smallest number it is 0
                assert units(y, exact, kind) <= WITHIN[name], x
            else:
                assert y == 0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", EDGES)
@np.errstate(all="ignore")
def test_edges_in_arrays_of_any_size(name, size):
    for x, y in zip([0.0, -0.0, math.inf, -math.inf, math.nan], EDGES[name], strict=True):
        found = getattr(special, name)(np.full(size, x))
        assert np.allclose(found, y, rtol=1e-15, atol=0, equal_nan=True)
        assert (np.signbit(found) == (math.copysign(1, y) < 0)).all() or math.isnan(y)


@pytest.mark.parametrize("name", EXACT)
def test_results_do_not_depend_on_the_shape_of_the_array(name):
    function = getattr(special, name)
    x = np.random.default_rng(0).normal(size=(3, special.BLOCK))
    expected = function(x.reshape(-1)).reshape(x.shape)
    for given in (x, np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2]):
        assert (function(given) == expected).all()
        for out in (
            np.empty_like(x),
            np.empty(x.shape[::-1]).T,
            np.empty((3, 2 * x.shape[1]))[:, ::2],
        ):
            assert function(given, out=out) is out
            assert (out == expected).all()
    over = x.copy()
    assert (function(over, out=over) == expected).all()
    assert function(np.float64(0.5)).shape == ()
    assert function(np.zeros((0, 3))).shape == (0, 3)
    assert function([0, 1]).dtype == float


def test_coefficients_are_those_of_the_functions():
    with mpmath.workdps(60):
        for k in range(-64, 65):
            x = mpmath.mpf(k) / 128 or mpmath.mpf(10) ** -30
            square = x * x
            series = sum(mpmath.mpf(float(c)) * square**i for i, c in enumerate(special.ERF))
            assert abs(series * x / mpmath.erf(x) - 1) < 2**-53
        for k in range(281):
            x = mpmath.mpf(k) / 10
            near = (x - 4) / (x + 4)
            series = sum(mpmath.mpf(float(c)) * near**i for i, c in enumerate(special.ERFC))
            exact = (1 + 2 * x) * mpmath.exp(x * x) * mpmath.erfc(x)
            assert abs(series / exact - 1) < 2**-52
