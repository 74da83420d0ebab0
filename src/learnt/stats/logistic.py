"""Logistic regression by Newton's method, for a few features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RIDGE = 1.0
"""Strength of the prior on slopes, as so many examples would weigh; features are of spread about one."""


def fit(features: Floats, truth: Floats, weight: Floats | None = None) -> Floats:
    """[1 + F]: intercept and slopes for features [N, F] and truth [N], 0 or 1; slopes shrink towards zero.

    The truth is drawn in as if one more of each kind had been seen, so that no chance is 0 or 1: Platt, "Probabilistic
    outputs for support vector machines", 1999, section 2.2.
    """
    given = np.column_stack([np.ones(len(features)), features])
    weight = np.ones(len(given)) if weight is None else weight
    yes, no = float(weight @ truth), float(weight @ (1 - truth))
    truth = np.where(truth > 0, (yes + 1) / (yes + 2), 1 / (no + 2))
    prior = np.full(given.shape[1], RIDGE)
    prior[0] = 1e-3
    found = np.zeros(given.shape[1])
    for _ in range(50):
        said = 1 / (1 + np.exp(-np.clip(given @ found, -30, 30)))
        slope = given.T @ (weight * (truth - said)) - prior * found
        bend = (given * (weight * said * (1 - said))[:, None]).T @ given + np.diag(prior)
        step = np.linalg.solve(bend, slope)
        found = found + np.clip(step, -5, 5)
        if np.abs(step).max() < 1e-9:
            break
    return found
