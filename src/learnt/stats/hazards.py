"""Recalibration of hazards that are constant in each of J intervals: log h' = log h + bias + tilt * (log h - center).

Whatever bias [J] and tilt are, the hazards stay positive, so the risk never falls with time. Fitted by the likelihood
of the censored times (piecewise exponential model; Friedman 1982): who was censored counts for as long as it was seen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Constants = dict[str, NDArray[np.float32]]
_FOLDS = 5
_ERRORS = 2.0
_RIDGE = 4.0
"""Weight of a normal prior (sd 1/2) on each weight, as of the calibrators of labels."""
_TILTS = (-0.9, 3.0)
_LEAST = 1e-12


def neutral(intervals: int) -> Constants:
    """`tilt` float32 [] = 0, `bias` and `center` float32 [J] = 0."""
    zeros = np.zeros(intervals, np.float32)
    return {"tilt": np.zeros((), np.float32), "bias": zeros, "center": zeros.copy()}


def apply(hazard: Floats, constants: Constants) -> Floats:
    """Hazards [n, J], recalibrated."""
    log = np.log(np.maximum(hazard, _LEAST))
    return np.asarray(np.exp(log + constants["bias"] + constants["tilt"] * (log - constants["center"])), np.float64)


def fit(
    hazard: Floats,
    exposure: Floats,
    interval: NDArray[np.int64],
    segments: NDArray[np.int64],
    weight: Floats | None = None,
) -> Constants:
    """Constants for hazards [n, J], from the share of each interval that was lived [n, J] and the interval of the event
    [n], -1 without.

    Candidates: nothing; one bias; a bias and the tilt; a bias for each of `segments` [J] (their numbers) and the tilt.
    One is taken only where it lowers the loss on folds held out by more than two standard errors, as for labels.
    `weight` [n] says how much each example counts; all together count as many as they are worth, as for labels.
    """
    log = np.log(np.maximum(hazard, _LEAST))
    happened = np.zeros_like(log)
    seen = np.flatnonzero(interval >= 0)
    happened[seen, interval[seen]] = 1.0
    if weight is not None:
        worth = weight[:, None] * (weight.sum() / np.maximum((weight**2).sum(), 1e-300))
        exposure, happened = exposure * worth, happened * worth
    constants = neutral(log.shape[1])
    if len(seen) < 2 * _FOLDS:
        return constants
    center = (log * exposure).sum(0) / np.maximum(exposure.sum(0), _LEAST)
    tilted = log - center
    before = _losses(log, exposure, happened)
    ones = np.ones((1, log.shape[1]))
    each = (segments == np.unique(segments)[:, None]).astype(np.float64)
    best = 0.0
    for biases, tilts in ((ones, False), (ones, True), (each, True)):
        features = np.stack([*(np.broadcast_to(one, log.shape) for one in biases), *([tilted] if tilts else [])])
        gain = before - _held_out(log, features, exposure, happened, len(biases))
        sure = float(gain.mean() - _ERRORS * gain.std() / np.sqrt(len(gain)))
        if sure > best:
            best = sure
            found = _solve(log, features, exposure, happened, len(biases))
            constants["bias"] = (found[: len(biases)] @ biases).astype(np.float32)
            constants["tilt"] = np.array(found[-1] if tilts else 0.0, np.float32)
            constants["center"] = center.astype(np.float32)
    return constants


def _losses(log: Floats, exposure: Floats, happened: Floats) -> Floats:
    return np.asarray((np.exp(log) * exposure - happened * log).sum(1))


def _held_out(log: Floats, features: Floats, exposure: Floats, happened: Floats, biases: int) -> Floats:
    """Losses [n], each example's by the fit on the other folds; folds hold events in equal shares."""
    fold = np.empty(len(log), np.int64)
    fold[np.argsort(happened.any(1), kind="stable")] = np.arange(len(log)) % _FOLDS
    losses = np.empty(len(log))
    for k in range(_FOLDS):
        out = fold == k
        found = _solve(log[~out], features[:, ~out], exposure[~out], happened[~out], biases)
        losses[out] = _losses(log[out] + np.tensordot(found, features[:, out], 1), exposure[out], happened[out])
    return losses


def _solve(log: Floats, features: Floats, exposure: Floats, happened: Floats, biases: int) -> Floats:
    """Weights [q] of features [q, n, J] that minimise the loss: damped Newton on a convex function."""
    found = np.zeros(len(features))

    def objective(weights: Floats) -> float:
        moved = log + np.tensordot(weights, features, 1)
        return float(_losses(moved, exposure, happened).sum()) + _RIDGE * float(weights @ weights) / 2

    value = objective(found)
    for _ in range(50):
        expected = np.exp(log + np.tensordot(found, features, 1)) * exposure
        gradient = np.tensordot(features, expected - happened, 2) + _RIDGE * found
        square = np.einsum("nj,qnj,rnj->qr", expected, features, features) + _RIDGE * np.eye(len(found))
        step = np.linalg.solve(square, gradient)
        length = 1.0
        while length > 1e-4:
            moved = found - length * step
            moved[biases:] = np.clip(moved[biases:], *_TILTS)
            if objective(moved) <= value:
                break
            length /= 2
        else:
            break
        gain, found, value = value - objective(moved), moved, objective(moved)
        if gain < 1e-9:
            break
    return found
