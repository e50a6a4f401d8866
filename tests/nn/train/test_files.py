"""Files of arrays: exact, whole or not there, and clear about damage."""

import errno
import json
import os
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

import nn
from nn import MLP, load, save
from nn.train import files

pytest.importorskip("safetensors", reason="the io extra is not installed")
SUFFIXES = [".safetensors", ".npz"]

ARRAYS = {
    "table": np.arange(6.0).reshape(2, 3),
    "number": np.array(0.1),
    "edges": np.array([np.nan, np.inf, -0.0, 5e-324]),
    "steps": np.array(2**62, dtype=np.int64),
    "flags": np.array([True, False]),
    "bytes": np.frombuffer(json.dumps({"ü": 1}).encode(), dtype=np.uint8),
    "single": np.array([1.5], dtype=np.float32),
    "empty": np.zeros((0, 3)),
    "file": np.array([1.0]),
}


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    return tmp_path / f"model{request.param}"


def same(found, expected):
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()


def test_arrays_come_back_with_the_same_bits(path):
    save(ARRAYS, path)
    same(load(str(path)), ARRAYS)


def test_a_model_comes_back_with_the_same_bits(path):
    model, other = MLP(2, [3, 1], seed=0), MLP(2, [3, 1], seed=1)
    save(model, path)
    other.load_state_dict(load(path))
    assert [p.data.hex() for p in other.parameters()] == [p.data.hex() for p in model.parameters()]


def test_arrays_that_are_views_come_back_as_they_look(path):
    """safetensors writes memory as it lies, which of a transposed array is another array."""
    square = np.arange(9.0).reshape(3, 3)
    views = {"t": square.T, "every": square[:, ::2], "big": square.astype(">f8"), "list": [[1, 2]]}
    save(views, path)
    found = load(path)
    assert {k: a.tolist() for k, a in found.items()} == {
        k: np.asarray(a).tolist() for k, a in views.items()
    }


def test_the_same_state_gives_the_same_bytes(path, tmp_path):
    other = tmp_path / f"again{path.suffix}"
    save(ARRAYS, path)
    save(dict(reversed(ARRAYS.items())) if path.suffix != ".npz" else ARRAYS, other)
    assert path.read_bytes() == other.read_bytes()


def test_other_libraries_read_and_write_the_same_files(tmp_path):
    from safetensors.numpy import load_file, save_file

    save(ARRAYS, tmp_path / "a.safetensors")
    same(load_file(tmp_path / "a.safetensors"), ARRAYS)
    save(ARRAYS, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        same(found, ARRAYS)
    save_file({"w": np.ones(3)}, tmp_path / "b.safetensors", metadata={"format": "pt"})
    np.savez_compressed(tmp_path / "b.npz", w=np.ones(3))
    for name in ("b.safetensors", "b.npz"):
        assert load(tmp_path / name)["w"].tolist() == [1, 1, 1]


# Damage


def test_a_file_cut_short_anywhere_is_refused(path):
    save(ARRAYS, path)
    whole = path.read_bytes()
    for size in {0, 1, 4, 8, 9, 50, len(whole) // 2, len(whole) - 1}:
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=path.name):
            load(path)


def test_a_flipped_bit_anywhere_is_refused_or_without_effect(path):
    save({"weight": np.linspace(0, 1, 6).reshape(2, 3), "bias": np.ones(2)}, path)
    expected, whole = load(path), path.read_bytes()
    refused = 0
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            same(load(path), expected)
        except ValueError as error:
            refused += path.name in str(error)
    # Some bytes of a zip file say nothing: dates, rights, the system that wrote it.
    assert refused > 0.7 * len(whole)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello, world", b"\x93NUMPY\x01\x00", b"{}", b"PK\x03\x04", pickle.dumps({"w": 1})],
)
def test_a_foreign_file_is_refused(content, tmp_path):
    foreign = tmp_path / "foreign.safetensors"
    foreign.write_bytes(content)
    with pytest.raises(ValueError, match=r"foreign.safetensors: (damaged|neither)"):
        load(foreign)


def test_nothing_is_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "exploded"),)

    np.savez(tmp_path / "bomb.npz", w=np.array([Bomb()], dtype=object))
    with zipfile.ZipFile(tmp_path / "torch.npz", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"w": 1.0}))
    for name in ("bomb.npz", "torch.npz"):
        with pytest.raises(ValueError, match=name):
            load(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_a_damaged_file_leaves_the_model_as_it_was(path):
    model = MLP(2, [3, 1], seed=0)
    save(MLP(2, [3, 1], seed=1), path)
    path.write_bytes(path.read_bytes()[:-20])
    before = [p.data for p in model.parameters()]
    with pytest.raises(ValueError, match="damaged"):
        model.load_state_dict(load(path))
    assert [p.data for p in model.parameters()] == before


# Crashes


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(path, call, monkeypatch):
    save({"w": np.ones(3)}, path)

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(files.Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        save({"w": np.zeros(3)}, path)
    assert load(path)["w"].tolist() == [1, 1, 1]
    assert list(path.parent.iterdir()) == [path]


def test_the_new_file_is_on_the_disk_before_it_takes_the_name(path, monkeypatch):
    """A crash at any moment finds the old content or the new under the name."""
    save({"w": np.ones(3)}, path)
    seen = []

    def recording(name, call):
        def recorded(*arguments):
            written = [file.stat().st_size for file in path.parent.glob(".*.tmp")]
            seen.append((name, load(path)["w"][0], written))
            return call(*arguments)

        return recorded

    monkeypatch.setattr(os, "fsync", recording("fsync", os.fsync))
    monkeypatch.setattr(files.Path, "replace", recording("replace", files.Path.replace))
    save({"w": np.zeros(3)}, path)
    size = path.stat().st_size
    assert seen == [("fsync", 1.0, [size]), ("replace", 1.0, [size]), ("fsync", 0.0, [])]


def test_a_link_keeps_pointing_to_the_file(path, tmp_path):
    save({"w": np.ones(3)}, path)
    link = tmp_path / f"link{path.suffix}"
    link.symlink_to(path)
    save({"w": np.zeros(3)}, link)
    assert link.is_symlink()
    assert load(path)["w"].tolist() == [0, 0, 0]


# Wrong input


@pytest.mark.parametrize(
    ("state", "name", "kind", "message"),
    [
        ({"w": 1.0}, "w.pt", ValueError, "ends in .safetensors or .npz, got 'w.pt'"),
        ({"w": 1.0}, "w", ValueError, "ends in .safetensors or .npz, got 'w'"),
        ({"w": "text"}, "w.npz", TypeError, "w must be an array of real numbers, got <U4"),
        ({"w": 1j}, "w.npz", TypeError, "w must be an array of real numbers, got complex128"),
        ({"w": np.longdouble(1)}, "w.npz", TypeError, "w must be an array of real numbers"),
        ({"m": {"w": 1.0}}, "w.npz", TypeError, "m must be an array of real numbers, got object"),
        *[
            ({name: 1.0}, "w.npz", ValueError, "an array cannot be called")
            for name in ("", "a\0b", "\ud800", "__metadata__")
        ],
        ({3: 1.0}, "w.npz", TypeError, "the name of an array must be a string, got 3"),
        ("w.npz", "w.npz", TypeError, r"save\(state, path\): the state comes first"),
        ([1.0], "w.npz", TypeError, "save takes a module or a dict of arrays, got list"),
    ],
)
def test_an_attribute_that_cannot_be_saved_is_named(state, name, kind, message, tmp_path):
    with pytest.raises(kind, match=message):
        save(state, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_folders_and_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing"):
        save({"w": 1.0}, tmp_path / "missing" / "w.npz")
    with pytest.raises(FileNotFoundError, match=r"w\.npz"):
        load(tmp_path / "w.npz")


def test_without_safetensors_the_extra_is_named_and_npz_works(tmp_path, monkeypatch):
    save({"w": 1.0}, tmp_path / "w.safetensors")
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    for call in (lambda: save({"w": 1.0}, tmp_path / "v.safetensors"),
                 lambda: load(tmp_path / "w.safetensors")):  # fmt: skip
        with pytest.raises(ImportError, match=r"needs the io extra.*scalar-autodiff\[io\]"):
            call()
    save({"w": 1.0}, tmp_path / "w.npz")
    assert load(tmp_path / "w.npz")["w"] == 1.0
    assert nn.train.files.can_save_safetensors() in (True, False)


NAMES = st.text(min_size=1).filter(lambda name: "\0" not in name and name != "__metadata__")
ANY = st.dictionaries(
    NAMES,
    numpy_strategies.arrays(
        st.sampled_from(["<f8", "<f4", "<f2", "<i8", "|i1", "<u4", "|b1"]),
        numpy_strategies.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
    max_size=4,
)


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(arrays=ANY)
@settings(max_examples=20)
def test_arrays_of_any_name_and_shape_come_back(suffix, arrays, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    save(arrays, path)
    same(load(path), arrays)
