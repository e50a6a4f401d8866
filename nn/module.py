"""`Module`: what has parameters, found by walking its attributes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from autodiff import Value


class Module:
    """A function with parameters: the leaf Values among its attributes.

    Modules and containers among them are searched as well. A subclass sets attributes and
    defines `__call__`; there is nothing to register.
    """

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

    def children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes, in containers too, with their paths."""
        return (pair for pair in _parts(vars(self)) if isinstance(pair[1], Module))

    def __call__(self, x: Any) -> Any:
        """The output for the input `x`."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__")

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self.children()]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)" if lines else f"{type(self).__name__}()"


def _parts(attributes: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The Values and modules in attributes, and in the containers among them."""
    for name, attribute in attributes.items():
        if isinstance(attribute, Value | Module):
            yield name, attribute
            continue
        if isinstance(attribute, dict):
            inner = {str(key): item for key, item in attribute.items()}
        elif isinstance(attribute, list | tuple) or _is_array(attribute):
            inner = {str(i): item for i, item in enumerate(attribute)}
        else:
            continue
        for path, part in _parts(inner):
            yield f"{name}.{path}", part


def _is_array(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype == object and x.ndim > 0
