"""Estimates from times to an event, right-censored: `time` [n] until the event or until nobody looked on, `event` [n].

An event and a censoring at one time count in that order: who was censored had not had it yet. `weight` [n], where it is
given, says how much each example counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.stats.examples import effective
from learnt.stats.intervals import wilson

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_NORMAL = 1.959964


@dataclass(frozen=True, slots=True)
class Steps:
    """A falling step function: 1 before the first of `times`, `values` from each of them on."""

    times: Floats
    values: Floats
    spread: Floats
    """Greenwood's sum: the variance of log(values)."""

    def at(self, asked: Floats | float, before: bool = False) -> Floats:
        """Values at the asked times, or just before them."""
        place = np.searchsorted(self.times, asked, "left" if before else "right")
        return np.concatenate([[1.0], self.values])[place]

    def interval(self, asked: float) -> tuple[float, float]:
        """95 % interval of the value at a time, on the scale log(-log) (Kalbfleisch and Prentice 2002, section 1.4).

        Where nothing or everything fell the scale has no width: (nan, nan).
        """
        place = int(np.searchsorted(self.times, asked, "right")) - 1
        value = float(self.values[place]) if place >= 0 else 1.0
        if not 0 < value < 1:
            return math.nan, math.nan
        reach = _NORMAL * math.sqrt(float(self.spread[place])) / -math.log(value)
        return value ** math.exp(reach), value ** math.exp(-reach)


def kaplan_meier(time: Floats, event: Flags, weight: Floats | None = None) -> Steps:
    """Share that is without the event, over time (Kaplan and Meier 1958)."""
    times, place = np.unique(time, return_inverse=True)
    counted = _counted(len(time), weight)
    leaving = np.bincount(place, counted, len(times))
    return _product(times, np.bincount(place, event * counted, len(times)), leaving[::-1].cumsum()[::-1])


def censoring(time: Floats, event: Flags, weight: Floats | None = None) -> Steps:
    """Share that is still looked on, over time: Kaplan-Meier of the censoring."""
    times, place = np.unique(time, return_inverse=True)
    counted = _counted(len(time), weight)
    events, leaving = (np.bincount(place, values, len(times)) for values in (event * counted, counted))
    return _product(times, leaving - events, leaving[::-1].cumsum()[::-1] - events)


def _counted(n: int, weight: Floats | None) -> Floats:
    """[n], weights whose sum is how many examples of equal weight tell as much."""
    if weight is None or not weight.any():
        return np.ones(n)
    return weight * (effective(weight) / float(weight.sum()))


def _product(times: Floats, fallen: NDArray[Any], risk: NDArray[Any]) -> Steps:
    share = np.where(risk > 0, fallen / np.maximum(risk, 1.0), 0.0)
    rest = np.maximum(risk * (risk - fallen), 1e-300)
    spread = np.cumsum(np.where((fallen > 0) & (risk > fallen), fallen / rest, 0.0))
    return Steps(times.astype(np.float64), np.cumprod(1.0 - share).astype(np.float64), spread)


def weights(time: Floats, event: Flags, horizon: float, weight: Floats | None = None) -> Floats:
    """[n], what each example stands for at a horizon: 0 when censored before, else one over the chance to be seen.

    Inverse probability of censoring (Graf, Schmoor, Sauerbrei and Schumacher 1999, section 3).
    """
    looked = censoring(time, event, weight)
    early = event & (time <= horizon)
    seen = np.where(early, looked.at(time, before=True), np.where(time > horizon, looked.at(horizon), np.inf))
    return np.asarray(1.0 / np.maximum(seen, 1e-12))


def brier(time: Floats, event: Flags, risk: Floats, horizon: float, weight: Floats | None = None) -> float:
    """Mean squared distance of risk [n] from whether it happened by the horizon, weighted for censoring."""
    early = event & (time <= horizon)
    apart = weights(time, event, horizon, weight) * (early - risk) ** 2
    return float(np.average(apart, weights=_counted(len(time), weight)))


def integrated_brier(time: Floats, event: Flags, curve: Floats, times: Floats, weight: Floats | None = None) -> float:
    """Mean over times [T] (trapezoids) of the Brier score of curve [n, T], the risk by each of them."""
    scores = np.array([brier(time, event, curve[:, place], float(at), weight) for place, at in enumerate(times)])
    if len(times) == 1:
        return float(scores[0])
    return float(np.trapezoid(scores, times) / (times[-1] - times[0]))


def concordance(time: Floats, event: Flags, risk: Floats, weight: Floats | None = None) -> float:
    """Share of pairs in which the one with the earlier event has the higher risk, equal risks counting half (Harrell
    et al. 1982); nan without a pair. A pair counts the product of its weights. O(n log² n): no table of pairs is made.
    """
    own = np.ones(len(time)) if weight is None else weight
    _, late = np.unique(time, return_inverse=True)
    key = 2 * late + ~event
    _, rank = np.unique(risk, return_inverse=True)
    pairs, below, upto = (np.zeros(len(time)) for _ in range(3))
    for bit in range(int(key.max(initial=0)).bit_length()):
        block, right = key >> (bit + 1), (key >> bit) & 1 == 1
        for count, tie in ((below, right), (upto, ~right)):
            order = np.lexsort((tie, rank, block))
            inside = (right * own)[order]
            before = np.cumsum(inside) - inside
            start = np.searchsorted(block[order], block[order], "left")
            count[order] += np.where(right[order], 0, before - before[start])
        number = np.bincount(block, right * own)
        pairs += np.where(right, 0, number[block])
    known = float((own * pairs)[event].sum())
    return float((own * (below + upto))[event].sum() / 2 / known) if known else math.nan


@dataclass(frozen=True, slots=True)
class Fifth:
    """A part of the examples by their risk: what was said on average, and what happened."""

    said: float
    happened: float
    low: float
    high: float
    n: int


def fifths(
    time: Floats, event: Flags, risk: Floats, horizon: float, parts: int = 5, weight: Floats | None = None
) -> list[Fifth]:
    """Examples from the lowest to the highest risk in equal parts: mean risk beside Kaplan-Meier with its interval."""
    found = []
    for rows in np.array_split(np.argsort(risk, kind="stable"), parts):
        own = None if weight is None else weight[rows]
        if not len(rows) or (own is not None and not own.any()):
            continue
        steps = kaplan_meier(time[rows], event[rows], own)
        happened = 1.0 - float(steps.at(horizon))
        low, high = (1.0 - end for end in steps.interval(horizon)[::-1])
        if math.isnan(low):
            seen = (event[rows] & (time[rows] <= horizon)) | (time[rows] > horizon)
            low, high = wilson(happened * int(seen.sum()), max(1, int(seen.sum())))
        found.append(Fifth(float(np.average(risk[rows], weights=own)), happened, low, high, len(rows)))
    return found
