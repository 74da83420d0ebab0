"""Weights that make each label as frequent in every group, so that the two no longer go together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def weights(
    groups: NDArray[np.int64],
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    weight: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """[n], P(group) P(label) / P(group, label), counted by `weight` [n] in `rows`; 1 where that cannot be counted.

    `groups` and `labels` [n] are codes, -1 for none. Within `rows` groups and labels are as frequent as
    before, and no longer go together (Kamiran and Calders, "Data preprocessing techniques for classification without
    discrimination", Knowledge and Information Systems 33, 2012, section 4.1).
    """
    known = rows[(groups[rows] >= 0) & (labels[rows] >= 0)]
    counted = np.ones(len(groups)) if weight is None else weight
    table = np.zeros((int(groups.max(initial=-1)) + 1, int(labels.max(initial=-1)) + 1))
    np.add.at(table, (groups[known], labels[known]), counted[known])
    apart = np.outer(table.sum(1), table.sum(0)) / max(float(table.sum()), 1e-300)
    found = np.divide(apart, table, out=np.ones_like(table), where=table > 0)
    return np.where((groups >= 0) & (labels >= 0), found[groups, labels], 1.0) if found.size else np.ones(len(groups))
