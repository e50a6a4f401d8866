"""`Module`: a function with parameters, found among its attributes."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from autodiff import Value, zero_grad
from autodiff.checks import flag
from autodiff.pytree import Branch, branch_of, folded, is_array

Values: TypeAlias = npt.NDArray[np.object_]
"""An array of Values."""
Named: TypeAlias = list[tuple[str, Values]]

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
    """True at first and after `train`, False after `eval`."""

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter once, in the order of attributes, with its path: `layers.0.b`."""
        seen: set[Value] = set()
        for name, part in _parts(vars(self).items()):
            if isinstance(part, Module):
                inner = [(f"{name}.{path}", leaf) for path, leaf in part.named_parameters()]
            else:
                inner = [(name, part)]
            for path, leaf in inner:
                if leaf not in seen and not leaf.operands:
                    seen.add(leaf)
                    yield path, leaf

    def parameters(self) -> list[Value]:
        """The values that training changes: those of `named_parameters`, in its order."""
        if not _inherits(self, "named_parameters"):
            return [parameter for _, parameter in self.named_parameters()]
        return list(dict.fromkeys(_leaves([self], [])))

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        is_plain = _inherits(self, "parameters") and _inherits(self, "named_parameters")
        zero_grad(_leaves([self], []) if is_plain else self.parameters())

    def named_children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes and in their containers, with their paths."""
        for name, part in _parts(vars(self).items()):
            if isinstance(part, Module):
                yield name, part

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
        """Call `function` on every module inside this one, then on this one; return this one."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules inside; `Dropout` depends on it."""
        flag("train: mode", mode)
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """`train(False)`."""
        return self.train(False)

    def named_arrays(self) -> Iterator[tuple[str, Values]]:
        """The parameters as arrays of Values, under the names that `state_dict` gives them.

        A leaf Value is an array without axes; a list of arrays of equal shape is one array. A
        subclass may override this to give its parameters other names and shapes.
        """
        named = folded(_arrays_of, _joined, vars(self), _inside)
        return iter(cast(Named, named))  # attributes have names, so they are never one array

    def state_dict(self) -> dict[str, npt.NDArray[np.float64]]:
        """A copy of the parameters' data: for an MLP, `layers.0.weight`, `layers.0.bias`, ….

        Weights of a layer have the shape (outputs, inputs), as in torch.nn.Linear.
        """
        return {name: _data(array) for name, array in self.named_arrays()}

    def load_state_dict(
        self, state: Mapping[str, npt.ArrayLike], strict: bool = True
    ) -> IncompatibleKeys:
        """Set the parameters' data to what `state_dict` returned, here or in PyTorch.

        Raises ValueError, and changes no parameter, if a shape differs, if an array does not
        hold numbers, or, unless `strict` is False, if the keys are not those of `state_dict`.
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

    # A subclass decides what it takes and returns.
    def __call__(self, x: Any) -> Any:
        """The output for the input `x`."""
        hint = "; rename forward to __call__" if hasattr(self, "forward") else ""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__{hint}")

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self.named_children()]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)" if lines else f"{type(self).__name__}()"


def _parts(attributes: Iterable[tuple[object, object]]) -> Iterator[tuple[str, Value | Module]]:
    """The Values and modules among attributes and in their containers, with their paths."""
    for name, attribute in attributes:
        if isinstance(attribute, Value | Module):
            yield str(name), attribute
        elif branch := _inside(attribute):
            for path, part in _parts(zip(branch.keys, branch.parts, strict=True)):
                yield f"{name}.{path}", part


def _inherits(module: Module, method: str) -> bool:
    """Whether a module has a method as `Module` defines it."""
    is_inherited = getattr(type(module), method) is getattr(Module, method)
    return is_inherited and method not in vars(module)


def _leaves(attributes: Iterable[object], found: list[Value]) -> list[Value]:
    """`found` and the leaves among attributes, in their containers and modules, in order.

    These are the parameters of a module, shared ones again, without their paths, which take most
    of the time of `named_parameters`.
    """
    for part in attributes:
        if type(part) is list:  # most parameters lie in lists of nothing else
            leaves = [leaf for leaf in part if type(leaf) is Value and not leaf.operands]
            if len(leaves) == len(part):
                found += leaves
            else:
                _leaves(part, found)
        elif isinstance(part, Value):
            if not part.operands:
                found.append(part)
        elif isinstance(part, Module):
            if _inherits(part, "named_parameters"):
                _leaves(vars(part).values(), found)
            else:
                _leaves([leaf for _, leaf in part.named_parameters()], found)
        elif type(part) is not str and (branch := _inside(part)):
            _leaves(branch.parts, found)
    return found


def _inside(attribute: object) -> Branch | None:
    """What a container holds, an array of objects as a list; None for anything else."""
    if is_array(attribute) and attribute.dtype == object and attribute.ndim:
        return branch_of(list(attribute))
    branch = branch_of(attribute)
    return branch if branch and not isinstance(attribute, Module) else None


def _arrays_of(_: object, leaf: object) -> Values | Named:
    """A leaf Value as an array without axes; the named arrays of a module; nothing otherwise."""
    if isinstance(leaf, Value):
        return [] if leaf.operands else array_of([leaf]).reshape(())
    return list(leaf.named_arrays()) if isinstance(leaf, Module) else []


def _joined(
    kind: type, keys: Sequence[Hashable], parts: tuple[Values | Named, ...]
) -> Values | Named:
    """The parts of a sequence as one array if they are arrays of one shape, else by name."""
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    is_whole = kind is not dict and len(arrays) == len(parts)
    if is_whole and len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    named: Named = []
    for key, part in zip(keys, parts, strict=True):
        if isinstance(part, np.ndarray):
            named.append((str(key), part))
        else:
            named += [(f"{key}.{path}", array) for path, array in part]
    return named


def array_of(rows: Sequence[Value] | Sequence[Sequence[Value]]) -> Values:
    """Values, or rows of Values, as an array of objects."""
    return np.array(rows, dtype=object)


def _data(array: Values) -> npt.NDArray[np.float64]:
    return np.array([value.data for value in array.ravel()], dtype=float).reshape(array.shape)


def _assign(
    loaded: dict[Value, tuple[float, str]], name: str, values: Values, given: npt.ArrayLike
) -> list[str]:
    """Note in `loaded` the number for each of `values`; return what is wrong with `given`."""
    try:
        array = np.asarray(given)
    except ValueError:  # rows of different length
        return [f"{name} is not an array"]
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
