"""When something is said: probabilities of windows that slide over a sound become single moments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOGETHER = 3
"""Windows whose probabilities are averaged: as many as hold all of a usual sound."""
SILENT = 8
"""Windows after a detection in which nothing is told: until the last one that heard the same moment."""

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
