"""What a column of cells holds: numbers, days or categories."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Literal

import numpy as np

from learnt.codecs import cells
from learnt.contracts import Cells

Kind = Literal["numbers", "categories", "days"]

SURE = 0.9
"""Share of the present cells that must be numbers (or days) for the column to hold numbers (or days)."""
CODES = 0.01
"""Share of the present cells that make a column of whole numbers one of codes."""
EXACT = 2**53
"""Whole numbers above it do not fit a float64."""
LOOKED_AT = 5000
"""How many cells, spread over the column, tell what it holds; all where most of them are missing."""

_PADDED = re.compile(r"\s*0\d+\s*")
_WHOLE = re.compile(r"\s*[+-]?\d{16,}\s*")


def of(column: Cells) -> Kind:
    """What a column holds. Ids above 2**53, codes with leading zeros and truth values are categories."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "fM":
        return "numbers" if column.dtype.kind == "f" else "days"
    found = looked_at(column)
    if len(found) < LOOKED_AT / 20:
        found = present(column)
    if not found:
        return "numbers"
    if set(map(type, found)) <= {bool, np.bool_}:
        return "categories"
    counted = Counter(found)
    distinct, counts = list(counted), np.array(list(counted.values()))
    few = (1 - SURE) * len(found)
    not_numbers = counts[cells.numbers(distinct)[1]].sum()
    if not_numbers <= few:
        codes = counts[list(map(_is_code, distinct))].sum()
        return "categories" if codes and codes >= CODES * len(found) else "numbers"
    days = not_numbers >= SURE * len(found) and counts[cells.days(distinct)[1]].sum() <= few
    return "days" if days else "categories"


def looked_at(column: Cells) -> list[Any]:
    """The present ones among cells spread over the column."""
    return present(list(column[:: max(1, len(column) // LOOKED_AT)]))


def present(column: Cells) -> list[Any]:
    """The cells that are not missing."""
    return [cell for cell in column if not cells.is_missing(cell)]


def _is_code(cell: Any) -> bool:
    """A whole number that a float64 would spoil."""
    if isinstance(cell, str):
        return bool(_PADDED.fullmatch(cell) or (_WHOLE.fullmatch(cell) and abs(int(cell)) > EXACT))
    return isinstance(cell, int | np.integer) and abs(int(cell)) > EXACT
