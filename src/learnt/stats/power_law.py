"""How an error falls with the number of examples: err(n) = a n^-b + c, and how surely that is known.

Of what is mostly wrong it is the odds that fall so: err / (1 - err) = a n^-b, since an error that begins at 1 stays
near it for long. Where errors are small the two are one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SLOPE, SLOPES_APART = 0.5, 0.5
"""Mean and standard deviation of the normal prior of b, which is never below 0: more examples never make it worse."""
FLOORS = 5
"""Prior of c / err(largest n) in 0..1: density 5 (1 - x)^4, a sixth on average."""
OFF = 0.1
"""Standard deviation of log err(n) about any such curve: real curves are not quite power laws."""
_SLOPES, _SHARES, _LEVELS = np.linspace(0, 2, 51), np.linspace(0, 0.98, 36), np.linspace(-2.6, 2.6, 13)


@dataclass(frozen=True)
class Laws(ABC):
    """Curves that may be the true one, and how probable each is."""

    reference: float
    level: Floats
    """[k], the error at `reference` examples."""
    slope: Floats
    chance: Floats
    """[k], sums to 1."""

    @abstractmethod
    def at(self, size: float) -> Floats:
        """[k], the error of each with so many examples."""

    def quantile(self, values: Floats, share: float) -> float:
        """The value [k] that the true one is below with this probability."""
        order = np.argsort(values, kind="stable")
        place = int(np.searchsorted(np.cumsum(self.chance[order]), share))
        return float(values[order[min(place, len(order) - 1)]])

    def band(self, values: Floats, level: float) -> tuple[float, float]:
        """Where the true value [k] lies with probability `level`, as often below as above."""
        return self.quantile(values, (1 - level) / 2), self.quantile(values, (1 + level) / 2)

    def __call__(self, size: float) -> float:
        """The error with so many examples: it is as probably above as below."""
        return self.quantile(self.at(size), 0.5)

    def needed(self, error: float, most: float, surely: float = 0.5) -> float:
        """How many examples, up to `most`, it takes for this error by so many of the curves, as they are probable; inf
        where so many are not enough.
        """

        def enough(size: float) -> bool:
            return self.quantile(self.at(size), surely) <= error

        if not enough(most):
            return float("inf")
        low, high = log(1.0), log(most)
        for _ in range(24):
            middle = (low + high) / 2
            low, high = (low, middle) if enough(float(np.exp(middle))) else (middle, high)
        return float(np.exp(high))


@dataclass(frozen=True)
class PowerLaws(Laws):
    """level (share + (1 - share) (n / reference)^-slope)"""

    share: Floats
    """[k], of the level that no number of examples takes away."""

    def at(self, size: float) -> Floats:
        return self.level * (self.share + (1 - self.share) * (size / self.reference) ** -self.slope)


@dataclass(frozen=True)
class OddsLaws(Laws):
    """The odds of an error fall as (n / reference)^-slope, down to none."""

    def at(self, size: float) -> Floats:
        odds = self.level / (1 - self.level) * (size / self.reference) ** -self.slope
        return np.asarray(odds / (1 + odds))


def fit(size: Floats, error: Floats, covariance: Floats) -> PowerLaws:
    """The curves through errors [m] > 0 at rising sizes [m], by their probability given the priors above.

    `covariance` [m, m] of the errors. Logarithms of errors are taken as normal; the level has a flat prior, slope and
    floor lie on a grid (power laws with a floor: Cortes, Jackel, Solla, Vapnik and Denker, "Learning curves:
    asymptotic values and rate of convergence", NIPS 1993). Averaged over, not chosen from: the data of one curve
    seldom tell a floor from a slope (Viering and Loog, "The shape of learning curves: a review", 2022, section 5).
    """
    slope, share = (grid.ravel() for grid in np.meshgrid(_SLOPES, _SHARES, indexing="ij"))
    shape = np.log(share[:, None] + (1 - share[:, None]) * (size / size[-1])[None, :] ** -slope[:, None])
    level, chance = _weighed(np.log(error), shape, covariance / np.outer(error, error), slope, share)
    slope, share = (np.repeat(values, len(_LEVELS)) for values in (slope, share))
    return PowerLaws(float(size[-1]), np.exp(level), slope, chance, share)


def fit_odds(size: Floats, error: Floats, covariance: Floats) -> OddsLaws:
    """The same of the odds of errors [m] between 0 and 1, without a floor: sigmoids in log n, as Ruan, Maddison and
    Hashimoto ("Observational scaling laws", NeurIPS 2024) have them in the log of compute.
    """
    scale = error * (1 - error)
    shape = -_SLOPES[:, None] * np.log(size / size[-1])[None, :]
    none = np.zeros_like(_SLOPES)
    odds = np.log(error / (1 - error))
    level, chance = _weighed(odds, shape, covariance / np.outer(scale, scale), _SLOPES, none)
    return OddsLaws(float(size[-1]), 1 / (1 + np.exp(-level)), np.repeat(_SLOPES, len(_LEVELS)), chance)


def _weighed(said: Floats, shape: Floats, covariance: Floats, slope: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Levels and their probability, [curves times levels], of shapes [curves, m] through what was said [m]."""
    precision = np.linalg.inv(covariance + OFF**2 * np.eye(len(said)))
    above = said - shape
    certain = float(precision.sum())
    mean = above @ precision.sum(0) / certain
    squares = np.einsum("ki,ij,kj->k", above, precision, above) - certain * mean**2
    likely = -squares / 2 - ((slope - SLOPE) / SLOPES_APART) ** 2 / 2 + (FLOORS - 1) * np.log(1 - share)
    chance = np.exp(likely - likely.max())[:, None] * np.exp(-(_LEVELS**2) / 2)
    return (mean[:, None] + _LEVELS / certain**0.5).ravel(), (chance / chance.sum()).ravel()
