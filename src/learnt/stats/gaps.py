"""Gaps between groups with intervals that stay honest however many pairs of groups and measures are looked at.

The largest of several differences is too large on average, and its own interval too short. Here the differences of all
pairs of groups in all measures get intervals that hold together, and the gap is read from them: at least the largest
lower end, at most the largest upper end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from learnt.stats.examples import effective

Floats = NDArray[np.float64]
_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Rates:
    """Of G groups and M measures."""

    value: Floats
    """[G, M]; nan where a group has no atom of that measure."""
    rows: NDArray[np.int64]
    """[G, M]: of how many examples."""
    count: Floats
    """[G, M]: how many examples of equal weight would tell as much."""
    centre: Floats
    """[G, M], with one more of either answer (Agresti and Caffo 2000): what intervals are built around."""
    spread: Floats
    """[G, M, M]: covariance of `centre`."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The largest difference between two groups in one measure."""

    value: float
    low: float
    high: float
    high_group: int
    low_group: int
    measure: int


def rates(total: Floats, count: Floats, codes: NDArray[np.int64], groups: int) -> Rates:
    """Of `total` and `count` [M, n], summed over the atoms of each example, and the group [n] of each (-1: of none).

    Examples, not atoms, are what chance draws: the covariance is that of ratios of sums over examples. A common factor
    in the weights of a group changes nothing: they are scaled to sum to the examples they are worth.
    """
    measures = len(total)
    value, worth = np.full((groups, measures), np.nan), np.zeros((groups, measures))
    rows = np.zeros((groups, measures), np.int64)
    centre, spread = np.full((groups, measures), 0.5), np.zeros((groups, measures, measures))
    for group in range(groups):
        inside = codes == group
        top, bottom = total[:, inside], count[:, inside]
        rows[group] = (bottom > 0).sum(axis=1)
        worth[group] = [effective(each) for each in bottom]
        there, whole = rows[group] > 0, bottom.sum(axis=1)
        value[group, there] = top.sum(axis=1)[there] / whole[there]
        scale = np.where(there, worth[group] / np.where(there, whole, 1.0), 0.0)[:, None]
        top, bottom = top * scale, bottom * scale
        ones = np.ones((measures, 1))
        top, bottom = np.concatenate([top, ones, 0 * ones], 1), np.concatenate([bottom, ones, ones], 1)
        centre[group] = top.sum(axis=1) / bottom.sum(axis=1)
        influence = (top - centre[group][:, None] * bottom) / bottom.sum(axis=1, keepdims=True)
        spread[group] = influence @ influence.T
    return Rates(value, rows, worth, centre, spread)


def critical(found: Rates, known: NDArray[np.bool_], level: float, seed: int = 0) -> float:
    """How many standard errors all differences of known [G, M] rates stay within together, with chance `level`."""
    rng = np.random.default_rng([seed, 17])
    size = len(found.spread[0]) if len(found.spread) else 0
    drawn = [rng.multivariate_normal(np.zeros(size), spread, _DRAWS, method="eigh") for spread in found.spread]
    worst = np.zeros(_DRAWS)
    for one, other in combinations(range(len(drawn)), 2):
        both = known[one] & known[other]
        if both.any():
            error = np.sqrt(np.maximum(_variance(found, one, other), 1e-12))
            worst = np.maximum(worst, (np.abs(drawn[one] - drawn[other]) / error)[:, both].max(axis=1))
    return float(np.quantile(worst, level))


def largest(found: Rates, known: NDArray[np.bool_], measures: Sequence[int], errors: float) -> Gap | None:
    """The gap in some measures, its interval from differences within `errors` standard errors; None without a pair."""
    best: Gap | None = None
    low = high = 0.0
    for one, other in combinations(range(len(found.value)), 2):
        error = errors * np.sqrt(np.maximum(_variance(found, one, other), 1e-12))
        for measure in measures:
            if not (known[one, measure] and known[other, measure]):
                continue
            apart = found.value[one, measure] - found.value[other, measure]
            middle = found.centre[one, measure] - found.centre[other, measure]
            low = max(low, abs(middle) - error[measure])
            high = max(high, abs(middle) + error[measure])
            if best is None or abs(apart) > best.value:
                pair = (one, other) if apart > 0 else (other, one)
                best = Gap(abs(float(apart)), 0.0, 0.0, *pair, measure)
    if best is None:
        return None
    return Gap(best.value, min(float(low), best.value), min(1.0, max(float(high), best.value)), best.high_group,
               best.low_group, best.measure)  # fmt: skip


def _variance(found: Rates, one: int, other: int) -> Floats:
    return np.asarray(np.diagonal(found.spread[one]) + np.diagonal(found.spread[other]))
