"""Every name that the text of a program may use besides its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from autodiff.rows.arrays import NAMES

Array = npt.NDArray[np.generic]
"""Constants and indices of a text."""
Step = Callable[..., tuple[npt.NDArray[np.float64], ...]]
"""The function of the leaves: its results, in arrays that the next call overwrites."""


# Programs that stand alone hold its source, so it names NumPy and the standard library alone.
def strided(array: Any, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """The view of the last axis that `View` describes."""
    step = array.strides[-1]
    return np.lib.stride_tricks.as_strided(
        array[..., offset:],
        (*array.shape[:-1], *shape),
        (*array.strides[:-1], *(step * stride for stride in strides)),
    )


NAMESPACE: dict[str, object] = {**NAMES, "strided": strided}
"""What a text is loaded with."""
BUILTINS = ("bool", "float", "int")
"""The names of Python itself that a text uses."""
ARGUMENTS = ("batch", "scale", "dtype", "arrays")
"""What `bind`, the function that a text defines, takes."""
