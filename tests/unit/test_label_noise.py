"""Noise in labels is found, and told from doubt."""

from __future__ import annotations

import numpy as np
import pytest

from learnt.stats import label_noise
from small.evidence import drawn


def flipped(truth, classes, share, seed, kind="uniform"):
    rng = np.random.default_rng([seed, 1])
    chosen = rng.random(len(truth)) < share
    step = rng.integers(1, classes, len(truth)) if kind == "uniform" else 1
    return np.where(chosen, (truth + step) % classes, truth), chosen


def f1(listed, wrong):
    return 2 * (listed & wrong).sum() / max(1, listed.sum() + wrong.sum())


def wrong_of(probability, given):
    noise = label_noise.fit(probability, given)
    return noise, 1 - noise.posterior(probability, given)[np.arange(len(given)), given]


@pytest.mark.parametrize("kind", ["uniform", "pair"])
@pytest.mark.parametrize("share", [0.05, 0.15])
def test_the_share_of_wrong_labels_is_found(kind, share):
    probability, truth = drawn(3000, 5, seed=2, sharpness=6.0)
    given, chosen = flipped(truth, 5, share, 2, kind)
    _, wrong = wrong_of(probability, given)
    assert abs(wrong.mean() - share) < 0.025
    assert f1(wrong >= label_noise.cut(wrong), chosen) > 0.75


@pytest.mark.parametrize("sharpness", [2.0, 6.0])
def test_doubt_alone_is_no_noise(sharpness):
    _, wrong = wrong_of(*drawn(3000, 4, seed=3, sharpness=sharpness))
    assert wrong.mean() < 0.02


@pytest.mark.parametrize("seed", range(3))
def test_a_network_less_sure_than_it_could_be_is_sharpened(seed):
    probability, truth = drawn(3000, 4, seed=seed, sharpness=6.0)
    given, _ = flipped(truth, 4, 0.1, seed)
    soft = probability**0.5 / (probability**0.5).sum(1, keepdims=True)
    noise, wrong = wrong_of(soft, given)
    assert 1.5 < noise.power < 2.7
    assert 0.07 < wrong.mean() < 0.13


def test_powers_that_few_examples_cannot_tell_apart_are_averaged():
    probability, truth = drawn(3000, 3, seed=1, sharpness=6.0)
    few, many = (label_noise.fit(probability[:n], flipped(truth, 3, 0.1, 1)[0][:n]) for n in (60, 3000))
    assert len(few.parts) > len(many.parts)
    assert sum(share for share, _ in few.parts) == pytest.approx(1)
    assert np.allclose(few.posterior(probability[:5], truth[:5]).sum(1), 1)


def test_of_two_opinions_the_better_one_counts_more():
    better, truth = drawn(2000, 3, seed=2, sharpness=6.0)
    worse = np.random.default_rng(0).permutation(better)
    assert np.abs(label_noise.pooled(better, worse, truth) - better).max() < 0.1
    assert np.abs(label_noise.pooled(worse, better, truth) - better).max() < 0.1
    rng = np.random.default_rng(1)
    one, other = (np.where(rng.random((2000, 1)) < 0.6, better, 1 / 3) for _ in range(2))
    both = label_noise.pooled(one, other, truth)
    rows = np.arange(2000)
    assert np.log(both[rows, truth]).mean() > max(np.log(said[rows, truth]).mean() for said in (one, other)) + 0.02


def test_one_label_taken_for_another_is_seen_in_the_rates():
    probability, truth = drawn(4000, 3, seed=5, sharpness=6.0)
    chosen = (truth == 0) & (np.random.default_rng(5).random(4000) < 0.3)
    noise = label_noise.fit(probability, np.where(chosen, 1, truth))
    assert 0.2 < noise.transition[0, 1] < 0.4
    assert noise.transition[1, 0] < 0.05
    assert np.allclose(noise.transition.sum(1), 1)


def test_the_cut_is_where_the_expected_f1_is_greatest():
    wrong = np.array([0.95, 0.9, 0.6, 0.2, 0.1, 0.05])
    total = wrong.sum()
    best = max(range(1, 7), key=lambda k: 2 * wrong[:k].sum() / (k + total))
    assert (wrong >= label_noise.cut(wrong)).sum() == best
    assert label_noise.cut(np.full(50, 0.001)) == np.inf
