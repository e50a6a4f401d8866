"""The arrays of training, by what they hold."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Rows: TypeAlias = npt.NDArray[np.float64 | np.int64]
"""Examples, one per row: inputs or targets, which stay integers if they are integers."""
Numbers: TypeAlias = npt.NDArray[np.number | np.bool_]
State: TypeAlias = dict[str, Numbers]
"""What is saved and restored, by name."""
