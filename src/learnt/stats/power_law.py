"""How an error falls with the number of examples: err(n) = a n^-b + c."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEAST_FOR_FLOOR = 6
"""Sizes from which on a floor c is looked for: with fewer, a floor fits the noise."""
_FLOORS = np.linspace(0.0, 0.95, 20)
_WORTH = 2.0
"""A floor must lower the chi-squared of the fit by more than this (Akaike 1974)."""


@dataclass(frozen=True)
class PowerLaw:
    """a n^-b + c with a, c >= 0 and b >= 0: more examples never make it worse."""

    scale: float
    slope: float
    floor: float

    def __call__(self, size: float) -> float:
        """The error with so many examples."""
        return float(self.scale * size**-self.slope + self.floor)

    def needed(self, error: float) -> float:
        """How many examples it takes for this error; inf where it is never reached."""
        if error <= self.floor or self.scale <= 0:
            return 1.0 if error >= self.floor + self.scale else float("inf")
        if self.slope <= 0:
            return 1.0 if error >= self.floor + self.scale else float("inf")
        return float((self.scale / (error - self.floor)) ** (1 / self.slope))


def fit(size: Floats, error: Floats, variance: Floats, floor: bool = True) -> PowerLaw:
    """The curve through errors [m] at sizes [m], each weighted by 1 / variance.

    For each floor c of a grid log(err - c) is a straight line in log n, fitted by weighted least squares (Cortes,
    Jackel, Solla, Vapnik, Denker, "Learning curves: asymptotic values and rate of convergence", NIPS 1993). The c with
    the least weighted squares of the errors themselves is taken where there are `LEAST_FOR_FLOOR` sizes and it is worth
    a parameter, else c = 0.
    """
    weight = 1 / np.maximum(variance, 1e-12)
    plain = _line(size, error, weight, 0.0)
    if not floor or len(np.unique(size)) < LEAST_FOR_FLOOR:
        return plain
    tried = [_line(size, error, weight, share * float(error.min())) for share in _FLOORS]
    best = min(tried, key=lambda law: _squares(law, size, error, weight))
    gain = _squares(plain, size, error, weight) - _squares(best, size, error, weight)
    return best if gain > _WORTH else plain


def _line(size: Floats, error: Floats, weight: Floats, floor: float) -> PowerLaw:
    """Least squares of the errors, by a few rounds of the linearised problem (Gauss and Newton on the logarithm)."""
    above = np.maximum(error - floor, 0.05 * np.maximum(error, 1e-6))
    x, y = np.log(size), np.log(above)
    fitted = above
    for _ in range(8):
        own = weight * fitted**2
        mean_x, mean_y = np.average(x, weights=own), np.average(y, weights=own)
        spread = float(own @ (x - mean_x) ** 2)
        slope = max(0.0, -float(own @ ((x - mean_x) * (y - mean_y))) / max(spread, 1e-12))
        scale = mean_y + slope * mean_x
        fitted = np.exp(scale - slope * x)
        # the logarithm, linearised where the curve is rather than where a noisy error happened to fall
        y = np.log(fitted) + np.clip((error - floor - fitted) / fitted, -0.9, 3.0)
    return PowerLaw(float(np.exp(scale)), slope, floor)


def _squares(law: PowerLaw, size: Floats, error: Floats, weight: Floats) -> float:
    fitted = np.array([law(float(n)) for n in size])
    return float(weight @ (error - fitted) ** 2)
