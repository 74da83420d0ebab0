"""Cells that hold several labels: text with a separator, lists, or a row of columns that each say yes or no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from learnt.codecs.answers import said
from learnt.codecs.cells import is_missing, texts

SEPARATORS = (";", "|", ",")


def listed(cell: Any) -> bool:
    """True for a list of labels, as Parquet and JSON have them; a row of columns is none."""
    return isinstance(cell, list | set | frozenset | np.ndarray)


def split(cells: Sequence[Any], separator: str | None) -> list[list[str]]:
    """The labels of each cell, each once; [] of an empty one. Without a separator a text is one label."""
    found = []
    for cell in cells:
        if isinstance(cell, tuple):
            names = getattr(cell, "names", tuple(map(str, range(len(cell)))))
            found.append([name for name, one in zip(names, cell, strict=True) if said(one)])
            continue
        parts: Sequence[Any] = (
            list(cell)
            if listed(cell)
            else []
            if is_missing(cell)
            else str(cell).split(separator)
            if separator
            else [cell]
        )
        found.append([label for label in dict.fromkeys(texts(parts).tolist()) if label])
    return found


def separator(cells: Sequence[Any]) -> str | None:
    """What stands between the labels of texts; None where nothing does.

    The one that leaves fewest different labels, if those are fewer than the different cells: what is put together
    again and again is a label, what occurs once is a part of a sentence. Numbers with commas are numbers.
    """
    counted = Counter(str(cell) for cell in cells if isinstance(cell, str) and not is_missing(cell))
    best, fewest = None, len(counted) + 1
    for tried in SEPARATORS:
        if not any(tried in cell for cell in counted):
            continue
        parts = {part.strip() for cell in counted for part in cell.split(tried)} - {""}
        numbers = tried == "," and all(part.replace(".", "", 1).lstrip("+-").isdigit() for part in parts)
        if len(parts) < fewest and not numbers:
            best, fewest = tried, len(parts)
    return best
