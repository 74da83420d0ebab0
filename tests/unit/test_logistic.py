"""Logistic regression for a few features."""

from __future__ import annotations

import numpy as np
import pytest

from learnt.stats import logistic


def chances(weights, features):
    return 1 / (1 + np.exp(-(weights[0] + features @ weights[1:])))


def test_it_finds_the_slopes_that_made_the_answers():
    draw = np.random.default_rng(0)
    features = draw.normal(size=(20_000, 2))
    truth = (draw.random(20_000) < chances(np.array([0.5, 2.0, -1.0]), features)) * 1.0
    assert logistic.fit(features, truth) == pytest.approx([0.5, 2.0, -1.0], abs=0.1)


def test_nothing_is_impossible_for_never_having_been_seen():
    features = np.random.default_rng(1).normal(size=(250, 2))
    found = chances(logistic.fit(features, np.zeros(250)), features)
    assert 0.002 < found.mean() < 0.01


def test_a_weight_counts_as_so_many_examples():
    draw = np.random.default_rng(2)
    features, truth = draw.normal(size=(300, 1)), draw.integers(0, 2, 300).astype(float)
    twice = logistic.fit(np.concatenate([features, features]), np.concatenate([truth, truth]))
    assert logistic.fit(features, truth, np.full(300, 2.0)) == pytest.approx(twice)
