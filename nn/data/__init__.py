"""Data to learn from: `datasets` has toy and real sets and their preparation, `tables` reads CSV.

`inputs` has what training asks of the arrays that it is given.
"""

from nn.data.datasets import (
    Dataset,
    breast_cancer,
    diabetes,
    digits,
    iris,
    moons,
    one_hot,
    polynomial,
    spirals,
    standardize,
    train_test_split,
    wine,
)
from nn.data.tables import Table, read_csv

__all__ = [
    "Dataset",
    "Table",
    "breast_cancer",
    "diabetes",
    "digits",
    "iris",
    "moons",
    "one_hot",
    "polynomial",
    "read_csv",
    "spirals",
    "standardize",
    "train_test_split",
    "wine",
]
