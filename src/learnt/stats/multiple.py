"""Many tests at once: chances that stay honest however many were looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def holm(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values [k] of p-values [k]: those at most a reject with a chance of any mistake of at most a.

    Holm, "A simple sequentially rejective multiple test procedure", 1979; needs no independence.
    """
    count = len(chances)
    order = np.argsort(chances, kind="stable")
    stepped = np.maximum.accumulate(np.minimum(chances[order] * np.arange(count, 0, -1), 1.0))
    adjusted = np.empty(count)
    adjusted[order] = stepped
    return adjusted


def benjamini_hochberg(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusted p-values [k]: of those at most a, on average at most a share a is mistaken.

    Benjamini and Hochberg 1995; the tests are independent, or positively dependent.
    """
    count = len(chances)
    order = np.argsort(chances, kind="stable")
    scaled = np.minimum(chances[order] * count / np.arange(1, count + 1), 1.0)
    adjusted = np.empty(count)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    return adjusted
