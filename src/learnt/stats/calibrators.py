"""Calibration of probabilities: one temperature, and for two classes a bias as well.

The constants are what the file's graph applies: p = softmax(log_p / temperature + bias).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Constants = dict[str, NDArray[np.float32]]
_FOLDS = 5
_SLOPES = (1 / 20, 20.0)
_ERRORS = 2.0
_IMPOSSIBLE = -100.0
"""Stands for the log of 0: float32 probabilities vanish below e^-103."""
_SMALL = 1e-7
"""Probabilities nearer to 0 or 1 count as this far from it, that they have log-odds."""
_RIDGE = 4.0
"""Weight of a normal prior (sd 1/2) on slope - 1 and bias: about as much as a few examples say."""


def neutral(classes: int) -> Constants:
    """`temperature` float32 [] = 1 and `bias` float32 [C] = 0."""
    return {"temperature": np.array(1.0, np.float32), "bias": np.zeros(classes, np.float32)}


def apply(log_probability: NDArray[np.floating], constants: Constants) -> Floats:
    """p [n, C] = softmax(log_p / temperature + bias)."""
    logits = np.asarray(log_probability, np.float64) / float(constants["temperature"]) + constants["bias"]
    return np.asarray(np.exp(_log_softmax(logits)))


def fit(log_probability: NDArray[np.floating], truth: NDArray[np.int64], weight: Floats | None = None) -> Constants:
    """`temperature` and `bias` that minimise the log loss of log_p [n, C] (logits will do) on truth [n].

    More than two classes: one temperature (Guo et al. 2017); two: slope and intercept of the logit (Platt
    1999), with a weak prior. Identity stays unless the change lowers the log loss on folds held out by more
    than two standard errors of the paired difference: in simulation (n = 50..3000) what was calibrated
    already then stays as it was. Temperatures lie in [1/20, 20]. `weight` [n] says how much each example counts;
    all together count as many as they are worth, (sum w)^2 / sum w^2 (Kish 1965).
    """
    classes = log_probability.shape[1]
    log_p = np.maximum(_log_softmax(np.asarray(log_probability, dtype=np.float64)), _IMPOSSIBLE)
    known = (truth >= 0) & (truth < classes)
    log_p, truth = log_p[known], truth[known]
    weight = np.ones(len(truth)) if weight is None else weight[known]
    weight = weight * (weight.sum() / np.maximum((weight**2).sum(), 1e-300))
    if len(truth) < 2 * _FOLDS or classes < 2:
        return neutral(classes)
    features = [log_p]
    if classes == 2:
        features.append(np.broadcast_to(np.array([-0.5, 0.5]), log_p.shape))
    before = _losses(log_p, truth)
    best, chosen = 0.0, np.array([1.0, 0.0])
    for count in range(1, len(features) + 1):
        stack = np.stack(features[:count])
        gain = before - _held_out(stack, truth, weight)
        mean = float(weight @ gain / weight.sum())
        sure = mean - _ERRORS * float(np.sqrt((weight**2) @ (gain - mean) ** 2) / weight.sum())
        if sure > best:
            best = sure
            chosen[:count] = _solve(stack, truth, weight)
    constants = neutral(classes)
    constants["temperature"] = np.array(1 / chosen[0], np.float32)
    if classes == 2:
        constants["bias"] = np.array([-chosen[1] / 2, chosen[1] / 2], np.float32)
    return constants


def fit_odds(sure: Floats, right: NDArray[np.bool_], weight: Floats | None = None) -> tuple[float, float]:
    """Slope and offset by which the log-odds of how sure one was [n] become those of being right [n]; see `fit`."""
    p = np.clip(sure, _SMALL, 1 - _SMALL)
    fitted = fit(np.log(np.stack([1 - p, p], 1)), right.astype(np.int64), weight)
    return 1 / float(fitted["temperature"]), float(fitted["bias"][1] - fitted["bias"][0])


def move_odds(sure: float, slope: float, offset: float) -> float:
    """A probability whose log-odds are slope * those of `sure` + offset."""
    p = min(max(sure, _SMALL), 1 - _SMALL)
    return float(1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + offset))))


def crossed(log_probability: NDArray[np.floating], truth: NDArray[np.int64], weight: Floats | None = None) -> Floats:
    """p [n, C] of every example, calibrated by `fit` on the other four folds; folds hold each class in equal shares."""
    fold = np.empty(len(truth), np.int64)
    fold[np.argsort(truth, kind="stable")] = np.arange(len(truth)) % _FOLDS
    said = np.empty(log_probability.shape)
    for k in range(_FOLDS):
        out = fold == k
        found = fit(log_probability[~out], truth[~out], None if weight is None else weight[~out])
        said[out] = apply(log_probability[out], found)
    return said


def _held_out(features: Floats, truth: NDArray[np.int64], weight: Floats) -> Floats:
    """Losses [n], each example's by the fit on the other folds; folds hold each class in equal shares."""
    fold = np.empty(len(truth), np.int64)
    fold[np.argsort(truth, kind="stable")] = np.arange(len(truth)) % _FOLDS
    losses = np.empty(len(truth))
    for k in range(_FOLDS):
        out = fold == k
        weights = _solve(features[:, ~out], truth[~out], weight[~out])
        losses[out] = _losses(np.tensordot(weights, features[:, out], 1), truth[out])
    return losses


def _solve(features: Floats, truth: NDArray[np.int64], counts: Floats) -> Floats:
    """Weights [q] of features [q, n, C] that minimise the log loss of examples that count [n]: damped Newton on a
    convex function."""
    start = np.zeros(len(features))
    start[0] = 1.0
    rows = np.arange(len(truth))

    def objective(weights: Floats) -> float:
        loss = float(counts @ _losses(np.tensordot(weights, features, 1), truth))
        return loss + _RIDGE * float(((weights - start) ** 2).sum()) / 2

    weights, value = start.copy(), objective(start)
    for _ in range(50):
        p = np.exp(_log_softmax(np.tensordot(weights, features, 1)))
        mean = np.einsum("nc,qnc->qn", p, features)
        gradient = (mean - features[:, rows, truth]) @ counts + _RIDGE * (weights - start)
        square = np.einsum("n,nc,qnc,rnc->qr", counts, p, features, features) - (mean * counts) @ mean.T
        step = np.linalg.solve(square + _RIDGE * np.eye(len(weights)), gradient)
        length = 1.0
        while length > 1e-4:
            moved = weights - length * step
            moved[0] = np.clip(moved[0], *_SLOPES)
            if objective(moved) <= value:
                break
            length /= 2
        else:
            break
        gain, weights, value = value - objective(moved), moved, objective(moved)
        if gain < 1e-9:
            break
    return weights


def _losses(logits: Floats, truth: NDArray[np.int64]) -> Floats:
    return np.asarray(-_log_softmax(logits)[np.arange(len(truth)), truth])


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
