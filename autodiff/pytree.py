"""Trees: dicts, lists, tuples and named tuples, nested in any way; what they hold are leaves.

A leaf is whatever is not one of these: a number, a Value, an array. None is a tree without
leaves. The items of a dict come in the order in which they were inserted. Named tuples come back
as themselves, dicts, lists and tuples as plain ones, even from a subclass.

`folded` alone walks over trees; all else is said with it. A path is a tuple of keys and indices;
`place` writes it as Python would. NumPy need not be there: where nobody has imported it, there
are no arrays.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, TypeVar

from autodiff.checks import show

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Leaf = TypeVar("Leaf")
Result = TypeVar("Result")
Keys = Sequence[Hashable]
Path = tuple[Hashable, ...]

_CONTAINERS = dict, list, tuple, type(None)

__all__ = [
    "Branch", "BranchOf", "Path", "along", "branch_of", "coarse", "container", "filled", "folded",
    "is_array", "leaves", "levels", "mapped", "nested", "place", "scalars", "shape", "shaped",
    "structure",
]  # fmt: skip


class Branch(NamedTuple):
    """A dict, list, tuple, named tuple or None, taken apart; hashable if its keys and parts are.

    A tree may hold branches in place of its containers; mapped, it has the containers again.
    """

    kind: type
    """The class of the container; NoneType for None."""
    keys: Keys
    """The keys of a dict, in order; the indices of anything else."""
    parts: tuple[Any, ...]
    key_types: object = None
    """In a `structure`, the types of a dict's keys, which tell 1 from True."""


def container(kind: type, keys: Keys, parts: tuple[object, ...]) -> Any:
    """What `branch_of` took apart, put together again."""
    if kind is list:
        return list(parts)
    if kind is dict:
        return dict(zip(keys, parts, strict=True))
    if kind is tuple:
        return parts
    return None if kind is type(None) else kind(*parts)


BranchOf = Callable[[Any], Branch | None]


def branch_of(tree: object) -> Branch | None:
    """The outermost container of `tree`, taken apart; None if `tree` is a leaf."""
    if not isinstance(tree, _CONTAINERS):
        return None
    if isinstance(tree, list):
        return Branch(list, range(len(tree)), tuple(tree))
    if isinstance(tree, dict):
        return Branch(dict, tuple(tree), tuple(tree.values()))
    if isinstance(tree, tuple):
        if isinstance(tree, Branch):
            return tree
        kind = type(tree) if hasattr(tree, "_fields") else tuple
        return Branch(kind, range(len(tree)), tree)
    return Branch(type(None), (), ())


def nested(tree: object) -> Branch | None:
    """`branch_of(tree)`; an array with axes is a list of its items."""
    return branch_of(list(tree) if is_array(tree) and tree.ndim else tree)


def coarse(tree: object) -> Branch | None:
    """`branch_of(tree)`; a list of numbers, or of such lists, is a leaf: an array to be."""
    return None if isinstance(tree, list) and not _has_containers(tree) else branch_of(tree)


def levels(tree: list[object]) -> Iterator[list[object]]:
    """The items of nested lists: those of `tree`, then those of the lists among them, and so on."""
    while tree:
        yield tree
        tree = [x for item in tree if isinstance(item, list) for x in item]


def _has_containers(tree: list[object]) -> bool:
    """Whether nested lists hold a dict, a tuple or an array."""
    numpy = sys.modules.get("numpy")
    others = (dict, tuple) if numpy is None else (dict, tuple, numpy.ndarray)
    for items in levels(tree):
        for kind in set(map(type, items)):  # few, however long the list is
            if issubclass(kind, others):
                return True
    return False


def folded(
    f: Callable[[Path, Leaf], Result],
    join: Callable[[type, Keys, tuple[Result, ...]], Result],
    tree: Any,
    branch_of: BranchOf = branch_of,
    path: Path = (),
) -> Result:
    """`f(path, leaf)` of a leaf; `join(kind, keys, parts)` of a container, its parts folded.

    `branch_of` decides what a container is and what it holds. Leaves are visited in order.
    """
    branch = branch_of(tree)
    if branch is None:
        return f(path, tree)
    kind, keys, parts, _ = branch
    items = zip(keys, parts, strict=True)
    inner = [folded(f, join, part, branch_of, (*path, key)) for key, part in items]
    return join(kind, keys, tuple(inner))


def mapped(f: Callable[[Any], object], tree: object, branch_of: BranchOf = branch_of) -> Any:
    """`tree` with `f(leaf)` for each leaf, in order."""
    return folded(lambda _, leaf: f(leaf), container, tree, branch_of)


def structure(f: Callable[[Any], object], tree: object, branch_of: BranchOf = branch_of) -> Any:
    """`mapped(f, tree)` with branches for containers: hashable if keys and each `f(leaf)` are."""
    return folded(lambda _, leaf: f(leaf), _typed, tree, branch_of)


def _typed(kind: type, keys: Keys, parts: tuple[object, ...]) -> Branch:
    """A branch that is unequal to those of other types of keys."""
    if kind is not dict:
        return Branch(kind, keys, parts)
    return Branch(kind, keys, parts, tuple(map(_type_of, keys)))


def _type_of(key: object) -> object:
    """What tells a key from equal ones of other types, also inside it."""
    if isinstance(key, tuple):
        return structure(type, key)
    return type(key) if isinstance(key, str | int | float) else (type(key), repr(key))


def leaves(tree: object, branch_of: BranchOf = branch_of) -> list[tuple[Path, Any]]:
    """Each leaf of `tree`, with its path."""
    found: list[tuple[Path, Any]] = []

    def note(path: Path, leaf: object) -> None:
        found.append((path, leaf))

    folded(note, lambda *_: None, tree, branch_of)
    return found


def place(name: str, path: Path) -> str:
    """The expression for what lies at `path` in `name`: `x[0]['w']`."""
    return name + "".join([f"[{key!r}]" for key in path])


def is_array(leaf: object) -> TypeGuard[npt.NDArray[np.generic]]:
    """Whether `leaf` is a NumPy array, of numbers or of objects."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(leaf, numpy.ndarray)


def shape(leaf: object) -> tuple[int, ...]:
    """The shape of an array, () of anything else."""
    return leaf.shape if is_array(leaf) else ()


def scalars(leaf: object) -> list[Any]:
    """The elements of an array, in order; of anything else, itself."""
    return leaf.ravel().tolist() if is_array(leaf) else [leaf]


def shaped(
    shape: tuple[int, ...], elements: Sequence[Leaf]
) -> Leaf | npt.NDArray[np.float64] | npt.NDArray[np.object_]:
    """An array of that shape, of floats if every element is one; the only element for ()."""
    if not shape:
        return elements[0]
    import numpy as np

    is_numeric = all(type(x) is float for x in elements)
    array: npt.NDArray[np.object_] = np.empty(len(elements), float if is_numeric else object)
    array[:] = elements
    return array.reshape(shape)


def filled(tree: object, elements: Iterator[object]) -> Any:
    """`tree` with the next of `elements` for each scalar of its leaves."""

    def taken(leaf: object) -> object:
        if is_array(leaf):
            return shaped(leaf.shape, [next(elements) for _ in range(leaf.size)])
        return next(elements)

    return mapped(taken, tree)


class _Pair(NamedTuple):
    """Two trees that shall have one structure."""

    tree: object
    other: object
    place: str


def along(tree: object, other: object, name: str) -> list[tuple[str, object]]:
    """The scalars of `other`, with their places, in the order of those of `tree`.

    Raises ValueError, naming the place, where the two differ in structure; a list and a tuple
    may stand for each other.
    """
    pairs = [pair for _, pair in leaves(_Pair(tree, other, name), _paired)]
    return [(pair.place, x) for pair in pairs for x in scalars(pair.other)]


def _paired(pair: _Pair) -> Branch | None:
    """The outermost containers of both trees as one branch, of pairs; None if both are leaves."""
    tree, other, at = pair
    branch, twin = branch_of(tree), branch_of(other)
    if branch is None:
        if twin is None and shape(other) == shape(tree):
            return None
        wanted = f"an array of shape {shape(tree)}" if shape(tree) else "one number"
    elif twin is not None and _is_alike(branch, twin):
        parts = dict(zip(twin.keys, twin.parts, strict=True))
        pairs = [
            _Pair(part, parts[key], place(at, (key,)))
            for key, part in zip(branch.keys, branch.parts, strict=True)
        ]
        return Branch(branch.kind, branch.keys, tuple(pairs))
    elif branch.kind is dict:
        wanted = f"a dict with the keys {[*branch.keys]}"
    else:
        wanted = "None" if tree is None else f"a {branch.kind.__name__} of {len(branch.parts)}"
    raise ValueError(f"{at} has to be {wanted}, got {show(other)}")


def _is_alike(branch: Branch, twin: Branch) -> bool:
    """Whether both hold the same keys, in containers that may stand for each other."""
    is_sequence = [issubclass(kind, list | tuple) for kind in (branch.kind, twin.kind)]
    is_one_kind = all(is_sequence) or branch.kind is twin.kind
    return is_one_kind and set(branch.keys) == set(twin.keys)
