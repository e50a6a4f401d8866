"""`Sequential`: modules in sequence."""

from collections.abc import Callable, Iterator
from typing import Any, overload

from nn.module import Module


class Sequential(Module):
    """The composition of `steps`; the first step is applied first.

    A step is a module or any function. Its parameters are named by its index, `0.…`, as in
    torch.nn.Sequential.
    """

    def __init__(self, *steps: Callable[..., Any]) -> None:
        for i, step in enumerate(steps):
            if not callable(step):
                raise TypeError(f"Sequential: step {i} cannot be called: {step!r}")
            if isinstance(step, type):
                raise TypeError(
                    f"Sequential: step {i} is the class {step.__name__}; pass an instance"
                )
            setattr(self, str(i), step)
        self._count = len(steps)

    def __call__(self, x: object) -> Any:
        """The output of the last step; between steps a single number becomes [number]."""
        out = x
        for i, step in enumerate(self):
            out = step([out] if i and not hasattr(out, "__len__") else out)
        return out

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        return (getattr(self, str(i)) for i in range(self._count))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> "Sequential": ...
    def __getitem__(self, index: int | slice) -> object:
        """The step at `index`, or the Sequential of the steps in a slice."""
        if isinstance(index, slice):
            return Sequential(*list(self)[index])
        return list(self)[index]
