"""Words of category columns <-> codes: 0 missing, 1 never seen, 2.. the words in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = 0
UNSEEN = 1
FIRST = 2
"""The code of a column's first word."""


def encode(strings: NDArray[Any], words: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """Strings [N, C] -> codes int64 [N, C], as the file's own look-up gives them.

    `words` is one vocabulary a column. Raises ValueError when there are more or fewer columns.
    """
    if strings.ndim != 2 or strings.shape[1] != len(words):
        raise ValueError(f"strings of shape {strings.shape} for {len(words)} vocabularies; expected [N, {len(words)}]")
    codes = np.empty(strings.shape, np.int64)
    for column, known in enumerate(words):
        look_up = {word: code for code, word in enumerate(known, FIRST)} | {"": MISSING}
        codes[:, column] = [look_up.get(text, UNSEEN) for text in strings[:, column].tolist()]
    return codes


def group_codes(texts: Sequence[str] | NDArray[Any], groups: Sequence[str]) -> NDArray[np.int64]:
    """[N], the place of each text among the groups, counted from 1; 0 for any other."""
    known = {text: place for place, text in enumerate(groups, 1)}
    return np.array([known.get(text, 0) for text in texts], np.int64)
