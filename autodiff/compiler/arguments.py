"""Arguments and results of a kernel as trees: their numbers in arrays, the rest in a spec."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard

import numpy as np
import numpy.typing as npt

from autodiff import pytree
from autodiff.checks import show
from autodiff.engine.value import Value

Shape = tuple[int, ...]
Array = npt.NDArray[np.generic]
Kind = Literal["f", "i", "b"]
"""Floats, integers or booleans, as NumPy abbreviates them."""


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers of an argument that lie in one array; `shape` is that of one example."""

    shape: Shape
    kind: Kind
    form: Literal["array", "lists"]
    """The form in which the function takes them."""
    has_values: bool = False
    """Whether some were given as Values, which count as their numbers."""

    def filled(self, numbers: Sequence[object]) -> object:
        """One example of the argument, with `numbers` in it."""
        if not self.shape:
            return numbers[0]
        box = np.empty(len(numbers), dtype=object)
        box[:] = numbers
        box = box.reshape(self.shape)
        return box.tolist() if self.form == "lists" else box


@dataclass(frozen=True, slots=True)
class Static:
    """A part of an argument that belongs to the program; `kind` tells True from 1."""

    kind: type
    value: Hashable


Spec = pytree.Branch | Block | Static
"""The structure of an argument; hashable."""


def is_static(arg: object) -> TypeGuard[Hashable]:
    """Whether an argument is part of the program instead of its data."""
    return isinstance(arg, bool | str | int) or arg is None or callable(arg)


def describe(arg: object, arrays: list[Array], is_batched: bool) -> Spec:
    """The structure of an argument; its arrays are appended to `arrays`.

    Raises TypeError for what holds no real numbers, ValueError where the batch axis is missing.
    """
    if isinstance(arg, np.ndarray):  # most arguments are: there is nothing to walk over
        return _described(arg, arrays, is_batched)
    branch_of = pytree.coarse if is_batched else _evenly
    spec: Spec = pytree.structure(lambda leaf: _described(leaf, arrays, is_batched), arg, branch_of)
    return spec


def _described(leaf: object, arrays: list[Array], is_batched: bool) -> Block | Static:
    if is_static(leaf):
        return Static(type(leaf), leaf)
    array, has_values = _array(leaf)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"compile: an argument holds no real numbers: {show(leaf)}")
    if is_batched and array.ndim == 0 and not isinstance(leaf, Value):
        raise ValueError(
            f"compile: an argument has no batch axis: {show(leaf)}; give an array, or compile "
            "with batched=False"
        )
    arrays.append(array)
    shape = array.shape[1:] if is_batched else array.shape
    form: Literal["array", "lists"] = "lists" if isinstance(leaf, list) else "array"
    return Block(shape, _KINDS[array.dtype.kind], form, has_values)


_KINDS: dict[str, Kind] = {"f": "f", "i": "i", "u": "i", "b": "b"}


def _evenly(tree: object) -> pytree.Branch | None:
    """`pytree.coarse(tree)`, where lists that do not form an array are containers as well."""
    is_array = not isinstance(tree, list) or _is_even(tree)
    return pytree.coarse(tree) if is_array else pytree.branch_of(tree)


def _is_even(arg: list[object]) -> bool:
    """Whether nested lists have the shape of an array and hold no strings, None or functions."""
    for items in pytree.levels(arg):
        lists = [x for x in items if isinstance(x, list)]
        if not lists:
            return not any(isinstance(x, str) or x is None or callable(x) for x in items)
        if len(lists) < len(items) or len(set(map(len, lists))) > 1:
            return False
    return True


def _array(arg: object) -> tuple[Array, bool]:
    """An argument as an array, and whether Values are in it; they count as their numbers."""
    if isinstance(arg, np.ma.MaskedArray):
        raise TypeError("compile: an argument is a masked array, whose mask a kernel would not see")
    array = np.asarray(arg, dtype=object if isinstance(arg, Value) else None)
    if array.dtype.kind != "O":
        return array, False
    numbers = [x.data if isinstance(x, Value) else x for x in array.flat]
    has_values = any(isinstance(x, Value) for x in array.flat)
    return np.array(numbers).reshape(array.shape), has_values


def filled(spec: Spec, fill: Callable[[Block, str], object], name: str = "") -> object:
    """The argument that `spec` describes, with `fill(block, name)` for each of its blocks.

    The name of a block ends with the keys and indices that lead to it: x_weights_0 is
    x["weights"][0].
    """

    def of(path: pytree.Path, leaf: Block | Static) -> object:
        if isinstance(leaf, Static):
            return leaf.value
        return fill(leaf, "_".join([name, *map(str, path)]))

    argument: object = pytree.folded(of, pytree.container, spec)
    return argument


@dataclass(frozen=True, slots=True)
class Part:
    """A number or an array of numbers in a result; `first` is the index of its first number."""

    shape: Shape
    first: int


def flattened(result: object) -> tuple[list[Any], Any]:
    """The scalars of a result, and its structure with a `Part` for each number and array."""
    scalars: list[Any] = []

    def part(leaf: object) -> Part:
        first = len(scalars)
        scalars.extend(pytree.scalars(leaf))
        return Part(pytree.shape(leaf), first)

    structure = pytree.mapped(part, result)
    return scalars, structure


def restored(structure: object, values: Sequence[Any], lead: Shape) -> Any:
    """A result of that structure; each of `values` has the shape `lead`.

    The axes of an array in the result come behind those of the values.
    """

    def of(part: Part) -> object:
        if not part.shape:
            return values[part.first]
        found = values[part.first : part.first + int(np.prod(part.shape))]
        array = np.stack(found, axis=-1) if found else np.empty((*lead, 0))
        return array.reshape(*lead, *part.shape)

    return pytree.mapped(of, structure)
