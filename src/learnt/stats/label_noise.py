"""How many of the given labels are wrong, and which: noise is what stays where one is sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

SHARPER = tuple(float(value) for value in np.geomspace(0.5, 8.0, 13))
"""Powers tried: a network that learnt from wrong labels is less sure of the right ones than it could be."""
_ROUNDS = 60
_ROWS = 10.0
"""Examples of a label whose confusions are its own rather than those of all labels."""
_MOST = 4_000_000
"""Numbers above which the model is fitted on a part of the examples."""
_UNLIKELY = 1e-3
"""Likelihood, as a share of the greatest, at which a power is left out."""
_TINY = 1e-12


@dataclass(frozen=True)
class Rates:
    """P(given label | true label) and the power by which what the network says is sharpened."""

    transition: Floats
    """[true, given]"""
    power: float
    likelihood: float
    """Log probability of the given labels."""

    def posterior(self, probability: Floats, given: Codes) -> Floats:
        """[n, C], what the true label is, knowing what the network says and which label was given."""
        joint = _sharp(probability, self.power) * self.transition[:, given].T
        return np.asarray(joint / np.maximum(joint.sum(1, keepdims=True), _TINY))


@dataclass(frozen=True)
class Noise:
    """Rates at several powers and how much each is believed: few examples cannot tell one power from the next."""

    parts: tuple[tuple[float, Rates], ...]

    def posterior(self, probability: Floats, given: Codes) -> Floats:
        """[n, C], as that of `Rates`, averaged."""
        return np.asarray(sum(share * rates.posterior(probability, given) for share, rates in self.parts))

    @property
    def transition(self) -> Floats:
        """[true, given], averaged."""
        return np.asarray(sum(share * rates.transition for share, rates in self.parts))

    @property
    def power(self) -> float:
        """Averaged."""
        return sum(share * rates.power for share, rates in self.parts)


def pooled(one: Floats, other: Floats, given: Codes) -> Floats:
    """[n, C], a share of each of two opinions [n, C]: the shares under which the given labels [n] are likeliest.

    (Linear opinion pool, Stone 1961; its weights by expectation maximisation, as those of any mixture.)
    """
    rows, share = np.arange(len(given)), 0.5
    first, second = one[rows, given], other[rows, given]
    for _ in range(_ROUNDS):
        share = float((share * second / np.maximum(share * second + (1 - share) * first, _TINY)).mean())
    return (1 - share) * one + share * other


def fit(probability: Floats, given: Codes) -> Noise:
    """The noise under which the given labels [n] are likeliest, p [n, C] said by networks that did not see them.

    True labels are drawn from p to a power, and each is confused with others at a rate of its own. An error that grows
    rarer as the network grows surer is doubt, one that does not is noise: that is how the power is told from the rates.
    Expectation maximisation (Dawid and Skene 1979, with the network in the place of the annotators) for each of
    `SHARPER`, averaged by likelihood (Hoeting et al. 1999, Bayesian model averaging). Rates of a label are drawn
    towards the mean rate, `_ROWS` examples strong.
    """
    classes = probability.shape[1]
    most = max(1000, _MOST // classes)
    if len(given) > most:
        chosen = np.random.default_rng([0, len(given)]).choice(len(given), most, replace=False)
        probability, given = probability[chosen], given[chosen]
    fitted = [_fit_rates(probability, given, power) for power in SHARPER]
    most_likely = max(rates.likelihood for rates in fitted)
    weights = [float(np.exp(rates.likelihood - most_likely)) for rates in fitted]
    parts = [(weight, rates) for weight, rates in zip(weights, fitted, strict=True) if weight > _UNLIKELY]
    total = sum(weight for weight, _ in parts)
    return Noise(tuple((weight / total, rates) for weight, rates in parts))


def _fit_rates(probability: Floats, given: Codes, power: float) -> Rates:
    said, classes = _sharp(probability, power), probability.shape[1]
    rate, own = 0.05, np.eye(classes, dtype=bool)
    transition = np.where(own, 1 - rate, rate / max(1, classes - 1))
    onehot = np.zeros((len(given), classes))
    onehot[np.arange(len(given)), given] = 1.0
    for _ in range(_ROUNDS):
        joint = said * transition[:, given].T
        joint /= np.maximum(joint.sum(1, keepdims=True), _TINY)
        counts = joint.T @ onehot
        rate = float((counts[~own].sum() + 0.5) / (len(given) + 1))
        shared = np.where(own, 1 - rate, rate / max(1, classes - 1))
        before, transition = transition, (counts + _ROWS * shared) / (counts.sum(1, keepdims=True) + _ROWS)
        if np.abs(transition - before).max() < 1e-5:
            break
    likelihood = float(np.log(np.maximum((said * transition[:, given].T).sum(1), _TINY)).sum())
    return Rates(transition, power, likelihood)


def cut(wrong: Floats) -> float:
    """The chance of being wrong from which on examples are listed, so that the expected F1 of the list is greatest.

    (Lipton, Elkan and Naryanaswamy, "Optimal thresholding of classifiers to maximize F1", ECML 2014.) inf where not
    one error is expected.
    """
    total = float(wrong.sum())
    if total < 1:
        return float("inf")
    ordered = np.sort(wrong)[::-1]
    score = 2 * np.cumsum(ordered) / (np.arange(1, len(ordered) + 1) + total)
    return float(ordered[int(np.argmax(score))])


def _sharp(probability: Floats, power: float) -> Floats:
    raised = np.maximum(probability, _TINY) ** power
    return np.asarray(raised / raised.sum(1, keepdims=True))
