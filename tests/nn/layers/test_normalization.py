"""`LayerNorm` and `RMSNorm`: the moments of what comes out, slopes, and wrong widths."""

import numpy as np
import pytest

import autodiff
from autodiff import Value, gradcheck
from nn import LayerNorm, RMSNorm
from tests.support.values import arrays

X = [0.3, -1.2, 2.0, 5.0]
KINDS = [LayerNorm, RMSNorm]


def test_layer_norm_has_mean_0_and_variance_1():
    out = arrays(LayerNorm(4, eps=0.0)(X))
    assert out.mean() == pytest.approx(0.0, abs=1e-15)
    assert out.var() == pytest.approx(1.0, rel=1e-14)
    assert np.corrcoef(out, X)[0, 1] == pytest.approx(1.0)


def test_rms_norm_has_mean_square_1():
    out = arrays(RMSNorm(4)(X))
    assert np.mean(out * out) == pytest.approx(1.0, rel=1e-14)
    np.testing.assert_allclose(out / X, out[0] / X[0], rtol=1e-14)


def test_eps_is_added_to_the_mean_square():
    x = np.array(X)
    centered = x - x.mean()
    expected = centered / np.sqrt((centered**2).mean() + 0.5)
    np.testing.assert_allclose(arrays(LayerNorm(4, eps=0.5)(X)), expected, rtol=1e-14)
    expected = x / np.sqrt((x**2).mean() + 0.5)
    np.testing.assert_allclose(arrays(RMSNorm(4, eps=0.5)(X)), expected, rtol=1e-14)
    assert arrays(LayerNorm(3)([2.0, 2.0, 2.0])).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", KINDS)
def test_weights_scale_and_biases_shift(kind):
    norm = kind(4)
    plain = arrays(norm(X))
    norm.weight[1].data = 3.0
    expected = plain * [1, 3, 1, 1]
    if norm.bias is not None:
        norm.bias[2].data = 0.5
        expected[2] += 0.5
    np.testing.assert_allclose(arrays(norm(X)), expected, rtol=1e-14)


def test_weights_and_biases_are_optional():
    assert list(LayerNorm(2).state_dict()) == ["weight", "bias"]
    assert list(LayerNorm(2, bias=False).state_dict()) == ["weight"]
    assert list(LayerNorm(2, elementwise_affine=False).state_dict()) == []
    assert list(RMSNorm(2).state_dict()) == ["weight"]
    assert list(RMSNorm(2, elementwise_affine=False).state_dict()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_those_of_finite_differences(kind):
    norm = kind(4)
    for i, p in enumerate(norm.parameters()):
        p.data += 0.1 * i
    weigh = lambda out: autodiff.dot([1.0, -2.0, 0.5, 3.0], out)  # noqa: E731
    gradcheck(lambda m, xs: weigh(m(xs)), (norm, X))
    gradcheck(lambda xs: weigh(norm(xs)), (X,), order=2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kernel_normalizes_each_vector_of_a_sequence(kind):
    norm = kind(4)
    kernel = autodiff.compile(lambda x: [v for row in norm(x) for v in row])
    x = np.random.default_rng(0).normal(size=(3, 2, 4))
    kernel.check(x)
    expected = [[v.data for row in norm(xs) for v in row] for xs in x]
    np.testing.assert_allclose(np.transpose(kernel(x)), expected, rtol=1e-13)
    assert not np.allclose(norm(x[0])[0][0].data, norm(x[0])[1][0].data)


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_input_is_named(kind):
    name = kind.__name__
    with pytest.raises(ValueError, match=f"{name} takes 3 inputs, got 2"):
        kind(3)([1.0, 2.0])
    with pytest.raises(TypeError, match=f"{name} takes a sequence of numbers, got Value"):
        kind(1)(Value(1.0))
    with pytest.raises(ValueError, match="normalized_shape must be a positive integer, got 0"):
        kind(0)
    with pytest.raises(ValueError, match="eps must be at least 0, got -1"):
        kind(1, eps=-1)


def test_repr_shows_size_and_eps():
    assert repr(LayerNorm(3)) == "LayerNorm(3, eps=1e-05)"
    assert repr(RMSNorm(3)) == "RMSNorm(3, eps=2.22045e-16)"
