"""`Module`: what has parameters, found by walking its attributes."""

from collections.abc import Iterator
from typing import Any

from autodiff import Value


class Module:
    """A function with parameters: the Values among its attributes, modules and lists of these.

    A subclass sets attributes and defines `__call__`; there is nothing to register.
    """

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """Each parameter once, in the order of attributes, with its path: `layers.0.b`."""
        seen: set[Value] = set()
        for name, leaf in _leaves(vars(self)):
            if leaf not in seen:
                seen.add(leaf)
                yield name, leaf

    def parameters(self) -> list[Value]:
        """The values that training changes."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def children(self) -> Iterator[tuple[str, "Module"]]:
        """The modules among the attributes, with their paths."""
        for name, attribute in vars(self).items():
            if isinstance(attribute, Module):
                yield name, attribute
            elif isinstance(attribute, list | tuple):
                for i, item in enumerate(attribute):
                    if isinstance(item, Module):
                        yield f"{name}.{i}", item

    def __call__(self, x: Any) -> Any:
        """The output for the input `x`."""
        raise NotImplementedError(f"{type(self).__name__} defines no __call__")

    def __repr__(self) -> str:
        lines = [f"({name}): {child!r}" for name, child in self.children()]
        body = "\n".join(lines).replace("\n", "\n  ")
        return f"{type(self).__name__}(\n  {body}\n)" if lines else f"{type(self).__name__}()"


def _leaves(attributes: dict[str, Any]) -> Iterator[tuple[str, Value]]:
    for name, attribute in attributes.items():
        if isinstance(attribute, Value):
            yield name, attribute
        elif isinstance(attribute, Module):
            for path, leaf in attribute.named_parameters():
                yield f"{name}.{path}", leaf
        elif isinstance(attribute, list | tuple):
            for path, leaf in _leaves({str(i): item for i, item in enumerate(attribute)}):
                yield f"{name}.{path}", leaf
        elif isinstance(attribute, dict):
            for path, leaf in _leaves({str(key): item for key, item in attribute.items()}):
                yield f"{name}.{path}", leaf
