from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as oracle

from learnt.stats import metrics
from small.evidence import drawn, overconfident


@pytest.fixture(params=[2, 5])
def said(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    return drawn(300, request.param, seed=request.param)


def test_metrics_equal_scikit_learn(said):
    p, truth = said
    label = p.argmax(axis=1)
    assert metrics.accuracy(truth, label) == pytest.approx(oracle.accuracy_score(truth, label))
    assert metrics.f1_macro(truth, label) == pytest.approx(oracle.f1_score(truth, label, average="macro"))
    assert metrics.balanced_accuracy(truth, label) == pytest.approx(oracle.balanced_accuracy_score(truth, label))
    assert metrics.log_loss(truth, p) == pytest.approx(oracle.log_loss(truth, p))
    np.testing.assert_array_equal(metrics.confusion(truth, label, p.shape[1]), oracle.confusion_matrix(truth, label))
    score = p[:, 1] if p.shape[1] == 2 else p
    assert metrics.roc_auc(truth, p) == pytest.approx(oracle.roc_auc_score(truth, score, multi_class="ovr"))
    assert metrics.brier(truth, p) == pytest.approx(oracle.brier_score_loss(truth, score))


def test_average_precision_equals_scikit_learn_with_ties():
    p, truth = drawn(300, 2, seed=0)
    rough = np.round(p[:, 1], 1)
    assert metrics.average_precision(truth, rough) == pytest.approx(oracle.average_precision_score(truth, rough))
    assert metrics.roc_auc(truth, rough) == pytest.approx(oracle.roc_auc_score(truth, rough))
    p, truth = drawn(300, 4, seed=0)
    each = [oracle.average_precision_score(truth == c, p[:, c]) for c in range(4)]
    assert metrics.average_precision(truth, p) == pytest.approx(np.mean(each))


def test_labels_that_are_never_said_or_never_true_count_as_in_scikit_learn():
    truth, label = np.array([0, 0, 1, 1, 3]), np.array([0, 2, 1, 1, 0])
    assert metrics.f1_macro(truth, label) == pytest.approx(
        oracle.f1_score(truth, label, average="macro", zero_division=0)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert metrics.balanced_accuracy(truth, label) == pytest.approx(oracle.balanced_accuracy_score(truth, label))


def test_an_absent_class_does_not_spoil_the_others():
    p, truth = drawn(200, 3, seed=1)
    truth = np.where(truth == 2, 0, truth)
    assert metrics.roc_auc(truth, p) == pytest.approx(
        np.mean([oracle.roc_auc_score(truth == c, p[:, c]) for c in (0, 1)])
    )
    assert np.isnan(metrics.roc_auc(np.zeros(5, np.int64), p[:5]))


def test_nothing_measured_is_unknown():
    none = np.zeros(0, np.int64)
    assert np.isnan([metrics.accuracy(none, none), metrics.ece(np.zeros(0), np.zeros(0))]).all()


def test_a_calibrated_model_has_no_calibration_error_in_expectation():
    plain, debiased = [], []
    for seed in range(200):
        p, truth = drawn(2000, 4, seed=seed)
        correct = (p.argmax(axis=1) == truth).astype(float)
        plain.append(metrics.ece(p.max(axis=1), correct, debiased=False))
        debiased.append(metrics.ece(p.max(axis=1), correct))
    assert np.mean(plain) > 0.02
    assert np.mean(debiased) < 0.3 * np.mean(plain)


def test_the_debiased_calibration_error_keeps_a_real_one():
    p, truth = drawn(400_000, 4, seed=0)
    confidence, correct = overconfident(p).max(axis=1), (p.argmax(axis=1) == truth).astype(float)
    whole = metrics.ece(confidence, correct, debiased=False)
    parts = np.split(np.arange(400_000), 200)
    small = np.mean([metrics.ece(confidence[i], correct[i]) for i in parts])
    assert whole > 0.1
    assert small == pytest.approx(whole, abs=0.003)


def test_reliability_puts_certainty_into_the_last_bin():
    said, true, number = metrics.reliability(np.array([1.0, 0.0, 0.5]), np.array([1.0, 0.0, 1.0]), 10)
    assert number[[0, 5, 9]].tolist() == [1, 1, 1]
    assert (said[9], true[5]) == (1.0, 1.0)
    assert np.isnan(said[1])


def test_figures_of_atoms_that_weigh_nothing_are_unknown():
    p, truth = drawn(50, 3, seed=0)
    said, confidence = p.argmax(1), p.max(1)
    right = (said == truth).astype(float)
    for figure in (
        lambda weight: metrics.mean(right, weight),
        lambda weight: metrics.log_loss(truth, p, weight),
        lambda weight: metrics.balanced_accuracy(truth, said, weight),
        lambda weight: metrics.f1_macro(truth, said, weight),
        lambda weight: metrics.roc_auc(truth, p, weight),
        lambda weight: metrics.ece(confidence, right, weight=weight),
    ):
        assert np.isnan(figure(np.zeros(50)))
        assert figure(np.ones(50)) == pytest.approx(figure(None))
