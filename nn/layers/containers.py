"""`Sequential`: modules one behind the other."""

from collections.abc import Callable, Iterator
from typing import Any

from nn.module import Module


class Sequential(Module):
    """The composition of `steps`, the first of them applied first.

    A step is a module or any function. Parameters are named by the place of their step, `0.…`,
    as in torch.nn.Sequential.
    """

    def __init__(self, *steps: Callable[[Any], Any]) -> None:
        for i, step in enumerate(steps):
            if not callable(step):
                raise TypeError(f"Sequential: step {i} cannot be called: {step!r}")
            if isinstance(step, type):
                raise TypeError(f"Sequential: step {i} is the class {step.__name__}, not one of it")
            setattr(self, str(i), step)
        self._count = len(steps)

    def __call__(self, x: Any) -> Any:
        """The output of the last step; a number from a step before is the next one's [number]."""
        out = x
        for i, step in enumerate(self):
            out = step([out] if i and not hasattr(out, "__len__") else out)
        return out

    def __iter__(self) -> Iterator[Callable[[Any], Any]]:
        return (getattr(self, str(i)) for i in range(self._count))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int | slice) -> Any:
        """The step at `index`; of a slice, the Sequential of the steps in it."""
        if isinstance(index, slice):
            return Sequential(*list(self)[index])
        return list(self)[index]
