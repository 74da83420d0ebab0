"""From atoms to examples: what intervals are drawn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from learnt.contracts import Evidence

Floats = NDArray[np.float64]
FEW = 100
"""Examples to learn from below which every figure has a wide interval."""


def totals(value: Floats, example: NDArray[np.int64], n: int, weight: Floats | None = None) -> tuple[Floats, Floats]:
    """Weighted sum of the values that are numbers, and their weight, of each of n examples; both [n]."""
    known = ~np.isnan(value)
    share = known.astype(np.float64) if weight is None else np.where(known, weight, 0.0)
    return (
        np.bincount(example, np.where(known, value, 0.0) * share, n).astype(np.float64),
        np.bincount(example, share, n).astype(np.float64),
    )


def single(example: NDArray[np.int64]) -> bool:
    """No example has two atoms."""
    return len(np.unique(example)) == len(example)


def effective(weight: Floats) -> float:
    """How many examples of equal weight tell as much as these [n]: (sum w)^2 / sum w^2 (Kish 1965); 0 without any."""
    squared = float((weight**2).sum())
    return float(weight.sum()) ** 2 / squared if squared else 0.0


def worth(example: NDArray[np.int64], n: int, weight: Floats | None) -> Floats:
    """[n], how much each example counts, 1 on average; 1 each without weights, and where examples have several atoms,
    whose weights are for the mean within the example."""
    if weight is None or len(example) != n or len(np.unique(example)) != n or not weight.sum():
        return np.ones(n)
    found = np.empty(n)
    found[example] = weight * (n / weight.sum())
    return found


def means(value: Floats, example: NDArray[np.int64], n: int, weight: Floats | None = None) -> Floats:
    """[n], the mean over the atoms of each example; nan for an example without any."""
    total, count = totals(value, example, n, weight)
    return np.where(count > 0, total / np.where(count > 0, count, 1.0), np.nan)


def right(evidence: Evidence) -> Floats:
    """[examples], the share right; nan where the truth is not known, or counts for nothing."""
    verdicts = evidence.verdicts
    return means(verdicts.correct, verdicts.example, len(evidence.ids), verdicts.weight)


def balance(truth: NDArray[np.int64]) -> Floats:
    """[n], mean 1: each label weighs alike, so that a rare one is not drowned; all 1 where a label is unknown (-1)."""
    n = len(truth)
    if not n or (truth < 0).any():
        return np.ones(n)
    codes, place, count = np.unique(truth, return_inverse=True, return_counts=True)
    return np.asarray(n / (len(codes) * count[place]), dtype=np.float64)
