"""`SelfAttention`: what a position sees, against matrices, and what it refuses."""

import numpy as np
import pytest

import autodiff
from autodiff import Value, gradcheck
from nn import SelfAttention
from tests.support.values import arrays

X = np.random.default_rng(0).normal(size=(5, 4))


def shaken(attention):
    rng = np.random.default_rng(1)
    attention.load_state_dict(
        {k: rng.normal(size=a.shape) for k, a in attention.state_dict().items()}
    )
    return attention


def by_matrices(state, x, heads, causal):
    """Vaswani et al. 2017, section 3.2."""
    length, width = x.shape
    qkv = x @ state["in_proj_weight"].T + state.get("in_proj_bias", 0.0)
    q, k, v = qkv.reshape(length, 3, heads, width // heads).transpose(1, 2, 0, 3)
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(width // heads)
    if causal:
        scores = np.where(np.tri(length, dtype=bool), scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    found = weights / weights.sum(axis=-1, keepdims=True) @ v
    joined = found.transpose(1, 0, 2).reshape(length, width)
    return joined @ state["out_proj.weight"].T + state.get("out_proj.bias", 0.0)


@pytest.mark.parametrize("heads", [1, 2, 4])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_it_computes_what_matrices_do(heads, causal, bias):
    attention = shaken(SelfAttention(4, heads, causal=causal, bias=bias))
    expected = by_matrices(attention.state_dict(), X, heads, causal)
    for xs in (X, X.tolist(), [[Value(v) for v in row] for row in X]):
        np.testing.assert_allclose(arrays(attention(xs)), expected, rtol=1e-12)


def test_a_position_sees_itself_and_those_before_it():
    attention = shaken(SelfAttention(4, 2))
    xs = [[Value(v) for v in row] for row in X]
    attention(xs)[2][0].backward()
    seen = [any(v.grad for v in row) for row in xs]
    assert seen == [True, True, True, False, False]
    np.testing.assert_array_equal(arrays(attention(X[:3])), arrays(attention(X))[:3])


def test_without_causal_every_position_is_seen_in_any_order():
    attention = shaken(SelfAttention(4, 2, causal=False))
    order = [3, 1, 4, 0, 2]
    np.testing.assert_allclose(arrays(attention(X[order])), arrays(attention(X))[order], rtol=1e-12)


def test_scores_that_are_huge_do_not_overflow():
    attention = shaken(SelfAttention(4, 1))
    assert np.isfinite(arrays(attention(X * 1e3))).all()


def test_slopes_are_those_of_finite_differences():
    attention = shaken(SelfAttention(2, 1))
    total = lambda out: autodiff.sum([v * (i + 1) for row in out for i, v in enumerate(row)])  # noqa: E731
    gradcheck(lambda m, xs: total(m(xs)), (attention, X[:3, :2].tolist()))
    gradcheck(lambda xs: total(attention(xs)), (X[:2, :2].tolist(),), order=2)


def test_a_kernel_is_the_layer_of_each_sequence():
    attention = shaken(SelfAttention(4, 2))
    kernel = autodiff.compile(lambda xs: [v for row in attention(xs) for v in row])
    batch = np.stack([X, -X])
    kernel.check(batch)
    expected = [arrays(attention(x)).ravel() for x in batch]
    np.testing.assert_allclose(np.transpose(kernel(batch)), expected, rtol=1e-12)


def test_a_seed_fixes_the_first_weights_and_biases_start_at_0():
    drawn = SelfAttention(4, 2, seed=0).state_dict()
    assert {k: a.shape for k, a in drawn.items()} == {
        "in_proj_weight": (12, 4), "in_proj_bias": (12,),
        "out_proj.weight": (4, 4), "out_proj.bias": (4,),
    }  # fmt: skip
    again = SelfAttention(4, 2, seed=0).state_dict()
    assert all(again[k].tolist() == a.tolist() for k, a in drawn.items())
    assert not drawn["in_proj_bias"].any()
    bound = np.sqrt(6 / (4 + 12))  # Glorot's, of all three projections together
    assert 0.8 * bound < np.abs(drawn["in_proj_weight"]).max() <= bound


def test_both_projections_have_a_bias_or_neither():
    names = list(SelfAttention(4, 2, bias=False).state_dict())
    assert names == ["in_proj_weight", "out_proj.weight"]


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: SelfAttention(6, 4), ValueError, "embed_dim 6 must be a multiple of num_heads 4"),
        (lambda: SelfAttention(0, 1), ValueError, "embed_dim must be a positive integer"),
        (lambda: SelfAttention(4, 0), ValueError, "num_heads must be a positive integer"),
        (lambda: SelfAttention(4, 2)(X[:, :3]), ValueError, "SelfAttention takes 4 inputs, got 3"),
        (lambda: SelfAttention(4, 2)(X[0]), ValueError, "takes a list of vectors"),
        (lambda: SelfAttention(4, 2)(X[None]), ValueError, "takes a list of vectors"),
        (lambda: SelfAttention(4, 2)([]), ValueError, "SelfAttention needs at least one number"),
        (lambda: SelfAttention(4, 2)(Value(1.0)), TypeError, "takes a sequence of numbers"),
    ],
)
def test_wrong_input_is_named(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_repr_shows_the_options_and_the_projection():
    assert repr(SelfAttention(4, 2)) == (
        "SelfAttention(4, 2, causal=True\n  (out_proj): Linear(4, 4)\n)"
    )
