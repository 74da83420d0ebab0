"""Two ways of learning, judged on the same examples: which one is to be kept."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.stats.intervals import bootstrap_mean

Floats = NDArray[np.float64]


def paired(plain: Floats, other: Floats, codes: NDArray[np.int64]) -> dict[str, Any]:
    """What probabilities [n, labels] of a plain and of another network come to against the labels [n].

    `errors` and `squared_error` (Brier 1950, summed over the labels) of each, and of `errors` the `difference`, other
    less plain, with its 95 % interval over examples drawn again. `better`: the squared error is lower and there are no
    more errors. The squared error sees what a hundred examples hardly show by errors alone.
    """
    truth = np.eye(plain.shape[1])[codes]
    wrong = [(said.argmax(1) != codes).astype(np.float64) for said in (plain, other)]
    squared = [((said - truth) ** 2).sum(1) for said in (plain, other)]
    change = wrong[1] - wrong[0]
    low, high = bootstrap_mean(change)
    return {
        "n": len(codes),
        "errors": [float(one.mean()) for one in wrong],
        "squared_error": [float(one.mean()) for one in squared],
        "difference": {"value": float(change.mean()), "low": low, "high": high},
        "better": bool(squared[1].mean() < squared[0].mean() and change.mean() <= 0),
    }
