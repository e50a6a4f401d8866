"""Arguments and results as trees: what a call gives, and what the function is given of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff import pytree
from autodiff.checks import show
from autodiff.engine.value import Value

Shape = tuple[int, ...]


def is_static(arg: Any) -> bool:
    """Whether an argument is part of the program instead of its data."""
    return isinstance(arg, bool | str | int) or arg is None or callable(arg)


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers of an argument that lie in one array; `shape` is that of one example."""

    shape: Shape
    kind: str
    """f for floats, i for integers, b for booleans."""
    form: str
    """What the function takes them as: an "array", or nested "lists"."""
    has_values: bool = False
    """Whether Values were given, which count as their numbers."""

    def filled(self, numbers: list[Any]) -> Any:
        """One example of the argument."""
        if not self.shape:
            return numbers[0]
        box = np.empty(len(numbers), dtype=object)
        box[:] = numbers
        box = box.reshape(self.shape)
        return box.tolist() if self.form == "lists" else box


def describe(arg: Any, arrays: list[Any], is_batched: bool) -> Any:
    """The structure of an argument, hashable; its arrays are appended to `arrays`.

    Raises TypeError for what holds no real numbers, ValueError where the batch axis is missing.
    """
    if isinstance(arg, dict):
        pairs = arg.items()
        return "dict", tuple([(_typed(k), describe(x, arrays, is_batched)) for k, x in pairs])
    if isinstance(arg, list) and (is_branching(arg) or not (is_batched or _is_even(arg))):
        return "list", tuple([describe(item, arrays, is_batched) for item in arg])
    if isinstance(arg, tuple):
        items = [describe(item, arrays, is_batched) for item in arg]
        return type(arg) if hasattr(arg, "_fields") else tuple, tuple(items)
    if is_static(arg):
        return "static", type(arg), arg
    array, has_values = _array(arg)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"compile: an argument holds no real numbers: {show(arg)}")
    if is_batched and array.ndim == 0 and not isinstance(arg, Value):
        raise ValueError(
            f"compile: an argument has no batch axis: {show(arg)}; give an array, or compile "
            "with batched=False"
        )
    arrays.append(array)
    shape = array.shape[1:] if is_batched else array.shape
    form = "lists" if isinstance(arg, list) else "array"
    return "block", Block(shape, array.dtype.kind.replace("u", "i"), form, has_values)


def _typed(key: Any) -> tuple[Any, Any]:
    """A key of a dict, told from those of other types that are equal to it: 1 from True."""
    kinds = tuple([_typed(k)[0] for k in key]) if isinstance(key, tuple) else None
    return (type(key), kinds), key


def is_branching(arg: list[Any]) -> bool:
    """Whether a list holds arguments of their own; else it holds the numbers of one array."""
    return any(
        is_branching(x) if isinstance(x, list) else isinstance(x, np.ndarray | dict | tuple)
        for x in arg
    )


def _is_even(arg: list[Any]) -> bool:
    """Whether a list holds numbers, or lists of one shape that do."""
    if not any(isinstance(x, list) for x in arg):
        return not any(isinstance(x, str) or x is None or callable(x) for x in arg)
    try:
        np.shape(arg)
    except ValueError:
        return False
    return all(isinstance(x, list) and _is_even(x) for x in arg)


def _array(arg: Any) -> tuple[Any, bool]:
    """An argument as an array, and whether Values are in it: they count as their numbers."""
    if isinstance(arg, np.ma.MaskedArray):
        raise TypeError("compile: an argument is a masked array, whose mask a kernel would not see")
    array = np.asarray(arg, dtype=object if isinstance(arg, Value) else None)
    if array.dtype.kind != "O":
        return array, False
    numbers = [x.data if isinstance(x, Value) else x for x in array.flat]
    has_values = any(isinstance(x, Value) for x in array.flat)
    return np.array(numbers).reshape(array.shape), has_values


def filled(spec: Any, fill: Callable[[Block, str], Any], path: str = "") -> Any:
    """The argument that `spec` describes, with `fill` of each of its blocks and of its path.

    The path names keys and places: x_weights_0 is x["weights"][0].
    """
    kind, content, *facts = spec
    if kind == "static":
        return facts[0]
    if kind == "block":
        return fill(content, path)
    if kind == "dict":
        pairs = [(key, item) for (_, key), item in content]
        return {key: filled(item, fill, f"{path}_{key}") for key, item in pairs}
    items = [filled(item, fill, f"{path}_{i}") for i, item in enumerate(content)]
    if kind == "list":
        return items
    return tuple(items) if kind is tuple else kind(*items)


@dataclass(frozen=True, slots=True)
class Part:
    """A number or an array of numbers in a result, of which `first` is the first."""

    shape: Shape
    first: int


def flattened(result: Any) -> tuple[list[Any], Any]:
    """The scalars of a result, and its structure, with a `Part` for each number and array."""
    scalars: list[Any] = []

    def part(block: Any) -> Part:
        first = len(scalars)
        scalars.extend(pytree.scalars(block))
        return Part(pytree.shape(block), first)

    structure = pytree.mapped(part, result)
    return scalars, structure


def restored(structure: Any, values: list[Any], lead: Shape) -> Any:
    """A result of that structure, with one of `values`, each of shape `lead`, for each scalar.

    Where the result has an array, the axes of the values come first, then those of the array.
    """

    def of(part: Part) -> Any:
        if not part.shape:
            return values[part.first]
        found = values[part.first : part.first + int(np.prod(part.shape))]
        array = np.stack(found, axis=-1) if found else np.empty((*lead, 0))
        return array.reshape(*lead, *part.shape)

    return pytree.mapped(of, structure)
