"""A plan: numbers that make no sense are refused by name, and nothing is changed."""

import pytest

import nn
from tests.nn.trainees import Number, X, Y
from tests.support.values import data


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[({name: -1}, f"{name} must be an integer of at least 0, got -1")
          for name in ("epochs", "iterations")],
        *[({name: value}, f"{name} must be a positive integer, got {value}")
          for name in ("patience", "early_stopping", "checkpoint_every")
          for value in (0, 2.5, True)],
        *[({name: value}, f"{name} must be positive, got {value}")
          for name in ("clip_norm", "clip_value") for value in (0, -1.0)],
    ],
)  # fmt: skip
def test_a_number_out_of_range_is_named(options, message):
    model = Number(2.0)
    with pytest.raises((TypeError, ValueError), match=f"fit: {message}"):
        nn.fit(model, X, Y, **options)
    assert data(model) == [2.0]


@pytest.mark.parametrize("name", ["run.bin", "run", "none/run.npz"])
def test_a_checkpoint_is_an_npz_file_in_a_folder(name, tmp_path):
    model = Number(2.0)
    with pytest.raises(ValueError, match=f"must be an .npz file in a folder .*{name}"):
        nn.fit(model, X, Y, epochs=1, checkpoint=tmp_path / name)
    assert data(model) == [2.0]
    assert [*tmp_path.iterdir()] == []
