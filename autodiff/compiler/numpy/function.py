"""`Function`: a program as Python, with its arrays for each thread and batch size."""

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.compiler.arrays.program import Program
from autodiff.compiler.numpy.loading import load, standalone
from autodiff.compiler.numpy.runtime import Step
from autodiff.compiler.numpy.source import Source

Array = npt.NDArray[np.float64]

BATCHES = 8
"""For how many batch sizes a thread keeps arrays."""


class Function:
    """A program as Python: its source, and its arrays for each thread and batch size."""

    def __init__(self, program: Program, written: Source, name: str, dtype: Any) -> None:
        self.program = program
        self.source = written.text
        self._arrays = written.arrays
        self.fresh = written.fresh
        self._bind = load(self.source, name)
        self._dtype = dtype
        self._local = threading.local()

    @property
    def kept(self) -> dict[tuple[int, float], Step]:
        """The steps of this thread that wait for a call, by (batch, scale).

        A call takes its step out and puts it back: a call inside a call (a signal handler's,
        say) finds it gone, and has arrays of its own.
        """
        steps: dict[Any, Step] = self._local.__dict__
        return steps

    def bound(self, batch: int, scale: float) -> Step:
        """A new step: the function of the leaves, with arrays of its own, which it returns."""
        with np.errstate(all="ignore"):  # what every step would compute is computed here
            made = self._bind(batch, scale, self._dtype, self._arrays)
        return np.errstate(all="ignore")(made)

    @staticmethod
    def trim(steps: dict[tuple[int, float], Step]) -> None:
        """Let go of the steps that were used longest ago."""
        for key in list(steps)[:-BATCHES]:
            steps.pop(key, None)

    def standalone(self) -> str:
        """The source as a module that imports NumPy and the standard library alone."""
        return standalone(self.source, self._arrays)

    def __call__(self, batch: int, scale: float, leaves: Sequence[Any]) -> list[Array]:
        """The results, copied, each with the batch axis first if it has one."""
        steps, key = self.kept, (batch, scale)
        step = steps.pop(key, None) or self.bound(*key)
        results = step(*leaves)
        copies = [x if new else x.copy() for x, new in zip(results, self.fresh, strict=True)]
        steps[key] = step
        self.trim(steps)
        return copies
