"""Data sets: seeded toy sets and real ones from scikit-learn, and how to prepare them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import ceil, pi
from typing import Any, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from autodiff.checks import integer

Floats: TypeAlias = npt.NDArray[np.float64]
Numbers: TypeAlias = npt.NDArray[np.float64 | np.int_]


@dataclass(frozen=True)
class Dataset:
    """Inputs `x` of shape (n, inputs) and targets `y` of shape (n,); `x, y = dataset` unpacks.

    `features` names the inputs and `classes` the values of integer targets.
    """

    x: Floats
    y: Numbers
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Numbers]:
        return iter((self.x, self.y))


# Toy sets


def moons(n: int = 200, *, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Two half circles that reach into one another, `n` points in all, with normal noise."""
    rng, n = np.random.default_rng(seed), integer("n", n, least=2)
    upper = n // 2
    angles = [np.linspace(0, pi, upper), np.linspace(0, pi, n - upper)]
    arcs = [
        np.column_stack([np.cos(angles[0]), np.sin(angles[0])]),
        np.column_stack([1 - np.cos(angles[1]), 0.5 - np.sin(angles[1])]),
    ]
    return _toy(rng, arcs, noise, ("upper", "lower"))


def spirals(
    n: int = 300, *, classes: int = 3, turns: float = 0.75, noise: float = 0.03, seed: int = 0
) -> Dataset:
    """`classes` spirals of radius 1 around the origin, `n` points in all, with normal noise."""
    rng, classes = np.random.default_rng(seed), integer("classes", classes, least=2)
    n = integer("n", n, least=classes)
    sizes = [len(part) for part in np.array_split(np.arange(n), classes)]
    arms = []
    for k, size in enumerate(sizes):
        radius = np.linspace(0.05, 1, size)
        angle = 2 * pi * (k / classes + turns * radius)
        arms.append(radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))
    return _toy(rng, arms, noise, tuple(f"arm {k + 1}" for k in range(classes)))


def polynomial(
    n: int = 200,
    *,
    coefficients: Sequence[float] = (-3.0, 2.0, 1.0),
    low: float = -5.0,
    high: float = 5.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """c₀ + c₁ x + c₂ x² + … at `n` uniform points, by default x² + 2x - 3 on [-5, 5]."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(low, high, integer("n", n, least=1))
    y = np.polynomial.Polynomial(np.asarray(coefficients, dtype=float))(x)
    return Dataset(x[:, None], y + noise * rng.normal(size=len(x)), ("x",))


def _toy(
    rng: np.random.Generator, parts: Sequence[Floats], noise: float, classes: tuple[str, ...]
) -> Dataset:
    """The parts as classes, shuffled, with noise."""
    x = np.concatenate(parts)
    y = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = rng.permutation(len(x))
    return Dataset(x[order] + noise * rng.normal(size=x.shape), y[order], ("x1", "x2"), classes)


# Real sets


def iris() -> Dataset:
    """150 flowers of 3 species by 4 lengths in cm (Fisher 1936)."""
    return _bundled("iris")


def wine() -> Dataset:
    """178 wines from 3 growers by 13 chemical measurements (Forina 1991)."""
    return _bundled("wine")


def digits() -> Dataset:
    """1,797 handwritten digits of 8 × 8 pixels, each in 0 … 1 (Alpaydin 1998)."""
    found = _bundled("digits")
    return Dataset(found.x / 16, found.y, found.features, found.classes)


def breast_cancer() -> Dataset:
    """569 tumors, malignant (0) or benign (1), by 30 measurements (Wolberg 1995)."""
    return _bundled("breast_cancer")


def diabetes() -> Dataset:
    """442 patients: the disease's progress in a year, 25 … 346, by 10 measurements (Efron 2004)."""
    return _bundled("diabetes")


def _bundled(name: str) -> Dataset:
    try:
        datasets = import_module("sklearn.datasets")
    except ImportError:
        raise ImportError(
            f'the data set {name} comes with scikit-learn: pip install "scalar-autodiff[data]"'
        ) from None
    found = getattr(datasets, f"load_{name}")()
    classes = tuple(str(label) for label in found.get("target_names", ()))
    x, features = found.data.astype(float), tuple(str(label) for label in found.feature_names)
    return Dataset(x, found.target.astype(int if classes else float), features, classes)


# Preparation


def one_hot(labels: npt.ArrayLike, classes: int | None = None) -> Floats:
    """One row per integer label, 1 in the column of the label and 0 elsewhere: (n, classes).

    There are `classes` columns, or as many as the largest label needs.
    """
    array = np.asarray(labels)
    if array.ndim != 1 or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(
            f"labels must be integers of shape (n,), got {array.dtype} of {array.shape}"
        )
    count = int(array.max()) + 1 if classes is None else integer("classes", classes, least=1)
    if array.min() < 0 or array.max() >= count:
        raise ValueError(f"labels lie in {array.min()} … {array.max()}, not in 0 … {count - 1}")
    rows: Floats = np.eye(count)[array]
    return rows


@overload
def standardize(x: npt.ArrayLike) -> Floats: ...
@overload
def standardize(x: npt.ArrayLike, *others: npt.ArrayLike) -> tuple[Floats, ...]: ...
def standardize(x: npt.ArrayLike, *others: npt.ArrayLike) -> Floats | tuple[Floats, ...]:
    """(x - mean) / deviation by the columns of `x`, and each of `others` by the same columns.

    Means and deviations come from `x` alone, the training set, so nothing leaks from a test set.
    A column that is constant in `x` is only centered. Returns one array, or a tuple of arrays.
    """
    train = np.asarray(x, dtype=float)
    if not train.size or not np.isfinite(train).all():
        raise ValueError("standardize needs numbers, at least one row of them, all finite")
    center, scale = train.mean(axis=0), train.std(axis=0)
    # The deviation of equal numbers may be a rounding error away from 0.
    scale = np.where(scale > 1e-12 * np.abs(center), scale, 1.0)
    done = tuple((np.asarray(array, dtype=float) - center) / scale for array in (train, *others))
    return done if others else done[0]


def train_test_split(
    *arrays: npt.ArrayLike, test_size: float | int = 0.25, seed: int = 0
) -> list[npt.NDArray[Any]]:
    """Each array in two, rows for training and rows for testing: x_train, x_test, y_train, …

    The rows are shuffled, the same way in every array. `test_size` is a share of the rows,
    rounded up, or their number. Raises ValueError if one side would be empty.
    """
    whole = [np.asarray(array) for array in arrays]
    if len({len(array) for array in whole}) != 1:
        counts = ", ".join(str(len(array)) for array in whole)
        raise ValueError(f"arrays must have equally many rows, got {counts}")
    n = len(whole[0])
    count = test_size if isinstance(test_size, int) else ceil(n * test_size)
    if not 1 <= count < n:
        raise ValueError(f"test_size {test_size} of {n} rows leaves a side empty")
    order = np.random.default_rng(seed).permutation(n)
    test, train = order[:count], order[count:]
    return [part for array in whole for part in (array[train], array[test])]
