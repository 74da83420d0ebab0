"""Groups out of a column: its texts, or a few ranges where it holds many numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = "(missing)"
_DISTINCT, _RANGES = 10, 4


def coded(values: Sequence[Any] | NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Names of groups, the largest first, and the group of each value [n]; "" and nan are a group of their own.

    More than 10 distinct numbers become 4 ranges of about as many values each: `18 to 25`, both ends within.
    """
    texts = ["" if value is None or value != value else str(value) for value in values]
    numbers = [_number(text) for text in texts]
    known = np.array([number for number in numbers if number is not None])
    if len(set(known.tolist())) > _DISTINCT and len(known) == sum(text != "" for text in texts):
        edges = np.quantile(known, np.linspace(0, 1, _RANGES + 1)[1:-1])
        place = np.searchsorted(edges, known, "left")
        spans = _spans([known[place == one] for one in range(_RANGES)])
        ranges = iter(place.tolist())
        texts = [text if number is None else spans[next(ranges)] for text, number in zip(texts, numbers, strict=True)]
    found, codes, counts = np.unique([text or MISSING for text in texts], return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [str(found[place]) for place in order], np.argsort(order)[codes].astype(np.int64)


def _spans(ranges: Sequence[NDArray[np.float64]]) -> dict[int, str]:
    """The name of each range that holds a number: four figures, and as many as it takes to tell them apart."""
    held = {place: one for place, one in enumerate(ranges) if len(one)}
    for figures in (4, 6, 17):
        names = {place: f"{one.min():.{figures}g} to {one.max():.{figures}g}" for place, one in held.items()}
        if len(set(names.values())) == len(names) and not any("e+" in name for name in names.values()):
            break
    return names


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
