"""Measurements against other implementations: `python -m tests.benchmarks [group ...]`.

A group is a module here with `measure(settings)`, which yields rows; name it in `GROUPS`.
"""

import os

# Before NumPy, or a peer, starts its threads: every ratio is of one thread against one.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

GROUPS = ("engine", "training", "activations", "fit", "gpt", "irregular", "tracing")
