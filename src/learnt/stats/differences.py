"""Are two samples of one kind? Chances (p-values) that a difference is luck, from what is known of each sample."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_DRAWS = 999
_CELLS = 255
"""Steps of the percentile that a file gives: its grid holds 256 points."""
_ALIKE = 5e-4
"""Percentiles no farther apart are one: a file computes them to a thousandth."""
ALARM = 0.95


def kolmogorov(distance: float, n: float, m: float) -> float:
    """Chance that the distribution functions of n and m values of one kind lie `distance` apart somewhere.

    The limit law of Kolmogorov and Smirnov with the correction of Stephens (1970); too large, never too small, where
    values recur or the functions were compared at some places only.
    """
    if n <= 0 or m <= 0 or distance <= 0:
        return 1.0
    root = math.sqrt(n * m / (n + m))
    scaled = (root + 0.12 + 0.11 / root) * distance
    if scaled < 0.2:
        return 1.0
    terms = [(-1) ** (k - 1) * math.exp(-2 * (k * scaled) ** 2) for k in range(1, 101)]
    return min(1.0, max(0.0, 2 * math.fsum(terms)))


def fisher(k: int, n: int, other: int, m: int) -> float:
    """Chance that k of n and `other` of m are as uneven or worse when both have one rate (Fisher 1934, two-sided)."""
    total = k + other
    if n <= 0 or m <= 0 or total == 0 or total == n + m:
        return 1.0
    least, most = max(0, total - m), min(n, total)
    count = np.arange(least, most)
    step = np.log(total - count) - np.log(count + 1.0) + np.log(n - count) - np.log(m - total + count + 1.0)
    mass = np.exp((log := np.concatenate([[0.0], np.cumsum(step)])) - log.max())
    mass /= mass.sum()
    return float(min(1.0, mass[mass <= mass[k - least] * (1 + 1e-9)].sum()))


def chi_squared(counts: NDArray[np.float64], others: NDArray[np.float64], least: float = 5.0) -> float:
    """Chance that counts [k] of two samples are of one distribution (Pearson 1900).

    Cells expected less than `least` times in either are joined into one, which is left out if still too rare. The tail
    is that of Wilson and Hilferty (1931).
    """
    counts, others = np.asarray(counts, np.float64), np.asarray(others, np.float64)
    smaller = min(counts.sum(), others.sum()) / max(counts.sum() + others.sum(), 1.0)
    often = smaller * (counts + others) >= least
    pairs = np.stack([counts, others])
    cells = np.concatenate([pairs[:, often], pairs[:, ~often].sum(axis=1, keepdims=True)], axis=1)
    cells = cells[:, smaller * cells.sum(axis=0) >= least]
    free = cells.shape[1] - 1
    if free < 1:
        return 1.0
    expected = cells.sum(axis=1, keepdims=True) * cells.sum(axis=0) / cells.sum()
    statistic = float(((cells - expected) ** 2 / np.maximum(expected, 1e-12)).sum())
    spread = 2 / (9 * free)
    return 0.5 * math.erfc(((statistic / free) ** (1 / 3) - (1 - spread)) / math.sqrt(2 * spread))


def percentile_chance(
    percentile: NDArray[np.float64], calibrated_on: int, usual: NDArray[np.float64] | None = None
) -> float:
    """Chance that n percentiles of `calibrated_on` examples are those of n further examples of their kind.

    The least of three chances - of the largest distance to the usual distribution, of the mean rank, and of the share
    above rank .95 - against what the same three give for made-up batches, calibration drawn anew for each; at least
    1 / 1,000. `usual` are quantiles of the percentiles of calibration themselves: even ones, unless examples recur.
    """
    n = len(percentile)
    if n == 0 or calibrated_on <= 0:
        return 1.0
    quantiles = np.arange(1, _CELLS + 1) / _CELLS if usual is None or not len(usual) else np.sort(usual)
    ends = quantiles[np.concatenate([np.diff(quantiles) > _ALIKE, [True]])]
    mass = np.diff(np.concatenate([[0], np.searchsorted(quantiles, ends, "right")])) / len(quantiles)
    mass = np.concatenate([calibrated_on * mass, [1.0]]) / (calibrated_on + 1)
    place = np.searchsorted(ends + _ALIKE, percentile, "left")
    rng = np.random.default_rng([n, calibrated_on])
    share = rng.standard_gamma((calibrated_on + 1) * mass, (_DRAWS, len(mass))) + 1e-12
    made = rng.multinomial(n, share / share.sum(axis=1, keepdims=True))
    given = np.bincount(place, minlength=len(mass))
    chances = np.stack([_rank(score) for score in _scores(np.concatenate([given[None], made]) / n, mass)])
    return float(_rank(-chances.min(axis=0))[0])


def _scores(share: NDArray[np.float64], mass: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Three scores [batches] of how far shares [batches, cells] are from `mass` [cells]; larger is farther."""
    reached = np.cumsum(mass)
    middles = reached - mass / 2
    distance = np.abs(np.cumsum(share, axis=1) - reached).max(axis=1)
    return [distance, np.abs((share - mass) @ middles), share[:, middles > ALARM].sum(axis=1)]


def _rank(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of scores [k] that are at least as large as each."""
    ordered = np.sort(score)
    return (len(score) - np.searchsorted(ordered, score, "left")) / len(score)
