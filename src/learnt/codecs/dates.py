"""Where a moment stands in the year, the month, the week and the day: what the file works out of a date."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

YEAR, MONTH, WEEK, DAY = 365.2425, 30.436875, 7.0, 1.0
CYCLES = (YEAR, MONTH, WEEK, DAY)
"""Days of a turn; year and month are the mean ones of the Gregorian calendar."""


def waves(days: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days since 1970-01-01 [n] -> [n, 9]: sine and cosine in each cycle, then 1 where the day is missing.

    A missing or infinite day has zeros before the 1.
    """
    missing = ~np.isfinite(days)
    known = np.where(missing, 0.0, days)
    turns = [2 * np.pi * (known / cycle - np.floor(known / cycle)) for cycle in CYCLES]
    found = np.stack([wave(turn) for turn in turns for wave in (np.sin, np.cos)], -1)
    return np.concatenate([found * ~missing[:, None], missing[:, None]], -1)
