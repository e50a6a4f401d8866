"""Data to learn from: `datasets` has toy and real sets and their preparation, `tables` reads CSV.

`names` has names as tokens, `inputs` checks the arrays that training is given.
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
