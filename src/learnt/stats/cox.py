"""Cox's regression: what a network on times to an event has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Cox:
    """Proportional hazards: H(t | x) = H0(t) exp((x - mean) @ slope)."""

    mean: Floats
    slope: Floats
    times: Floats
    """Where the baseline hazard rises, [T]."""
    baseline: Floats
    """Cumulative, [T]."""

    def hazard(self, x: Floats, times: Floats) -> Floats:
        """Cumulative hazard [n, asked times] of x [n, F]."""
        place = np.searchsorted(self.times, times, "right")
        base = np.concatenate([[0.0], self.baseline])[place]
        return np.asarray(np.exp((x - self.mean) @ self.slope)[:, None] * base)


def fit(x: Floats, time: Floats, event: NDArray[np.bool_], ridge: float = 0.0, weight: Floats | None = None) -> Cox:
    """Newton's method on the partial likelihood (Cox 1972; ties as Breslow 1974) less ridge / 2 * |slope|².

    x [n, F]; the baseline hazard is Breslow's; `weight` [n] > 0 says as how many examples each counts.
    """
    weight = np.ones(len(x)) if weight is None else weight
    mean = np.average(x, axis=0, weights=weight)
    order = np.argsort(-time, kind="stable")
    z, late, happened, own = (x - mean)[order], time[order], event[order], weight[order]
    last = np.searchsorted(-late, -late, "right") - 1
    slope = np.zeros(x.shape[1])
    value, gradient, square = _partial(z, happened, own, last, slope, ridge)
    for _ in range(_STEPS):
        step = np.linalg.lstsq(square, gradient, rcond=None)[0]
        length = 1.0
        while length > 1e-6:
            moved = _partial(z, happened, own, last, slope + length * step, ridge)
            if moved[0] >= value:
                break
            length /= 2
        else:
            break
        gain, slope = moved[0] - value, slope + length * step
        value, gradient, square = moved
        if gain < 1e-10 * max(1.0, abs(value)):
            break
    risk = np.cumsum(own * np.exp(z @ slope))[last]
    times, place = np.unique(late[happened], return_inverse=True)
    rises = np.bincount(place, own[happened] / risk[happened], len(times))
    return Cox(mean, slope, times, np.cumsum(rises).astype(np.float64))


def _partial(
    z: Floats, happened: NDArray[np.bool_], own: Floats, last: NDArray[np.int64], slope: Floats, ridge: float
) -> tuple[float, Floats, Floats]:
    """Log likelihood, gradient [F] and negative Hessian [F, F]; rows from the latest time, `last` of each time."""
    score = z @ slope
    top = float(score.max(initial=0.0))
    share = own * np.exp(score - top)
    at_risk, counts = last[happened], own[happened]
    total = np.cumsum(share)[at_risk]
    first = np.cumsum(share[:, None] * z, 0)[at_risk] / total[:, None]
    value = float(counts @ (score[happened] - np.log(total) - top)) - ridge * float(slope @ slope) / 2
    # how often each row is at risk of an event, divided by who else is: the second moments need no cumulated matrices
    often = np.bincount(at_risk, counts / total, len(z))[::-1].cumsum()[::-1]
    square = (z * (share * often)[:, None]).T @ z - (first * counts[:, None]).T @ first
    return value, counts @ (z[happened] - first) - ridge * slope, square + ridge * np.eye(len(slope))
