"""Intervals: how far a number measured on n examples can be off."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import NormalDist
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
E = TypeVar("E")
_UNKNOWN: Interval = (float("nan"), float("nan"))


def wilson(successes: float, n: float, level: float = 0.95) -> Interval:
    """Interval of a proportion (Wilson 1927); (nan, nan) for n = 0."""
    if n <= 0:
        return _UNKNOWN
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p = successes / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(p * (1 - p) / n + z * z / (4 * n * n), 0.0))
    return (max(0.0, min(middle - half, p)), min(1.0, max(middle + half, p)))


def poisson(count: int, level: float = 0.95) -> Interval:
    """Exact interval of the mean of a count of rare events (Garwood 1936)."""
    tail = (1 - level) / 2

    def mean(places: int, chance: float) -> float:
        """At which mean so many or fewer have this chance, by bisection."""
        low, high = 0.0, 2 * places + 20.0
        for _ in range(80):
            middle = (low + high) / 2
            logs = [place * math.log(middle) - middle - math.lgamma(place + 1) for place in range(places + 1)]
            low, high = (middle, high) if math.fsum(map(math.exp, logs)) > chance else (low, middle)
        return (low + high) / 2

    return (mean(count - 1, 1 - tail) if count else 0.0, mean(count, tail))


def beta_binomial_pmf(n: int, a: float, b: float) -> NDArray[np.float64]:
    """[n + 1], the chances of 0..n successes when their rate is drawn from Beta(a, b); b = 0 means rate 1, a
    = 0 rate 0.
    """
    if a <= 0 or b <= 0:
        certain = np.zeros(n + 1)
        certain[n if b <= 0 else 0] = 1.0
        return certain
    k = np.arange(n, dtype=np.float64)
    steps = np.log(n - k) - np.log(k + 1) + np.log(k + a) - np.log(n - k - 1 + b)
    log_mass = np.concatenate([[0.0], np.cumsum(steps)])
    mass = np.exp(log_mass - log_mass.max())
    return np.asarray(mass / mass.sum())


def beta_binomial_cdf(n: int, a: float, b: float) -> NDArray[np.float64]:
    """[n + 1], the chances of at most 0..n successes."""
    return np.minimum(np.cumsum(beta_binomial_pmf(n, a, b)), 1.0)


def beta_binomial_band(n: int, a: float, b: float, level: float = 0.95) -> tuple[int, int]:
    """The counts (low, high) between which the successes of n lie with at least this chance; equal tails."""
    cdf = beta_binomial_cdf(n, a, b)
    tail = (1 - level) / 2
    low = int(np.searchsorted(cdf, tail))
    high = int(np.searchsorted(cdf, 1 - tail))
    return (min(low, n), min(high, n))


def betainc(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b), by its continued fraction (Lentz's method; DLMF
    8.17.22).
    """
    if x <= 0 or b <= 0:
        return 0.0
    if x >= 1 or a <= 0:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - betainc(b, a, 1 - x)
    tiny = 1e-300
    c, d = 1.0, 1.0 / _away(1 - (a + b) * x / (a + 1), tiny)
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for coefficient in (even, odd):
            d = 1.0 / _away(1 + coefficient * d, tiny)
            c = _away(1 + coefficient / c, tiny)
            change = c * d
            fraction *= change
        if abs(change - 1) < 1e-15:
            break
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return min(1.0, math.exp(front) * fraction / a)


def _away(value: float, tiny: float) -> float:
    return value if abs(value) > tiny else tiny


def beta_quantile(q: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = q, by bisection; b = 0 means rate 1, a = 0 rate 0."""
    if a <= 0 or b <= 0:
        return 1.0 if b <= 0 else 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if betainc(a, b, middle) < q:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def bootstrap(
    statistic: Callable[[E], float],
    take: Callable[[NDArray[np.int64]], E],
    n: int,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a statistic when the n examples are drawn again with replacement (Efron 1979).

    `take` gives what `statistic` reads of the drawn examples, as `Evidence.take` does. Resamples in which
    the statistic is nan are left out; (nan, nan) when n = 0 or in all of them it is.
    """
    return bootstrap_each(lambda drawn: {"": statistic(drawn)}, take, n, level, resamples, seed).get("", _UNKNOWN)


def bootstrap_each(
    statistics: Callable[[E], Mapping[str, float]],
    take: Callable[[NDArray[np.int64]], E],
    n: int,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
) -> dict[str, Interval]:
    """`bootstrap` of several named statistics on the same resamples, less its own bias.

    A mean distance grows when examples are drawn again, and its plain interval may lie wholly above it. So where the
    mean of the draws is surely off the statistic (three standard errors), they are moved by that much (Efron and
    Tibshirani 1993, section 10.2), but not below 0 nor above 1 where no draw was.
    """
    if n <= 0:
        return {}
    rng = np.random.default_rng([seed, n])
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        for name, value in statistics(take(rng.integers(0, n, n))).items():
            drawn.setdefault(name, []).append(value)
    whole = statistics(take(np.arange(n)))
    return {
        name: percentiles(_unbiased(np.asarray(values, dtype=np.float64), whole.get(name, np.nan)), level)
        for name, values in drawn.items()
    }


def _unbiased(drawn: NDArray[np.float64], value: float) -> NDArray[np.float64]:
    """Draws around the statistic itself; nan stay nan."""
    known = drawn[~np.isnan(drawn)]
    if not len(known) or not abs(known.mean() - value) > 3 * known.std() / math.sqrt(len(known)):
        return drawn
    low, high = min(0.0, float(known.min())), max(1.0, float(known.max()))
    least, most = -math.inf if low < 0 else 0.0, math.inf if high > 1 else 1.0
    return np.asarray(np.clip(drawn - (known.mean() - value), least, most), np.float64)


def percentiles(drawn: NDArray[np.float64], level: float = 0.95) -> Interval:
    """The equal-tailed interval of draws; nan are left out."""
    drawn = drawn[~np.isnan(drawn)]
    if not len(drawn):
        return _UNKNOWN
    tail = (1 - level) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return (float(low), float(high))


def bootstrap_mean(
    total: NDArray[np.float64],
    count: NDArray[np.float64] | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Percentile interval of sum(total) / sum(count) over examples [n]; paired differences are one such
    total.

    `count` is 1 an example unless given (atoms of the example).
    """
    n = len(total)
    if n == 0:
        return _UNKNOWN
    weight = np.ones(n) if count is None else count
    rng = np.random.default_rng([seed, n])
    drawn = np.empty(resamples)
    rows = max(1, 2_000_000 // n)
    for start in range(0, resamples, rows):
        chosen = rng.integers(0, n, (min(rows, resamples - start), n))
        bottom = weight[chosen].sum(axis=1)
        drawn[start : start + rows] = np.where(
            bottom > 0, total[chosen].sum(axis=1) / np.maximum(bottom, 1e-12), np.nan
        )
    return percentiles(drawn, level)


def normal_mean(values: NDArray[np.float64], level: float = 0.95) -> Interval:
    """Interval of the mean of values [n] by the central limit theorem: for 60 and more, at the cost of one pass."""
    if not len(values):
        return _UNKNOWN
    half = NormalDist().inv_cdf(0.5 + level / 2) * float(np.std(values)) / math.sqrt(len(values))
    return (float(np.mean(values)) - half, float(np.mean(values)) + half)


def clustered_mean(values: NDArray[np.float64], codes: NDArray[np.int64], level: float = 0.95) -> Interval:
    """Interval of the mean of values [n] where groups [n] are what is drawn (Cochran 1977, 6.3 as a ratio estimate;
    Student's t of as many degrees of freedom as there are groups but one); unknown of fewer than two."""
    groups = np.unique(codes, return_inverse=True)[1]
    counts = np.bincount(groups)
    if len(counts) < 2:
        return _UNKNOWN
    middle, free = float(np.mean(values)), len(counts) - 1
    apart = np.bincount(groups, values) - middle * counts
    error = math.sqrt(len(counts) / free * float((apart**2).sum())) / len(values)
    half = math.sqrt(free * (1 / beta_quantile(1 - level, free / 2, 0.5) - 1)) * error
    return middle - half, middle + half


def balanced_share(right: NDArray[Any], strata: NDArray[np.int64], level: float = 0.95) -> Interval:
    """Interval of the mean, over strata that count alike, of the share [n] that is right in each (Cochran 1977, 5.5).

    The spread is that within strata: how many examples of each were drawn says nothing. One right and one wrong answer
    more keep that of a stratum without a mistake above 0.
    """
    codes = np.unique(strata, return_inverse=True)[1]
    if not len(codes):
        return _UNKNOWN
    counts, hits = np.bincount(codes), np.bincount(codes, np.asarray(right, np.float64))
    careful = (hits + 1) / (counts + 2)
    half = NormalDist().inv_cdf(0.5 + level / 2) * math.sqrt((careful * (1 - careful) / counts).sum()) / len(counts)
    middle = float((hits / counts).mean())
    return middle - half, middle + half
