"""chrF2: how far two texts have the same runs of characters, to the digit of sacreBLEU with its defaults.

Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015: runs of 1..6 characters without blanks,
recall counting twice as much as precision. Good for languages whose words change their form, and for short texts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ORDER, BETA = 6, 2.0
SIGNATURE = "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no"
"""What sacreBLEU calls this way of counting."""


def counts(said: Sequence[str], truth: Sequence[str]) -> NDArray[np.int64]:
    """[N, 6, 3] of texts and one reference each: runs of 1..6 characters said, in the reference, and in both."""
    found = [_counts("".join(one.split()), "".join(other.split())) for one, other in zip(said, truth, strict=True)]
    return np.array(found, np.int64).reshape(-1, ORDER, 3)


def score(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """0..100, of all texts together; `counts` [N, 6, 3] or rows of it drawn anew; nan without a text."""
    return float(_score(np.asarray(counts, np.float64).sum(0))) if len(counts) else math.nan


def sentences(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """0..100 for each text [N]; 0 where either is empty."""
    return np.asarray(_score(np.asarray(counts, np.float64)))


def _score(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Precision and recall are averaged over the lengths that both texts have; [..., 6, 3] -> [...]."""
    said, truth, both = np.moveaxis(counts, -1, 0)
    there = (said > 0) & (truth > 0)
    orders = np.maximum(there.sum(-1), 1)
    precision = (both / np.where(there, said, 1) * there).sum(-1) / orders
    recall = (both / np.where(there, truth, 1) * there).sum(-1) / orders
    below = BETA**2 * precision + recall
    return np.asarray(100 * (1 + BETA**2) * precision * recall / np.where(below > 0, below, 1))


def _counts(said: str, truth: str) -> list[tuple[int, int, int]]:
    found = []
    for size in range(1, ORDER + 1):
        ours, theirs = _runs(said, size), _runs(truth, size)
        found.append((ours.total() if theirs else 0, theirs.total(), (ours & theirs).total()))
    return found


def _runs(text: str, size: int) -> Counter[str]:
    return Counter(text[start : start + size] for start in range(len(text) - size + 1))
