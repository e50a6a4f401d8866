"""Types of numbers in training; inputs and targets are `nn.data.inputs.Rows`."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
NumberArray: TypeAlias = npt.NDArray[np.number | np.bool_]
State: TypeAlias = dict[str, NumberArray]
"""What is saved and restored, by name."""
Listed: TypeAlias = float | list["Listed"]
"""A number, or numbers in nested lists."""
