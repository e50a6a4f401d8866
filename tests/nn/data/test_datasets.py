"""Data: seeded, of the stated shape, and prepared as scikit-learn prepares it."""

import sys

import numpy as np
import pytest

from nn import data

TOYS = {"moons": data.moons, "spirals": data.spirals, "polynomial": data.polynomial}
REAL = {
    "iris": (data.iris, (150, 4), 3),
    "wine": (data.wine, (178, 13), 3),
    "digits": (data.digits, (1797, 64), 10),
    "breast_cancer": (data.breast_cancer, (569, 30), 2),
    "diabetes": (data.diabetes, (442, 10), 0),
}


@pytest.mark.parametrize("name", TOYS)
def test_a_seed_fixes_every_number(name):
    same, again, other = (TOYS[name](50, noise=0.2, seed=seed) for seed in (3, 3, 4))
    assert same.x.tobytes() == again.x.tobytes() != other.x.tobytes()
    assert same.y.tobytes() == again.y.tobytes() != other.y.tobytes()


def test_moons_are_two_half_circles():
    x, y = data.moons(101, noise=0.0)
    assert (x.shape, y.dtype.kind, np.bincount(y).tolist()) == ((101, 2), "i", [50, 51])
    upper, lower = x[y == 0], x[y == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, rtol=1e-12)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, rtol=1e-12)
    assert upper[:, 1].min() > -1e-12
    assert lower[:, 1].max() < 0.5 + 1e-12


def test_spirals_wind_around_the_origin():
    x, y = data.spirals(302, classes=3, turns=2, noise=0.0)
    assert (x.shape, np.bincount(y).tolist()) == ((302, 2), [101, 101, 100])
    radius = np.hypot(*x.T)
    assert (radius.min(), radius.max()) == pytest.approx((0.05, 1))
    angle = 2 * np.pi * (y / 3 + 2 * radius)
    np.testing.assert_allclose(x, radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))


@pytest.mark.parametrize("name", ["moons", "spirals"])
def test_classes_are_shuffled(name):
    _, y = TOYS[name](100)
    assert len(set(y[:20].tolist())) == len(set(y.tolist()))
    assert np.abs(np.diff(y)).sum() > 20


def test_noise_is_a_standard_deviation():
    for make in TOYS.values():
        clean, noisy = make(5000, noise=0.0), make(5000, noise=0.3)
        difference = noisy.x - clean.x if make is not data.polynomial else noisy.y - clean.y
        assert difference.std() == pytest.approx(0.3, rel=0.05)


def test_a_polynomial_has_its_coefficients():
    x, y = data.polynomial(50, low=-2, high=3)
    assert (x.shape, y.shape) == ((50, 1), (50,))
    assert -2 <= x.min() < -1.5
    assert 2.5 < x.max() <= 3
    np.testing.assert_allclose(y, x[:, 0] ** 2 + 2 * x[:, 0] - 3, atol=1e-12)
    assert data.polynomial(3, coefficients=[7]).y.tolist() == [7, 7, 7]


@pytest.mark.parametrize("name", REAL)
def test_real_sets_have_names_for_everything(name):
    pytest.importorskip("sklearn")
    make, shape, classes = REAL[name]
    found = make()
    x, y = found
    assert (x.shape, x.dtype, len(y)) == (shape, float, shape[0])
    assert (len(found.features), len(found.classes)) == (shape[1], classes)
    assert y.dtype.kind == ("i" if classes else "f")
    assert not classes or sorted(set(y.tolist())) == list(range(classes))


def test_digits_are_shades_between_0_and_1():
    pytest.importorskip("sklearn")
    x, _ = data.digits()
    assert (x.min(), x.max()) == (0, 1)


@pytest.mark.parametrize("name", REAL)
def test_without_scikit_learn_the_extra_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=rf"{name} .* pip install .scalar-autodiff\[data\]"):
        REAL[name][0]()


@pytest.mark.parametrize("n", [0, 1, 2.5, True, "9"])
def test_too_few_points_are_refused(n):
    kind = ValueError if type(n) is int else TypeError
    for make in (data.moons, data.spirals):
        with pytest.raises(kind, match=r"^n must be an integer of at least [23], got"):
            make(n)


# Preparation


def test_one_hot_has_a_one_in_the_column_of_the_label():
    assert data.one_hot([2, 0]).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert data.one_hot(np.array([0]), classes=2).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, r"lie in 0 … 3, not in 0 … 2"),
        ([-1, 1], None, r"lie in -1 … 1"),
        ([0.0, 1.0], None, "integers of shape"),
        ([[0], [1]], None, "integers of shape"),
        (np.zeros(0, int), None, "integers of shape"),
        ([0], 0, "classes must be a positive integer"),
    ],
)
def test_anything_but_labels_is_refused(labels, classes, message):
    with pytest.raises(ValueError, match=message):
        data.one_hot(labels, classes)


def test_standardizing_takes_its_figures_from_the_first_array():
    x = np.random.default_rng(0).normal(3, 5, (40, 4))
    x[:, 2] = 0.1  # the deviation of equal numbers is not exactly 0
    train, test = data.standardize(x, x + 1)
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-14)
    np.testing.assert_allclose(train.std(axis=0), [1, 1, 0, 1], atol=1e-14)
    np.testing.assert_allclose(
        test - train, np.ones((40, 1)) / [*x.std(axis=0)[:2], 1, x.std(axis=0)[3]]
    )
    alone = data.standardize(x[:, 0])
    np.testing.assert_allclose(alone, train[:, 0], rtol=1e-12)


def test_standardizing_is_that_of_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    x, _ = data.digits()
    expected = preprocessing.StandardScaler().fit(x[:900]).transform(x[900:])
    np.testing.assert_allclose(data.standardize(x[:900], x[900:])[1], expected, atol=1e-12)


@pytest.mark.parametrize("x", [[], [1.0, np.nan], [np.inf, 1.0]])
def test_standardizing_needs_finite_rows(x):
    with pytest.raises(ValueError, match="all finite"):
        data.standardize(x)


@pytest.mark.parametrize(("size", "count"), [(0.25, 3), (0.2, 2), (0.01, 1), (4, 4)])
def test_a_split_parts_the_rows_of_all_arrays_alike(size, count):
    x, y = np.arange(20).reshape(10, 2), np.arange(10)
    x_train, x_test, y_train, y_test = data.train_test_split(x, y, test_size=size)
    assert (len(x_train), len(x_test)) == (10 - count, count)
    assert sorted([*y_train, *y_test]) == list(range(10))
    assert (x_train[:, 0] == 2 * y_train).all()
    assert (x_test[:, 0] == 2 * y_test).all()
    assert [*y_train, *y_test] != list(range(10))


def test_a_seed_fixes_the_split():
    one, same, other = (data.train_test_split(np.arange(50), seed=s)[1] for s in (1, 1, 2))
    assert one.tolist() == same.tolist() != other.tolist()


@pytest.mark.parametrize("size", [0.0, 1.0, -0.5, 1.5, 0, 10])
def test_a_split_with_an_empty_side_is_refused(size):
    with pytest.raises(ValueError, match=r"of 10 rows leaves a side empty"):
        data.train_test_split(np.arange(10), test_size=size)


def test_a_split_of_different_lengths_is_refused():
    with pytest.raises(ValueError, match="arrays must have equally many rows, got 3, 4"):
        data.train_test_split(np.arange(3), np.arange(4))
