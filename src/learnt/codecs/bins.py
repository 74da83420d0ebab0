"""Piecewise-linear bins of a number column: where their edges lie, and what their encoding is on average.

Gorishniy, Rubachev, Babenko, "On embeddings for numerical features in tabular deep learning", NeurIPS 2022,
section 3.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIMIT = 1e300
"""Values are clipped to +-LIMIT, so that their differences stay finite."""
NARROWEST = 1e-30
"""Edges nearer than this are merged, so that 1 / width stays finite in float32 too."""
SPIKY = 3.0
"""Spikiness from which recurring values are names rather than steps of a measurement."""
ROUNDING = 2.0**-48
"""So much of their size may rounding move numbers that were meant to be one."""


ROWS, DISTINCT, FULL = 24, 40, 26_000
"""Quantiles of the rows and of the distinct values that make edges, from so many values on."""
FEWEST = 6
"""Quantiles of each kind however few values there are."""


def edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rising edges [bins + 1] of values [n]; one for a constant column, none without values.

    They unite quantiles of the rows and quantiles of the distinct values, as many as grow with the square root of n;
    where there are no more distinct values than that, each is an edge. nan and infinite values are left out.
    """
    present = np.clip(values[np.isfinite(values)], -LIMIT, LIMIT)
    share = min(1.0, (present.size / FULL) ** 0.5)
    rows, distinct = (max(FEWEST, round(share * most)) for most in (ROWS, DISTINCT))
    levels = _apart(np.unique(present))
    if levels.size <= rows + distinct:
        return levels
    of_rows = np.quantile(present, np.linspace(0, 1, rows + 1))
    of_levels = np.quantile(levels, np.linspace(0, 1, distinct + 1))
    return _apart(np.unique(np.concatenate([of_rows, of_levels])))


def levels(values: NDArray[np.float64], most: int = 256, least: int = 5, fewest: int = 25) -> NDArray[np.float64]:
    """Values [L] of a number column that deserve an embedding of their own, rising; possibly none.

    The (at most `most`) values met in at least `least` rows (a rarer one could point at a person), if there are at
    least `fewest` of them (fewer have an edge each already), together they make up a fifth of the rows, and they are
    spikes. Round amounts and codes are names written in digits: a sum of ramps learns spikes slowly, on adult they are
    worth .010 of log loss. The steps of a rounded measurement are not, and there an embedding learns noise.
    """
    found, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if spikiness(counts) < SPIKY:
        return np.zeros(0)
    order = np.argsort(-counts, kind="stable")[:most]
    order = order[counts[order] >= least]
    if len(order) < fewest or counts[order].sum() < 0.2 * len(values):
        return np.zeros(0)
    return np.sort(found[order])


def spikiness(counts: NDArray[np.int64]) -> float:
    """How uneven the counts [k] of neighbouring values are: near 1 where the rows could have been drawn from a smooth
    density, Pearson's dispersion of each count about the mean of its two neighbours. The most frequent value is left
    out: one spike (a zero, a code for unknown) has an edge of its own.
    """
    others = np.delete(counts, np.argmax(counts)) if len(counts) else counts
    if len(others) < 3:
        return 0.0
    around = (others[:-2] + others[2:]) / 2
    return float(np.mean((others[1:-1] - around) ** 2 / (others[1:-1] + around / 2)))


def level_counts(values: NDArray[np.float64], known: NDArray[np.float64]) -> list[int]:
    """How often values [n] are missing, no level, or each level: what an embedding counts by."""
    missing = int(np.isnan(values).sum())
    counts = [int((values == level).sum()) for level in known]
    return [missing, len(values) - missing - sum(counts), *counts]


def _apart(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without those that only rounding, or nearly nothing, keeps from their neighbour below."""
    if levels.size < 2:
        return levels
    gap = np.maximum(NARROWEST, ROUNDING * np.abs(levels[1:]))
    apart: NDArray[np.float64] = levels[np.concatenate([[True], np.diff(levels) > gap])]
    return apart


def mean_encoding(values: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean [bins + 1] over values [n] of their encodings; the last place is the share of missing ones.

    An encoding holds 1 above a bin, 0 below it and the fraction inside it. A missing value counts as zeros,
    one outside the edges as the nearest edge.
    """
    missing = np.isnan(values)
    mean = np.zeros(max(1, len(found)))
    mean[-1] = missing.mean()
    bins = len(found) - 1
    if bins > 0:
        present = np.clip(values[~missing], found[0], found[-1])
        place = np.clip(np.searchsorted(found, present, "right") - 1, 0, bins - 1)
        inside = np.bincount(place, (present - found[place]) / np.diff(found)[place], bins)
        above = present.size - np.cumsum(np.bincount(place, minlength=bins))
        mean[:-1] = (inside + above) / values.size
    return mean
