"""Split-conformal sets: the labels that cannot be ruled out at a stated coverage.

Score 1 - p of the true label, threshold by its conformal quantile (LAC; Sadinle, Lei and Wasserman 2019).
The guarantee is marginal and holds for examples exchangeable with those of calibration.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FEWEST = 20
"""Examples to calibrate on; with fewer a set or range would hold everything, or promise what it cannot keep."""
SLACK = 1e-6
"""Added to thresholds: float32 probabilities in the file differ by some 1e-7 from those that calibrated it.
"""


def law(n: int, coverage: float) -> tuple[int, int]:
    """(a, b) such that the true coverage after calibration on n examples is Beta(a, b) (Vovk 2012).

    Of n_test fresh examples the covered are BetaBinomial(n_test, a, b). b = 0: too few examples, everything
    is covered.
    """
    k = math.ceil((n + 1) * coverage - 1e-9)
    return (k, max(0, n + 1 - k))


def threshold(scores: NDArray[np.floating], coverage: float, weight: NDArray[np.float64] | None = None) -> float:
    """The ceil((n + 1) coverage)-th smallest of scores [n], plus `SLACK`; inf when there are too few, or none counts.

    With `weight` [n] the weighted quantile for examples drawn otherwise than those of calibration, a new one counted
    at the greatest weight there is (Tibshirani, Foygel Barber, Candes and Ramdas 2019; for another share of the labels
    Podkopaev and Ramdas 2021).
    """
    if weight is not None:
        if not weight.any():
            return float("inf")
        order = np.argsort(scores, kind="stable")
        passed = np.cumsum(weight[order]) / (weight.sum() + weight.max())
        at = int(np.searchsorted(passed, coverage - 1e-9))
        return float(scores[order[at]]) + SLACK if at < len(scores) else float("inf")
    k, b = law(len(scores), coverage)
    if b == 0:
        return float("inf")
    return float(np.sort(np.asarray(scores, dtype=np.float64))[max(k, 1) - 1]) + SLACK


def scores(probability: NDArray[np.floating], truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n], 1 - p[n, C] of the true code; a truth outside the codes (-1) scores 1, for no set can hold it."""
    inside = (truth >= 0) & (truth < probability.shape[1])
    given = probability[np.arange(len(truth)), np.where(inside, truth, 0)]
    return np.asarray(1.0 - np.where(inside, given, 0.0), dtype=np.float64)


def sets(probability: NDArray[np.floating], threshold: float | NDArray[np.float64]) -> NDArray[np.bool_]:
    """bool [n, C]: 1 - p at most the threshold (one, or one a class), and the most probable label always."""
    within = 1.0 - probability <= threshold
    return np.asarray(within | (probability >= probability.max(axis=1, keepdims=True)))
