from __future__ import annotations

import numpy as np
import pytest

from learnt.stats.differences import chi_squared, fisher, kolmogorov, percentile_chance
from learnt.stats.multiple import benjamini_hochberg, holm


def test_kolmogorov_is_that_of_scipy_for_continuous_values():
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(0)
    for shift in (0, 0.2, 0.4):
        one, other = rng.normal(size=300), rng.normal(size=900) + shift
        truth = ks_2samp(one, other, method="exact")
        assert kolmogorov(truth.statistic, 300, 900) == pytest.approx(truth.pvalue, rel=0.25, abs=1e-6)


def test_fisher_is_that_of_scipy():
    from scipy.stats import fisher_exact

    for k, n, other, m in [(0, 10, 5, 40), (7, 20, 3, 60), (0, 5, 0, 9), (30, 100, 200, 1000), (4, 100, 0, 900)]:
        truth = fisher_exact([[k, n - k], [other, m - other]])[1]
        assert fisher(k, n, other, m) == pytest.approx(truth, rel=1e-6)


def test_chi_squared_is_that_of_scipy_where_all_cells_are_often():
    from scipy.stats import chi2_contingency

    rng = np.random.default_rng(1)
    for skew in (0.0, 0.5, 1.0):
        one = rng.multinomial(400, [0.25] * 4)
        other = rng.multinomial(900, np.exp(skew * np.arange(4)) / np.exp(skew * np.arange(4)).sum())
        truth = chi2_contingency([one, other], correction=False)[1]
        assert chi_squared(one, other) == pytest.approx(truth, rel=0.15, abs=1e-9)


def test_rare_cells_are_joined_and_raise_no_false_alarm():
    rng = np.random.default_rng(2)
    share = np.r_[[0.5, 0.4], np.full(100, 0.001)]
    alarms = sum(chi_squared(rng.multinomial(100, share), rng.multinomial(2000, share)) < 0.05 for _ in range(400))
    assert alarms <= 0.08 * 400


@pytest.mark.parametrize(("n", "calibrated_on"), [(100, 200), (100, 3000), (4000, 400)])
def test_percentiles_of_familiar_batches_raise_no_false_alarm(n, calibrated_on):
    rng = np.random.default_rng(3)
    alarms = 0
    for _ in range(80):
        calibration = np.sort(rng.random(calibrated_on))
        grid = np.quantile(calibration, np.linspace(0, 1, 256))
        alarms += percentile_chance(np.interp(rng.random(n), grid, np.linspace(0, 1, 256)), calibrated_on) < 0.05
    assert alarms <= 9


def test_examples_that_recur_raise_no_false_alarm_where_the_usual_is_known():
    rng = np.random.default_rng(5)
    known = np.where(rng.random(2000) < 0.3, 0.2, rng.random(2000))
    usual = np.quantile(known, np.linspace(0, 1, 257)[1:], method="inverted_cdf")
    batches = [np.where(rng.random(100) < 0.3, 0.2, rng.random(100)) for _ in range(60)]
    assert sum(percentile_chance(batch, 2000, usual) < 0.05 for batch in batches) <= 7
    assert sum(percentile_chance(batch, 2000) < 0.05 for batch in batches) >= 50
    assert percentile_chance(rng.random(200) ** 0.5, 2000, usual) < 0.01


def test_percentiles_that_lean_are_found():
    rng = np.random.default_rng(4)
    for batch in (rng.random(200) ** 0.6, rng.random(200) ** 1.7, np.r_[rng.random(85), np.full(15, 0.99)]):
        assert percentile_chance(batch, 1000) < 0.01


def test_holm_and_benjamini_hochberg_on_a_worked_example():
    chances = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(chances) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert benjamini_hochberg(chances) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert holm(np.zeros(0)).shape == benjamini_hochberg(np.zeros(0)).shape == (0,)
