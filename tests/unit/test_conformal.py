from __future__ import annotations

import numpy as np
import pytest

from learnt.stats import conformal
from learnt.stats.intervals import beta_binomial_band
from small.evidence import drawn


def test_the_threshold_is_the_conformal_quantile():
    scores = np.arange(99) / 100.0
    assert conformal.threshold(scores[::-1], 0.9) == pytest.approx(0.89 + conformal.SLACK, abs=1e-12)
    assert conformal.threshold(np.zeros(8), 0.9) == float("inf")


def test_the_law_counts_one_more_than_the_examples():
    assert conformal.law(1000, 0.9) == (901, 100)
    assert conformal.law(9, 0.9) == (9, 1)
    assert conformal.law(8, 0.9) == (9, 0)


def test_covered_truths_keep_to_their_law():
    inside = 0
    for seed in range(100):
        p, truth = drawn(1300, 6, seed=seed, sharpness=1.0)
        limit = conformal.threshold(conformal.scores(p[:300], truth[:300]), 0.9)
        covered = conformal.sets(p[300:], limit)[np.arange(1000), truth[300:]].sum()
        low, high = beta_binomial_band(1000, *conformal.law(300, 0.9))
        inside += low <= covered <= high
    assert inside >= 90


def test_a_set_is_never_empty_and_holds_the_top_label():
    p, _ = drawn(200, 5, seed=0)
    found = conformal.sets(p, -1.0)
    np.testing.assert_array_equal(found.sum(axis=1), 1)
    assert found[np.arange(200), p.argmax(axis=1)].all()


def test_shuffled_labels_give_huge_sets():
    p, truth = drawn(2000, 5, seed=0)
    honest = conformal.sets(p, conformal.threshold(conformal.scores(p, truth), 0.9)).sum(axis=1).mean()
    truth = np.random.default_rng(0).permutation(truth)
    shuffled = conformal.sets(p, conformal.threshold(conformal.scores(p, truth), 0.9)).sum(axis=1).mean()
    assert honest < 2.5
    assert shuffled > 4


def test_sets_may_have_a_threshold_a_class():
    each = np.array([0.2, 0.9, 0.9])
    assert conformal.sets(np.array([[0.3, 0.5, 0.2]]), each).tolist() == [[False, True, True]]


def test_float32_noise_does_not_push_the_quantile_itself_out():
    p = np.array([[0.3, 0.7]] * 50)
    limit = conformal.threshold(conformal.scores(p, np.zeros(50, np.int64)), 0.9)
    assert conformal.sets((p - 1e-7).astype(np.float32), limit).all()


def test_a_truth_that_is_no_label_can_never_be_covered():
    assert conformal.scores(np.array([[0.5, 0.5]]), np.array([-1]))[0] == 1.0


def test_scores_that_all_weigh_nothing_rule_nothing_out():
    scores = np.arange(99) / 100.0
    assert conformal.threshold(scores, 0.9, np.zeros(99)) == float("inf")
    assert conformal.threshold(scores, 0.9, np.ones(99)) == conformal.threshold(scores, 0.9)
