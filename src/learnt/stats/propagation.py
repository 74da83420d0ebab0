"""Labels of few examples spread to those near them: what an unlabelled example is likely to be called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NEAREST = 10
SHARPNESS = 3
"""The power that a similarity is raised to: far neighbours hardly count."""
REACH = 0.9
"""How much of what an example is called comes from its neighbours."""
ROUNDS = 50
_CHUNK = 1000


def propagated(vector: NDArray[np.float32], codes: NDArray[np.int64], classes: int) -> Floats:
    """[N, classes], rows that add up to 1, from vectors [N, D] and labels [N], -1 where unknown.

    Label spreading over the graph of the nearest neighbours by the cosine (Zhou et al., "Learning with local and
    global consistency", NeurIPS 2003; on features of a network: Iscen et al., "Label propagation for deep
    semi-supervised learning", CVPR 2019). Each label sends out as much in all. Where nothing arrives all are alike.
    """
    rows = len(vector)
    near, similar = _nearest(vector)
    one, other = np.repeat(np.arange(rows), near.shape[1]), near.ravel()
    start, end, weight = np.r_[one, other], np.r_[other, one], np.r_[similar.ravel(), similar.ravel()]
    degree = np.sqrt(np.maximum(np.bincount(start, weight, rows), 1e-12))
    weight = weight / (degree[start] * degree[end])
    known = np.flatnonzero(codes >= 0)
    sent = np.zeros((rows, classes))
    sent[known, codes[known]] = 1 / np.bincount(codes[known], minlength=classes)[codes[known]]
    found = sent
    for _ in range(ROUNDS):
        arrived = [np.bincount(start, weight * found[end, code], rows) for code in range(classes)]
        found = REACH * np.stack(arrived, 1) + (1 - REACH) * sent
    total = found.sum(1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1), 1 / classes)


def _nearest(vector: NDArray[np.float32]) -> tuple[NDArray[np.int64], Floats]:
    """The nearest others of each, and how similar they are: [N, k] both."""
    length = np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-12)
    unit = (vector / length).astype(np.float32)
    count = min(NEAREST, len(unit) - 1)
    near = np.empty((len(unit), count), np.int64)
    similar = np.empty((len(unit), count))
    for start in range(0, len(unit), _CHUNK):
        cosine = unit[start : start + _CHUNK] @ unit.T
        cosine[np.arange(len(cosine)), start + np.arange(len(cosine))] = -np.inf
        places = np.argpartition(-cosine, count - 1, axis=1)[:, :count]
        near[start : start + _CHUNK] = places
        similar[start : start + _CHUNK] = np.take_along_axis(cosine, places, 1)
    return near, np.clip(similar, 0, 1) ** SHARPNESS
