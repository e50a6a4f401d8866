"""The file of a checkpoint: whole or as before, every bit, and fingerprints of arrays."""

import json
import os

import numpy as np
import pytest

from nn.train.loop.archive import fingerprint, read, write


def test_a_failed_write_leaves_the_file_before(tmp_path, monkeypatch):
    path = tmp_path / "file.npz"
    write(path, {"a": np.ones(3)}, {"x": 0.1})
    monkeypatch.setattr(os, "replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write(path, {"a": np.zeros(3)}, {"x": 0.2})
    assert [*tmp_path.iterdir()] == [path]
    arrays, facts = read(path)
    assert (arrays["a"].tolist(), facts) == ([1, 1, 1], {"x": 0.1})


def test_facts_keep_every_bit(tmp_path):
    facts = {"x": [0.1, float("inf"), 5e-324, -0.0], "n": 2**127 + 1}
    write(tmp_path / "file.npz", {}, facts)
    found = read(tmp_path / "file.npz")[1]
    assert json.dumps(found) == json.dumps(facts)


def test_a_fingerprint_sees_bits_shapes_and_types():
    x = np.arange(6.0)
    others = [x + 1e-15 * (x == 5), x.reshape(2, 3), x.astype(int), x[::-1]]
    assert len({fingerprint(x), *map(fingerprint, others)}) == 5
    assert fingerprint(x) == fingerprint(x.copy())
