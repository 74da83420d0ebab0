"""What the nearest known examples are called: an opinion that needs no training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAREST = 10
KNOWN = 5_000
"""Known examples above which neighbours are looked for among so many, drawn by chance: .1 ms an example asked about."""
_CHUNK = 1000


def shares(known: Floats, codes: NDArray[np.int64], asked: Floats, classes: int) -> Floats:
    """[m, C], the share of each label among the `NEAREST` known examples [n, F] of each one asked about [m, F].

    Features are centred and scaled to deviation 1 over the known examples, and a missing one (nan) counts as average;
    one vote is dealt out evenly over all labels, so that none is impossible. Known examples with code -1 do not vote.
    """
    voting = np.flatnonzero(codes >= 0)
    if len(voting) > KNOWN:
        voting = np.sort(np.random.default_rng([0, len(voting)]).choice(voting, KNOWN, replace=False))
    if not len(voting):
        return np.full((len(asked), classes), 1 / classes)
    known, onehot = known[voting], np.eye(classes)[codes[voting]]
    seen = np.isfinite(known)
    count = np.maximum(seen.sum(0), 1)
    mean = np.where(seen, known, 0).sum(0) / count
    spread = np.sqrt(np.where(seen, (known - mean) ** 2, 0).sum(0) / count)
    scale = np.where(spread > 0, spread, 1)

    def scaled(features: Floats) -> Floats:
        return np.where(np.isfinite(features), (features - mean) / scale, 0)

    bank, nearest = scaled(known), min(NEAREST, len(known))
    length = (bank**2).sum(1)
    found = np.empty((len(asked), classes))
    for start in range(0, len(asked), _CHUNK):
        distance = length - 2 * scaled(asked[start : start + _CHUNK]) @ bank.T
        places = np.argpartition(distance, nearest - 1, axis=1)[:, :nearest]
        found[start : start + _CHUNK] = onehot[places].sum(1)
    return (found + 1 / classes) / (nearest + 1)
