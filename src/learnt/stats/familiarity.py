"""Familiarity: how odd an example is, as a percentile of the calibration examples.

Two scores - the cosine distance to the 5th nearest fit example (Sun et al. 2022) and doubt, which among labels is
generalised entropy (Liu et al. 2023) and elsewhere 1 - confidence (Hendrycks and Gimpel 2017) - become
percentiles of calibration, are joined as Fisher joins p-values, with weights, and the joined score becomes a
percentile once more. An example as odd as those of calibration is thus above .95 in 5 % of all cases. `apply`
here and `nets.unfamiliar.Unfamiliar` in the file's graph are the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Constants = dict[str, NDArray[np.float32]]
NEAREST, NEAREST_FIRST = 5, 10
"""The neighbour whose distance counts; in files that do not say which."""
GRID = 256
KNN_WEIGHT = 0.7
_WHITEN = 0.75
_REACH = 0.35
_SPACING = {"knn_grid": 1e-4, "doubt_grid": 1e-4, "fused_grid": 5e-4}
"""Least step of each grid: bounds the slope of a percentile, so that float32 noise of 1e-7 in a score stays
below 1e-5. Scores nearer than that are no evidence of anything.
"""
_LIMITS = {"knn_grid": 2.0, "doubt_grid": 1.0, "fused_grid": 1.0}


def fit_bank(
    vector: NDArray[np.floating],
    codes: NDArray[np.int64] | None = None,
    limit: int = 2000,
    width: int = 128,
    seed: int = 0,
) -> Constants:
    """`mean` [D], `projection` [D, d] and `bank` [m, d] of fit vectors [n, D]: m = min(n, limit)
    rows, alike many a code.

    The projection keeps 99.9 % of the variance in d <= 64 principal directions, or 99 % in d <= width. Each
    direction is divided by its deviation to the power .75: between no whitening, where few directions
    decide, and full whitening, which blows up noise. A last coordinate, about a third of the typical length, is added
    before rows are scaled to length 1: the bare cosine would not see an example that is odd by its length
    alone. Chosen on digits with two classes left out and on requests with intents left out.
    """
    vector = np.asarray(vector, dtype=np.float64)
    mean = vector.mean(axis=0)
    count, size = vector.shape
    values, directions = np.linalg.eigh((vector - mean).T @ (vector - mean) / count)
    values, directions = np.maximum(values[::-1], 0.0), directions[:, ::-1]
    kept = np.cumsum(values) / max(values.sum(), 1e-30)
    enough, most = (int(np.searchsorted(kept, share)) + 1 for share in (0.99, 0.999))
    d = min(max(enough, min(most, 64)), width, size)
    deviation = np.sqrt(np.maximum(values[:d], 1e-12 * max(values[0], 1e-30)))
    projection = directions[:, :d] * (deviation / deviation[0]) ** -_WHITEN
    reach = _REACH * np.sqrt(float((((vector - mean) @ projection) ** 2).sum(axis=1).mean()))
    projection /= max(reach, 1e-12)
    constants = {"mean": mean.astype(np.float32), "projection": projection.astype(np.float32)}
    order = np.random.default_rng([seed, count]).permutation(count)
    if codes is not None:
        order = order[np.argsort(_turn(codes[order]), kind="stable")]
    rows = np.sort(order[:limit])
    constants["bank"] = _project(vector[rows], constants)
    return constants


def _turn(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the same code came before."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    before = np.empty(len(codes), np.int64)
    before[order] = np.arange(len(codes)) - np.searchsorted(ordered, ordered, "left")
    return before


def knn_distance(
    vector: NDArray[np.floating], constants: Mapping[str, NDArray[np.float32]], k: int = NEAREST
) -> NDArray[np.float32]:
    """[n], 1 - the k-th best cosine of vectors [n, D] to the bank; of a smaller bank the last."""
    bank = constants["bank"]
    k = min(k, len(bank))
    found = np.empty(len(vector), np.float32)
    for start in range(0, len(vector), 4096):
        cosine = _cosine(_project(vector[start : start + 4096], constants), bank)
        found[start : start + 4096] = 1 - np.partition(cosine, len(bank) - k, axis=1)[:, len(bank) - k]
    return found


def nearest(vector: NDArray[np.floating], constants: Mapping[str, NDArray[np.float32]], k: int) -> NDArray[np.int64]:
    """[n, min(k, m)], the rows of the bank that are nearest to vectors [n, D] by cosine, nearest first."""
    away = -_cosine(_project(vector, constants), constants["bank"])
    return np.argsort(away, axis=1, kind="stable")[:, :k]


def doubt(said: Mapping[str, NDArray[np.floating]], targets: Sequence[str]) -> NDArray[np.floating]:
    """[n], the largest of all targets: `<target>.doubt`, or 1 - `<target>.confidence` where there is none."""
    each = [said[f"{name}.doubt"] if f"{name}.doubt" in said else 1 - said[f"{name}.confidence"] for name in targets]
    return np.asarray(np.max(each, axis=0))


def fit_percentiles(distance: NDArray[np.floating], doubt: NDArray[np.floating]) -> Constants:
    """`knn_grid`, `doubt_grid` and `fused_grid`, each float32 [256], of calibration scores [n] in 0..1."""
    knn_grid = _grid(distance, "knn_grid")
    doubt_grid = _grid(doubt, "doubt_grid")
    fused = _fuse(percentile(distance, knn_grid), percentile(doubt, doubt_grid))
    return {"knn_grid": knn_grid, "doubt_grid": doubt_grid, "fused_grid": _grid(fused, "fused_grid")}


def neutral(size: int, rows: int = NEAREST, width: int | None = None) -> Constants:
    """Constants of the right shapes before anything is fitted: D = size, m = rows, d = width (D unless
    given).
    """
    width = size if width is None else width
    bank = np.zeros((rows, width), np.float32)
    grids = {name: np.linspace(0, limit, GRID, dtype=np.float32) for name, limit in _LIMITS.items()}
    return {
        "mean": np.zeros(size, np.float32),
        "projection": np.eye(size, width, dtype=np.float32),
        "bank": bank,
        **grids,
    }


def apply(
    vector: NDArray[np.floating],
    doubt: NDArray[np.floating],
    constants: Mapping[str, NDArray[np.float32]],
) -> NDArray[np.float32]:
    """`unfamiliar` [n] in 0..1 of vectors [n, D] and doubt [n]."""
    known = percentile(knn_distance(vector, constants), constants["knn_grid"])
    unsure = percentile(doubt, constants["doubt_grid"])
    return percentile(_fuse(known, unsure), constants["fused_grid"])


def percentile(score: NDArray[np.floating], grid: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n], where scores [n] lie in the grid: piecewise linear, 0 at its first and 1 at its last point."""
    low, high = grid[:-1], grid[1:]
    passed = np.clip((np.asarray(score, np.float32)[:, None] - low) / (high - low), 0, 1)
    return np.asarray(passed.mean(axis=1), np.float32)


def _fuse(known: NDArray[np.float32], doubt: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..1, the weighted sum of -log p (Fisher 1932; weights: Good 1955)."""
    shrink = np.float32(1 - 1 / GRID)
    joined = KNN_WEIGHT * np.log(1 - shrink * known) + (1 - KNN_WEIGHT) * np.log(1 - shrink * doubt)
    return np.asarray(joined / -np.log(GRID), np.float32)


def _grid(score: NDArray[np.floating], name: str) -> NDArray[np.float32]:
    """[256] scores at the levels 0, 1/255 .. 1. The k-th smallest of n stands at level k / (n + 1), as for a
    conformal p-value; what is odder than all of them climbs on to 1 at the limit of the score, so that
    strangers keep their order."""
    ordered = np.sort(np.asarray(score, dtype=np.float64))
    places = np.concatenate([[min(0.0, ordered[0])], ordered, [max(_LIMITS[name], ordered[-1])]])
    grid = np.interp(np.linspace(0, 1, GRID), np.linspace(0, 1, len(ordered) + 2), places)
    steps = np.arange(GRID) * _SPACING[name]
    return np.asarray(np.maximum.accumulate(grid - steps) + steps, np.float32)


def _cosine(projected: NDArray[np.float32], bank: NDArray[np.float32]) -> NDArray[np.float32]:
    """[n, m] between rows [n, d] and [m, d], a last coordinate of 1 added to each."""
    length = np.sqrt(1 + (projected * projected).sum(axis=1, keepdims=True))
    bank_length = np.sqrt(1 + (bank * bank).sum(axis=1))
    return np.asarray((projected @ bank.T + 1) / (length * bank_length), np.float32)


def _project(vector: NDArray[np.floating], constants: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    centred = np.asarray(vector, np.float32) - constants["mean"]
    return np.asarray(centred @ constants["projection"], np.float32)
