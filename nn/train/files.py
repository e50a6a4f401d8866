"""`save` and `load`: named arrays in one file, safetensors or npz, written whole or not at all."""

import hashlib
import io
import json
import os
import uuid
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nn.module import Module
from nn.train.arrays import NumberArray, State

_ZIP = b"PK"
_RESERVED = "__metadata__"  # by safetensors


def can_save_safetensors() -> bool:
    """Whether safetensors is installed."""
    return find_spec("safetensors") is not None


def save(state: Module | Mapping[str, npt.ArrayLike], path: str | os.PathLike[str]) -> None:
    """Write the arrays of `state`, a module's if it is one, to a `.safetensors` or `.npz` file.

    The file appears, or replaces the one before, at once and whole: a crash leaves the file
    before, and perhaps a hidden `.tmp` file. The same state gives the same bytes. Raises
    ImportError for `.safetensors` if the `io` extra is not installed; ValueError or TypeError
    for another name or for an array that does not hold real numbers.
    """
    if isinstance(state, str | os.PathLike):
        raise TypeError("save(state, path): the state comes first")
    path = Path(os.path.realpath(path))
    if path.suffix not in (".safetensors", ".npz"):
        raise ValueError(f"save: a path ends in .safetensors or .npz, got {path.name!r}")
    named = state.state_dict() if isinstance(state, Module) else state
    if not isinstance(named, Mapping):
        kind = type(state).__name__
        raise TypeError(f"save takes a module or a dict of arrays, got {kind}")
    arrays = {_text(name): _array(name, array) for name, array in named.items()}
    content = _safetensors(arrays) if path.suffix == ".safetensors" else _npz(arrays)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"save: there is no folder {path.parent}")
    _replace(path, content)


def load(path: str | os.PathLike[str]) -> State:
    """The arrays of a file that `save` wrote, or of another safetensors or npz file.

    They come in the order of the file; safetensors does not keep that of the state. Raises
    ValueError, with the path, for a file that is damaged, cut short or of another kind.
    """
    content = Path(path).read_bytes()
    try:
        if content.startswith(_ZIP):
            return _read_npz(content)
        if content[8:9] == b"{":
            return _read_safetensors(content)
    except ImportError:
        raise
    except Exception as error:  # the readers raise whatever the damage leads them to
        raise ValueError(f"{path}: damaged, or not a file of arrays: {error}") from error
    raise ValueError(f"{path}: neither a safetensors nor an npz file")


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"save: the name of an array must be a string, got {name!r}")
    is_unicode = not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in name)
    if name in ("", _RESERVED) or not is_unicode:
        raise ValueError(f"save: an array cannot be called {name!r}")
    return name


def _array(name: str, array: npt.ArrayLike) -> NumberArray:
    """A contiguous copy in the byte order of the machine: safetensors writes memory as it lies."""
    found = np.array(array, order="C")
    if found.dtype.kind not in "biuf" or found.dtype.itemsize > 8:
        raise TypeError(f"save: {name} must be an array of real numbers, got {found.dtype}")
    return found.astype(found.dtype.newbyteorder("="))


def _safetensors(arrays: State) -> bytes:
    try:
        from safetensors.numpy import save as serialize
    except ImportError:
        raise ImportError(
            "save: .safetensors needs the io extra, pip install 'scalar-autodiff[io]'; "
            "or save an .npz file"
        ) from None
    return serialize(arrays, metadata={"sha256": _digest(arrays)})


def _read_safetensors(content: bytes) -> State:
    try:
        from safetensors.numpy import load as parse
    except ImportError:
        raise ImportError(
            "load: .safetensors needs the io extra (pip install 'scalar-autodiff[io]')"
        ) from None
    arrays: State = parse(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return _checked(arrays, header.get(_RESERVED, {}).get("sha256"))


def _checked(arrays: State, digest: str | None) -> State:
    """`arrays`; ValueError if they do not have the digest that `save` wrote."""
    if digest not in (None, _digest(arrays)):
        raise ValueError("it is not what was saved")
    return arrays


def _digest(arrays: State) -> str:
    """A checksum of names, types, shapes and numbers.

    safetensors has no checksum, and those of zip do not cover the list of members.
    """
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}\0{array.dtype.str}{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _npz(arrays: State) -> bytes:
    # As np.savez writes it; np.savez itself cannot take an array called "file".
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = _digest(arrays).encode()
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def _read_npz(content: bytes) -> State:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
        comment = archive.zip.comment.decode()
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{name} is not an array; PyTorch's own files hold pickled objects")
    return _checked(arrays, comment or None)


def _replace(path: Path, content: bytes) -> None:
    """Write `content` to the disk beside `path`, then rename it to `path`."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the name is on the disk once the folder is
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
