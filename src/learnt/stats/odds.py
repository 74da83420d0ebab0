"""One threshold for each group, so that the groups are wronged alike: equalised odds without drawing lots.

Hardt, Price, Srebro, "Equality of opportunity in supervised learning", NeurIPS 2016, section 3.2, meet equalised odds
exactly by drawing lots between two thresholds. Here each group has one, and what is left of the gap is stated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST_APART, MOST_APART = 0.03, 0.1
_GRID = 401
_STEP = 0.01
FEWEST = 20
"""Examples of either answer that a group needs for a threshold of its own."""


def thresholds(
    score: NDArray[np.float64],
    truth: NDArray[np.bool_],
    codes: NDArray[np.int64],
    groups: int,
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """[groups]: says yes above it; the most right answers with the rates of all groups within a square.

    `score`, `truth`, `codes` [n]. The search is exact on a grid of 401 quantiles of the scores: for each corner of the
    square in the plane of false and true positive rates, every group takes its best threshold inside. A side is one
    standard error of the difference of two rates of one half, each of the fewest examples of one answer in a group, but
    .03 to .1: asked for less, the search would pay right answers for chasing noise.
    A group with fewer than `FEWEST` examples of either answer gets the threshold that is best for all together, and so
    does code 0: examples whose group is missing or was never seen.
    """
    weight = np.ones(len(score)) if weight is None else weight
    if not len(score):
        return np.zeros(groups)
    grid = np.unique(np.quantile(score, np.linspace(0, 1, _GRID)))
    grid = np.concatenate([[grid[0] - 1], (grid[1:] + grid[:-1]) / 2, [grid[-1] + 1]])
    said = score[None, :] > grid[:, None]
    right = (said == truth) * weight
    chosen = np.full(groups, float(grid[int(np.argmax(right.sum(axis=1)))]))
    able = [g for g in range(1, groups) if min((truth & (codes == g)).sum(), (~truth & (codes == g)).sum()) >= FEWEST]
    if len(able) < 2:
        return chosen
    inside = [codes == group for group in able]
    false = np.stack([_share(said, own & ~truth, weight) for own in inside])
    true = np.stack([_share(said, own & truth, weight) for own in inside])
    hits = np.stack([right[:, own].sum(axis=1) for own in inside])
    fewest = min(int((own & (truth == answer)).sum()) for own in inside for answer in (False, True))
    apart = min(max((2 * fewest) ** -0.5, LEAST_APART), MOST_APART) + 1e-9
    corners = np.arange(0, 1 + _STEP / 2, _STEP)
    best = -1.0
    for corner in corners:
        in_false = (false >= corner - 1e-9) & (false <= corner + apart)
        in_true = (true >= corners[:, None, None] - 1e-9) & (true <= corners[:, None, None] + apart)
        gained = np.where(in_false & in_true, hits, -np.inf)
        total = gained.max(axis=2).sum(axis=1)
        place = int(np.argmax(total))
        if total[place] > best:
            best = float(total[place])
            chosen[able] = grid[np.argmax(gained[place], axis=1)]
    return chosen


def _share(said: NDArray[np.bool_], inside: NDArray[np.bool_], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(said[:, inside] @ weight[inside] / max(float(weight[inside].sum()), 1e-300))


def crossed(
    score: NDArray[np.float64], truth: NDArray[np.bool_], codes: NDArray[np.int64], groups: int, folds: int = 5
) -> NDArray[np.bool_]:
    """[n], what thresholds chosen on four fifths of the examples say of the other fifth; code -1 is of no group."""
    codes = codes + 1
    order = np.random.default_rng([0, len(score)]).permutation(len(score))
    said = np.zeros(len(score), np.bool_)
    for held in np.array_split(order, folds):
        kept = np.ones(len(score), np.bool_)
        kept[held] = False
        said[held] = score[held] > thresholds(score[kept], truth[kept], codes[kept], 1 + groups)[codes[held]]
    return said
