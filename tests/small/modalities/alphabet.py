"""Text as the places of its letters in the alphabet."""

from __future__ import annotations

from typing import Any

import numpy as np

from learnt.contracts import Piece
from learnt.errors import DataError


class Letters:
    name = "alphabet"
    title = "alphabet"
    gives = frozenset({"vector"})
    joins = False
    stresses = ()

    def read(self, columns: Any, settings: Any) -> Any:
        (column,) = columns.values()
        for row, cell in enumerate(column):
            if not isinstance(cell, str):
                raise DataError(f"row {row + 1}: {cell!r} is no text")
        return {"tokens": [np.array([ord(letter) - 96 for letter in cell], np.int64) for cell in column]}

    def parts(self, raw: Any, settings: Any) -> Any:
        return [[Piece("all", (0.0, float(len(tokens))))] for tokens in raw["tokens"]]

    def _not_here(self, *given: Any) -> Any:
        raise AssertionError("predicting must not need this")

    claims = learn = inputs = sample = suggest = augment = prepare = _not_here
    encoder = occlude = hide = stress = plain = _not_here
