"""`Module`: what has parameters, found by walking its attributes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from autodiff import Value

_SHOWN = 8
"""The most keys that an error lists."""


class IncompatibleKeys(NamedTuple):
    """The keys that `load_state_dict(strict=False)` passed over."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A function with parameters: the leaf Values among its attributes.

    Modules and containers among them are searched as well. A subclass sets attributes and
    defines `__call__`; there is nothing to register.
    """

    training: bool = True
    """Whether `train` was called last, which is so at first, or `eval`."""

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter once, in the order of attributes, with its path: `layers.0.b`."""
        seen: set[Value] = set()
        for name, part in _parts(vars(self)):
            inner = part.named_parameters() if isinstance(part, Module) else [("", part)]
            for path, leaf in inner:
                if leaf not in seen and not leaf.operands:
                    seen.add(leaf)
                    yield f"{name}.{path}".rstrip("."), leaf

    def parameters(self) -> list[Value]:
        """The values that training changes."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes, in containers too, with their paths."""
        return (pair for pair in _parts(vars(self)) if isinstance(pair[1], Module))

    def children(self) -> Iterator["Module"]:
        """The modules among the attributes, each once."""
        return iter(dict.fromkeys(child for _, child in self.named_children()))

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        """This module, under "", and all modules inside it, each once, with their paths."""
        found: dict[Module, str] = {self: ""}
        for name, child in self.named_children():
            for path, module in child.named_modules():
                found.setdefault(module, f"{name}.{path}".rstrip("."))
        return ((path, module) for module, path in found.items())

    def modules(self) -> Iterator["Module"]:
        """This module and all modules inside it, each once."""
        return (module for _, module in self.named_modules())

    def apply(self, function: Callable[["Module"], object]) -> Self:
        """Call `function` on every module inside this one, and then on itself; returns itself."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules inside, which changes what `Dropout` does."""
        if not isinstance(mode, bool):
            raise TypeError(f"train takes True or False, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """`train(False)`."""
        return self.train(False)

    def named_arrays(self) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
        """The parameters as arrays of Values, under the names that `state_dict` gives them.

        A leaf Value is an array of no axes; a list of such, equal in shape, is one array. A
        subclass may override it, to name and shape its own parameters otherwise.
        """
        return _arrays(vars(self))

    def state_dict(self) -> dict[str, npt.NDArray[np.float64]]:
        """A copy of the parameters' data: for an MLP, `layers.0.weight`, `layers.0.bias`, ….

        Weights of a layer have the shape (outputs, inputs), as in torch.nn.Linear.
        """
        return {name: _data(array) for name, array in self.named_arrays()}

    def load_state_dict(
        self, state: Mapping[str, npt.ArrayLike], strict: bool = True
    ) -> IncompatibleKeys:
        """Set the parameters' data to what `state_dict` returned, or PyTorch's of that name.

        Raises ValueError, no parameter changed, if a shape differs, if an array does not hold
        numbers, or, unless `strict` is False, if there are other keys than in `state_dict`.
        """
        if not isinstance(state, Mapping):
            kind = type(state).__name__
            raise TypeError(f"load_state_dict takes what state_dict returned, a dict, got {kind}")
        own = dict(self.named_arrays())
        errors = [differing(own, state)] if strict and set(own) != set(state) else []
        loaded: dict[Value, tuple[float, str]] = {}
        for name, values in own.items():
            if name in state:
                errors += _assign(loaded, name, values, state[name])
        if errors:
            raise ValueError(f"{type(self).__name__}.load_state_dict: {'; '.join(errors)}")
        for value, (number, _) in loaded.items():
            value.data = number
        return IncompatibleKeys(
            [name for name in own if name not in state],
            [name for name in state if name not in own],
        )

    def __call__(self, x: Any) -> Any:
        """The output for the input `x`."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__")

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self.named_children()]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)" if lines else f"{type(self).__name__}()"


def _parts(attributes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The Values and modules in attributes, and in the containers among them."""
    for name, attribute in attributes.items():
        if isinstance(attribute, Value | Module):
            yield name, attribute
        else:
            for path, part in _parts(_items(attribute)):
                yield f"{name}.{path}", part


def _arrays(attributes: dict[str, Any]) -> Iterator[tuple[str, npt.NDArray[np.object_]]]:
    """The arrays of leaf Values in attributes, in modules and in containers among them."""
    for name, attribute in attributes.items():
        whole = _leaves(attribute)
        if whole is not None:
            yield name, whole
            continue
        is_module = isinstance(attribute, Module)
        inner = attribute.named_arrays() if is_module else _arrays(_items(attribute))
        for path, array in inner:
            yield f"{name}.{path}", array


def _items(attribute: Any) -> dict[str, Any]:
    """The items of a container by name; nothing for what is none."""
    if isinstance(attribute, dict):
        return {str(key): item for key, item in attribute.items()}
    if isinstance(attribute, list | tuple) or _is_array(attribute):
        return {str(i): item for i, item in enumerate(attribute)}
    return {}


def _leaves(attribute: Any) -> npt.NDArray[np.object_] | None:
    """A leaf Value, or nested sequences of leaf Values, as an array; None if it is neither."""
    if isinstance(attribute, Value):
        return None if attribute.operands else array_of([attribute]).reshape(())
    if not (isinstance(attribute, list | tuple) or _is_array(attribute)) or not len(attribute):
        return None
    rows = [_leaves(item) for item in attribute]
    if any(row is None for row in rows) or len({row.shape for row in rows if row is not None}) > 1:
        return None
    return np.stack([row for row in rows if row is not None])


def array_of(rows: Any) -> npt.NDArray[np.object_]:
    """Values, or rows of Values, as an array of objects."""
    return np.array(rows, dtype=object)


def _data(array: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    return np.array([value.data for value in array.ravel()], dtype=float).reshape(array.shape)


def _assign(
    loaded: dict[Value, tuple[float, str]],
    name: str,
    values: npt.NDArray[np.object_],
    given: npt.ArrayLike,
) -> list[str]:
    """Note in `loaded` the number for each of `values`; what is wrong with `given`, if anything."""
    try:
        array = np.asarray(given)
    except ValueError:  # rows of different length
        return [f"{name} is no array"]
    if array.shape != values.shape:
        return [f"{name} has shape {array.shape}, must have {values.shape}"]
    if array.dtype.kind not in "biuf":
        return [f"{name} has dtype {array.dtype}, must have numbers"]
    for value, number in zip(values.ravel(), array.astype(float).ravel().tolist(), strict=True):
        before, other = loaded.setdefault(value, (number, name))
        if before != number and (before == before or number == number):
            return [f"{other} and {name} share a parameter, but differ"]
    return []


def differing(expected: Iterable[str], given: Iterable[str]) -> str:
    """The keys that are missing in `given`, and the unexpected ones, in words."""
    wanted, found = list(expected), list(given)
    parts = [
        ("missing", [key for key in wanted if key not in set(found)]),
        ("unexpected", [key for key in found if key not in set(wanted)]),
    ]
    return "; ".join(f"{what} {_listed(keys)}" for what, keys in parts if keys)


def _listed(keys: list[str]) -> str:
    shown = ", ".join(map(repr, keys[:_SHOWN]))
    return shown if len(keys) <= _SHOWN else f"{shown} and {len(keys) - _SHOWN} more"


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == object and x.ndim > 0
