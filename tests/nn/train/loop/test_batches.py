"""Examples: which are held out, how they are checked, and the batches of an epoch."""

import numpy as np
import pytest

from nn.train.loop.batches import examples_of
from tests.nn.trainees import X, Y


def made(validation=None, batch_size=None, counts_epochs=False):
    return examples_of(X, Y, validation, batch_size, seed=3, counts_epochs=counts_epochs)


@pytest.mark.parametrize(("share", "count"), [(0.25, 3), (0.01, 1), (0.5, 6), (np.float32(0.5), 6)])
def test_a_share_is_drawn_and_rounded_up(share, count):
    examples = made(share)
    assert [len(pair.x) for pair in (examples.train, examples.validation)] == [12 - count, count]
    both = np.concatenate([examples.train.x, examples.validation.x]).ravel()
    assert sorted(both) == sorted(X)
    assert np.array_equal(examples.validation.y, examples.validation.x[:, 0] ** 2)
    assert np.array_equal(made(share).validation.x, examples.validation.x)


def test_a_batch_is_all_examples_or_32_in_epochs():
    assert made().batch_size == 12
    assert made(counts_epochs=True).batch_size == 12
    many = examples_of(np.ones(50), np.ones(50), None, None, seed=0, counts_epochs=True)
    assert many.batch_size == 32


def test_batches_are_all_rows_once_shuffled_unless_one_batch_has_them_all():
    rng = np.random.default_rng(0)
    batches = made(batch_size=5).batches(rng)
    assert [len(batch) for batch in batches] == [5, 5, 2]
    rows = np.concatenate(batches).tolist()
    assert sorted(rows) == list(range(12)) != rows
    (whole,) = made().batches(rng)
    assert whole.tolist() == list(range(12))
