from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from learnt.stats import intervals


def test_wilson_equals_scipy():
    for k, n, level in [(0, 10, 0.95), (7, 10, 0.9), (500, 1000, 0.99), (10, 10, 0.95)]:
        truth = stats.binomtest(k, n).proportion_ci(level, method="wilson")
        assert intervals.wilson(k, n, level) == pytest.approx((truth.low, truth.high), abs=1e-9)


def test_wilson_of_nothing_is_unknown():
    assert np.isnan(intervals.wilson(0, 0)).all()


def test_beta_binomial_equals_scipy():
    for n, a, b in [(20, 3, 4), (2000, 901, 100), (50, 1, 1), (3, 0.5, 9.25)]:
        law = stats.betabinom(n, a, b)
        np.testing.assert_allclose(
            intervals.beta_binomial_pmf(n, a, b), law.pmf(np.arange(n + 1)), rtol=1e-7, atol=1e-15
        )
        np.testing.assert_allclose(intervals.beta_binomial_cdf(n, a, b), law.cdf(np.arange(n + 1)), atol=1e-9)
        assert intervals.beta_binomial_band(n, a, b, 0.95) == law.interval(0.95)


def test_the_band_of_a_thousand_calibration_examples_is_the_known_one():
    low, high = intervals.beta_binomial_band(2000, 901, 100)
    assert (round(low / 2000, 3), round(high / 2000, 3)) == (0.876, 0.922)


def test_a_certain_rate_leaves_no_room():
    assert intervals.beta_binomial_band(30, 12, 0) == (30, 30)
    assert intervals.beta_quantile(0.3, 12, 0) == 1.0


def test_beta_quantiles_equal_scipy():
    for a, b in [(90, 11), (1, 1), (0.5, 3), (901, 100), (20, 1)]:
        for q in (0.025, 0.5, 0.975):
            x = intervals.beta_quantile(q, a, b)
            assert x == pytest.approx(stats.beta(a, b).ppf(q), abs=1e-10)
            assert intervals.betainc(a, b, x) == pytest.approx(q, abs=1e-9)


def test_the_bootstrap_interval_holds_the_truth_as_often_as_it_says():
    hits = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(3, 1, 80)
        low, high = intervals.bootstrap(np.mean, lambda chosen, v=values: v[chosen], 80, seed=seed)
        hits += low <= 3 <= high
    assert 177 <= hits <= 199


def test_the_bootstrap_is_a_function_of_its_seed():
    values = np.arange(40.0)
    one, again, other = (intervals.bootstrap(np.mean, values.__getitem__, 40, seed=seed) for seed in (1, 1, 2))
    assert one == again != other


def test_the_bootstrap_draws_examples_and_not_atoms():
    clustered = np.repeat(np.random.default_rng(0).normal(size=20), 50)
    example = np.repeat(np.arange(20), 50)

    def take(chosen: np.ndarray) -> np.ndarray:
        return np.concatenate([clustered[example == i] for i in chosen])

    low, high = intervals.bootstrap(np.mean, take, 20)
    naive_low, naive_high = intervals.bootstrap(np.mean, clustered.__getitem__, 1000)
    assert high - low > 4 * (naive_high - naive_low)
    fast_low, fast_high = intervals.bootstrap_mean(np.bincount(example, clustered), np.full(20, 50.0))
    assert (fast_low, fast_high) == pytest.approx((low, high), abs=0.15)


def test_a_statistic_that_is_sometimes_unknown_still_has_an_interval():
    values = np.array([0.0] * 9 + [1.0])
    found = intervals.bootstrap_each(
        lambda v: {"share": v.mean(), "of ones": v[v > 0].mean() if v.any() else np.nan},
        values.__getitem__,
        10,
    )
    assert found["of ones"] == (1.0, 1.0)
    assert found["share"][0] == 0.0
    assert intervals.bootstrap_each(lambda v: {"share": v.mean()}, values.__getitem__, 0) == {}


def test_paired_differences_see_what_unpaired_noise_would_hide():
    rng = np.random.default_rng(0)
    hardness = rng.normal(size=300)
    gain = (hardness + 0.05 + 0.1 * rng.normal(size=300)) - hardness
    assert intervals.bootstrap_mean(gain)[0] > 0
    assert intervals.bootstrap_mean(gain - gain.mean())[0] < 0
    assert np.isnan(intervals.bootstrap_mean(np.zeros(0))).all()


def test_an_interval_of_a_mean_distance_holds_the_distance():
    """Drawn again, bins of few are further off than they are: the plain percentiles lie wholly above the figure."""
    values = np.random.default_rng(0).normal(0.02, 1.0, (40, 200))

    def distance(drawn):
        return {"off": float(np.abs(drawn.mean(axis=0)).mean())}

    low, high = intervals.bootstrap_each(distance, values.__getitem__, 40)["off"]
    assert 0 <= low < distance(values)["off"] < high
    rng = np.random.default_rng([0, 40])
    plain = [distance(values[rng.integers(0, 40, 40)])["off"] for _ in range(200)]
    assert np.quantile(plain, 0.025) > distance(values)["off"]


def test_a_balanced_share_holds_the_truth_as_often_as_stated_however_rare_a_stratum() -> None:
    rng = np.random.default_rng(3)
    strata = np.repeat([0, 1], [40, 960])
    inside = 0
    for _ in range(400):
        low, high = intervals.balanced_share(rng.random(1000) < np.where(strata == 0, 0.9, 0.7), strata)
        inside += low <= 0.8 <= high
    assert 0.92 <= inside / 400 <= 0.98
    low, high = intervals.balanced_share(np.ones(30), np.repeat([0, 1], 15))
    assert low < 0.97 < 1 < high
