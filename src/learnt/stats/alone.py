"""What one column alone can tell: the simplest rule, chosen on one half of the examples and asked of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_RANGES, _TEXTS = 24, 200
_SMOOTH = 1.0


def cross_fitted(
    values: NDArray[Any], truth: NDArray[np.int64], classes: int, weight: NDArray[np.float64]
) -> NDArray[np.int64]:
    """[n] codes: the likeliest class by weight for each text (200 most frequent) or range of numbers of `values`.

    The ranges are 24, and each frequent number by itself. `values` float64 [n] (nan is missing, a range of its own) or
    text [n]; rules of each half answer the other half.
    """
    half = np.random.default_rng([0, len(values)]).permutation(len(values)) % 2 == 0
    said = np.zeros(len(values), np.int64)
    for learn, ask in ((half, ~half), (~half, half)):
        place = _places(values, values[learn])
        table = np.zeros((place.max() + 1, classes)) + _SMOOTH * np.bincount(
            truth[learn], weight[learn], classes
        ) / max(1.0, weight[learn].sum())
        np.add.at(table, (place[learn], truth[learn]), weight[learn])
        said[ask] = table.argmax(axis=1)[place[ask]]
    return said


def _places(values: NDArray[Any], known: NDArray[Any]) -> NDArray[np.int64]:
    """The range or text of each value; 0 is missing, and 1 a text not among the known."""
    if np.asarray(values).dtype.kind == "f":
        present = known[~np.isnan(known)]
        edges = np.quantile(present, np.linspace(0, 1, _RANGES + 1)[1:-1]) if len(present) else np.zeros(0)
        # a frequent value is a range by itself, or it would be told from those below it and not from those above
        edges, found = np.unique(edges, return_counts=True)
        edges = np.union1d(edges, np.nextafter(edges[found > 1], np.inf))
        return np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values, "right")).astype(np.int64)
    texts, counts = np.unique([str(text) for text in known], return_counts=True)
    often = texts[np.argsort(-counts, kind="stable")[:_TEXTS]]
    look_up = {str(text): place for place, text in enumerate(often, 2)} | {"": 0}
    return np.array([look_up.get(str(text), 1) for text in values], np.int64)
