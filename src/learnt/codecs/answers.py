"""Yes and no, however a source writes them: `true` in CSV, True in JSON and Arrow, 1 in a database are one answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learnt.codecs import cells

GLANCE, MOST = 1000, 25
"""Among so many texts there are more kinds than anybody has ways to say yes and no."""
_YES, _NO = {"1", "true", "yes", "y"}, {"0", "false", "no", "n"}


def said(cell: Any) -> bool | None:
    """What a cell says: 1, true, yes; 0, false, no. None for anything else."""
    text = str(cells.texts([cell])[0]).lower()
    return True if text in _YES else False if text in _NO else None


def usual(texts: NDArray[np.object_]) -> list[str]:
    """The most frequent way in which texts [n] say yes and no; [] where there is one way only, or other texts too."""
    if len(set(texts[:GLANCE])) > MOST:
        return []
    counted = Counter(texts.tolist())
    counted.pop("", None)
    ways: dict[bool | None, str] = {}
    for text, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0])):
        ways.setdefault(said(text), text)
    return list(ways.values()) if len(counted) > len(ways) == 2 and None not in ways else []


def written(texts: NDArray[np.object_], known: Sequence[str]) -> NDArray[np.object_]:
    """Texts [n], of which those that say yes or no otherwise than the `known` ones are written as these.

    As they are where the known ones are other words too, or several ways.
    """
    ways = {said(word): word for word in known}
    if not ways or None in ways or len(ways) < len(known):
        return texts
    listed = texts.tolist()
    other = {text: ways[answer] for text in set(listed) - set(known) if (answer := said(text)) in ways}
    if not other:
        return texts
    found = np.empty(len(listed), object)
    found[:] = [other.get(text, text) for text in listed]
    return found


def numbers(column: Sequence[Any], known: Sequence[float]) -> tuple[NDArray[np.float64], list[int]]:
    """As `cells.numbers`; in a column whose `known` values are 1 and 0 alone, words for yes and no are these."""
    values, bad = cells.numbers(column)
    if not bad or list(known) != [0.0, 1.0]:
        return values, bad
    answers = {row: said(column[row]) for row in bad}
    for row, answer in answers.items():
        values[row] = np.nan if answer is None else float(answer)
    return values, [row for row in bad if answers[row] is None]
