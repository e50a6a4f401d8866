"""Measurements against other implementations: `python -m tests.benchmarks [group ...]`.

A group is a module here with `measure(settings)`, which yields rows; name it in `GROUPS`.
"""

import os

# Before NumPy starts its threads: at these sizes they cost time and spread.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

GROUPS = ("engine", "compiler")
