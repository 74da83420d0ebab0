from __future__ import annotations

import numpy as np
import pytest

from learnt.stats import power_law

SIZES = np.array([50.0, 100, 200, 400, 800, 1600])


def fit(error, spread=0.01):
    return power_law.fit(SIZES, error, np.diag((spread * error) ** 2))


def test_a_law_with_little_noise_is_followed():
    laws = fit(2.0 * SIZES**-0.6)
    assert laws(6400) == pytest.approx(2.0 * 6400**-0.6, rel=0.15)
    low, high = laws.band(laws.at(6400), 0.9)
    assert low < 2.0 * 6400**-0.6 < high
    assert laws.needed(laws(3200), 6400) == pytest.approx(3200, rel=1e-3)


def test_a_floor_is_not_gone_below():
    laws = fit(3.0 * SIZES**-0.9 + 0.1)
    assert laws(6400) > 0.07
    assert laws.needed(0.05, 6400) == np.inf


def test_more_examples_never_make_it_worse():
    laws = fit(np.linspace(0.1, 0.2, 6))
    assert laws(6400) <= laws(1600) <= laws(100)


def test_the_band_holds_what_comes_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(200):
        slope, share = max(0.0, rng.normal(power_law.SLOPE, power_law.SLOPES_APART)), rng.beta(1, power_law.FLOORS)

        def law(size, slope=slope, share=share):
            return 0.1 * (share + (1 - share) * (size / 1600) ** -slope)

        error = law(SIZES) * np.exp(rng.normal(0, 0.15, 6))
        laws = power_law.fit(SIZES, error, np.diag((0.1 * error) ** 2))
        low, high = laws.band(laws.at(6400), 0.9)
        held.append(low <= law(6400) <= high)
    assert 0.83 < np.mean(held) < 0.97


def test_a_size_that_says_little_counts_little():
    error = 2.0 * SIZES**-0.6
    spread = np.diag((0.01 * error) ** 2)
    straight = power_law.fit(SIZES, error, spread)(6400)
    error[0] *= 3
    spread[0, 0] = 100.0
    assert power_law.fit(SIZES, error, spread)(6400) == pytest.approx(straight, rel=0.1)


def test_noise_that_all_sizes_share_does_not_bend_the_curve():
    error = 2.0 * SIZES**-0.6
    shared = np.outer(error, error) * 0.3**2 + np.diag((0.01 * error) ** 2)
    apart = [
        laws.band(laws.at(6400) / laws.at(1600), 0.9) for laws in (power_law.fit(SIZES, error, shared), fit(error))
    ]
    assert apart[0] == pytest.approx(apart[1], rel=0.02)


def test_the_odds_of_what_is_mostly_wrong_fall_by_a_law_too():
    def law(size):
        return 1 / (1 + (size / 30_000) ** 0.7)

    error = law(SIZES)
    laws = power_law.fit_odds(SIZES, error, np.diag((0.1 * (1 - error)) ** 2))
    low, high = laws.band(laws.at(6400), 0.9)
    assert low < law(6400) < high < law(1600)
    by_most, by_few = laws.needed(0.5, 1e6), laws.needed(0.5, 1e6, 0.05)
    assert by_few < 30_000 < 3 * by_most
    assert laws.needed(0.5, 6400, 0.05) == np.inf
