"""Columns that tell rows apart and nothing else: no two cells are alike, and no cell comes again in new rows."""

from __future__ import annotations

import re

from learnt.codecs import cells
from learnt.contracts import Column

_NAME = re.compile(r"(?i:(?:.*[\s_.-])?(?:id|uuid|guid|index)|unnamed: 0)|.*[a-z]I[dD]|")
FEWEST = 20
"""With fewer rows, texts that all differ may be chance."""
GLANCE = 1000
"""Cells that mostly tell already what all of them would."""


def is_one(column: Column) -> bool:
    """All cells differ, and the name says id or the cells are text that a table could only learn by heart."""
    some = cells.texts(column.cells[:GLANCE]).tolist()
    if not is_called_one(column):
        half = len(some) / 2
        if len(column.cells) < FEWEST or len(cells.numbers(some)[1]) < half or len(cells.days(some)[1]) < half:
            return False
    return all_differ(column)


def is_called_one(column: Column) -> bool:
    """Whether its name says so."""
    return _NAME.fullmatch(column.name.strip()) is not None


def all_differ(column: Column) -> bool:
    """Whether no two of two cells or more are alike, and none is empty."""
    some = cells.texts(column.cells[:GLANCE]).tolist()
    if len(some) < 2 or len(set(some)) < len(some):
        return False
    texts = cells.texts(column.cells).tolist()
    return "" not in texts and len(set(texts)) == len(texts)


def is_of_words(column: Column) -> bool:
    """Whether most cells are more than one word."""
    some = cells.texts(column.cells[:GLANCE]).tolist()
    return 2 * sum(len(text.split()) > 1 for text in some) > len(some)
