"""Metrics of labels and numbers, named and valued as scikit-learn does."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def mean(values: NDArray[Any], weight: Floats | None = None) -> float:
    """Mean of values [n], each counting as its weight says; nan where none counts."""
    counts = len(values) > 0 if weight is None else bool(weight.any())
    return float(np.average(values, weights=weight)) if counts else float("nan")


def accuracy(truth: Codes, said: Codes) -> float:
    """Share of equal codes [n]."""
    return mean(np.asarray(truth == said, dtype=np.float64))


def log_loss(truth: Codes, probability: Floats, weight: Floats | None = None) -> float:
    """Mean -log p[n, C] of the true code."""
    tiny = np.finfo(np.float64).eps
    p = np.clip(np.asarray(probability, dtype=np.float64)[np.arange(len(truth)), truth], tiny, 1 - tiny)
    return mean(-np.log(p), weight)


def brier(truth: Codes, probability: Floats) -> float:
    """Mean squared distance of p[n, C] from the truth, halved for two classes (Brier 1950)."""
    p = np.asarray(probability, dtype=np.float64)
    distance = ((p - (truth[:, None] == np.arange(p.shape[1]))) ** 2).sum(axis=1)
    return mean(distance) * (0.5 if p.shape[1] == 2 else 1.0)


def roc_auc(truth: Codes, score: Floats, weight: Floats | None = None) -> float:
    """Area under the ROC curve: of score [n] for code 1; of p[n, 2]; of p[n, C], each class against the
    rest, averaged.

    Classes that are absent, or alone, are left out; nan when none remains.
    """
    if score.ndim == 2 and score.shape[1] == 2:
        score = score[:, 1]
    if score.ndim == 1:
        return _one_roc_auc(truth == 1, score, weight)
    each = [_one_roc_auc(truth == c, score[:, c], weight) for c in range(score.shape[1])]
    known = [value for value in each if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _one_roc_auc(positive: NDArray[np.bool_], score: Floats, weight: Floats | None) -> float:
    weight = np.ones(len(positive)) if weight is None else weight
    _, place = np.unique(score, return_inverse=True)
    ones = np.bincount(place, weight * positive)
    zeros = np.bincount(place, weight * ~positive)
    if not ones.sum() or not zeros.sum():
        return float("nan")
    below = np.cumsum(zeros) - zeros / 2
    return float(ones @ below / (ones.sum() * zeros.sum()))


def average_precision(truth: Codes, score: Floats, weight: Floats | None = None) -> float:
    """Sum of precision times gain in recall over the distinct scores; shapes as in `roc_auc`,
    macro-averaged.
    """
    if score.ndim == 2 and score.shape[1] == 2:
        score = score[:, 1]
    if score.ndim == 1:
        return _one_average_precision(truth == 1, score, weight)
    each = [_one_average_precision(truth == c, score[:, c], weight) for c in range(score.shape[1])]
    known = [value for value in each if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def _one_average_precision(positive: NDArray[np.bool_], score: Floats, weight: Floats | None) -> float:
    weight = np.ones(len(positive)) if weight is None else weight
    if not weight @ positive:
        return float("nan")
    order = np.argsort(-score, kind="stable")
    hits, found = (weight * positive)[order], score[order]
    ends = np.append(np.flatnonzero(np.diff(found)), len(found) - 1)
    true, said = np.cumsum(hits)[ends], np.cumsum(weight[order])[ends]
    return float(np.diff(true, prepend=0.0) @ (true / np.maximum(said, 1e-300)) / true[-1])


def confusion(truth: Codes, said: Codes, classes: int, weight: Floats | None = None) -> NDArray[Any]:
    """[C, C] counts, rows the truth; sums of weights where they are given. Codes outside 0..C-1 are left out."""
    inside = (truth >= 0) & (truth < classes) & (said >= 0) & (said < classes)
    counts = None if weight is None else weight[inside]
    return np.bincount(truth[inside] * classes + said[inside], counts, classes * classes).reshape(classes, classes)


def f1_macro(truth: Codes, said: Codes, weight: Floats | None = None) -> float:
    """F1 of each code that occurs in either, averaged; 0 for a code never hit."""
    matrix = _joint(truth, said, weight)
    true, either = np.diag(matrix), matrix.sum(axis=0) + matrix.sum(axis=1)
    seen = either > 0
    return mean(2 * true[seen] / either[seen])


def balanced_accuracy(truth: Codes, said: Codes, weight: Floats | None = None) -> float:
    """Recall of each true code, averaged."""
    matrix = _joint(truth, said, weight)
    number = matrix.sum(axis=1)
    return mean(np.diag(matrix)[number > 0] / number[number > 0])


def r2(truth: Floats, said: Floats, weight: Floats | None = None) -> float:
    """1 - squared errors / squared distances from the mean truth [n]; 0 where the truths do not differ."""
    weight = np.ones(len(truth)) if weight is None else weight
    spread = float(weight @ (truth - mean(truth, weight)) ** 2)
    return 1.0 - float(weight @ (truth - said) ** 2) / spread if spread else 0.0


def _joint(truth: Codes, said: Codes, weight: Floats | None) -> NDArray[Any]:
    codes, place = np.unique(np.concatenate([truth, said]), return_inverse=True)
    return confusion(place[: len(truth)], place[len(truth) :], len(codes), weight)


def reliability(
    confidence: Floats, correct: Floats, bins: int = 15, weight: Floats | None = None
) -> tuple[Floats, Floats, Floats]:
    """Mean confidence, mean correct and number (of weights, their sum), each [bins], in equal steps of confidence; nan
    for an empty bin.
    """
    weight = np.ones(len(confidence)) if weight is None else weight
    place = np.clip((confidence * bins).astype(np.int64), 0, bins - 1)
    number = np.bincount(place, weight, bins).astype(np.float64)
    with np.errstate(invalid="ignore"):
        said = np.bincount(place, confidence * weight, bins) / number
        true = np.bincount(place, correct * weight, bins) / number
    return said, true, number


def ece(
    confidence: Floats,
    correct: Floats,
    bins: int = 15,
    debiased: bool = True,
    draws: int = 1,
    weight: Floats | None = None,
) -> float:
    """Expected calibration error in `bins` equal steps of confidence (Naeini et al. 2015); nan for no atoms
    that count.

    The plug-in value grows with 1/sqrt(n) even for a perfect model. `debiased` takes off the part that
    chance adds: the mean of |gap + noise| - |gap| for normal noise with the variance p(1-p)/n of a bin,
    where the gaps are the measured ones shrunk as by James and Stein (1961). (Bröcker 2012 and Kumar et al.
    2019, section 4, debias the squared error likewise; this is the absolute one.) Never below 0. `draws` is
    how often chance has acted: 2 in a bootstrap resample, which is a sample of a sample.
    """
    if len(confidence) == 0 or (weight is not None and not weight.any()):
        return float("nan")
    weight = np.ones(len(confidence)) if weight is None else weight
    said, true, number = reliability(confidence, correct, bins, weight)
    full = number > 0
    place = np.clip((confidence * bins).astype(np.int64), 0, bins - 1)
    squared = np.bincount(place, weight**2, bins)[full]
    gap, share = (true - said)[full], number[full] / number.sum()
    plain = float(share @ np.abs(gap))
    if not debiased:
        return plain
    p = said[full]
    variance = draws * np.maximum(p * (1 - p), 1e-12) * squared / number[full] ** 2
    squares = float(share @ gap**2)
    kept = max(0.0, 1 - float(share @ variance) / squares) if squares > 0 else 0.0
    return max(0.0, plain - float(share @ _excess(kept * np.abs(gap), np.sqrt(variance))))


def _excess(gap: Floats, noise: Floats) -> Floats:
    """Mean of |gap + noise * Z| - |gap|: the folded normal's mean less its centre."""
    ratio = gap / noise
    density = np.exp(-(ratio**2) / 2)
    return np.asarray(noise * np.sqrt(2 / np.pi) * density - 2 * gap * _normal_tail(ratio))


def _normal_tail(x: Floats) -> Floats:
    """P(Z > x) for x >= 0, to 1e-7 (Abramowitz and Stegun 26.2.17)."""
    t = 1 / (1 + 0.2316419 * x)
    series = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    return np.asarray(np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi) * series)
