from __future__ import annotations

import numpy as np
import pytest

from learnt.stats import power_law

SIZES = np.array([50.0, 100, 200, 400, 800, 1600])


def test_a_law_without_noise_is_found_again():
    law = power_law.fit(SIZES, 2.0 * SIZES**-0.6, np.full(6, 1e-6))
    assert law.slope == pytest.approx(0.6, abs=1e-3)
    assert law.floor == 0
    assert law(6400) == pytest.approx(2.0 * 6400**-0.6, rel=1e-3)
    assert law.needed(law(6400)) == pytest.approx(6400, rel=1e-6)


def test_a_floor_is_found_from_six_sizes_on_and_never_from_five():
    error = 3.0 * SIZES**-0.9 + 0.1
    law = power_law.fit(SIZES, error, np.full(6, 1e-6))
    assert 0.08 < law.floor < 0.105
    assert law.needed(0.05) == np.inf
    assert power_law.fit(SIZES[1:], error[1:], np.full(5, 1e-6)).floor == 0


def test_noise_is_no_floor():
    floors = []
    for seed in range(40):
        error = 2.0 * SIZES**-0.5
        sd = 0.05 * error
        noisy = error + np.random.default_rng(seed).normal(size=6) * sd
        floors.append(power_law.fit(SIZES, noisy, sd**2).floor > 0)
    assert np.mean(floors) < 0.35


def test_more_examples_never_make_it_worse():
    law = power_law.fit(SIZES, np.linspace(0.1, 0.2, 6), np.full(6, 1e-4))
    assert law.slope == 0
    assert law(1e6) == pytest.approx(law(100))
    assert law.needed(0.01) == np.inf


def test_a_size_that_says_little_counts_little():
    error = 2.0 * SIZES**-0.6
    error[0] *= 3
    variance = np.full(6, 1e-6)
    variance[0] = 1.0
    assert power_law.fit(SIZES, error, variance).slope == pytest.approx(0.6, abs=0.01)
