"""The GPT sees what is before a position and nothing behind it, and its kernel agrees."""

import numpy as np
import pytest

import autodiff
import nn
from nn import GPT
from tests.support.values import arrays

MODEL = GPT(7, 6, 8, 2, seed=0)


def test_each_token_has_a_row_of_logits():
    assert arrays(MODEL([0, 3, 6])).shape == (3, 7)
    # Embeddings of 7 tokens and 6 places, four projections, two wide layers, a head, three norms.
    assert len(MODEL.parameters()) == 13 * 8 + 4 * 64 + 2 * 4 * 64 + 7 * 8 + 3 * 8


def test_a_position_sees_those_before_it_alone():
    first, second = arrays(MODEL([1, 2, 3, 4])), arrays(MODEL([1, 2, 5, 4]))
    np.testing.assert_array_equal(first[:2], second[:2])
    assert (np.abs(first[2:] - second[2:]) > 1e-6).any(axis=1).all()


def test_positions_matter():
    rows = arrays(MODEL([2, 2, 2]))
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_a_kernel_agrees_and_its_packs_do_not_grow_with_the_length():
    def loss(tokens, following):
        return nn.cross_entropy(MODEL(tokens), list(following))

    kernel, packs = autodiff.compile(loss), []
    for length in (5, 3):
        args = np.random.default_rng(length).integers(0, 7, (2, 2, length))
        kernel.check(*args)
        packs.append(int(kernel.explain().split(" packs")[0].split()[-1]))
    assert packs[0] <= packs[1] + 2


def test_a_seed_fixes_the_parameters():
    same, other = GPT(7, 6, 8, 2, seed=0), GPT(7, 6, 8, 2, seed=1)
    data = [[p.data for p in model.parameters()] for model in (MODEL, same, other)]
    assert data[0] == data[1] != data[2]


@pytest.mark.parametrize("tokens", [[], [0] * 7])
def test_no_tokens_and_too_many_are_refused(tokens):
    with pytest.raises(ValueError, match=f"GPT takes 1 … 6 tokens, got {len(tokens)}"):
        MODEL(tokens)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="width 6 must be a multiple of heads 4"):
        GPT(3, 4, 6, 4)
    with pytest.raises(ValueError, match="heads must be a positive integer, got 0"):
        GPT(3, 4, 6, 0)
