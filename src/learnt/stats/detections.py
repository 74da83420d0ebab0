"""When something is said: probabilities of windows that slide over a sound become single moments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TOGETHER = 3
"""Windows whose probabilities are averaged: as many as hold all of a usual sound."""
SILENT = 8
"""Windows after a detection in which nothing is told: until the last one that heard the same moment."""
LEAST = 0.5
"""Nothing is told that is less likely than this."""
RARE = 0.25
"""How many times an hour something may be told that was not said, as far as that can be chosen."""
KEPT = 0.93
"""The share of what is said that is told, whatever may be told beside it."""
TAIL = 20
"""So many of what would be told wrongly, the surest, tell how sure it can get."""

Floats = NDArray[np.float64]


def smoothed(probability: Floats, before: Floats | None = None) -> Floats:
    """[N, L], each the mean with the windows before it; `before` [at most TOGETHER - 1, L] came ahead of them.

    Chen, Parada and Heigold, "Small-footprint keyword spotting using deep neural networks", ICASSP 2014, section 2.3.
    """
    ahead = probability[:0] if before is None else before[len(before) - min(len(before), TOGETHER - 1) :]
    whole = np.concatenate([ahead, probability])
    sums = np.concatenate([np.zeros((1, whole.shape[1])), np.cumsum(whole, 0)])
    ends = np.arange(len(ahead), len(whole)) + 1
    starts = np.maximum(ends - TOGETHER, 0)
    return np.asarray((sums[ends] - sums[starts]) / TOGETHER)


def moments(score: Floats, least: float, free: int = 0) -> list[int]:
    """The windows at which a score [N] reaches `least`, none of them less than SILENT after another, or before
    `free`."""
    found: list[int] = []
    for place in np.flatnonzero(score >= least).tolist():
        if place >= free:
            found.append(place)
            free = place + SILENT
    return found


def alarms(
    times: Sequence[float], told: Sequence[int], said: Sequence[tuple[float, float, int]], window: float
) -> list[int]:
    """Which of the detections at `times`, in seconds, tell what was not said: `said` are (start, end, what).

    What was said may be told once, from its start until its window has left it.
    """
    left, wrong = list(said), []
    for place, (time, what) in enumerate(zip(times, told, strict=True)):
        right = next((one for one in left if one[2] == what and one[0] <= time <= one[1] + window), None)
        if right is None:
            wrong.append(place)
        else:
            left.remove(right)
    return wrong


def threshold(right: Sequence[float], wrong: Sequence[float], hours: float) -> float:
    """How sure one must be so that what is told wrongly comes RARE times an hour, or where that is too much to ask so
    that KEPT of what is said is told. `right`: how sure one got of each that was said; `wrong` of each that was told
    wrongly in so many hours, where LEAST was enough.

    The log-odds of the surest fall off exponentially (peaks over a threshold, Pickands 1975, shape 0), so the level
    may lie beyond all that was seen. At least as sure as any of them.
    """
    odds = np.sort([math.log(max(p, 1e-9) / max(1 - p, 1e-9)) for p in wrong])[::-1]
    if not len(odds) or hours <= 0:
        return LEAST
    many = min(TAIL, len(odds) - 1)
    floor = odds[many] if many else math.log(LEAST / (1 - LEAST))
    excess = float((odds[: max(many, 1)] - floor).mean())
    level = max(floor + excess * math.log(max(many, 1) / (RARE * hours)), odds[0])
    most = float(np.quantile(right, 1 - KEPT)) if len(right) else 1.0
    return float(max(min(1 / (1 + math.exp(-level)), most, 1 - 1e-6), LEAST))
