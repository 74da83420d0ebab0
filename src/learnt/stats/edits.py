"""How many words or characters of a text were said wrongly, left out or added: word and character error rate.

Of all alignments with the fewest edits (Levenshtein 1966) the one with the most hits is taken, so that the counts are
unique. The rate is that of NIST's sclite and of jiwer: edits over the length of the truth.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

HITS, SUBSTITUTIONS, DELETIONS, INSERTIONS = range(4)
"""Columns of counts."""


def characters(text: str) -> list[str]:
    """Characters of words and one blank between them."""
    return list(" ".join(text.split()))


def counts(said: Sequence[Sequence[Hashable]], truth: Sequence[Sequence[Hashable]]) -> NDArray[np.int64]:
    """[N, 4] of sequences and their truths: hits, substitutions, deletions, insertions."""
    found = [_counts(*_codes(one, other)) for one, other in zip(said, truth, strict=True)]
    return np.array(found, np.int64).reshape(-1, 4)


def rate(counts: NDArray[np.int64] | NDArray[np.float64]) -> float:
    """Edits over the length of the truth, of all together; may be above 1. `counts` [N, 4], rows of it drawn anew, or
    rows times a weight; nan where no truth has anything.
    """
    hits, *edits = np.asarray(counts, np.float64).reshape(-1, 4).sum(0).tolist()
    wanted = hits + edits[0] + edits[1]
    return sum(edits) / wanted if wanted else math.nan


def align(said: Sequence[Hashable], truth: Sequence[Hashable]) -> list[tuple[int, int]]:
    """(place in said, place in truth) from left to right; -1 where something was left out or added.

    Where several alignments are equally good, hits and substitutions stand as far to the right as they can.
    """
    ours, theirs = _codes(said, truth)
    table = np.array(_rows(ours, theirs))
    edit = _edit(len(ours), len(theirs))
    pairs: list[tuple[int, int]] = []
    left, up = len(ours), len(theirs)
    while left or up:
        here = table[up, left]
        both = left and up and table[up - 1, left - 1] + (-1 if ours[left - 1] == theirs[up - 1] else edit)
        if left and up and here == both:
            left, up = left - 1, up - 1
            pairs.append((left, up))
        elif up and here == table[up - 1, left] + edit:
            up -= 1
            pairs.append((-1, up))
        else:
            left -= 1
            pairs.append((left, -1))
    return pairs[::-1]


def _counts(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> tuple[int, int, int, int]:
    """Length and edits together leave no choice once the hits are known."""
    edit, cost = _edit(len(ours), len(theirs)), int(_rows(ours, theirs)[-1][-1])
    edits = -(-cost // edit)
    hits = edits * edit - cost
    substitutions = len(ours) + len(theirs) - 2 * hits - edits
    return hits, substitutions, len(theirs) - hits - substitutions, len(ours) - hits - substitutions


def _rows(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The least cost [len(theirs) + 1][len(ours) + 1] of beginnings: so much for an edit that no hits outweigh one."""
    edit = _edit(len(ours), len(theirs))
    steps = edit * np.arange(len(ours) + 1)
    rows = [steps]
    for symbol in theirs:
        row = rows[-1] + edit
        row[1:] = np.minimum(row[1:], rows[-1][:-1] + np.where(ours == symbol, -1, edit))
        rows.append(np.minimum.accumulate(row - steps) + steps)
    return rows


def _edit(ours: int, theirs: int) -> int:
    return ours + theirs + 1


def _codes(said: Sequence[Hashable], truth: Sequence[Hashable]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    known: dict[Hashable, int] = {}
    ours, theirs = ([known.setdefault(symbol, len(known)) for symbol in one] for one in (said, truth))
    return np.array(ours, np.int64), np.array(theirs, np.int64)
