"""Metrics: worked out by hand, and as scikit-learn has them."""

import numpy as np
import pytest

from nn.metrics import METRICS, accuracy, confusion_matrix, r2

LOGITS = np.array([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [0.5, 0.2, 0.1], [-3.0, -2.0, -1.0]])
CLASSES = np.array([0, 1, 2, 2])


def test_accuracy_is_the_share_of_largest_columns_that_are_right():
    assert accuracy(LOGITS, CLASSES) == 0.75
    assert accuracy(LOGITS, np.eye(3)[CLASSES]) == 0.75
    assert accuracy(LOGITS.tolist(), CLASSES.tolist()) == 0.75


@pytest.mark.parametrize("targets", [[1, 0, 0, 1], [1, -1, -1, 1]])
def test_one_logit_is_positive_for_the_second_class(targets):
    assert accuracy([0.1, -0.1, 0.0, -9.0], targets) == 0.75


def test_a_confusion_matrix_has_true_classes_as_rows():
    assert confusion_matrix(LOGITS, CLASSES).tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert confusion_matrix([1.0, 1.0, -1.0], [1, 0, 0]).tolist() == [[1, 1], [0, 1]]
    assert confusion_matrix(LOGITS, CLASSES, classes=4).shape == (4, 4)


def test_r2_is_one_minus_the_unexplained_share():
    assert r2([1.0, 2.0, 4.0], [1.0, 2.0, 3.0]) == 0.5
    assert r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == 0.0
    assert r2([[1.0, 2.0], [3.0, 2.0]], [[1.0, 1.0], [3.0, 3.0]]) == 0.5


@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_those_of_scikit_learn(seed):
    reference = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    p, t = rng.normal(size=(2, 30, 3))
    t[:, 2] = 1.0  # constant
    assert r2(p, t) == pytest.approx(reference.r2_score(t, p), rel=1e-12)
    assert r2(t, t) == reference.r2_score(t, t) == 1.0
    classes = rng.integers(0, 3, 30)
    voted = p.argmax(axis=1)
    assert accuracy(p, classes) == reference.accuracy_score(classes, voted)
    expected = reference.confusion_matrix(classes, voted)
    np.testing.assert_array_equal(confusion_matrix(p, classes), expected)


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
@pytest.mark.parametrize(
    ("predictions", "targets", "message"),
    [
        (LOGITS, CLASSES[:3], r"shape \(4, 3\) for targets of shape \(3,\)"),
        (LOGITS, 1, r"targets of shape \(\)"),
        (LOGITS, CLASSES + 1, "classes, integers in 0 … 2"),
        (LOGITS, CLASSES - 1, "classes, integers in 0 … 2"),
        (LOGITS, CLASSES / 2, "classes, integers in 0 … 2"),
        (LOGITS, np.eye(4), r"shape \(4, 3\) for targets of shape \(4, 4\)"),
        ([0.5, 1.0], [1, 2], "0 and 1, or -1 and 1"),
        ([0.5, 1.0], [[1, 0], [0, 1]], "0 and 1, or -1 and 1"),
        (np.zeros((0, 2)), [], "shape"),
    ],
)
def test_anything_but_a_classification_is_refused(metric, predictions, targets, message):
    with pytest.raises(ValueError, match=message):
        metric(predictions, targets)


def test_a_column_counts_as_a_row():
    assert accuracy([[0.1], [-0.1]], [1, 1]) == accuracy([0.1, -0.1], [[1], [1]]) == 0.5
    assert confusion_matrix([[0.1], [-0.1]], [[1], [1]]).tolist() == [[0, 0], [1, 1]]
    assert r2([[1.0], [2.0], [4.0]], [1.0, 2.0, 3.0]) == 0.5
    assert r2([1.0, 2.0, 4.0], [[1.0], [2.0], [3.0]]) == 0.5


@pytest.mark.parametrize(("p", "t"), [([1.0], [1.0, 2.0]), ([], []), ([1.0], [[1.0, 2.0]])])
def test_r2_of_different_shapes_is_refused(p, t):
    with pytest.raises(ValueError, match=r"predictions of shape .* for targets of shape"):
        r2(p, t)


def test_the_names_of_metrics_are_theirs():
    assert {name: metric.__name__ for name, metric in METRICS.items()} == {
        name: name for name in ("accuracy", "r2")
    }
