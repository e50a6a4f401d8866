"""Trees of numbers: nested lists, tuples and dicts, whose blocks are scalars or NumPy arrays."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autodiff.rows.interpreter import show


def blocks(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar or array of `tree` with its place, as in `x[0]['w']`; None holds nothing."""
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from blocks(branch, f"{path}[{key!r}]")
    elif isinstance(tree, list | tuple):
        for i, branch in enumerate(tree):
            yield from blocks(branch, f"{path}[{i}]")
    elif tree is not None:
        yield path, tree


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """`tree` with `f(block)` for every block, called in the order of `blocks`."""
    if isinstance(tree, dict):
        return {key: mapped(f, branch) for key, branch in tree.items()}
    if isinstance(tree, list | tuple):
        branches = [mapped(f, branch) for branch in tree]
        if isinstance(tree, list):
            return branches
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    return None if tree is None else f(tree)


def shape(block: Any) -> tuple[int, ...]:
    """The shape of an array, () of anything else."""
    return block.shape if isinstance(block, np.ndarray) else ()


def scalars(block: Any) -> list[Any]:
    """The elements of an array, in order; of anything else, itself."""
    return block.ravel().tolist() if isinstance(block, np.ndarray) else [block]


def shaped(shape: tuple[int, ...], elements: Sequence[Any]) -> Any:
    """An array of that shape, of floats if every element is one; the only element for ()."""
    if not shape:
        return elements[0]
    is_numeric = all(type(x) is float for x in elements)
    array = np.empty(len(elements), float if is_numeric else object)
    array[:] = elements
    return array.reshape(shape)


def filled(tree: Any, elements: Iterator[Any]) -> Any:
    """`tree` with the next of `elements` for each of its scalars."""
    return mapped(
        lambda block: shaped(shape(block), [next(elements) for _ in scalars(block)]), tree
    )


def along(tree: Any, other: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The scalars of `other`, with their places, in the order of those of `tree`.

    Raises ValueError, naming the place, where the two differ in structure.
    """
    if isinstance(tree, dict):
        if not isinstance(other, dict) or other.keys() != tree.keys():
            raise ValueError(f"{path} has to be a dict with the keys {[*tree]}, got {show(other)}")
        for key, branch in tree.items():
            yield from along(branch, other[key], f"{path}[{key!r}]")
    elif isinstance(tree, list | tuple):
        if not isinstance(other, list | tuple) or len(other) != len(tree):
            kind = f"{type(tree).__name__} of {len(tree)}"
            raise ValueError(f"{path} has to be a {kind}, got {show(other)}")
        for i, (branch, twin) in enumerate(zip(tree, other, strict=True)):
            yield from along(branch, twin, f"{path}[{i}]")
    elif tree is not None:
        if isinstance(other, dict | list | tuple | None) or shape(other) != shape(tree):
            kind = f"an array of shape {shape(tree)}" if shape(tree) else "one number"
            raise ValueError(f"{path} has to be {kind}, got {show(other)}")
        for x in scalars(other):
            yield path, x
    elif other is not None:
        raise ValueError(f"{path} has to be None, got {show(other)}")
